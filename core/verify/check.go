package verify

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Steps bounds the work on one certificate: comparisons of some 10 to 50 ns.
const Steps = 1_000_000_000

// Refusal says why a certificate is not verified. It is the only kind of error that Check returns.
type Refusal struct {
	Place  string // "rule 3 (0123456789abcdef)", "entry 7"
	Reason string
	Packet *packet.Header // one that shows it, where there is one
}

func (r *Refusal) Error() string {
	if r.Packet != nil {
		return fmt.Sprintf("%s: %s: %s", r.Place, r.Reason, r.Packet)
	}
	return fmt.Sprintf("%s: %s", r.Place, r.Reason)
}

// rule is a rule as it was asked.
type rule struct {
	*certificate.Rule
	nlri
	at      int
	place   string
	does    outcome
	rank    int // place in the order of RFC 8955, over all planes
	entries []*entry
}

func (r *rule) carried() bool { return r.Carried != "rejected" }

// entry is a route or an entry of a filter.
type entry struct {
	nlri  // of an entry of a filter only plane and set
	at    int
	place string
	owner *rule
	does  outcome
	pos   int        // place in the order of its stage
	after packet.Set // what packets may be when they leave it: as they came, or with another DSCP
}

// stage is the entries of one stage and plane.
type stage struct {
	native bool
	list   []*entry // in the order of evaluation
}

// checker is one certificate being checked.
type checker struct {
	c       *certificate.Certificate
	rules   []*rule
	entries []*entry
	steps   int
}

// Check says whether c proves what it claims: nil, or a *Refusal. It is sound: nil is returned only if the claims hold (see the package comment).
func Check(c *certificate.Certificate) error { return check(c, Steps) }

func check(c *certificate.Certificate, steps int) error {
	k := &checker{c: c, steps: steps}
	for _, part := range []func() error{k.readRules, k.readEntries, k.covers, k.stages, k.losses} {
		if err := part(); err != nil {
			return err
		}
	}
	return nil
}

// refuse makes a refusal.
func refuse(place, format string, args ...any) error {
	return &Refusal{Place: place, Reason: fmt.Sprintf(format, args...)}
}

// inside refuses unless every packet of a that can exist is in one of sets.
func (k *checker) inside(place, reason string, a packet.Set, sets ...packet.Set) error {
	left, done := a.OutsideOn(&k.steps, sets...)
	if !done {
		return refuse(place, "%s, or so it seems: the proof is larger than this checker's bound", reason)
	}
	if h, ok := left.Witness(); ok {
		return &Refusal{Place: place, Reason: reason, Packet: &h}
	}
	return nil
}

// step takes one from the budget.
func (k *checker) step() error {
	if k.steps--; k.steps < 0 {
		return refuse("certificate", "the proof is larger than this checker's bound")
	}
	return nil
}

// readRules reads and sorts the rules.
func (k *checker) readRules() error {
	for i := range k.c.Rules {
		r := &rule{Rule: &k.c.Rules[i], at: i}
		r.place = fmt.Sprintf("rule %d (%s)", i, r.ID)
		var err error
		if r.nlri, err = readNLRI(r.Family, r.NLRI); err == nil {
			r.does, err = readActions(r.Actions, r.NextHop)
		}
		switch {
		case err != nil:
			return refuse(r.place, "%v", err)
		case !slices.Contains([]string{"native", "rewritten", "filter", "rejected"}, r.Carried):
			return refuse(r.place, "carried %q", r.Carried)
		case r.carried() && r.does.unknown:
			return refuse(r.place, "an action of it is not understood, and it is said to be carried")
		case !r.carried() && r.Exact:
			return refuse(r.place, "a rejected rule is said to be carried exactly")
		}
		k.rules = append(k.rules, r)
	}
	sorted := slices.Clone(k.rules)
	slices.SortFunc(sorted, func(a, b *rule) int { return cmp.Or(strings.Compare(a.plane, b.plane), compare(a.list, b.list)) })
	for i, r := range sorted {
		if r.rank = i; i > 0 && r.plane == sorted[i-1].plane && compare(r.list, sorted[i-1].list) == 0 {
			return refuse(r.place, "the same NLRI as %s", sorted[i-1].place)
		}
	}
	return nil
}

