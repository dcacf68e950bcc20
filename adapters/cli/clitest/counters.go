package clitest

import (
	"fmt"
	"slices"
	"strings"
)

// Count has a counter stand at some numbers. Counters of names that no term counts with are not shown; those that Count was not called for stand at zero.
func (s *Server) Count(name string, packets, bytes uint64) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.store.counters == nil {
		s.store.counters = map[string][2]uint64{}
	}
	s.store.counters[name] = [2]uint64{packets, bytes}
}

// Flows sets what the server prints for its FlowSpec routes, which it knows nothing of: the listing of its system.
func (s *Server) Flows(listing string) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.store.flows = listing
}

// flowCommands print FlowSpec routes, by the system.
var flowCommands = map[System]string{EOS: "show flow-spec ipv4", IOSXR: "show flowspec ipv4 detail", Junos: "show firewall filter __flowspec_default_inet__"}

// flow prints what Flows was told, where a line asks for it.
func (s *Server) flow(line string) (text string, known bool) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.flows, line == flowCommands[s.opt.System]
}

// firewall is `show firewall` as Junos prints it, in the form that the tests of genieparser have it in (junos, show firewall).
func (s *store) firewall() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, filter := range below(s.running, "firewall", "family", "*", "filter", "*") {
		var names []string
		for _, count := range below(filter, "term", "*", "then", "count", "*") {
			if !slices.Contains(names, count.line) {
				names = append(names, count.line)
			}
		}
		fmt.Fprintf(&b, "\nFilter: %-55s\n", filter.line)
		if len(names) > 0 {
			fmt.Fprintf(&b, "Counters:\n%-45s %10s %20s\n", "Name", "Bytes", "Packets")
		}
		slices.Sort(names)
		for _, name := range names {
			n := s.counters[name]
			fmt.Fprintf(&b, "%-45s %10d %20d\n", name, n[1], n[0])
		}
	}
	return b.String() + "\nFilter: __default_bpdu_filter__\n"
}

// below returns the nodes that are reached from n by words; * is any. A line of several words is as many nodes.
func below(n *node, words ...string) []*node {
	if len(words) == 0 {
		return []*node{n}
	}
	var out []*node
	for _, k := range n.kids {
		if words[0] == "*" || words[0] == k.line {
			out = append(out, below(k, words[1:]...)...)
		} else if first, rest, more := strings.Cut(k.line, " "); more && first == words[0] {
			out = append(out, below(&node{kids: []*node{{line: rest, kids: k.kids}}}, words[1:]...)...)
		}
	}
	return out
}
