package clitest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
)

// mostPending is how many sessions EOS keeps that are neither committed nor aborted (ArchRuger/CLAB-BACKUP-WORKER-v2: "Maximum number of pending sessions: 5").
const mostPending = 5

// store is the configuration of a switch, and what is being done to it. Its fields belong to whoever holds mu.
type store struct {
	mu       sync.Mutex
	grammar  grammar
	edits    func(n *node, lines []string) string // of systems without a grammar: carries out a line
	locked   commandLine                          // of IOS XR, Junos and SR OS: who has the exclusive lock
	clock    netconftest.Clock
	running  *node
	sessions []*session
	waiting  string // name of the session whose commit waits for its confirmation
	before   *node  // what ran before it
	deadline time.Time
	stop     func() bool          // its timer
	flows    string               // what is printed of FlowSpec routes
	counters map[string][2]uint64 // packets and bytes, by name
}

// session is a copy of the running configuration that is being edited.
type session struct {
	name, state string
	config      *node
}

func newStore(system System, config string, clock netconftest.Clock) *store {
	if clock == nil {
		clock = realClock{}
	}
	switch system {
	case Junos:
		return &store{clock: clock, edits: eachLine((*node).set), running: readLines(config, (*node).set)}
	case SROS:
		return &store{clock: clock, edits: eachLine((*node).typed), running: readLines(config, (*node).typed)}
	}
	if system == VRP {
		return &store{clock: clock, edits: vrpLines, running: readSections(config)}
	}
	return &store{grammar: grammars[system], clock: clock, running: read(config)}
}

type realClock struct{}

func (realClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }

// print returns the configuration of a session, or with no name the running one.
func (s *store) print(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if name == "" {
		return s.running.print()
	}
	if found := s.find(name); found != nil {
		return found.config.print()
	}
	return ""
}

func (s *store) find(name string) *session {
	for _, one := range s.sessions {
		if one.name == name && one.state == "pending" {
			return one
		}
	}
	return nil
}

// enter begins a session, or goes on with it.
func (s *store) enter(name string) (*session, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.find(name); found != nil {
		return found, ""
	}
	if len(s.pending()) >= mostPending {
		return nil, "% Maximum number of pending sessions has been reached. Please commit or abort previous sessions before creating a new one.\n"
	}
	one := &session{name: name, state: "pending", config: s.running.clone()}
	s.sessions = append(s.sessions, one)
	return one, ""
}

func (s *store) pending() []string {
	var out []string
	for _, one := range s.sessions {
		if one.state == "pending" {
			out = append(out, one.name)
		}
	}
	return out
}

func (s *store) open() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending()
}

// commit makes a session run: for good, for the time being, or confirms it.
func (s *store) commit(name string, timer time.Duration) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == name && timer == 0 {
		s.stop()
		s.waiting, s.before = "", nil
		return ""
	}
	one := s.find(name)
	if one == nil {
		return fmt.Sprintf("%% Session %s not found\n", name)
	}
	if s.waiting != "" {
		return "% Cannot commit: another session has a pending commit timer\n"
	}
	before := s.running
	s.running, one.state = one.config.clone(), "committed"
	if timer > 0 {
		s.waiting, s.before, s.deadline = name, before, time.Now().Add(timer)
		s.stop = s.clock.AfterFunc(timer, func() { s.undo(name) })
	}
	return ""
}

// undo puts back what ran before the commit of that session, if it still waits.
func (s *store) undo(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting != name || name == "" {
		return false
	}
	s.stop()
	s.running, s.waiting, s.before = s.before, "", nil
	return true
}

// abort undoes a commit that waits, or forgets a session.
func (s *store) abort(name string) string {
	if s.undo(name) {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	one := s.find(name)
	if one == nil {
		return fmt.Sprintf("%% Session %s not found\n", name)
	}
	one.state = "aborted"
	return ""
}

// edit types lines into the running configuration.
func (s *store) edit(lines []string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.edits != nil {
		return s.edits(s.running, lines)
	}
	e := editor{grammar: s.grammar, root: s.running}
	var out strings.Builder
	for _, line := range lines {
		out.WriteString(e.line(line))
	}
	return out.String()
}

// list prints the table of sessions as cEOS 4.35.0F does.
func (s *store) list() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, "Maximum number of completed sessions: 1\nMaximum number of pending sessions: %d\nMerge on commit is disabled\nAutosave to startup-config on commit is disabled\n\n", mostPending)
	if s.waiting != "" {
		fmt.Fprintf(&b, "Session with pending commit timer: %s\nTime left until commit timer expiry: in %s\n\n", s.waiting, time.Until(s.deadline).Round(time.Second))
	}
	b.WriteString("  Name             State     User  Terminal Completed Time      Committed By\n- ---------------- --------- ----- -------- ------------------- ------------\n")
	shown := slices.Clone(s.sessions)
	slices.Reverse(shown)
	completed := 0
	for _, one := range shown {
		if one.state != "pending" {
			if completed++; completed > 1 {
				continue
			}
		}
		fmt.Fprintf(&b, "  %-16s %s\n", one.name, one.state)
	}
	return b.String()
}

// eachLine carries out lines of systems without views.
func eachLine(take func(n *node, line string) string) func(n *node, lines []string) string {
	return func(n *node, lines []string) (out string) {
		for _, line := range lines {
			out += take(n, line)
		}
		return out
	}
}

// vrpLines carries out lines of VRP.
func vrpLines(n *node, lines []string) (out string) {
	var view *node
	for _, line := range lines {
		if line == "quit" {
			view = nil
			continue
		}
		var words string
		view, words = n.vrp(view, line)
		out += words
	}
	return out
}