// readEntries reads the entries, and establishes (a) and (e).
func (k *checker) readEntries() error {
	policers := map[string]certificate.Policer{}
	for _, p := range k.c.Policers {
		if policers[p.Name].Name != "" || p.Name == "" || !(p.Rate > 0) || p.Unit != "bytes/s" && p.Unit != "packets/s" {
			return refuse("policer "+p.Name, "it is there twice, or has no name, no rate or no unit")
		}
		policers[p.Name] = p
	}
	holder := map[string]*entry{} // first entry of each bucket
	for i := range k.c.Entries {
		given := &k.c.Entries[i]
		if given.Rule < 0 || given.Rule >= len(k.rules) {
			return refuse(fmt.Sprintf("entry %d", i), "there is no rule %d", given.Rule)
		}
		e := &entry{at: i, place: fmt.Sprintf("entry %d", i), owner: k.rules[given.Rule]}
		bucket, err := k.readEntry(e, given, policers)
		switch {
		case err != nil:
			return refuse(e.place, "%v", err)
		case !e.owner.carried():
			return refuse(e.place, "it is for %s, which is rejected", e.owner.place)
		case e.plane != e.owner.plane:
			return refuse(e.place, "it is not of the family of %s", e.owner.place)
		}
		if err := k.inside(e.place, "it takes a packet that is none of "+e.owner.place, e.set, e.owner.set); err != nil {
			return err
		}
		if err := e.asAsked(); err != nil {
			return err
		}
		if first := holder[bucket]; e.does.rate > 0 && first != nil && (first.owner != e.owner || !k.c.Platform.Filter.SharedPolicer) {
			return refuse(e.place, "its token bucket is also that of %s", first.place)
		}
		if n := len(e.owner.entries); e.does.rate > 0 && n > 0 && holder[bucket] == nil {
			return refuse(e.place, "%s has another token bucket: %d entries do not share one", e.owner.entries[0].place, n+1)
		}
		holder[bucket] = cmp.Or(holder[bucket], e)
		e.owner.entries, k.entries = append(e.owner.entries, e), append(k.entries, e)
	}
	return nil
}

// readEntry reads one entry, and returns the name of its token bucket.
func (k *checker) readEntry(e *entry, given *certificate.Entry, policers map[string]certificate.Policer) (bucket string, err error) {
	native := given.NLRI != ""
	if native {
		if given.Match != nil || given.Do != nil || given.Name != "" {
			return "", fmt.Errorf("both a route and an entry of a filter")
		}
		if e.nlri, err = readNLRI(e.owner.Family, given.NLRI); err != nil {
			return "", err
		}
		e.does, err = readActions(given.Actions, given.NextHop)
		bucket = "route " + e.place
	} else {
		f, version := k.c.Platform.Filter, map[string]packet.Version{"ipv4": packet.IPv4, "ipv6": packet.IPv6}[e.owner.Family]
		if f == nil || given.Match == nil || given.Do == nil || given.Actions != nil || given.NextHop != "" || version == 0 {
			return "", fmt.Errorf("no entry of a filter, or there is none for this family")
		}
		e.plane = e.owner.Family
		if e.set, err = readMatch(given.Match, version, *f); err != nil {
			return "", err
		}
		e.does, err = readDo(given.Do, policers)
		bucket = "policer " + given.Do.Policer
		if k.c.Platform.Placement != "alone" && !e.does.discard && !e.does.goesOn {
			return "", fmt.Errorf("it would keep packets from the operator's filter behind it")
		}
	}
	e.after = e.set
	if e.does.marks {
		boxes := e.set.Boxes()
		for i := range boxes {
			boxes[i].DSCP = packet.NewValues(packet.Span{Lo: uint32(e.does.mark), Hi: uint32(e.does.mark)})
		}
		e.after = e.set.Or(packet.Of(boxes...))
	}
	one := e.owner.Carried
	if native != (one == "native" || one == "rewritten") || one == "native" && given.NLRI != e.owner.NLRI {
		return "", fmt.Errorf("%s is said to be carried otherwise (%s)", e.owner.place, one)
	}
	return bucket, err
}

// asAsked refuses an entry that does something else than its rule asks. A rate may be higher, and is not exact when it is by more than 1 %.
func (e *entry) asAsked() error {
	got, want := e.does, e.owner.does
	limit := math.Nextafter32(want.rate*1.01, math.MaxFloat32) // the last place of a float32 is nobody's fault
	got.rate, want.rate = 0, 0
	switch {
	case got != want || got.unknown || (e.does.rate > 0) != (e.owner.does.rate > 0):
		return refuse(e.place, "it does something else than %s asks", e.owner.place)
	case e.does.rate < e.owner.does.rate:
		return refuse(e.place, "its rate is below the one of %s", e.owner.place)
	case e.owner.Exact && e.does.rate > limit:
		return refuse(e.place, "its rate is more than 1 %% above the one of %s, which is said to be exact", e.owner.place)
	}
	return nil
}

