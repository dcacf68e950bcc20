package notation

import (
	"math"
	"net/netip"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// ruleGen draws rules of every family with every component, operator, width and action. plain leaves out what ExaBGP's text cannot say.
func ruleGen(plain bool) *rapid.Generator[flowspec.Rule] {
	return rapid.Custom(func(t *rapid.T) flowspec.Rule {
		r := flowspec.Rule{Match: drawMatch(t, plain)}
		ext, hop := drawAction(t, plain, r.Match.Family())
		var err error
		if r.Action, r.Others, err = flowspec.ParseAction(ext, hop); err != nil {
			t.Fatalf("ParseAction(%q): %v", ext, err)
		}
		r.Communities = rapid.SliceOfN(rapid.Uint32(), 0, 2).Draw(t, "communities")
		if rapid.Bool().Draw(t, "hasLarge") {
			r.LargeCommunities = [][3]uint32{{rapid.Uint32().Draw(t, "l1"), 2, 3}}
		}
		return r
	})
}

func drawMatch(t *rapid.T, plain bool) flowspec.Match {
	family := rapid.SampledFrom([]flowspec.Family{flowspec.IPv4, flowspec.IPv6, flowspec.VPNv4, flowspec.VPNv6}).Draw(t, "family")
	v6 := family.Version() == 6
	var rd flowspec.RD
	if family.VPN() {
		copy(rd[:], rapid.SliceOfN(rapid.Byte(), 8, 8).Draw(t, "rd"))
		rd[0], rd[1] = 0, rd[1]%3
		if as := uint32(rd[2])<<24 | uint32(rd[3])<<16; rd[1] == 2 && as <= 0xffff0000 && rd[2] == 0 && rd[3] == 0 {
			rd[2] = 1 // an AS number that needs four octets
		}
	}
	types := []flowspec.Type{}
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		if (typ != flowspec.FlowLabel || v6) && rapid.IntRange(0, 3).Draw(t, "has") == 0 {
			types = append(types, typ)
		}
	}
	if len(types) == 0 {
		types = append(types, flowspec.DstPrefix)
	}
	var list []flowspec.Component
	for _, typ := range types {
		c := flowspec.Component{Type: typ}
		if typ.Prefix() {
			c.Prefix = drawPrefix(t, v6, plain)
		} else {
			c.Terms = drawTerms(t, typ, v6, plain)
		}
		list = append(list, c)
	}
	m, err := flowspec.NewMatch(family, rd, list...)
	if err != nil {
		t.Fatalf("NewMatch: %v", err)
	}
	return m
}

func drawPrefix(t *rapid.T, v6, plain bool) flowspec.Prefix {
	size := 4
	if v6 {
		size = 16
	}
	addr, _ := netip.AddrFromSlice(rapid.SliceOfN(rapid.Byte(), size, size).Draw(t, "addr"))
	p := flowspec.Prefix{Addr: addr, Len: uint8(rapid.IntRange(0, 8*size).Draw(t, "len"))}
	if v6 && !plain && p.Len > 0 && rapid.Bool().Draw(t, "hasOffset") {
		p.Offset = uint8(rapid.IntRange(0, int(p.Len)-1).Draw(t, "offset"))
	}
	return cleanPrefix(p)
}

func drawTerms(t *rapid.T, typ flowspec.Type, v6, plain bool) []flowspec.Term {
	n := rapid.IntRange(1, 4).Draw(t, "terms")
	terms := make([]flowspec.Term, n)
	for i := range terms {
		top := 7
		if typ.Bitmask() {
			top = 3
		}
		op, value := rapid.IntRange(0, top).Draw(t, "op"), rapid.Uint64Range(0, uint64(typ.Max())).Draw(t, "value")
		if plain && !typ.Bitmask() {
			op = 1 + op%6
		}
		if v6 && typ == flowspec.Fragment {
			value &^= 1
		}
		terms[i] = flowspec.Term{And: i > 0 && rapid.Bool().Draw(t, "and"), Op: flowspec.Op(op), Value: value}
		if typ == flowspec.FlowLabel {
			terms[i].Width = (&expr{typ: typ}).width(value)
		}
		if !plain && typ != flowspec.DSCP && typ != flowspec.Fragment && rapid.IntRange(0, 4).Draw(t, "wide") == 0 {
			terms[i].Width = 2
			if value > 0xffff {
				terms[i].Width = 4
			}
		}
	}
	return terms
}

