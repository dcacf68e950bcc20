package sros

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// numbered is an entry as it was read, before those that belong together are joined.
type numbered struct {
	id    uint64
	name  string // its description
	match filter.Match
	word  string // its condition on fragments
	do    filter.Do
	stats bool
}

// readEntry reads one entry.
func readEntry(n *node, v packet.Version) (numbered, error) {
	key, err := n.value()
	if err != nil {
		return numbered{}, err
	}
	e := numbered{}
	fault := func(err error) (numbered, error) { return e, fmt.Errorf("entry %s: %w", key, err) }
	if e.id, err = strconv.ParseUint(key, 10, 32); err != nil || key != strconv.FormatUint(e.id, 10) {
		return fault(errors.New("its number is none"))
	}
	acts := false
	err = n.body(func(k *node) (err error) {
		switch k.name {
		case "description":
			if e.name, err = k.leaf(); err == nil {
				err = checkName(e.name)
			}
		case "collect-stats":
			e.stats, err = boolean(k)
		case "match":
			m := readMatch{v: v}
			err = k.container(m.condition)
			e.match, e.word = m.match, m.word
		case "action":
			acts = true
			e.do, err = readAction(k, v)
		default:
			err = k.foreign()
		}
		return err
	})
	switch {
	case err != nil:
		return fault(err)
	case e.name == "":
		return fault(errors.New("it has no description, which would name it"))
	case !acts:
		return fault(errors.New("it has no action"))
	}
	return e, nil
}

func boolean(n *node) (bool, error) {
	switch text, err := n.leaf(); {
	case err != nil:
		return false, err
	case text == "true" || text == "false":
		return text == "true", nil
	}
	return false, n.errorf("want true or false")
}

// join puts the entries at one place together.
func join(all []numbered, v packet.Version) ([]filter.Entry, error) {
	slices.SortStableFunc(all, func(a, b numbered) int { return cmp.Compare(a.id, b.id) })
	var out []filter.Entry
	for i := 0; i < len(all); {
		end := i + 1
		for end < len(all) && all[end].id/perPlace == all[i].id/perPlace {
			end++
		}
		e, err := joined(all[i:end], v)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", all[i].id, err)
		}
		out = append(out, e)
		i = end
	}
	return out, nil
}

// joined makes one entry of those at one place, which say the same of everything but fragments.
func joined(twins []numbered, v packet.Version) (filter.Entry, error) {
	a := twins[0]
	e := filter.Entry{Name: a.name, Match: a.match, Do: a.do, Place: uint32(a.id / perPlace)}
	if a.id < perPlace || a.id > lastID {
		return e, fmt.Errorf("sluice writes entries of %d to %d", perPlace, lastID)
	}
	e.Rule = filter.RuleOf(e.Name)
	if a.stats {
		e.Counter = filter.CounterOf(e.Name)
	}
	states := packet.Frags(0)
	for i, one := range twins {
		if one.id != uint64(e.Place)*perPlace+uint64(i) || i > 1 {
			return e, fmt.Errorf("sluice writes no entry %d beside it", one.id)
		}
		if i > 0 && !sayTheSame(a, one, v) {
			return e, fmt.Errorf("entry %d is another one, or of another name", one.id)
		}
		states |= reach(e.Match, statesByWord(one.word, v))
	}
	if err := checkProtocol(e.Match, v); err != nil {
		return e, err
	}
	if e.Match.Transport() && states&later != 0 {
		return e, errors.New("its conditions hold for zero, so it matches later fragments as well")
	}
	if e.Match.Fragments = states; states == packet.AnyFrags {
		e.Match.Fragments = 0
	}
	if v == packet.IPv6 {
		e.Match.Fragments &= 0x0f
	}
	if states == 0 {
		return e, errors.New("no packet is a fragment of that kind and has those fields")
	}
	return e, nil
}

// statesByWord returns the states that a condition lets through, which was read and is one.
func statesByWord(word string, v packet.Version) packet.Frags {
	for _, w := range wordsFor(v) {
		if w.word == word {
			return w.states
		}
	}
	return 0
}

// sayTheSame says whether two entries differ in nothing but their condition on fragments.
func sayTheSame(a, b numbered, v packet.Version) bool {
	said := func(one numbered) (statement, error) {
		match, err := conditions(one.match, v)
		do, err2 := action(one.do, v)
		return container(one.name, container("match", match...), do), errors.Join(err, err2)
	}
	x, err := said(a)
	y, err2 := said(b)
	return a.stats == b.stats && err == nil && err2 == nil && x.equal(y)
}
