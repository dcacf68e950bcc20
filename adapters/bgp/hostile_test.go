package bgp_test

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// announce is an UPDATE that discards what raw NLRI octets match.
func announce(tb testing.TB, f flowspec.Family, nlris ...string) []byte {
	tb.Helper()
	var list [][]byte
	for _, n := range nlris {
		b, err := hex.DecodeString(n)
		if err != nil {
			tb.Fatal(err)
		}
		list = append(list, b)
	}
	path := session.Path{ExtCommunities: []string{"\x80\x06\x00\x00\x00\x00\x00\x00"}}
	attrs, err := path.Attributes(session.Negotiated{LocalAS: 64501, Open: session.Open{AS: 64500, FourOctet: true}})
	if err != nil {
		tb.Fatal(err)
	}
	out, err := session.AppendReach(nil, session.Family{AFI: f.AFI(), SAFI: f.SAFI()}, nil, attrs, list, session.MaxMessage)
	if err != nil {
		tb.Fatal(err)
	}
	return out
}

func (p *pair) send(tb testing.TB, octets []byte) {
	tb.Helper()
	if err := p.router.Send(octets); err != nil {
		tb.Fatal(err)
	}
}

func (p *pair) rulesAre(tb testing.TB, want ...string) {
	tb.Helper()
	slices.Sort(want)
	p.rules.wait(tb, fmt.Sprintf("the rules %q", want), func(r map[string]flowspec.Rule, _ []rib.Kind) bool {
		got := []string{}
		for n := range r {
			got = append(got, n)
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
}

// Octets that end other speakers' processes or sessions. The good rules around them stand, and the bad ones are named.
func TestBadNLRIsBetweenGoodOnes(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		family flowspec.Family
		bad    string
		reason string
	}{
		"the one that ends GoBGP":           {flowspec.IPv4, "030d24df", "13"},
		"a destination of 33 bits":          {flowspec.IPv4, "0701210a00000100", "33"},
		"components out of order":           {flowspec.IPv4, "06" + "058135" + "038111", "after"},
		"nothing at all":                    {flowspec.IPv4, "00", "no component"},
		"a component cut off":               {flowspec.IPv4, "020391", "value"},
		"IPv6: an offset beyond its length": {flowspec.IPv6, "0401204020", "offset"},
		"IPv6: what GoBGP cannot index":     {flowspec.IPv6, "0101", "prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, options{})
			p.up(t)
			good := []string{dst(1), dst(2)}
			if tt.family == flowspec.IPv6 {
				good = []string{"050110002001", "050110002002"}
			}
			p.send(t, announce(t, tt.family, good[0], tt.bad, good[1]))
			p.rulesAre(t, good...)
			in := p.speaker.Status()[0].In
			if len(in.Last) != 1 || in.Refused != 1 {
				t.Fatalf("refusals %+v, want one", in.Last)
			}
			r := in.Last[0]
			if r.Hex() != tt.bad || r.Offset != len(good[0])/2 || r.Family != tt.family || !strings.Contains(strings.ToLower(r.Reason), tt.reason) {
				t.Errorf("refusal %+v of %s, want %s at octet %d with %q", r, r.Hex(), tt.bad, len(good[0])/2, tt.reason)
			}
			if st := p.speaker.Status()[0].Session; st.Established != 1 || st.State != session.Established {
				t.Errorf("the session did not stay: %+v", st)
			}
		})
	}
}

func TestLongRulesAndOffsetsAreTaken(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	var terms []flowspec.Term
	for i := range 101 {
		terms = append(terms, flowspec.Term{Op: flowspec.EQ, Value: uint64(1000 + 2*i)})
	}
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPort, Terms: terms}, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	if err != nil {
		t.Fatal(err)
	}
	long := hex.EncodeToString(m.NLRI())
	if !strings.HasPrefix(long, "f1") || len(long)/2 < 300 {
		t.Fatalf("the test wants an NLRI of some 307 octets, has %d", len(long)/2)
	}
	offset := "08016840123456789a" // ::1234:5678:9a00:0/64-104, RFC 8956 §3.8
	p.send(t, announce(t, flowspec.IPv4, long, dst(1)))
	p.send(t, announce(t, flowspec.IPv6, offset))
	p.rulesAre(t, long, dst(1), offset)
}

