package vrp

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Entries that do the same and stand together share a classifier: a policy has at most 5119 of those. An entry has a seat in it, and the lines of the entry at seat 50 of a classifier
// are rules 100 and 101 of its access list.
const (
	perSeat    = 2
	seatStep   = 50    // between entries that are new together; the rest is room for later ones
	lastSeat   = 65535 // of a classifier
	fewSeats   = 64    // how many entries of one kind a new classifier gets,
	manySeats  = 128   // and how many it has before it is divided. One with a policer is not, for each part would have a bucket of its own
	frontSeats = 16    // how many new ones join a classifier in front of those that it has
)

// The precedences of a policy: those of the classifiers of each version, and behind them the classifiers for the rest. huawei-qos of 8.22 has 1 to 5119.
const (
	lastClass  = 2558 // of each version
	firstOfV6  = lastClass
	restOfV4   = 2*lastClass + 1
	restOfV6   = 2*lastClass + 2
	classStep  = 16
	classShift = 16 // a place is the number of the classifier and the seat
)

// group is one classifier: entries that do the same, one behind the other.
type group struct {
	number  uint32 // 0: not given yet
	members []int  // entries of the filter
	seats   []uint32
}

// content is what r says, whatever its number and its name. A router refuses a line that says what another one of the list says ("ensure that parameters ... are different from
// those specified in an existing ACL rule", huawei-acl of 8.22).
func (r rule) content() rule {
	r.id, r.name, r.uncounted = 0, "", false
	return r
}

