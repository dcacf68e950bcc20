package table

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

// The slow twin: a universe of a few dozen packets such that every set drawn here is a union of the cells they stand for, and two
// tables are compared packet by packet with Classify.

var (
	twinDst = map[packet.Version][]string{
		packet.IPv4: {"10.0.0.1", "10.0.0.2", "10.0.1.1", "192.0.2.1"},
		packet.IPv6: {"2001:db8::1", "2001:db8::2", "2001:db9::1"},
	}
	twinDsts = map[packet.Version][]string{
		packet.IPv4: {"", "10.0.0.0/8", "10.0.0.0/24", "10.0.0.1/32"},
		packet.IPv6: {"", "2001:db8::/32", "2001:db8::1/128"},
	}
	twinSrc   = map[packet.Version][]string{packet.IPv4: {"198.51.100.7", "192.0.2.7"}, packet.IPv6: {"2001:db8:51::7", "3fff::7"}}
	twinSrcs  = map[packet.Version]string{packet.IPv4: "198.51.0.0/16", packet.IPv6: "2001:db8::/32"}
	twinPorts = []packet.Span{{Lo: 0, Hi: 52}, {Lo: 53, Hi: 53}, {Lo: 54, Hi: 65535}}
	twinLens  = []packet.Span{{Lo: 0, Hi: 19}, {Lo: 20, Hi: 99}, {Lo: 100, Hi: 65535}} // the first cannot exist
)

func twinPackets() (out []packet.Header) {
	for _, v := range versions {
		for _, src := range twinSrc[v] {
			for _, dst := range twinDst[v] {
				out = append(out, twinFlows(netip.MustParseAddr(src), netip.MustParseAddr(dst))...)
			}
		}
	}
	return out
}

func twinFlows(src, dst netip.Addr) (out []packet.Header) {
	for _, proto := range []uint8{6, 17, 47} {
		for _, port := range twinPorts {
			for _, length := range twinLens[1:] {
				out = append(out, packet.Header{Src: src, Dst: dst, Proto: proto, DstPort: uint16(port.Lo), Length: uint16(length.Hi)})
			}
		}
	}
	return out
}

func drawSet(t *rapid.T) packet.Set {
	v := rapid.SampledFrom([]packet.Version{packet.IPv4, packet.IPv4, packet.IPv6}).Draw(t, "version")
	b := packet.Everything(v)
	if p := rapid.SampledFrom(twinDsts[v]).Draw(t, "dst"); p != "" {
		b.Dst = packet.AddrsIn(netip.MustParsePrefix(p))
	}
	if rapid.IntRange(0, 3).Draw(t, "src") == 0 {
		b.Src = packet.AddrsIn(netip.MustParsePrefix(twinSrcs[v]))
	}
	if n := rapid.SampledFrom([]uint32{0, 0, 6, 17}).Draw(t, "proto"); n != 0 {
		b.Proto = packet.NewValues(packet.Span{Lo: n, Hi: n})
	}
	draw := func(spans []packet.Span, what string) packet.Values {
		bits := rapid.IntRange(0, 1<<len(spans)-1).Draw(t, what)
		if bits == 0 {
			return nil
		}
		var in []packet.Span
		for i, s := range spans {
			if bits>>i&1 == 1 {
				in = append(in, s)
			}
		}
		return packet.NewValues(in...)
	}
	b.DstPort, b.Length = draw(twinPorts, "ports"), draw(twinLens, "lengths")
	if rapid.IntRange(0, 5).Draw(t, "both versions") == 0 {
		return packet.Of(b).Or(packet.Of(packet.Everything(packet.IPv4 + packet.IPv6 - v)))
	}
	return packet.Of(b)
}

func limit(name string, amount float32) Outcome {
	return Outcome{Policer: name, Rate: flowspec.Rate{Amount: amount, Unit: flowspec.Bytes}}
}

func drawOutcome(t *rapid.T, name string) Outcome {
	return rapid.SampledFrom([]Outcome{{}, {}, {Discard: true}, {Discard: true}, {Marked: true, Mark: 10}, {Redirect: "192.0.2.99"}, {Sample: true},
		limit(name, 100), limit(name, 100), limit("shared", 100), limit(name, 200)}).Draw(t, "outcome")
}

func drawTable(t *rapid.T, passes bool) Table {
	out := make(Table, rapid.IntRange(0, 6).Draw(t, "entries"))
	for i := range out {
		name := fmt.Sprintf("r%d", i)
		out[i] = Entry{ID: name, Match: drawSet(t), Do: drawOutcome(t, name)}
		out[i].Continue = passes && rapid.IntRange(0, 2).Draw(t, "continue") == 0
	}
	return out
}

