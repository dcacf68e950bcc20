package bgp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// small is a table over sixteen addresses: prefixes of 10.0.0.0/28, each with an action.
type small map[string]*device.Route

func drawSmall(t *rapid.T, label string) small {
	s := small{}
	for range rapid.IntRange(0, 8).Draw(t, label) {
		length := rapid.IntRange(28, 32).Draw(t, "length")
		addr := rapid.IntRange(0, 15).Draw(t, "address") &^ (1<<(32-length) - 1)
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, byte(length), 10, 0, 0, byte(addr)})
		if err != nil {
			t.Fatal(err)
		}
		mark := uint8(46)
		action := rapid.SampledFrom([]flowspec.Action{
			{}, {Mark: &mark}, {Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 1, Local: 1}},
			{Rate: &flowspec.Rate{Amount: 9000, Unit: flowspec.Bytes}}, {Rate: &flowspec.Rate{Amount: 1000, Unit: flowspec.Bytes}}, {Rate: &flowspec.Rate{Unit: flowspec.Bytes}},
		}).Draw(t, "action")
		s[string(m.NLRI())] = &device.Route{Match: m, Action: action}
	}
	return s
}

// fares says how badly each of the sixteen packets fares.
func (s small) fares() (out [16]float64) {
	routes := make([]*device.Route, 0, len(s))
	for _, r := range s {
		routes = append(routes, r)
	}
	slices.SortFunc(routes, func(a, b *device.Route) int { return flowspec.Compare(a.Match, b.Match) })
	for addr := range out {
		for _, r := range routes {
			c, _ := r.Match.Component(flowspec.DstPrefix)
			base := int(c.Prefix.Addr.As4()[3])
			if addr&^(1<<(32-int(c.Prefix.Len))-1) == base {
				out[addr] = float64(r.Severity())
				if r.Action.Rate != nil {
					out[addr] += 1 / float64(2+r.Action.Rate.Amount) // the lower limit is the worse
				}
				break
			}
		}
	}
	return out
}

// drawItems draws what a peer was sent and what it is owed, and returns the items between the two, in no order.
func drawItems(t *rapid.T) (before, after small, items []item) {
	d := newDevice(PeerConfig{Name: "r", Families: []flowspec.Family{flowspec.IPv4}}, Config{}, nil)
	wanted := d.newWant
	before, after = drawSmall(t, "before"), drawSmall(t, "after")
	switch rapid.IntRange(0, 5).Draw(t, "occasion") {
	case 0:
		before = small{} // a session came up
	case 1:
		after = small{} // everything goes
	}
	for k, r := range before {
		it := item{owed: &owed{key: keyOf(r.Match)}, sent: wanted(r)}
		if n := after[k]; n != nil {
			it.want = wanted(n)
		}
		if it.differs() {
			items = append(items, it)
		}
	}
	for k, r := range after {
		if before[k] == nil {
			items = append(items, item{owed: &owed{key: keyOf(r.Match)}, want: wanted(r)})
		}
	}
	return before, after, items
}

var small4 = session.Negotiated{LocalAS: 1, Open: session.Open{AS: 2, FourOctet: true}, Families: []session.Family{{AFI: 1, SAFI: 133}}}

// Every prefix of what is sent is a live table, and in none of them does a packet fare worse than in the worse of the two ends: it fares as in one of them, or milder by
// a severity. The octets are read back and applied one NLRI after the other, as a router does.
func TestNoPacketFaresWorseOnTheWay(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after, items := drawItems(t)
		items, first := arranged(items, len(before), 0)
		wire, err := encode(nil, items, format{Negotiated: small4, alone: rapid.Bool().Draw(t, "alone")})
		if err != nil || first != 0 {
			t.Fatal(first, err)
		}
		live := small{}
		for k, r := range before {
			live[k] = r
		}
		from, to := before.fares(), after.fares()
		apply(t, wire, small4, func(nlri string, r *device.Route) {
			if r == nil {
				delete(live, nlri)
			} else {
				live[nlri] = r
			}
			for addr, now := range live.fares() {
				if now != from[addr] && now != to[addr] && int(now) >= int(max(from[addr], to[addr])) {
					t.Fatalf("after %x: address %d fares %v, neither as at an end nor milder: %v and %v", nlri, addr, now, from[addr], to[addr])
				}
			}
		})
		if live.fares() != to || len(live) != len(after) {
			t.Fatalf("ends with %d rules, want %d", len(live), len(after))
		}
	})
}

