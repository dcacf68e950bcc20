package proof_test

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// side is a table as the prover and as the evaluator have it.
type side struct {
	table table.Table
	steps []step
}

func sideOf(l lines) side { return side{l.table(), l.steps()} }

// trial is the prover's word about two tables against that of the evaluator.
type trial struct {
	Pairs, Equal, Different, Unproven int // what the prover said
	Exhausted                         int // pairs said to be equal of which every packet was evaluated
	ToldApart                         int // pairs that the evaluator told apart
	Twos                              int // differences that take two packets
	Severer                           int // pairs of which the second is severer
	evaluated                         int
}

// exhaustible bounds the universes of which every packet is evaluated.
const exhaustible = 30_000

// judge compares want with got, both of family f, in every way, and fails where prover and evaluator cannot both be right.
func (tr *trial) judge(d *draw, f flowspec.Family, want, got side, what string) {
	tr.Pairs++
	diff, severer := table.Diff(want.table, got.table), table.Severer(want.table, got.table)
	say := func() string { return fmt.Sprintf("%s\nwant:\n%s\ngot:\n%s", what, text(want), text(got)) }
	switch {
	case diff == nil:
		tr.Equal++
	case diff.Unproven:
		tr.Unproven++
	default:
		tr.Different++
		tr.confirm(d, want, got, diff, say)
	}
	if severer != nil && !severer.Unproven {
		tr.Severer++
		confirmSeverer(d, want, got, severer, say)
	}
	shared, apart := newBuckets(), false
	var p probe
	var w, g [8]deed
	all := tr.corpus(d, f, want, got, diff == nil && d.chance(3), func(h packet.Header) {
		tr.evaluated++
		p.read(h)
		wanted, _ := treat(want.steps, &p, w[:0])
		gotten, _ := treat(got.steps, &p, g[:0])
		differs := !alike(wanted, gotten, 0) || !shared.share(wanted, gotten)
		if differs && diff == nil {
			d.failf("called equal, but packet %s: want %v, got %v\n%s", h, wanted, gotten, say())
		}
		if severer == nil && severityOf(gotten) > severityOf(wanted) {
			d.failf("called no severer, but packet %s: want %v, got %v\n%s", h, wanted, gotten, say())
		}
		apart = apart || differs
	})
	if apart {
		tr.ToldApart++
	}
	if all && diff == nil {
		tr.Exhausted++
	}
}

// corpus puts to try every packet there is where it is to be thorough and those are few enough, else packets inside overlaps. It says which.
func (tr *trial) corpus(d *draw, f flowspec.Family, want, got side, thorough bool, try func(packet.Header)) (all bool) {
	c := cornersOf(f, matchersOf(want.steps, got.steps))
	if thorough {
		if u := c.universe(); u.size() <= exhaustible {
			u.packets(try)
			return true
		}
	}
	c.packets(d, 256, try)
	return false
}

// confirm evaluates a witness: the packet, or the two, fare as the prover says they do not.
func (tr *trial) confirm(d *draw, want, got side, diff *table.Difference, say func() string) {
	fares := func(s side, h packet.Header, id string) []deed {
		var p probe
		p.read(h)
		done, _ := treat(s.steps, &p, nil)
		if i := slices.IndexFunc(s.table, func(e table.Entry) bool { return e.ID == id }); id != "" && (i < 0 || !s.steps[i].matches(&p)) {
			d.failf("%s: entry %s is named and does not match\n%s", diff, id, say())
		}
		return done
	}
	f := flowspec.IPv4
	if diff.Packet.Src.Is6() {
		f = flowspec.IPv6
	}
	if possible(diff.Packet, f) != diff.Packet {
		d.failf("%s: the packet cannot exist\n%s", diff, say())
	}
	w, g := fares(want, diff.Packet, diff.WantEntry), fares(got, diff.Packet, diff.GotEntry)
	if diff.Other == nil {
		if alike(w, g, 0) {
			d.failf("%s: but want %v, got %v\n%s", diff, w, g, say())
		}
		return
	}
	tr.Twos++
	ow, og := fares(want, *diff.Other, diff.OtherWantEntry), fares(got, *diff.Other, diff.OtherGotEntry)
	if !alike(w, g, 0) || !alike(ow, og, 0) {
		d.failf("%s: each packet alone fares otherwise: want %v and %v, got %v and %v\n%s", diff, w, ow, g, og, say())
	}
	if sharesAlike(w, ow, g, og) {
		d.failf("%s: but want %v and %v, got %v and %v\n%s", diff, w, ow, g, og, say())
	}
}

// sharesAlike says whether two packets share buckets on one side just where they do on the other. Their lists of deeds are alike on both sides.
func sharesAlike(w, ow, g, og []deed) bool {
	for i := range w {
		for k := range ow {
			if w[i].limits() && ow[k].limits() && (w[i].bucket == ow[k].bucket) != (g[i].bucket == og[k].bucket) {
				return false
			}
		}
	}
	return true
}

func limits(done []deed) (n int) {
	for _, d := range done {
		if d.limits() {
			n++
		}
	}
	return n
}

// together says whether two packets draw from some bucket both.
func together(a, b []deed) bool {
	return slices.ContainsFunc(a, func(x deed) bool {
		return x.limits() && slices.ContainsFunc(b, func(y deed) bool { return y.limits() && y.bucket == x.bucket })
	})
}

// confirmSeverer evaluates a packet that is said to fare worse: it fares no better, and not the same. Where two packets are named, they draw from
// one bucket, and did not: what is discarded in the end takes no tokens from anybody.
func confirmSeverer(d *draw, want, got side, diff *table.Difference, say func() string) {
	fares := func(s side, h packet.Header) []deed {
		var p probe
		p.read(h)
		done, _ := treat(s.steps, &p, nil)
		return done
	}
	w, g := fares(want, diff.Packet), fares(got, diff.Packet)
	if diff.Other == nil {
		if severityOf(g) < severityOf(w) || alike(w, g, 0) {
			d.failf("%s: severer, but want %v, got %v\n%s", diff, w, g, say())
		}
		return
	}
	ow, og := fares(want, *diff.Other), fares(got, *diff.Other)
	if limits(w) > 1 || limits(ow) > 1 { // a packet that meets two limits has a pair of buckets of its own: Severer is stricter there than it need be
		return
	}
	if !together(g, og) || together(w, ow) && severityOf(w) < 4 && severityOf(ow) < 4 {
		d.failf("%s: severer, but want %v and %v, got %v and %v\n%s", diff, w, ow, g, og, say())
	}
}

func text(s side) (out string) {
	for i, e := range s.table {
		out += fmt.Sprintf("  %s: %v then %s, continue %v\n", e.ID, s.steps[i].conditions, e.Do, e.Continue)
	}
	return out
}
