package iosxr

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// netconfNamespace is the namespace of the operation attribute (RFC 6241 section 7.2).
const netconfNamespace = "urn:ietf:params:xml:ns:netconf:base:1.0"

// Edit returns what stands in the <config> of an <edit-config> that leads from the lists in have to those in want. Of a list that is in both, only the lines are mentioned
// that differ: entries keep their places, and new ones get places between their neighbours. A list that was not understood is replaced whole, one that want no
// longer holds is deleted. It returns nil when there is nothing to do.
//
// An operation="delete" of something that is not there is an error of the device, which is what should happen when somebody else has removed it.
func (d Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	var out bytes.Buffer
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		var lists bytes.Buffer
		held := named(have, v)
		for _, f := range want {
			if f.Version != v {
				continue
			}
			if err := d.edit(&lists, held[f.Name], f); err != nil {
				return nil, err
			}
			delete(held, f.Name)
		}
		for _, f := range have {
			if _, gone := held[f.Name]; gone && f.Version == v {
				statement{element: "access-list", body: []statement{leaf("access-list-name", "", f.Name)}}.xml(&lists, ` nc:operation="delete"`)
			}
		}
		if lists.Len() > 0 {
			fmt.Fprintf(&out, `<%s xmlns="%s" xmlns:nc="%s"><access-lists>%s</access-lists></%[1]s>`, family(v), namespaces[v], netconfNamespace, lists.Bytes())
		}
	}
	if out.Len() == 0 {
		return nil, nil
	}
	return out.Bytes(), nil
}

// named returns the filters of version v by name.
func named(filters []filter.Filter, v packet.Version) map[string]*filter.Filter {
	out := map[string]*filter.Filter{}
	for i := range filters {
		if filters[i].Version == v {
			out[filters[i].Name] = &filters[i]
		}
	}
	return out
}

// edit writes what leads from have, which may be nil, to want.
func (d Dialect) edit(b *bytes.Buffer, have *filter.Filter, want filter.Filter) error {
	before, understood := list{}, false
	if have != nil {
		var err error
		before, err = d.list(*have)
		understood = err == nil // else another hand was there (filter.ForeignError), and it differs from whatever is wanted
	}
	if understood {
		want = places.Keep(*have, want)
	}
	after, err := d.list(want)
	if err != nil {
		return err
	}
	if !understood {
		after.xml(b, ` nc:operation="replace"`)
		return nil
	}
	var lines bytes.Buffer
	old := make(map[uint32]statement, len(before.lines))
	for _, l := range before.lines {
		old[l.number] = l.what
	}
	for _, l := range after.lines {
		if was, ok := old[l.number]; !ok || !was.equal(l.what) {
			l.sequence().xml(&lines, ` nc:operation="replace"`)
		}
		delete(old, l.number)
	}
	for _, l := range before.lines {
		if _, gone := old[l.number]; gone {
			statement{element: "sequence", body: []statement{leaf("sequence-number", "", strconv.FormatUint(uint64(l.number), 10))}}.xml(&lines, ` nc:operation="delete"`)
		}
	}
	if lines.Len() > 0 {
		b.WriteString("<access-list>")
		leaf("access-list-name", "", want.Name).xml(b, "")
		b.WriteString("<sequences>")
		b.Write(lines.Bytes())
		b.WriteString("</sequences></access-list>")
	}
	return nil
}