// From and for a neighbour that writes IPv6 prefixes whole, a rule is the same one in other octets; its withdrawal has these as well.
func TestOffsetsOfANeighbour(t *testing.T) {
	t.Parallel()
	const rfc, whole = "08016840123456789a", "100168400000000000000000123456789a"
	o := options{offsets: flowspec.OffsetWhole}
	o.router.Offsets = o.offsets
	p := start(t, o)
	p.up(t)
	p.send(t, announce(t, flowspec.IPv6, whole, rfc))
	p.rulesAre(t, rfc)
	if in := p.speaker.Status()[0].In; in.Refused != 1 || in.Last[0].Hex() != rfc || !strings.Contains(in.Last[0].Reason, "as whole-prefix it takes 13 octets") {
		t.Errorf("refused %+v, want the octets of RFC 8956", in.Last)
	}
	one := &device.Route{Match: match(t, flowspec.IPv6, rfc), Action: discard()}
	for _, op := range []device.Op{device.Add, device.Remove} {
		c := device.Change{Steps: []device.Step{{Op: op, Route: one}}}
		wire, err := p.device.Render(p.ctx, device.Target{}, c)
		if err != nil || !strings.Contains(hex.EncodeToString(wire), whole) || strings.Contains(hex.EncodeToString(wire), rfc) {
			t.Errorf("%v is %x, %v", op, wire, err)
		}
		p.apply(t, c.Steps...)
		p.holds(t, map[device.Op][]string{device.Add: {rfc}}[op]...)
	}
	odd := &device.Route{Match: match(t, flowspec.IPv6, "0901683c112345678980"), Action: discard()}
	eights := start(t, options{offsets: flowspec.OffsetEights})
	eights.up(t)
	if _, err := eights.device.Apply(eights.ctx, device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add, Route: odd}}}, 0); err == nil || !strings.Contains(err.Error(), "the offset 60 is no multiple of 8") {
		t.Errorf("a rule that the neighbour reads otherwise: %v", err)
	}
}

// What RFC 7606 answers with "treat as withdraw": the rule that stood under the NLRI goes, the session stays.
func TestUnusablePathsAreWithdrawn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		internal bool
		path     session.Path
		reason   string
	}{
		"our AS in the path":       {path: session.Path{ASPath: []uint32{7, 64500}}, reason: "loop"},
		"our community":            {path: session.Path{Communities: []uint32{ourCommunity}}, reason: "loop"},
		"our router id":            {internal: true, path: session.Path{OriginatorID: ourID}, reason: "loop"},
		"our cluster id":           {internal: true, path: session.Path{OriginatorID: peerID, ClusterList: []netip.Addr{peerID, ourID}}, reason: "loop"},
		"an origin of 9":           {path: session.Path{Origin: 9}, reason: "ORIGIN"},
		"a rate that is no number": {path: session.Path{ExtCommunities: []string{"\x80\x06\x00\x00\x7f\xc0\x00\x00"}}, reason: "number"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options{}
			if tt.internal {
				o.remoteAS = 64500
			}
			p := start(t, o)
			p.up(t)
			kept, lost := match(t, flowspec.IPv4, dst(1)), match(t, flowspec.IPv4, dst(2))
			for _, m := range []flowspec.Match{kept, lost} {
				if err := p.router.Announce(flowspec.Action{}, session.Path{}, m); err != nil {
					t.Fatal(err)
				}
			}
			p.rulesAre(t, dst(1), dst(2))
			if err := p.router.Announce(flowspec.Action{}, tt.path, lost); err != nil {
				t.Fatal(err)
			}
			p.rulesAre(t, dst(1))
			in := p.speaker.Status()[0].In
			if tt.reason == "loop" {
				if in.Loops != 1 || in.Refused != 0 {
					t.Errorf("%+v, want one loop and no refusal", in)
				}
				return
			}
			if len(in.Last) != 1 || !strings.Contains(in.Last[0].Reason, tt.reason) || in.Last[0].Count != 1 {
				t.Errorf("refusals %+v, want one with %q", in.Last, tt.reason)
			}
		})
	}
}

