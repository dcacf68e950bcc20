package bgp

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// events is a rib.Input that keeps what came last.
type events struct{ last []rib.Event }

func (e *events) Send(_ context.Context, ev rib.Event) error {
	e.last = append(e.last, ev)
	return nil
}

// Rules and Routes make it a Validator that looks at unicast routes and keeps none.
func (e *events) Rules(ctx context.Context, ev rib.Event, _ admit.Path) error { return e.Send(ctx, ev) }

func (e *events) Routes(_ context.Context, r Routes) error {
	for _, p := range slices.Concat(r.Withdraw, r.Announce) {
		if !p.IsValid() || p != p.Masked() {
			panic(fmt.Sprintf("%v is no prefix", p))
		}
	}
	if len(r.Announce) > 0 && !r.Path.Originator.IsValid() {
		panic("routes from nobody")
	}
	return nil
}

// FuzzUpdate gives any octets to the decoder as the body of an UPDATE. Whatever they are, only valid rules come out, and the next
// message is read as if nothing had been.
func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		"00000000", "00000006800f03000185", // marks
		"0000001c" + "800e0d000185000006" + "01200a00000100" + "40010100" + "40020602010000fbf5",
		"0000002b" + "800e09000185000003" + "0d24df" + "40010100" + "40020602010000fbf5" + "c010088006000000000000",
		"00000022" + "800e0d000185000006" + "01200a00000100" + "40010100" + "40020602010000fbf5" + "c00804fbf41a0a",
		"0000002c" + "801515000186" + "0000" + "0e0000fbf400000001" + "01200a000001" + "40010100" + "40020602010000fbf5" + "c010080002fbf400000064",
		"00000015" + "800f12000186" + "0e0000fbf40000000101200a000001",
		"0000000d" + "800f0a000185" + "0601200a000001",
		"0004" + "180a0000" + "000d" + "40010100" + "40020602010000fbf5" + "20c0000201" + "180a0001",
		"0021" + "800e0d0002010000" + "2020010db8" + "00000000", "0000000a800f0700020180" + "0000",
	} {
		b, err := hex.DecodeString(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, false)
		f.Add(b, true)
	}
	good, err := hex.DecodeString("00000026" + "800e0c00018500000601200a000001" + "40010100" + "40020602010000fbf5" + "400504" + "00000064")
	if err != nil {
		f.Fatal(err)
	}
	good[3] = byte(len(good) - 4)
	f.Fuzz(func(t *testing.T, b []byte, internal bool) {
		in := &events{}
		cfg := Config{RouterID: netip.MustParseAddr("192.0.2.1"), LocalAS: 64500, Communities: []uint32{64500<<16 | 6666}, Validator: in}
		g := newIngest(PeerConfig{Source: "peer", Address: netip.MustParseAddr("192.0.2.9"), Unicast: []flowspec.Family{flowspec.IPv4, flowspec.IPv6}}, cfg, map[uint32]bool{64500: true}, slog.New(slog.DiscardHandler))
		s := &session.Session{Negotiated: session.Negotiated{LocalAS: 64500, Open: session.Open{AS: 64501, FourOctet: true}, Families: []session.Family{{AFI: 1, SAFI: 133}, {AFI: 2, SAFI: 133}, {AFI: 1, SAFI: 134}, {AFI: 2, SAFI: 134}, session.UnicastIPv4, session.UnicastIPv6}, Paths: []session.Family{{AFI: 2, SAFI: 134}}}}
		if internal {
			s.AS = 64500
		}
		err := g.update(t.Context(), s, b)
		st := g.Status()
		if err != nil && st.Refused == 0 {
			t.Errorf("%v, and the status says nothing of it", err)
		}
		for _, e := range in.last {
			for _, r := range e.Announce {
				if !r.Match.Valid() || r.Source != "peer" || r.ID != flowspec.NewID("peer", r.Match) {
					t.Errorf("rule %+v", r)
				}
				if again, err := flowspec.ParseNLRI(r.Match.Family(), r.Match.NLRI()); err != nil || flowspec.Compare(again, r.Match) != 0 {
					t.Errorf("%x does not read back: %v", r.Match.NLRI(), err)
				}
			}
		}
		in.last = nil
		if err := g.update(t.Context(), s, good); err != nil || len(in.last) != 1 || len(in.last[0].Announce) != 1 {
			t.Errorf("after that a good rule gave %v, %+v", err, in.last)
		}
	})
}