// covers establishes (b).
func (k *checker) covers() error {
	for _, r := range k.rules {
		if !r.carried() {
			continue
		}
		var sets []packet.Set
		for i, e := range r.entries {
			sets = append(sets, e.set)
			for _, other := range r.entries[:i] {
				if r.does.goesOn && e.set.Overlaps(other.set) {
					return refuse(e.place, "it shares packets with %s, and %s continues: it would be done twice", other.place, r.place)
				}
			}
		}
		above, err := k.above(r.place, r.Above, r)
		if err != nil {
			return err
		}
		if err := k.inside(r.place, "no entry of it takes this packet, and no rule above it decides it", r.set, append(sets, above...)...); err != nil {
			return err
		}
	}
	return nil
}

// above returns the packets of the rules in list, which must be terminal, carried, and stand above r.
func (k *checker) above(place string, list []int, r *rule) (out []packet.Set, err error) {
	for _, i := range list {
		if i < 0 || i >= len(k.rules) || k.rules[i].plane != r.plane || k.rules[i].rank >= r.rank || k.rules[i].does.goesOn || !k.rules[i].carried() {
			return nil, refuse(place, "rule %d does not stand above %s, or does not decide its packets", i, r.place)
		}
		out = append(out, k.rules[i].set)
	}
	return out, nil
}