// When lengths lie, nobody knows which rules were meant (RFC 7606 §3 (j)): the session ends, its rules with it, and it comes back.
func TestLostFramingResets(t *testing.T) {
	t.Parallel()
	for name, octets := range map[string]func(t *testing.T) []byte{
		"an NLRI runs past the end": func(t *testing.T) []byte { return announce(t, flowspec.IPv4, dst(2), "20010203") },
		"a next hop of seven octets": func(t *testing.T) []byte {
			out, err := session.AppendReach(nil, session.Family{AFI: 1, SAFI: 133}, make([]byte, 7), []byte{0x40, 1, 1, 0, 0x40, 2, 0}, [][]byte{{1, 3, 0x81}}, session.MaxMessage)
			if err != nil {
				t.Fatal(err)
			}
			return out
		},
		"two MP_REACH_NLRI": func(t *testing.T) []byte {
			out := announce(t, flowspec.IPv4, dst(2))
			attr := out[23:]
			return update(append(slices.Clone(attr[:3+int(attr[2])]), attr...))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, options{})
			p.up(t)
			p.send(t, announce(t, flowspec.IPv4, dst(1)))
			p.rulesAre(t, dst(1))
			p.send(t, octets(t))
			p.rules.wait(t, "the loss and the return", func(_ map[string]flowspec.Rule, e []rib.Kind) bool {
				down := slices.Index(e, rib.Down)
				return down >= 0 && slices.Contains(e[down:], rib.Up)
			})
			in := p.speaker.Status()[0].In
			if len(in.Last) != 1 || !strings.Contains(in.Last[0].Reason, "NOTIFICATION 3/") {
				t.Errorf("refusals %+v", in.Last)
			}
			p.insist(t, dst(3))
			p.rulesAre(t, dst(1), dst(3)) // what becomes of the rules of a lost source is for the RIB to say
		})
	}
}

// update is a message with these attributes.
func update(attrs []byte) []byte {
	body := append([]byte{0, 0, byte(len(attrs) >> 8), byte(len(attrs))}, attrs...)
	n := len(body) + session.HeaderLen
	return append(append([]byte(strings.Repeat("\xff", 16)), byte(n>>8), byte(n), 2), body...)
}

func TestForeignFamiliesAreLeftAlone(t *testing.T) {
	t.Parallel()
	p := start(t, options{families: []flowspec.Family{flowspec.IPv4}})
	p.up(t)
	p.send(t, announce(t, flowspec.IPv6, "050110002001"))
	p.send(t, update([]byte{0x80, 15, 3 + 2, 0, 1, 1, 8, 10})) // unicast, withdrawn
	p.send(t, announce(t, flowspec.IPv4, dst(1)))
	p.rulesAre(t, dst(1))
	if in := p.speaker.Status()[0].In; in.Refused != 2 {
		t.Errorf("refusals %+v, want two families that were not agreed on", in.Last)
	}
}

// Any octets in the place of NLRIs and of attributes: the speaker stays up, and what is good afterwards is taken. (FuzzUpdate
// tries many more, without a connection between.)
func TestRandomOctets(t *testing.T) {
	t.Parallel()
	p := start(t, options{})
	p.up(t)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 60 {
		junk := make([]byte, 1+random.IntN(60))
		for j := range junk {
			junk[j] = byte(random.Uint32())
		}
		switch i % 3 {
		case 0: // as one NLRI whose length is right
			junk = announce(t, both[i%2], hex.EncodeToString(append([]byte{byte(len(junk))}, junk...)))
		case 1:
			junk = announce(t, both[i%2], hex.EncodeToString(junk))
		case 2:
			junk = update(junk)
		}
		_ = p.router.Send(junk) // there may be no session at the moment
		p.insist(t, dst(i))
	}
	if in := p.speaker.Status()[0].In; in.Refused < 50 {
		t.Errorf("%d refusals of 60 messages of noise", in.Refused)
	}
}

// insist announces a rule until it is taken: the session may have been reset for what came before.
func (p *pair) insist(t *testing.T, nlri string) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		_ = p.router.Send(announce(t, flowspec.IPv4, nlri))
		p.rules.mu.Lock()
		_, taken := p.rules.rules[nlri]
		p.rules.mu.Unlock()
		if taken {
			return
		}
		select {
		case <-again.C:
		case <-p.ctx.Done():
			t.Fatalf("%s was not taken: %+v", nlri, p.speaker.Status()[0])
		}
	}
}
