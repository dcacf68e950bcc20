package netconftest

import (
	"fmt"
	"strings"
)

// Count has a counter of a Junos firewall stand at some numbers. Counters of names that no term counts with are not shown; those that Count was not called for stand at zero.
func (s *Server) Count(name string, packets, bytes uint64) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if s.counters == nil {
		s.counters = map[string][2]uint64{}
	}
	s.counters[name] = [2]uint64{packets, bytes}
}

// Report sets what <get> answers with, apart from what its filter leaves out: the operational state, as XML.
func (s *Server) Report(state string) error {
	root, err := parse([]byte("<data>" + state + "</data>"))
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.state = root
	return err
}

// getState answers <get> with what was reported, as its filter selects it.
func (p *peer) getState(op *Node) (string, error) {
	sel := op.Kid("filter")
	if sel == nil || p.server.state == nil {
		return "", &editError{"operation-not-supported", "syntax error, expecting <command>"}
	}
	out := &Node{Name: "data"}
	for _, k := range p.server.state.Kids {
		for _, s := range sel.Kids {
			if s.Name != k.Name {
				continue
			}
			if got := selected(k, s); got != nil {
				out.Kids = append(out.Kids, got)
			}
		}
	}
	return "<data>" + contents(out) + "</data>", nil
}

// firewall shows the counters of one filter of either family, each once.
func (p *peer) firewall(name string) (string, error) {
	var b strings.Builder
	seen := map[string]bool{}
	for _, family := range []string{"inet", "inet6"} {
		f := p.server.store.running.Find("configuration", "firewall", "family", family, "filter="+name)
		if f == nil {
			continue
		}
		for _, term := range f.Kids {
			then := term.Kid("then")
			if then == nil {
				continue
			}
			if counter := text(then, "count"); counter != "" && !seen[counter] {
				seen[counter] = true
				n := p.server.counters[counter]
				fmt.Fprintf(&b, "<counter><counter-name>%s</counter-name><packet-count>%d</packet-count><byte-count>%d</byte-count></counter>", counter, n[0], n[1])
			}
		}
		return fmt.Sprintf(`<firewall-information xmlns="http://xml.juniper.net/junos/19.4R0/junos-filter"><filter-information><filter-name>%s</filter-name>%s</filter-information></firewall-information>`, name, b.String()), nil
	}
	if name != flowFilter || p.server.flows == "" {
		return "", &editError{"operation-failed", "filter " + name + " not found"}
	}
	return `<firewall-information xmlns="http://xml.juniper.net/junos/19.4R0/junos-filter"><filter-information><filter-name>` + name + "</filter-name>" + p.server.flows + "</filter-information></firewall-information>", nil
}

// flowFilter is the filter that Junos makes of FlowSpec routes.
const flowFilter = "__flowspec_default_inet__"

// Flow has a router with Junos hold a FlowSpec route, with the counter that it makes of it.
func (s *Server) Flow(name string, packets, bytes uint64) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	s.flows += fmt.Sprintf("<counter><counter-name>%s</counter-name><packet-count>%d</packet-count><byte-count>%d</byte-count></counter>", strings.NewReplacer("<", "&lt;", ">", "&gt;", "&", "&amp;").Replace(name), packets, bytes)
}
