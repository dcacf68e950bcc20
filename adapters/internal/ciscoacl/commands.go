package ciscoacl

import (
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Terminal is how a list of one IP version is typed.
type Terminal struct {
	Open  string   // stands in front of the name of a list
	Every []string // what each list begins with, before its lines
	Leave string   // ends the mode of a list
}

// Commands returns what is typed to lead from the lists of version v in have to those in want, as Edit does in XML: of a list that is in both only the lines that differ, a list
// that was not understood whole, and one that want no longer holds is removed. It returns nil when there is nothing to do.
//
// A line that changes is removed by its number before it is typed anew: no system says what a second line at one number does.
func Commands(lang Language, t Terminal, v packet.Version, have, want []filter.Filter) ([]string, error) {
	var out []string
	held := named(have, v)
	for _, f := range want {
		if f.Version != v {
			continue
		}
		some, err := t.commands(lang, held[f.Name], f)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
		delete(held, f.Name)
	}
	for _, f := range have {
		if _, gone := held[f.Name]; gone && f.Version == v {
			out = append(out, "no "+t.Open+" "+f.Name)
		}
	}
	return out, nil
}

// commands returns what leads from have, which may be nil, to want.
func (t Terminal) commands(lang Language, have *filter.Filter, want filter.Filter) ([]string, error) {
	before, after, understood, err := lists(lang, have, want)
	if err != nil {
		return nil, err
	}
	open := t.Open + " " + want.Name
	if !understood {
		var out []string
		if have != nil {
			out = append(out, "no "+open)
		}
		out = append(append(out, open), t.Every...)
		for _, l := range after.Lines {
			out = append(out, l.Text())
		}
		return append(out, t.Leave), nil
	}
	gone, come := differences(before, after)
	if len(gone)+len(come) == 0 {
		return nil, nil
	}
	out := []string{open}
	for _, n := range gone {
		out = append(out, "no "+strconv.FormatUint(uint64(n), 10))
	}
	for _, l := range come {
		out = append(out, l.Text())
	}
	return append(out, t.Leave), nil
}

// differences returns the numbers whose lines after does not have like that, and the lines that before does not have.
func differences(before, after List) (gone []uint32, come []Line) {
	old := make(map[uint32]Statement, len(before.Lines))
	for _, l := range before.Lines {
		old[l.Number] = l.What
	}
	stays := map[uint32]bool{}
	for _, l := range after.Lines {
		if was, ok := old[l.Number]; ok && was.equal(l.What) {
			stays[l.Number] = true
			continue
		}
		come = append(come, l)
	}
	for _, l := range before.Lines {
		if !stays[l.Number] {
			gone = append(gone, l.Number)
		}
	}
	return gone, come
}

// lists returns the lists of have, which may be nil, and of want, whose entries keep the places that they have. A list that is not understood is one that another hand was at
// (filter.ForeignError): it differs from whatever is wanted.
func lists(lang Language, have *filter.Filter, want filter.Filter) (before, after List, understood bool, err error) {
	if have != nil {
		before, err = ListOf(lang, *have)
		understood = err == nil
	}
	if understood {
		want = places.Keep(*have, want)
	}
	after, err = ListOf(lang, want)
	return before, after, understood, err
}
