package bgp

import (
	"log/slog"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A route that comes back and goes again while its withdrawal is being written, and comes back once more right behind it, was sent and must be
// known to be: what is not in the table is never withdrawn.
func TestRouteThatReturnsDuringItsWithdrawal(t *testing.T) {
	t.Parallel()
	m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 10, 0, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	d := newDevice(PeerConfig{Name: "edge", Families: []flowspec.Family{flowspec.IPv4}}, Config{}, slog.New(slog.DiscardHandler))
	s := &session.Session{Negotiated: session.Negotiated{Families: []session.Family{{AFI: 1, SAFI: 133}}}}
	step := func(op device.Op) {
		t.Helper()
		r := &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}
		if _, refused, err := d.record(device.Change{Steps: []device.Step{{Op: op, Route: r}}}); refused != nil || err != nil {
			t.Fatal(refused, err)
		}
	}
	step(device.Add)
	items, _, _, _ := d.take(s)
	d.settle(items, 0)
	step(device.Remove)
	items, _, _, _ = d.take(s) // the withdrawal is on its way
	step(device.Add)
	step(device.Remove)
	d.settle(items, 0)
	step(device.Add)
	items, _, _, _ = d.take(s)
	d.settle(items, 0)
	if st := d.Status(); len(items) != 1 || st.Owed != 1 || st.Sent != 1 {
		t.Fatalf("sent %d, status %+v; want one route owed and sent", len(items), st)
	}
	step(device.Remove)
	if items, _, _, _ = d.take(s); len(items) != 1 || items[0].want != nil {
		t.Fatalf("%d items, want the withdrawal", len(items))
	}
}

// What sendable lets through can be encoded in every kind of session: the answer is given before the session is known.
func TestSendableIsEncodable(t *testing.T) {
	t.Parallel()
	kinds := map[string]session.Negotiated{
		"internal": {LocalAS: 64500, Open: session.Open{AS: 64500, FourOctet: true}},
		"external": {LocalAS: 4200000000, Open: session.Open{AS: 64501, FourOctet: true}},
		"narrow":   {LocalAS: 64500, Open: session.Open{AS: 64501}},
		"trans":    {LocalAS: 4200000000, Open: session.Open{AS: 64501}},
	}
	d := newDevice(PeerConfig{Name: "edge", Families: []flowspec.Family{flowspec.IPv4}, Policy: device.Policy{NoExport: true}}, Config{}, slog.New(slog.DiscardHandler))
	sent := 0
	for n := 3970; n < 4093; n++ {
		body := append(make([]byte, 0, n), 3)
		if n%2 == 0 {
			body = []byte{1, 24, 10, 0, 0, 3}
		}
		for len(body) < n {
			body = append(body, 1, byte(len(body)/2))
		}
		body[n-2] = 0x81
		m, err := flowspec.ParseNLRI(flowspec.IPv4, append([]byte{0xf0 | byte(n>>8), byte(n)}, body...))
		if err != nil {
			t.Fatal(n, err)
		}
		w := d.newWant(&device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}})
		if d.sendable(w) != nil {
			continue
		}
		sent++
		for kind, agreed := range kinds {
			if _, err := encode(nil, []item{{owed: &owed{key: keyOf(m)}, want: w}}, format{Negotiated: agreed}); err != nil {
				t.Errorf("%s, %d octets: %v", kind, n, err)
			}
		}
	}
	if sent == 0 || sent == 4093-3970 {
		t.Errorf("%d routes were let through: the limit was not among them", sent)
	}
}

// Routes that were recorded before the session came up without their family must not look delivered.
func TestSessionWithoutAFamilyThatIsNeeded(t *testing.T) {
	t.Parallel()
	d := newDevice(PeerConfig{Name: "edge", Families: []flowspec.Family{flowspec.IPv4, flowspec.IPv6}}, Config{}, slog.New(slog.DiscardHandler))
	d.state = func() session.Status { return session.Status{State: session.Established} }
	d.session = &session.Session{Negotiated: session.Negotiated{Families: []session.Family{{AFI: 1, SAFI: 133}}}}
	if got := d.Session(); got != "established" {
		t.Errorf("nothing is owed: %q", got)
	}
	m, err := flowspec.ParseNLRI(flowspec.IPv6, []byte{5, 1, 16, 0, 0x20, 1})
	if err != nil {
		t.Fatal(err)
	}
	up := d.session
	d.session = nil // not yet
	step := device.Step{Op: device.Add, Route: &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}}
	if _, err := d.Apply(t.Context(), device.Target{}, device.Change{Steps: []device.Step{step}}, 0); err != nil {
		t.Fatal(err)
	}
	d.session = up
	if got, want := d.Session(), "established without ipv6 FlowSpec: the neighbour did not offer it, and routes wait for it (1)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// A peer that asks for everything again and again without reading costs one answer, not one for each time.
func TestRefreshesAreAnsweredTogether(t *testing.T) {
	t.Parallel()
	d := newDevice(PeerConfig{Name: "edge", Families: []flowspec.Family{flowspec.IPv4}}, Config{}, slog.New(slog.DiscardHandler))
	s := &session.Session{Negotiated: session.Negotiated{Families: []session.Family{{AFI: 1, SAFI: 133}}}}
	var c device.Change
	for i := range 100_000 {
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 10, byte(i >> 16), byte(i >> 8), byte(i)})
		if err != nil {
			t.Fatal(err)
		}
		c.Steps = append(c.Steps, device.Step{Op: device.Add, Route: &device.Route{Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}}})
	}
	if _, _, err := d.record(c); err != nil {
		t.Fatal(err)
	}
	items, _, _, _ := d.take(s)
	d.settle(items, 0)
	for range 100_000 { // walking the table each time would take minutes
		d.resend(flowspec.IPv4)
	}
	if items, _, _, _ = d.take(s); len(items) != len(c.Steps) {
		t.Errorf("%d routes are sent again, want all %d", len(items), len(c.Steps))
	}
	if items, _, _, _ = d.take(s); len(items) != 0 {
		t.Errorf("%d routes are sent without being asked for", len(items))
	}
}