// stages sorts the entries as the device does, and establishes (c) and (d).
func (k *checker) stages() error {
	planes := map[string]*[2]stage{} // FlowSpec, filter
	for _, e := range k.entries {
		both := planes[e.plane]
		if both == nil {
			both = &[2]stage{{native: true}, {}}
			planes[e.plane] = both
		}
		n := 1
		if e.list != nil {
			n = 0
		}
		both[n].list = append(both[n].list, e)
	}
	swaps := make(map[[2]int]*certificate.Swap, len(k.c.Swaps))
	for i := range k.c.Swaps {
		swaps[[2]int{k.c.Swaps[i].Rule, k.c.Swaps[i].Entry}] = &k.c.Swaps[i]
	}
	for _, plane := range slices.Sorted(maps.Keys(planes)) {
		both, order := planes[plane], k.c.Platform.Order
		if strings.Contains(plane, "v6") {
			order = k.c.Platform.OrderV6
		}
		slices.SortFunc(both[0].list, func(a, b *entry) int { return compare(a.list, b.list) })
		for s := range both {
			for i, e := range both[s].list {
				if e.pos = i; s == 0 && i > 0 && compare(both[s].list[i-1].list, e.list) == 0 {
					return refuse(e.place, "the same NLRI as %s", both[s].list[i-1].place)
				}
			}
		}
		native, filter := both[0].list, both[1].list
		err := k.sweep(filter, swaps)
		switch {
		case err != nil:
		case len(native) > 0 && order == "unknown":
			err = k.meeting(native, native, k.anyOrder)
		case len(native) > 0 && order != "rfc8955":
			err = refuse("platform", "an order of rules that this checker does not know: %q", order)
		default:
			err = k.sweep(native, swaps)
		}
		if err == nil {
			err = k.meeting(native, filter, k.apart)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alike says whether it makes no difference which of two rules a packet of both meets first.
func alike(a, b *rule) bool {
	return a == b || a.does == b.does && a.does.rate == 0 || a.does.nothing() || b.does.nothing()
}

// anyOrder establishes (c) for two entries in whichever order.
func (k *checker) anyOrder(x, y *entry) error {
	if x.pos >= y.pos || alike(x.owner, y.owner) {
		return nil
	}
	return k.inside(y.place, "it may be evaluated before or after "+x.place+", which does something else to this packet", x.set.And(y.set))
}

// apart establishes (d) for two entries of different stages.
func (k *checker) apart(x, y *entry) error {
	a := x.owner
	if a.does.nothing() || y.owner.does.nothing() || alike(a, y.owner) && !a.does.goesOn && !a.does.sample && !a.does.copies && a.does.rate == 0 {
		return nil
	}
	reason := "a packet meets it and, in another stage of the device, " + x.place
	if err := k.inside(y.place, reason, x.after.And(y.set)); err != nil {
		return err
	}
	return k.inside(y.place, reason, x.set.And(y.after))
}

// sweep establishes (c) in one stage. It goes through the entries in the order of the device and keeps the rules of which entries are still to
// come, by rank: those above the owner of the entry at hand are the i of (c).
func (k *checker) sweep(list []*entry, swaps map[[2]int]*certificate.Swap) error {
	var open []*rule
	last := map[*rule]int{}
	for i, e := range list {
		if _, ok := last[e.owner]; !ok {
			open = append(open, e.owner)
		}
		last[e.owner] = i
	}
	slices.SortFunc(open, func(a, b *rule) int { return cmp.Compare(a.rank, b.rank) })
	at := make(map[*rule]int, len(open)) // places in open
	next, prev := make([]int, len(open)+1), make([]int, len(open)+1)
	for i, r := range open {
		at[r], next[i], prev[i+1] = i+1, i+1, i // place 0 is before the first
	}
	for y, e := range list {
		for i := next[0]; i > 0 && open[i-1].rank < e.owner.rank; i = next[i] {
			if err := k.swapped(open[i-1], e, list, swaps); err != nil {
				return err
			}
		}
		if last[e.owner] == y {
			i := at[e.owner]
			next[prev[i]], prev[next[i]] = next[i], prev[i]
		}
	}
	return nil
}

// swapped establishes (c) for a rule and an entry of a rule below it, which stands before entries of the first in list.
func (k *checker) swapped(r *rule, y *entry, list []*entry, swaps map[[2]int]*certificate.Swap) error {
	if err := k.step(); err != nil || alike(r, y.owner) || !r.set.Overlaps(y.set) {
		return err
	}
	var sets []packet.Set
	if s := swaps[[2]int{r.at, y.at}]; s != nil {
		var err error
		if sets, err = k.above(r.place, s.Rules, r); err != nil {
			return err
		}
		for _, i := range s.Entries {
			if i < 0 || i >= len(k.entries) || k.entries[i].pos >= y.pos || list[k.entries[i].pos] != k.entries[i] || k.entries[i].does.goesOn {
				return refuse(y.place, "entry %d does not stand before it, or does not decide its packets", i)
			}
			sets = append(sets, k.entries[i].set)
		}
	}
	return k.inside(y.place, "the device looks at it before "+r.place+", which should decide this packet", r.set.And(y.set), sets...)
}

// losses establishes what is said of rejected rules.
func (k *checker) losses() error {
	losses := make(map[[2]int]*certificate.Loss, len(k.c.Losses))
	for i := range k.c.Losses {
		losses[[2]int{k.c.Losses[i].Rule, k.c.Losses[i].Below}] = &k.c.Losses[i]
	}
	planes := map[string]*[2][]*entry{} // rejected, carried
	for i, r := range k.rules {
		both := planes[r.plane]
		if both == nil {
			both = &[2][]*entry{}
			planes[r.plane] = both
		}
		n := 0
		if r.carried() {
			n = 1
		}
		if r.carried() || !r.does.goesOn { // a rejected rule that continues leaves nothing to others
			both[n] = append(both[n], &entry{nlri: r.nlri, at: i, owner: r})
		}
	}
	for _, plane := range slices.Sorted(maps.Keys(planes)) {
		both := planes[plane]
		err := k.meeting(both[0], both[1], func(x, y *entry) error {
			i, j := x.owner, y.owner
			same := i.does
			same.goesOn, same.unknown = j.does.goesOn, false
			if j.rank < i.rank || j.does.severity() < i.does.severity() || same == j.does && same.rate == 0 || j.does.nothing() || !i.set.Overlaps(j.set) {
				return nil
			}
			var sets []packet.Set
			if l := losses[[2]int{x.at, y.at}]; l != nil {
				var err error
				if sets, err = k.above(j.place, l.Rules, j); err != nil {
					return err
				}
			}
			return k.inside(j.place, "it treats this packet worse than "+i.place+", which is rejected, asks", i.set.And(j.set), sets...)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// meeting calls visit with every x of a and y of b that may share a packet: whose destinations meet, or whose sources do where fewer of those are open.
func (k *checker) meeting(a, b []*entry, visit func(x, y *entry) error) error {
	if len(a) == 0 || len(b) == 0 {
		return nil
	}
	type side struct {
		*entry
		reach packet.Reach
		list  int
	}
	var all []side
	open := 0 // destinations that are, less sources
	for n, list := range [][]*entry{a, b} {
		for _, e := range list {
			for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
				if r, ok := e.set.Reach(v); ok {
					all = append(all, side{e, r, n})
					if r.DstLo.IsUnspecified() {
						open++
					}
					if r.SrcLo.IsUnspecified() {
						open--
					}
				}
			}
		}
	}
	if open > 0 {
		for i := range all {
			r := &all[i].reach
			r.DstLo, r.DstHi = r.SrcLo, r.SrcHi
		}
	}
	slices.SortFunc(all, func(x, y side) int { return x.reach.DstLo.Compare(y.reach.DstLo) })
	var active [2][]side
	for _, s := range all {
		kept := active[1-s.list][:0]
		for _, o := range active[1-s.list] {
			if o.reach.DstHi.Less(s.reach.DstLo) {
				continue
			}
			kept = append(kept, o)
			x, y := s, o
			if s.list == 1 {
				x, y = o, s
			}
			if err := cmp.Or(k.step(), visit(x.entry, y.entry)); err != nil {
				return err
			}
		}
		active[1-s.list], active[s.list] = kept, append(active[s.list], s)
	}
	return nil
}
