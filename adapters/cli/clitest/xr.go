package clitest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// xr is the command line of IOS XR for one user, as ArchRuger/CLAB-BACKUP-WORKER-v2 saw it on XRv 9000 24.3.1 (docs/multi-platform-restore, evidence/xr-live-facts.md).
type xr struct {
	server *Server
	target *session // the target configuration, nil where commands are typed
	editor editor
	trial  bool // it committed, and its change waits
	whole  bool
	left   bool
}

func newXR(s *Server) *xr { return &xr{server: s} }

func (*xr) secret() bool { return false }

func (x *xr) state() (whole, left bool) { return x.whole, x.left }

func (x *xr) prompt() string {
	host := "RP/0/RP0/CPU0:" + x.server.opt.Hostname
	if x.target == nil {
		return host + "#"
	}
	mode := "config"
	for _, n := range x.editor.path {
		word, _, _ := strings.Cut(n.line, " ")
		mode += map[string]string{"ipv4": "-ipv4-acl", "ipv6": "-ipv6-acl", "interface": "-if"}[word]
	}
	return host + "(" + mode + ")#"
}

// hangUp gives the lock back. A change that waits goes on waiting: it was seen that only its timer undoes it.
func (x *xr) hangUp() {
	s := x.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked == x {
		s.locked = nil
	}
}

func (x *xr) pretend(line string) {
	if line == "abort" || line == "end" {
		x.target = nil
	}
}

var trialCommand = regexp.MustCompile(`^commit confirmed (\d+)$`)

// run carries out a line. What is shown has the time in front.
func (x *xr) run(line string) string {
	what, outside := strings.CutPrefix(line, "do ")
	if x.target == nil {
		what, outside = line, true
	}
	const now = "Sun Sep 20 23:10:02.875 UTC\n"
	switch {
	case line == "":
		return ""
	case strings.HasPrefix(line, "terminal "):
		x.whole = x.whole || line == "terminal length 0"
		return ""
	case line == "exit" && x.target == nil:
		x.left = true
		return ""
	case outside && what == "show running-config":
		return now + "!! Building configuration...\n!! IOS XR Configuration 24.3.1\n" + x.server.store.print("") + "\n"
	case outside && what == "show configuration sessions detail":
		return now + x.sessions()
	case x.target == nil && line == "configure exclusive":
		return now + x.enter()
	case x.target == nil:
		return invalid
	}
	return x.configure(line)
}

const invalid = "                             ^\n% Invalid input detected at '^' marker.\n"

func (x *xr) enter() string {
	s := x.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.waiting != "":
		return "Cannot enter exclusive mode. A trial commit is underway in another configuration session.\n"
	case s.locked != nil:
		return "Cannot enter exclusive mode. The Configuration Namespace is locked by another agent.\n"
	}
	s.locked = x
	x.target = &session{name: fmt.Sprintf("00001000-%p", x), config: s.running.clone()}
	x.editor = editor{grammar: s.grammar, root: x.target.config}
	return ""
}

// sessions prints who is at what.
func (x *xr) sessions() string {
	s := x.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	if s.locked != nil {
		b.WriteString("  1) Session: 00001000-00003595-00000000  Mon Sep 21 00:58:15 2026\n     Line: vty0                           Lock: Reserved\n     User: clab                           Client: CLI\n")
	}
	if s.waiting != "" {
		b.WriteString("  2) Session: 00001000-000035b1-00000000  Mon Sep 21 00:58:16 2026\n     Line: vty0                           Lock: None\n     User: clab                           Client: commit-confirm\n     Process: cfgmgr_trial_co              PID: 13745\n")
	}
	return b.String()
}

// configure carries out a line where configuration is typed.
func (x *xr) configure(line string) string {
	if words := x.server.faults.refuses(line); words != "" {
		return words + "\n"
	}
	s := x.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	m := trialCommand.FindStringSubmatch(line)
	switch {
	case line == "show configuration merge":
		return "Sun Sep 20 23:10:02.875 UTC\n!! Building configuration...\n!! IOS XR Configuration 24.3.1\n" + x.target.config.print() + "\n"
	case line == "abort":
		x.target = nil
		if s.locked == x {
			s.locked = nil
		}
		return ""
	case line == "commit" && x.trial && s.waiting == x.target.name:
		s.stop()
		s.waiting, s.before, x.trial = "", nil, false
		return "\n% Confirming commit for trial session.\n"
	case line == "commit" && s.locked != x:
		return "No configuration changes to commit.\n"
	case m != nil:
		n, err := strconv.Atoi(m[1])
		if err != nil || n < 30 || n > 65535 {
			return invalid
		}
		s.before, s.running, s.waiting = s.running, x.target.config.clone(), x.target.name
		name := x.target.name
		s.stop = s.clock.AfterFunc(time.Duration(n)*time.Second, func() { s.undo(name) })
		s.locked, x.trial, x.editor.path = nil, true, nil
		return ""
	}
	if text := x.editor.line(line); text != "" {
		return invalid
	}
	return ""
}