// A router with room for just the larger of the two tables never holds more, and one with room for both is sent what it would be sent anyway.
func TestRoom(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before, after, items := drawItems(t)
		room := max(1, len(before), len(after))
		items, first := arranged(items, len(before), room)
		wire, err := encode(nil, items, format{Negotiated: small4, alone: rapid.Bool().Draw(t, "alone")})
		if err != nil {
			t.Fatal(err)
		}
		live, most := map[string]bool{}, len(before)
		for k := range before {
			live[k] = true
		}
		apply(t, wire, small4, func(nlri string, r *device.Route) {
			if r == nil {
				delete(live, nlri)
			} else {
				live[nlri] = true
			}
			most = max(most, len(live))
		})
		if most > room {
			t.Fatalf("it held %d routes and has room for %d", most, room)
		}
		if first > 0 && most < room {
			t.Fatalf("%d were withdrawn first, and %d of %d places were used", first, most, room)
		}
		if roomy, first := arranged(items, len(before), len(before)+len(after)+1); first != 0 || len(roomy) != len(items) {
			t.Fatalf("%d withdrawn first although there is room", first)
		}
	})
}

// apply reads UPDATE messages as a router does and calls step for each NLRI, with nil for a withdrawal.
func apply(t *rapid.T, wire []byte, agreed session.Negotiated, step func(nlri string, r *device.Route)) {
	for len(wire) > 0 {
		n := binary.BigEndian.Uint16(wire[16:])
		u, err := session.ParseUpdate(wire[session.HeaderLen:n])
		if err != nil {
			t.Fatal(err)
		}
		wire = wire[n:]
		if u.Unreach != nil {
			for _, nlri := range frames(t, u.Unreach.NLRI) {
				step(nlri, nil)
			}
			continue
		}
		p, err := session.ParsePath(&u, agreed)
		if err != nil {
			t.Fatal(err)
		}
		var ext []flowspec.ExtComm
		for _, c := range p.ExtCommunities {
			ext = append(ext, flowspec.ExtComm(c))
		}
		a, _, err := flowspec.ParseAction(ext, netip.Addr{})
		if err != nil {
			t.Fatal(err)
		}
		for _, nlri := range frames(t, u.Reach.NLRI) {
			m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte(nlri))
			if err != nil {
				t.Fatal(err)
			}
			step(nlri, &device.Route{Match: m, Action: a})
		}
	}
}

func frames(t *rapid.T, b []byte) (out []string) {
	for len(b) > 0 {
		nlri, rest, err := flowspec.Frame(b)
		if err != nil {
			t.Fatal(err)
		}
		out, b = append(out, string(bytes.Clone(nlri))), rest
	}
	return out
}

// What Render shows is what Apply sends: octet by octet.
func TestRenderIsWhatIsSent(t *testing.T) {
	t.Parallel()
	d := newDevice(PeerConfig{Name: "r", RemoteAS: 64501, Families: []flowspec.Family{flowspec.IPv4}, Policy: device.Policy{NoExport: true, Community: 64500<<16 | 6666}}, Config{LocalAS: 64500}, nil)
	var c device.Change
	for i := range 3 {
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 10, 0, 0, byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		c.Steps = append(c.Steps, device.Step{Op: device.Add, Route: &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}})
	}
	got, err := d.Render(t.Context(), device.Target{}, c)
	if err != nil {
		t.Fatal(err)
	}
	want := "ffffffffffffffffffffffffffffffff" + "0057" + "02" + "0000" + "0040" +
		"800e1a" + "0001" + "85" + "00" + "00" + "0601200a000000" + "0601200a000001" + "0601200a000002" +
		"40010100" + "40020602010000fbf4" +
		"c00808" + "fbf41a0a" + "ffffff01" + "c01008" + "8006000000000000"
	if s := fmt.Sprintf("%x", got); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
}
