package netconf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// srosCounters reads /state/filter/ip-filter/entry/statistics of nokia-state, ingress-hit-pkt and ingress-hit-byte, and the same below ipv6-filter. A device counts by entry; which entry is whose says
// its description in the configuration.
var srosCounters = counterModel{
	names: `<configure xmlns="urn:nokia.com:sros:ns:yang:sr:conf"><filter>` + srosNames("ip-filter") + srosNames("ipv6-filter") + `</filter></configure>`,
	ask: func(named []*element) ([]string, func(*element, map[string]device.Counter) error, error) {
		entries, err := srosEntries(named)
		if err != nil || len(entries) == 0 {
			return nil, nil, err
		}
		var b strings.Builder
		for _, kind := range srosKinds {
			var asked []string
			for at := range entries {
				if at.kind == kind && !slices.Contains(asked, at.filter) {
					asked = append(asked, at.filter)
				}
			}
			slices.Sort(asked)
			for _, name := range asked {
				fmt.Fprintf(&b, `<%[1]s><filter-name>%[2]s</filter-name><entry><entry-id/><statistics><ingress-hit-pkt/><ingress-hit-byte/></statistics></entry></%[1]s>`, kind, escape(name))
			}
		}
		request := `<get><filter type="subtree"><state xmlns="urn:nokia.com:sros:ns:yang:sr:state"><filter>` + b.String() + `</filter></state></filter></get>`
		return []string{request}, func(reply *element, out map[string]device.Counter) error { return readSROS(reply, entries, out) }, nil
	},
}

var srosKinds = []string{"ip-filter", "ipv6-filter"}

func srosNames(kind string) string {
	return "<" + kind + "><filter-name/><entry><entry-id/><description/></entry></" + kind + ">"
}

// srosPlace is where an entry stands.
type srosPlace struct{ kind, filter, entry string }

// srosEntries returns the names of the entries of our filters. Entries without one are not ours.
func srosEntries(named []*element) (map[srosPlace]string, error) {
	out := map[srosPlace]string{}
	top := []*element{{Kids: named}}
	for _, kind := range srosKinds {
		for _, f := range all(top, "configure", "filter", kind) {
			name, err := f.leaf("filter-name")
			if err != nil {
				return nil, err
			}
			if !strings.HasPrefix(name, filter.Mark) {
				continue
			}
			for _, e := range all([]*element{f}, "entry") {
				id, err := e.leaf("entry-id")
				if err != nil {
					return nil, fmt.Errorf("%s %s: %w", kind, name, err)
				}
				if len(all([]*element{e}, "description")) == 0 {
					continue
				}
				if out[srosPlace{kind, name, id}], err = e.leaf("description"); err != nil {
					return nil, fmt.Errorf("%s %s, entry %s: %w", kind, name, id, err)
				}
			}
		}
	}
	return out, nil
}

// readSROS takes a <state>. An entry of which the configuration knows no name, or of which there are no statistics, has no counter; an entry that is written twice has that of both.
func readSROS(reply *element, entries map[srosPlace]string, out map[string]device.Counter) error {
	if reply.XMLName.Local != "state" {
		return fmt.Errorf("element %s, want state", reply.XMLName.Local)
	}
	silent := map[string]bool{}
	for _, kind := range srosKinds {
		for _, f := range all([]*element{reply}, "filter", kind) {
			of, err := f.leaf("filter-name")
			if err != nil {
				return err
			}
			for _, e := range all([]*element{f}, "entry") {
				id, err := e.leaf("entry-id")
				if err != nil {
					return fmt.Errorf("%s %s: %w", kind, of, err)
				}
				name, ours := entries[srosPlace{kind, of, id}]
				if !ours {
					continue
				}
				delete(entries, srosPlace{kind, of, id})
				statistics := all([]*element{e}, "statistics")
				if len(statistics) != 1 {
					silent[name] = true
					continue
				}
				n, err := statistics[0].counter("ingress-hit-pkt", "ingress-hit-byte")
				if err != nil {
					return fmt.Errorf("%s %s, entry %s: %w", kind, of, id, err)
				}
				out[name] = device.Counter{Packets: out[name].Packets + n.Packets, Bytes: out[name].Bytes + n.Bytes}
			}
		}
	}
	for _, name := range entries { // an entry of which the state says nothing
		silent[name] = true
	}
	for name := range silent {
		delete(out, name) // a part of what a rule matched is not what it matched
	}
	return nil
}
