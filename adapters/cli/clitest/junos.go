package clitest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// junos is the command line of Junos for one user, as ArchRuger/CLAB-BACKUP-WORKER-v2 saw it on cJunosEvolved 26.2R1.7 and vJunos-switch 23.2R1.14 (docs/multi-platform-restore,
// evidence/evo-live-facts.md).
type junos struct {
	server *Server
	target *session // the candidate, nil where commands are typed
	whole  bool
	left   bool
}

func newJunos(s *Server) *junos { return &junos{server: s} }

func (*junos) secret() bool { return false }

func (j *junos) state() (whole, left bool) { return j.whole, j.left }

func (j *junos) prompt() string {
	user := j.server.Username() + "@" + j.server.opt.Hostname
	if j.target == nil {
		return "\n{master}\n" + user + "> "
	}
	above := ""
	j.server.store.mu.Lock()
	if j.server.store.waiting != "" {
		above = "# commit confirmed will be rolled back in 1 minute\n"
	}
	j.server.store.mu.Unlock()
	return "\n" + above + "{master}[edit]\n" + user + "# "
}

// hangUp discards the candidate and gives the lock back. A change that waits goes on waiting.
func (j *junos) hangUp() { j.exit() }

func (j *junos) exit() {
	s := j.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	j.target = nil
	if s.locked == j {
		s.locked = nil
	}
}

func (j *junos) pretend(line string) {
	if line == "exit configuration-mode" {
		j.target = nil
	}
}

var junosCommit = regexp.MustCompile(`^commit confirmed (\d+) comment (\S+)$`)

const inherited = " | display inheritance no-comments"

// run carries out a line.
func (j *junos) run(line string) string {
	what, outside := strings.CutPrefix(line, "run ")
	if j.target == nil {
		what, outside = line, true
	}
	switch {
	case line == "":
		return ""
	case strings.HasPrefix(line, "set cli "):
		j.whole = j.whole || line == "set cli screen-length 0"
		return ""
	case line == "exit" && j.target == nil:
		j.left = true
		return ""
	case outside && what == "show configuration"+inherited:
		return "## Last commit: 2026-09-20 23:16:51 UTC by admin\nversion 23.2R1.14;\n" + j.server.store.printJunos("")
	case outside && what == "show firewall":
		return j.server.store.firewall()
	case outside && what == "show system commit":
		return j.commits()
	case j.target == nil && line == "configure exclusive":
		return j.enter()
	case j.target == nil:
		return "             ^\nunknown command.\n"
	}
	return j.configure(line)
}

// commits prints who committed.
func (j *junos) commits() string {
	s := j.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != "" {
		return "0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    " + s.waiting + "\n    rollback pending\n1   2026-09-20 22:16:51 UTC by admin via cli\n"
	}
	return "0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n1   2026-09-20 22:16:51 UTC by admin via cli\n"
}

func (j *junos) enter() string {
	s := j.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked != nil {
		return "error: configuration database locked by:\n  admin terminal p0 (pid 12345) on since 2026-09-20 23:16:51 UTC, idle 00:00:01\n      exclusive {master}[edit]\n"
	}
	s.locked, j.target = j, &session{config: s.running.clone()}
	return "warning: uncommitted changes will be discarded on exit\nEntering configuration mode\n"
}

// configure carries out a line where configuration is typed.
func (j *junos) configure(line string) string {
	if words := j.server.faults.refuses(line); words != "" {
		return words + "\n"
	}
	if line == "exit configuration-mode" {
		j.exit()
		return "Exiting configuration mode\n"
	}
	s := j.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	m := junosCommit.FindStringSubmatch(line)
	switch {
	case line == "show"+inherited:
		var b strings.Builder
		j.target.config.hierarchy(&b, 0)
		return b.String()
	case line == "rollback 0":
		j.target.config = s.running.clone()
		return "load complete\n"
	case line == "commit check":
		if s.waiting != "" { // which confirms what waits
			s.stop()
			s.waiting, s.before = "", nil
		}
		return "configuration check succeeds\n"
	case m != nil:
		minutes, err := strconv.Atoi(m[1])
		if err != nil || minutes < 1 {
			return "error: invalid value\n"
		}
		s.before, s.running, s.waiting = s.running, j.target.config.clone(), m[2]
		s.stop = s.clock.AfterFunc(time.Duration(minutes)*time.Minute, func() { s.undo(m[2]) })
		return fmt.Sprintf("commit confirmed will be automatically rolled back in %d minutes unless confirmed\ncommit complete\n", minutes)
	}
	return j.target.config.set(line)
}
