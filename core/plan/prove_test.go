package plan

import (
	"net/netip"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/table"
)

// listOf returns a component of equal values.
func listOf(typ flowspec.Type, values ...uint64) flowspec.Component {
	c := flowspec.Component{Type: typ}
	for _, v := range values {
		c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: v})
	}
	return c
}

// proofCase returns a rule for 12 x 7 ports and its 6 pieces.
func proofCase(t testing.TB) (*card, [][]flowspec.Component) {
	t.Helper()
	components := []flowspec.Component{
		{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.MustParseAddr("203.0.113.9"), Len: 32}},
		listOf(flowspec.DstPort, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23), listOf(flowspec.SrcPort, 2, 4, 6, 8, 10, 12, 14),
	}
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, components...)
	if err != nil {
		t.Fatal(err)
	}
	r := flowspec.Rule{ID: flowspec.NewID("test", m), Match: m}
	l := &split.Limits{MaxParts: 64}
	for typ := range l.Of {
		l.Of[typ] = split.Limit{OK: true, Ops: split.Eq | split.Range, MaxValues: 5}
	}
	result, trouble := split.Parts(flowspec.IPv4, components, l, false)
	if trouble != nil || len(result.Parts) != 5 { // the grid has six
		t.Fatalf("%d pieces, %+v", len(result.Parts), trouble)
	}
	return &card{reading: &reading{rule: &r, set: m.Set(), want: new(table.Want(r))}}, result.Parts
}

func setsOf(t testing.TB, parts [][]flowspec.Component) (out []packet.Set) {
	t.Helper()
	for _, part := range parts {
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, part...)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m.Set())
	}
	return out
}

// A piece that is missing, or that matches more than the rule, is found, with a packet that shows it.
func TestProveFindsEveryWrongPiece(t *testing.T) {
	t.Parallel()
	c, parts := proofCase(t)
	sets := setsOf(t, parts)
	if w, err := prove(c, sets); err != nil {
		t.Fatalf("right pieces: %v (%v)", err, w)
	}
	for i := range sets {
		missing := append(append([]packet.Set(nil), sets[:i]...), sets[i+1:]...)
		w, err := prove(c, missing)
		if err == nil || !c.set.Has(w.Packet) || !sets[i].Has(w.Packet) {
			t.Errorf("without piece %d: %v, %v", i, w, err)
		}
		// The known mistake: a `port` list put in place of the destination ports that the rule asks for.
		wide := append([]flowspec.Component(nil), parts[i]...)
		wide[1] = listOf(flowspec.DstPort, 53)
		more := append(append([]packet.Set(nil), sets...), setsOf(t, [][]flowspec.Component{wide})...)
		w, err = prove(c, more)
		if err == nil || c.set.Has(w.Packet) || !more[len(sets)].Has(w.Packet) {
			t.Errorf("with a piece for port 53: %v, %v", w, err)
		}
	}
}

func BenchmarkProve(b *testing.B) {
	c, parts := proofCase(b)
	sets := setsOf(b, parts)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := prove(c, sets); err != nil {
			b.Fatal(err)
		}
	}
}
