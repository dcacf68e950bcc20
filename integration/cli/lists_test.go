package cli_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// lists is a dialect of FRR's access lists: a destination, and permit or deny. They filter routes, and no packet; that makes them no worse a configuration to work on. A line has no name, so the entry
// for 10.66.0.0 and so on has the name that goes with its address.
type lists struct {
	spoilt bool // a line is typed that FRR does not know
}

var _ cli.Dialect = lists{}

func (lists) Name() string { return "frr-lists" }

func (lists) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

const tail = 65_000_000 // the number of the last line, which permits the rest

// lines returns the lines of f by number.
func (lists) lines(f filter.Filter) ([]string, error) {
	var out []string
	for i, e := range f.Entries {
		if e.Match.Dst == nil || e.Name != nameOf(*e.Match.Dst) {
			return nil, fmt.Errorf("entry %s: want the destination that goes with its name", e.Name)
		}
		grant := "permit"
		if e.Do.Discard {
			grant = "deny"
		}
		number := e.Place // where a device has it
		if number == 0 {
			number = uint32(10 * (i + 1))
		}
		out = append(out, fmt.Sprintf("access-list %s seq %d %s %s", f.Name, number, grant, e.Match.Dst))
	}
	return append(out, fmt.Sprintf("access-list %s seq %d permit any", f.Name, tail)), nil
}

func nameOf(p netip.Prefix) string {
	a := p.Addr().As4()
	return fmt.Sprintf("r-%016x", int(a[2])<<8+int(a[3])+1)
}

func (d lists) Render(f filter.Filter) (filter.Rendered, error) {
	lines, err := d.lines(f)
	text := strings.Join(lines, "\n") + "\n"
	return filter.Rendered{Text: text, Payload: []byte(text)}, err
}

var listLine = regexp.MustCompile(`^access-list (sluice-\S+) seq (\d+) (permit|deny) (\S+)$`)

func (lists) Parse(b []byte) ([]filter.Filter, error) {
	var out []filter.Filter
	for line := range strings.Lines(string(b)) {
		m := listLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		i := slices.IndexFunc(out, func(f filter.Filter) bool { return f.Name == m[1] })
		if i < 0 {
			i = len(out)
			out = append(out, filter.Filter{Name: m[1], Version: packet.IPv4, Placement: filter.Alone})
		}
		if m[4] == "any" {
			continue
		}
		dst, err := netip.ParsePrefix(m[4])
		if err != nil {
			return nil, err
		}
		number, err := strconv.ParseUint(m[2], 10, 32)
		if err != nil {
			return nil, err
		}
		name := nameOf(dst)
		out[i].Entries = append(out[i].Entries, filter.Entry{Name: name, Rule: flowspec.ID(name[2:]), Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: m[3] == "deny"}, Place: uint32(number)})
	}
	return out, nil
}

// Commands removes lines that want does not have, and types those that have does not.
func (d lists) Commands(have, want []filter.Filter) ([]string, error) {
	var before, after, out []string
	for _, side := range []struct {
		filters []filter.Filter
		lines   *[]string
	}{{have, &before}, {want, &after}} {
		for _, f := range side.filters {
			lines, err := d.lines(f)
			if err != nil {
				return nil, err
			}
			*side.lines = append(*side.lines, lines...)
		}
	}
	had, has := map[string]bool{}, map[string]bool{}
	for _, line := range before {
		had[line] = true
	}
	for _, line := range after {
		has[line] = true
	}
	for _, line := range before {
		if !has[line] {
			out = append(out, "no "+line)
		}
	}
	for _, line := range after {
		if !had[line] {
			out = append(out, line)
		}
	}
	if d.spoilt {
		out = append(out, "access-list sluice-v4 seq 7 deny 10.66.0.0/99")
	}
	return out, nil
}