// disturb returns a table that means the same as t or nearly so.
func disturb(t *rapid.T, in Table) Table {
	out := slices.Clone(in)
	for i := range out {
		if out[i].Do.Policer != "" {
			out[i].Do.Policer += "'"
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "disturbances") {
		if len(out) == 0 {
			break
		}
		i := rapid.IntRange(0, len(out)-1).Draw(t, "where")
		switch rapid.IntRange(0, 7).Draw(t, "what") {
		case 0: // split in two
			part := drawSet(t)
			second := out[i]
			out[i].Match, second.Match = out[i].Match.And(part), out[i].Match.Sub(part)
			out = slices.Insert(out, i+1, second)
		case 1: // split in two with a policer each
			part := drawSet(t)
			second := out[i]
			out[i].Match, second.Match = out[i].Match.And(part), out[i].Match.Sub(part)
			if second.Do.Policer != "" {
				second.Do.Policer += "+"
			}
			out = slices.Insert(out, i+1, second)
		case 2: // swap neighbours
			if i > 0 {
				out[i], out[i-1] = out[i-1], out[i]
			}
		case 3:
			out = slices.Delete(out, i, i+1)
		case 4: // what earlier entries decide does not matter
			if !out[i].Continue && i+1 < len(out) {
				out[i+1].Match = out[i+1].Match.Sub(out[i].Match)
			}
		case 5:
			out[i].Continue = out[i].Continue != (i%2 == 0)
		case 6: // a tail that says what the default does
			out = append(out, Entry{ID: "tail", Match: packet.Of(packet.Everything(packet.IPv4))})
		case 7:
			out[i].Match = drawSet(t)
		}
	}
	return out
}

// slowDiff says whether two tables differ, and why.
func slowDiff(want, got Table) (string, bool) {
	partners := [2]map[string]string{{}, {}}
	for _, h := range twinPackets() {
		w, g := doing(doesOf(want, h)), doing(doesOf(got, h))
		if len(w) != len(g) {
			return h.String(), true
		}
		for i := range w {
			wp, gp := w[i].Policer, g[i].Policer
			a, b := w[i], g[i]
			a.Policer, b.Policer = "", ""
			if a != b || (wp == "") != (gp == "") {
				return h.String(), true
			}
			if wp == "" {
				continue
			}
			if old, ok := partners[0][wp]; ok && old != gp {
				return "policer " + wp, true
			}
			if old, ok := partners[1][gp]; ok && old != wp {
				return "policer " + gp, true
			}
			partners[0][wp], partners[1][gp] = gp, wp
		}
	}
	return "", false
}

func slowSeverer(want, got Table) (string, bool) {
	partner := map[string]string{}
	for _, h := range twinPackets() {
		w, g := doing(doesOf(want, h)), doing(doesOf(got, h))
		if worse(w, g) {
			return h.String(), true
		}
		for _, o := range g {
			if o.Policer == "" {
				continue
			}
			if old, ok := partner[o.Policer]; ok && old != bucketOf(w) {
				return "policer " + o.Policer, true
			}
			partner[o.Policer] = bucketOf(w)
		}
	}
	return "", false
}

// failer is what rapid.T and testing.T share here.
type failer interface {
	Helper()
	Fatalf(format string, args ...any)
}

// confirm checks a witness packet by packet.
func confirm(t failer, want, got Table, d *Difference) {
	t.Helper()
	if d.Unproven {
		t.Fatalf("unproven: %s", d.Reason)
	}
	w, g := doing(doesOf(want, d.Packet)), doing(doesOf(got, d.Packet))
	if d.Other == nil {
		if alike(w, g) {
			t.Fatalf("%v is no witness: %v on both sides", d, w)
		}
		if d.Want != words(w) || d.Got != words(g) {
			t.Fatalf("%v is told wrongly: %v and %v", d, w, g)
		}
		return
	}
	w2, g2 := doing(doesOf(want, *d.Other)), doing(doesOf(got, *d.Other))
	if slices.Equal(sameBuckets(w, w2), sameBuckets(g, g2)) {
		t.Fatalf("%v: the two packets share alike on both sides: %v %v, %v %v", d, w, w2, g, g2)
	}
}

// sameBuckets says for every pair of outcomes of two packets whether they are of one bucket.
func sameBuckets(a, b []Outcome) (out []bool) {
	both := slices.Concat(a, b)
	for _, x := range both {
		for _, y := range both {
			out = append(out, x.Policer == y.Policer)
		}
	}
	return out
}

func testDiff(t *testing.T, passes bool) {
	equal, different := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		want := drawTable(t, passes)
		got := drawTable(t, passes)
		if rapid.IntRange(0, 5).Draw(t, "related") > 0 {
			got = disturb(t, want)
		}
		d := Diff(want, got)
		why, differ := slowDiff(want, got)
		if (d != nil) != differ {
			t.Fatalf("Diff says %v, packet by packet it is %v %s\nwant %v\ngot %v", d, differ, why, want, got)
		}
		if d == nil {
			equal++
			return
		}
		different++
		confirm(t, want, got, d)
	})
	t.Logf("%d pairs of tables equal, %d different", equal, different)
}

func TestDiffAgreesPacketByPacket(t *testing.T) {
	t.Parallel()
	testDiff(t, false)
}

func TestDiffAgreesWhereEntriesContinue(t *testing.T) {
	t.Parallel()
	testDiff(t, true)
}

func TestSevererAgreesPacketByPacket(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		passes := rapid.Bool().Draw(t, "passes")
		want := drawTable(t, passes)
		got := drawTable(t, passes)
		if rapid.IntRange(0, 5).Draw(t, "related") > 0 {
			got = disturb(t, want)
		}
		d := Severer(want, got)
		why, severer := slowSeverer(want, got)
		if (d != nil) != severer {
			t.Fatalf("Severer says %v, packet by packet it is %v %s\nwant %v\ngot %v", d, severer, why, want, got)
		}
		if d != nil && d.Unproven {
			t.Fatal(d)
		}
		if d != nil && d.Other == nil && !worse(doing(doesOf(want, d.Packet)), doing(doesOf(got, d.Packet))) {
			t.Fatalf("%v is no worse", d)
		}
	})
}
