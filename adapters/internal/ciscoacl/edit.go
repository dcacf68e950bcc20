package ciscoacl

import (
	"bytes"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// NETCONF is the namespace of the operation attribute (RFC 6241 section 7.2), which Edit writes with the prefix nc.
const NETCONF = "urn:ietf:params:xml:ns:netconf:base:1.0"

// Edit returns the elements of lists of version v, in an <edit-config>, that lead from the lists in have to those in want. Of a list that is in both, only the lines are
// mentioned that differ: entries keep their places, and new ones get places between their neighbours. A list that was not understood is replaced whole, one that want no
// longer holds is deleted. It returns nil when there is nothing to do.
//
// An operation="delete" of something that is not there is an error of the device, which is what should happen when somebody else has removed it.
func Edit(lang Language, form Form, v packet.Version, have, want []filter.Filter) ([]byte, error) {
	var lists bytes.Buffer
	held := named(have, v)
	for _, f := range want {
		if f.Version != v {
			continue
		}
		if err := edit(&lists, lang, form, held[f.Name], f); err != nil {
			return nil, err
		}
		delete(held, f.Name)
	}
	for _, f := range have {
		if _, gone := held[f.Name]; gone && f.Version == v {
			Statement{Element: form.List, Body: []Statement{Leaf(form.Name, "", f.Name)}}.XML(&lists, form.Attributes+` nc:operation="delete"`)
		}
	}
	return lists.Bytes(), nil
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
func edit(b *bytes.Buffer, lang Language, form Form, have *filter.Filter, want filter.Filter) error {
	before, after, understood, err := lists(lang, have, want)
	if err != nil {
		return err
	}
	if !understood {
		after.XML(b, form, ` nc:operation="replace"`)
		return nil
	}
	var lines bytes.Buffer
	old := make(map[uint32]Statement, len(before.Lines))
	for _, l := range before.Lines {
		old[l.Number] = l.What
	}
	for _, l := range after.Lines {
		if was, ok := old[l.Number]; !ok || !was.equal(l.What) {
			l.statement(form).XML(&lines, ` nc:operation="replace"`)
		}
		delete(old, l.Number)
	}
	for _, l := range before.Lines {
		if _, gone := old[l.Number]; gone {
			Statement{Element: form.Line, Body: []Statement{Leaf(form.Number, "", strconv.FormatUint(uint64(l.Number), 10))}}.XML(&lines, ` nc:operation="delete"`)
		}
	}
	if lines.Len() > 0 {
		b.WriteString("<" + form.List + form.Attributes + ">")
		Leaf(form.Name, "", want.Name).XML(b, "")
		if form.Around != "" {
			b.WriteString("<" + form.Around + ">")
		}
		b.Write(lines.Bytes())
		if form.Around != "" {
			b.WriteString("</" + form.Around + ">")
		}
		b.WriteString("</" + form.List + ">")
	}
	return nil
}