func drawAction(t *rapid.T, plain bool, family flowspec.Family) (ext []flowspec.ExtComm, hop netip.Addr) {
	octet := func(name string) byte { return rapid.Byte().Draw(t, name) }
	flag := byte(rapid.IntRange(0, 1).Draw(t, "copy"))
	switch rapid.IntRange(0, 5).Draw(t, "rate") {
	case 0:
		ext = append(ext, discard)
	case 1:
		ext = append(ext, rateCommunity(0x8006, float32(rapid.Uint64Range(1, 1e12).Draw(t, "bytes"))))
	case 2:
		ext = append(ext, rateCommunity(0x800c, float32(rapid.Uint32().Draw(t, "packets"))))
	case 3:
		ext = append(ext, rateCommunity(0x8006, float32(math.Abs(rapid.Float64Range(0.001, 1e15).Draw(t, "fraction")))))
	case 4:
		ext = append(ext, community8(0x8006, octet("as1"), octet("as2"), 0x4b, 0, 0, 0))
	}
	redirects := 8
	if plain {
		redirects = 6
	}
	v4 := netip.AddrFrom4([4]byte{192, 0, 2, octet("hop")})
	v6 := netip.AddrFrom16([16]byte{0x20, 1, 0xd, 0xb8, 15: octet("hop6")})
	switch rapid.IntRange(0, redirects).Draw(t, "redirect") {
	case 0:
		ext = append(ext, community8(0x8008, 1, octet("rt"), 2, 3, 4, 5))
	case 1:
		ext = append(ext, community8(0x8108, 192, 0, 2, octet("rt"), 4, 5))
	case 2:
		ext = append(ext, community8(0x8208, octet("rt"), 2, 3, 4, 5, 6))
	case 3:
		hop = v4
		if family.Version() == 6 {
			hop = v6
		}
		ext = append(ext, community8(0x0800, 0, 0, 0, 0, 0, flag))
	case 4:
		ext = append(ext, nextHopIETF(v4, flag == 1))
	case 7:
		ext = append(ext, nextHopIETF(v6, flag == 1))
	case 8:
		c, _ := ownTarget("[2001:db8::1]:77")
		ext = append(ext, c)
	}
	if rapid.Bool().Draw(t, "mark") {
		ext = append(ext, community8(0x8009, 0, 0, 0, 0, 0, octet("dscp")&0x3f))
	}
	if bits := byte(rapid.IntRange(0, 3).Draw(t, "traffic")); bits > 0 {
		ext = append(ext, community8(0x8007, 0, 0, 0, 0, 0, bits))
	}
	if rapid.IntRange(0, 3).Draw(t, "others") == 0 {
		ext = append(ext, community8(0x0002, 0xfd, 0xe8, 0, 0, 0, octet("target")), community8(0x0702, 0, 0, 0xfd, 0xe8, 0x40, 1))
	}
	return ext, hop
}

// Every rule survives every notation that can say it: same NLRI octets, same communities.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, f := range Formats() {
		if f == GoBGP {
			continue // it can say too little: TestGoBGPReadsWhatWeWrite
		}
		t.Run(string(f), func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				want := rapid.SliceOfN(ruleGen(f == ExaBGP), 1, 3).Draw(t, "rules")
				for i, r := range want {
					if head, _ := exactAction(r.Action); f == ExaBGP && head != "" && !hasPrefix(r.Match) {
						want[i].Action.Redirect = nil // ExaBGP has no place for it
					}
				}
				if f == YAML || f == JSON {
					want[0].Note = rapid.String().Draw(t, "note")
					want[0].Expires = time.Unix(rapid.Int64Range(0, 1<<32).Draw(t, "expires"), 0).UTC()
				}
				checkRoundTrip(t, f, want)
			})
		})
	}
}

func checkRoundTrip(t rapid.TB, f Format, want []flowspec.Rule) {
	t.Helper()
	var out writer
	if err := Write(&out, f, want); err != nil {
		t.Fatalf("Write: %v", err)
	}
	got := Read("", out, Options{})
	if got.Failed() || got.Format != f || len(got.Items) != len(want) {
		t.Fatalf("%d rules as %s, detected %s:\n%s\n%v", len(got.Items), f, got.Format, out, got.Problems)
	}
	for i, it := range got.Items {
		if err := same(want[i], it.Rule); err != nil {
			t.Fatalf("rule %d: %v\n%s\n%s", i, err, out, Hex(want[i]))
		}
		if Hex(it.Rule) != Hex(want[i]) || it.Rule.Note != want[i].Note && (f == YAML || f == JSON) {
			t.Fatalf("rule %d: got %s %q, want %s %q", i, Hex(it.Rule), it.Rule.Note, Hex(want[i]), want[i].Note)
		}
	}
}

type writer []byte

func (w *writer) Write(b []byte) (int, error) {
	*w = append(*w, b...)
	return len(b), nil
}

func (w writer) String() string { return string(w) }

// What ExaBGP's text cannot say exactly is refused, never bent.
func TestWriteRefusesWhatItCannotSay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := ruleGen(false).Draw(t, "rule")
		var out writer
		if err := Write(&out, ExaBGP, []flowspec.Rule{r}); err != nil {
			if len(out) > 0 {
				t.Fatalf("printed %q beside the error %v", out, err)
			}
			return
		}
		got := Read("", out, Options{})
		if len(got.Items) != 1 || Hex(got.Items[0].Rule) != Hex(r) {
			t.Fatalf("%s reads back as %v, want %s", out, got, Hex(r))
		}
	})
}

// Text is read back as the same packets and the same action.
func TestTextReadsBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := ruleGen(true).Draw(t, "rule")
		if r.Action.Rate != nil && r.Action.Rate.Amount != float32(uint64(r.Action.Rate.Amount)) || slices.ContainsFunc(r.Others, func(c flowspec.ExtComm) bool { return len(c) == 20 }) {
			return // ExaBGP has whole numbers only
		}
		if r.Action.Rate != nil && r.Action.Rate.Amount > 1e12 {
			return
		}
		got := Read("", []byte(Text(r)), Options{})
		if got.Failed() || len(got.Items) != 1 || !got.Items[0].Rule.Match.Equal(r.Match) || !got.Items[0].Rule.Action.Equal(r.Action) {
			t.Fatalf("%s reads back as %+v", Text(r), got)
		}
	})
}
