package clitest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// sros is the MD-CLI of SR OS for one user, as labs of SReXperts show it (hack.srexperts.net, activity 29 and others, on SR OS 26.3).
type sros struct {
	server *Server
	target *session // the candidate in exclusive mode, nil in operational mode
	dirty  bool     // it has what is not committed
	whole  bool
	left   bool
}

func newSROS(s *Server) *sros { return &sros{server: s} }

func (*sros) secret() bool { return false }

func (r *sros) state() (whole, left bool) { return r.whole, r.left }

func (r *sros) prompt() string {
	mode := ""
	if r.target != nil {
		mode = "(ex)"
		if r.dirty {
			mode = "*(ex)"
		}
	}
	return "\n" + mode + "[/]\nA:" + r.server.Username() + "@" + r.server.opt.Hostname + "# "
}

// hangUp discards the candidate, gives the lock back, and undoes a change of this session that waits.
func (r *sros) hangUp() {
	s := r.server.store
	s.mu.Lock()
	ours := s.locked == r
	if ours {
		s.locked = nil
	}
	waiting := s.waiting
	s.mu.Unlock()
	if ours {
		s.undo(waiting)
	}
	r.target, r.dirty = nil, false
}

func (r *sros) pretend(line string) {
	if line == "quit-config" {
		r.target, r.dirty = nil, false
	}
}

var srosCommit = regexp.MustCompile(`^commit confirmed (\d+)$`)

// run carries out a line.
func (r *sros) run(line string) string {
	switch {
	case line == "":
		return ""
	case strings.HasPrefix(line, "environment "):
		r.whole = r.whole || line == "environment more false"
		return ""
	case (line == "exit" || line == "logout") && r.target == nil:
		r.left = true
		return ""
	case line == "admin show configuration":
		return "# TiMOS-B-26.3.R1 both/x86_64 Nokia 7750 SR\n# Configuration format version 26.3 revision 0\n# Generated 2026-05-04T13:47:14.9+00:00 by admin from 192.0.2.9\n\n" +
			r.server.Running() + "\n# Finished 2026-05-04T13:47:15.0+00:00\n"
	case line == "edit-config exclusive" && r.target == nil:
		return r.enter()
	case r.target == nil:
		return unknownElement(line)
	}
	if words := r.server.faults.refuses(line); words != "" {
		return words + "\n"
	}
	if line == "quit-config" {
		r.hangUp()
		return "INFO: CLI #2064: Exiting exclusive configuration mode\n"
	}
	return r.configure(line)
}

func unknownElement(line string) string {
	word, _, _ := strings.Cut(line, " ")
	return "                    ^^\nMINOR: MGMT_CORE #2201: Unknown element - '" + word + "'\n"
}

func (r *sros) enter() string {
	s := r.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked != nil {
		return "MINOR: MGMT_CORE #2052: Exclusive datastore access unavailable - model-driven interface editing global candidate\n"
	}
	s.locked, r.target = r, &session{config: s.running.clone()}
	return "INFO: CLI #2060: Entering exclusive configuration mode\nINFO: CLI #2061: Uncommitted changes are discarded on configuration mode exit\n"
}

// configure carries out a line in exclusive mode.
func (r *sros) configure(line string) string {
	s := r.server.store
	s.mu.Lock()
	defer s.mu.Unlock()
	m := srosCommit.FindStringSubmatch(line)
	switch {
	case line == "info":
		return printSROS(r.target.config)
	case line == "exit all":
		return ""
	case line == "discard":
		r.target.config, r.dirty = s.running.clone(), false
		return ""
	case line == "commit confirmed accept" && s.waiting != "":
		s.stop()
		s.waiting, s.before = "", nil
		return "INFO: CLI #2092: Commit confirmed - accepted - automatic rollback canceled\n"
	case m != nil && s.waiting == "":
		minutes, err := strconv.Atoi(m[1])
		if err != nil || minutes < 1 {
			return "MINOR: MGMT_CORE #2301: Invalid element value\n"
		}
		s.before, s.running, s.waiting = s.running, r.target.config.clone(), "commit confirmed"
		s.stop = s.clock.AfterFunc(time.Duration(minutes)*time.Minute, func() { s.undo("commit confirmed") })
		r.dirty = false
		return fmt.Sprintf("\nINFO: CLI #2090: Commit confirmed - automatic rollback in %d minutes\n", minutes)
	}
	words := r.target.config.typed(line)
	r.dirty = r.dirty || words == ""
	return words
}

// containers are the nodes that have others inside, and lists those that have a key.
var (
	srosContainers = map[string]bool{
		"configure": true, "filter": true, "match": true, "action": true, "dst-ip": true, "src-ip": true, "dst-port": true, "src-port": true, "range": true, "packet-length": true, "icmp": true, "tcp-flags": true,
		"rate-limit": true, "forward": true, "next-hop": true, "nh-ip": true, "remark": true, "system": true, "ingress": true, "rate": true, "packet-rate": true,
	}
	srosLists = map[string]bool{"ip-filter": true, "ipv6-filter": true, "entry": true, "policer": true, "router": true, "interface": true}
)

// srosList says whether a node has keys inside: policer has below filter, and is a leaf in an entry.
func srosList(parent, name string) bool {
	return srosLists[name] && (name != "policer" || parent == "filter")
}

// typed carries out a line of configuration with its whole path, and returns what is answered.
func (n *node) typed(line string) string {
	path, deletes := strings.CutPrefix(line, "delete ")
	if !strings.HasPrefix(path, "/configure ") {
		return unknownElement(line)
	}
	w := words(path[1:])
	if deletes {
		if n.cut(w) != "" {
			return "MINOR: MGMT_CORE #2201: Unknown element - '" + w[len(w)-1] + "'\n"
		}
		return ""
	}
	parent, key := "", false // of the node at hand, and whether it is the key of an entry of a list
	for _, word := range w {
		// A leaf has one value: another takes its place.
		list := srosList(parent, n.line)
		if n.line != "" && !key && !list && !srosContainers[n.line] {
			n.kids = nil
		}
		parent, key = n.line, list
		n = n.enter(word)
	}
	return ""
}

// printSROS writes a configuration as `info` does at the root, or nearly so.
func printSROS(n *node) string {
	var b strings.Builder
	n.mdcli(&b, 0)
	return b.String()
}

func (n *node) mdcli(b *strings.Builder, depth int) {
	indent := strings.Repeat("    ", depth)
	block := func(head string, n *node) {
		b.WriteString(indent + head + " {\n")
		n.mdcli(b, depth+1)
		b.WriteString(indent + "}\n")
	}
	for _, k := range n.kids {
		switch {
		case srosList(n.line, k.line):
			items := slices.Clone(k.kids)
			slices.SortStableFunc(items, func(a, b *node) int { // entries stand in the order of their numbers
				x, _ := numberOf(a.line)
				y, _ := numberOf(b.line)
				return cmp.Compare(x, y)
			})
			for _, item := range items {
				block(k.line+" "+item.line, item)
			}
		case srosContainers[k.line]:
			block(k.line, k)
		case len(k.kids) == 0:
			b.WriteString(indent + k.line + "\n")
		default:
			b.WriteString(indent + k.line + " " + k.kids[0].line + "\n")
		}
	}
}