// groupsOf returns the classifiers that f, whose entries are lines, becomes: where the entries say they are, or evenly spread where one does not or they contradict each other. It is an error if
// there are more than a policy has room for, or if a limit would be counted by two of them.
func groupsOf(f filter.Filter, lines [][]rule) ([]group, error) {
	stretches := runs(f, lines)
	if err := checkTogether(f, stretches); err != nil {
		return nil, err
	}
	if held, ok := heldGroups(f, lines); ok {
		return held, nil
	}
	var out []group
	for _, run := range stretches {
		for _, part := range divide(f, run, fewSeats) {
			out = append(out, group{members: part})
		}
	}
	if err := numberClasses(out); err != nil {
		return nil, fmt.Errorf("%d classifiers: %w", len(out), err)
	}
	for i := range out {
		if err := out[i].seat(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkTogether says which policer of f is used by entries that are not one stretch.
func checkTogether(f filter.Filter, stretches [][]int) error {
	var errs []error
	used := map[string]bool{}
	for _, run := range stretches {
		first := f.Entries[run[0]]
		if name := first.Do.Policer; name != "" && used[name] {
			errs = append(errs, fmt.Errorf("entry %s: policer %s: entries that share it must do the same, stand one behind the other and ask for different packets: a limit is that of one classifier", first.Name, name))
		}
		used[first.Do.Policer] = true
	}
	return errors.Join(errs...)
}

// alike says whether entries with these actions can have one classifier.
func alike(a, b filter.Do) bool {
	same := func(x, y *uint8) bool { return x == y || x != nil && y != nil && *x == *y }
	next := a.Redirect == b.Redirect || a.Redirect != nil && b.Redirect != nil && a.Redirect.Addr == b.Redirect.Addr
	return a.Discard == b.Discard && a.Policer == b.Policer && same(a.Mark, b.Mark) && next
}

// heldGroups returns the classifiers by the places of the entries, if all have one and they make sense.
func heldGroups(f filter.Filter, lines [][]rule) (out []group, ok bool) {
	last, said := uint32(0), map[rule]bool{}
	for i, e := range f.Entries {
		number, seat := e.Place>>classShift, e.Place&lastSeat
		if e.Place <= last || number == 0 || number > lastClass || seat == 0 {
			return nil, false
		}
		begins := last>>classShift != number
		if i > 0 && begins && e.Do.Policer != "" && e.Do.Policer == f.Entries[i-1].Do.Policer {
			return nil, false
		}
		if last = e.Place; begins {
			out = append(out, group{number: number})
			clear(said)
		} else if !alike(f.Entries[i-1].Do, e.Do) {
			return nil, false
		}
		if !says(said, lines[i]) {
			return nil, false
		}
		g := &out[len(out)-1]
		g.members, g.seats = append(g.members, i), append(g.seats, seat)
	}
	return out, true
}

// says notes what lines say, unless something of it is said already.
func says(said map[rule]bool, lines []rule) bool {
	for _, r := range lines {
		if said[r.content()] {
			return false
		}
	}
	for _, r := range lines {
		said[r.content()] = true
	}
	return true
}

// runs returns the entries of f in stretches that do the same, and none of which says what another one says.
func runs(f filter.Filter, lines [][]rule) [][]int {
	var out [][]int
	said := map[rule]bool{}
	for i, e := range f.Entries {
		if i == 0 || !alike(f.Entries[i-1].Do, e.Do) || !says(said, lines[i]) {
			out = append(out, nil)
			clear(said)
			says(said, lines[i])
		}
		out[len(out)-1] = append(out[len(out)-1], i)
	}
	return out
}

// divide cuts a run into parts of at most n entries, unless they share a policer.
func divide(f filter.Filter, run []int, n int) [][]int {
	if f.Entries[run[0]].Do.Policer != "" {
		return [][]int{run}
	}
	var out [][]int
	for len(run) > n {
		out, run = append(out, run[:n]), run[n:]
	}
	return append(out, run)
}

var errNoRoom = errors.New("there is no room for them")

// numberClasses gives numbers to the groups that have none, between those around them; at the end of the list in the usual steps.
func numberClasses(groups []group) error {
	begin, low := 0, uint32(0)
	for i := range len(groups) + 1 {
		high := uint32(lastClass + 1)
		if i < len(groups) {
			if high = groups[i].number; high == 0 {
				continue
			}
		}
		if !fill(groups[begin:i], low, high, lastClass+1, classStep, func(g *group, n uint32) { g.number = n }) {
			return errNoRoom
		}
		begin, low = i+1, high
	}
	return nil
}

// fill spreads numbers between low and high over things, where high is the end by steps of at most step.
func fill[T any](things []T, low, high, end, step uint32, set func(*T, uint32)) bool {
	n := uint32(len(things))
	if n == 0 {
		return true
	}
	between := (high - low) / (n + 1)
	if high == end {
		between = min(between, step)
	}
	for i := range things {
		set(&things[i], low+between*uint32(i+1))
	}
	return between > 0
}

// seat gives seats to the members of g that have none, between those around them; to all of them where there is no room in between.
func (g *group) seat() error {
	if len(g.seats) == 0 {
		g.seats = make([]uint32, len(g.members))
	}
	begin, low := 0, uint32(0)
	for i := range len(g.seats) + 1 {
		high := uint32(lastSeat + 1)
		if i < len(g.seats) {
			if high = g.seats[i]; high == 0 {
				continue
			}
		}
		if !fill(g.seats[begin:i], low, high, lastSeat+1, seatStep, func(s *uint32, n uint32) { *s = n }) {
			if len(g.seats) > lastSeat {
				return fmt.Errorf("%d entries share a policer: there is room for %d in a classifier", len(g.members), lastSeat)
			}
			clear(g.seats)
			return g.seat()
		}
		begin, low = i+1, high
	}
	return nil
}

// keep gives the entries of want places: to as many as can be those that they have in have, to the others some in between. A run of entries that do the same stays in the classifiers
// that it has, the new ones with the entry before them; a classifier that entries of another kind come into the middle of is left to those above. Where no number is left
// between two classifiers, all places are given up, and groupsOf spreads the entries evenly.
func keep(have, want filter.Filter) filter.Filter {
	before, err := linesOf(have)
	after, err2 := linesOf(want)
	if err != nil || err2 != nil {
		return want // which is refused
	}
	held, err := groupsOf(have, before)
	if err != nil {
		return want
	}
	want.Entries = withPlaces(have, want, held)
	var groups []group
	taken := map[uint32]bool{}
	for _, run := range runs(want, after) {
		for _, g := range stay(want, run, taken) {
			taken[g.number] = true
			groups = append(groups, g.divided(want)...)
		}
	}
	give := func(g group, places bool) {
		for k, i := range g.members {
			if want.Entries[i].Place = 0; places {
				want.Entries[i].Place = g.number<<classShift | g.seats[k]
			}
		}
	}
	whole := numberClasses(groups) == nil
	for i := range groups {
		whole = whole && groups[i].seat() == nil
	}
	for _, g := range groups {
		give(g, whole)
	}
	return want
}

// withPlaces returns the entries of want, with the places that they have in have where they keep their order and do the same as before.
func withPlaces(have, want filter.Filter, held []group) []filter.Entry {
	was := make(map[string]filter.Entry, len(have.Entries))
	for _, g := range held {
		for k, i := range g.members {
			e := have.Entries[i]
			e.Place = g.number<<classShift | g.seats[k]
			was[e.Name] = e
		}
	}
	out := make([]filter.Entry, len(want.Entries))
	places := make([]uint32, len(want.Entries))
	for i, e := range want.Entries {
		out[i] = e
		out[i].Place = 0
		if old, ok := was[e.Name]; ok && alike(old.Do, e.Do) {
			places[i] = old.Place
		}
	}
	for _, i := range filter.Rising(places) {
		out[i].Place = places[i]
	}
	return out
}

// stay returns the groups of a run: one for each classifier that its entries have and that is not taken, with the entries that have none beside them; or a new one.
func stay(f filter.Filter, run []int, taken map[uint32]bool) []group {
	var out []group
	for _, i := range run {
		number, seat := f.Entries[i].Place>>classShift, f.Entries[i].Place&lastSeat
		if taken[number] {
			number, seat = 0, 0
		}
		last := len(out) - 1
		switch {
		case last < 0:
			out = append(out, group{number: number})
		case number == 0 || out[last].number == number:
		case out[last].number == 0 && (len(out[last].members) <= frontSeats || f.Entries[i].Do.Policer != ""):
			out[last].number = number // those in front join the first that has a place
		default:
			out = append(out, group{number: number})
		}
		g := &out[len(out)-1]
		g.members, g.seats = append(g.members, i), append(g.seats, seat)
	}
	if len(out) > 1 && f.Entries[run[0]].Do.Policer != "" { // one limit, one classifier
		for _, g := range out[1:] {
			out[0].members = append(out[0].members, g.members...)
			out[0].seats = append(out[0].seats, make([]uint32, len(g.members))...)
		}
		out = out[:1]
	}
	return out
}

// divided returns g, in parts if it has become too large: the first keeps the number and its seats.
func (g group) divided(f filter.Filter) []group {
	if len(g.members) <= manySeats {
		return []group{g}
	}
	out := []group{}
	for k, part := range divide(f, g.members, fewSeats) {
		if k == 0 {
			out = append(out, group{number: g.number, members: part, seats: g.seats[:len(part)]})
			continue
		}
		out = append(out, group{members: part})
	}
	return out
}
