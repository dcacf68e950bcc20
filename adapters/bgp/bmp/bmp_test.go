package bmp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// The types of messages and flags of the per-peer header, as RFC 7854 §4 and RFC 8671 §4 number them.
const (
	kindRoutes = 0
	kindDown   = 2
	kindUp     = 3
	kindInit   = 4
	kindEnd    = 5
	flagPost   = 0x40
	flagOut    = 0x10
)

func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// framed is a message with its common header.
func framed(kind byte, body []byte) []byte {
	b := binary.BigEndian.AppendUint32([]byte{3}, uint32(6+len(body)))
	return append(append(b, kind), body...)
}

// about is a message about the session that was recorded.
func about(t testing.TB, kind, flags byte, body string) []byte {
	t.Helper()
	head := octets(t, recordedHead)
	head[1] = flags
	return framed(kind, append(head, octets(t, body)...))
}

// script feeds a router, whose clock the test moves.
type script struct {
	*Router
	t   testing.TB
	now time.Time
}

func newScript(t testing.TB, change func(*RouterConfig)) *script {
	s := &script{t: t, now: time.Unix(1000, 0)}
	cfg := RouterConfig{Name: "edge", AS: 64500, RouterID: netip.MustParseAddr("127.7.0.10"), Local: netip.MustParseAddr("127.7.0.10"), Now: func() time.Time { return s.now }, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	s.Router = New(cfg)
	return s
}

// says gives the router messages over one connection that stays.
func (s *script) says(messages ...[]byte) error {
	in := bytes.NewReader(bytes.Join(messages, nil))
	for in.Len() > 0 {
		m, err := read(in)
		if err != nil {
			return err
		}
		if _, err := s.take(m); err != nil {
			return err
		}
	}
	return nil
}

func (s *script) must(messages ...[]byte) {
	s.t.Helper()
	if err := s.says(messages...); err != nil {
		s.t.Fatal(err)
	}
}

// of asks for a rule that was sent at the beginning, and wants an answer.
func (s *script) of(f flowspec.Family, nlri string, action flowspec.Action, want device.Showing, words string) {
	s.t.Helper()
	m, err := flowspec.ParseNLRI(f, octets(s.t, nlri))
	if err != nil {
		s.t.Fatal(err)
	}
	if got := s.Of(m, action, time.Unix(1000, 0), 0xdcdf); got.State != want || !strings.Contains(got.Words, words) {
		s.t.Errorf("%v: %d %q, want %d %q", m, got.State, got.Words, want, words)
	}
}

const ten1 = "0601200a000001" // 10.0.0.1/32

func discard() flowspec.Action { return flowspec.Action{Rate: &flowspec.Rate{}} }

// A router is connected, shows rules, takes them back, and goes: at each moment no more is said of a rule than it shows.
func TestWhatARouterShows(t *testing.T) {
	t.Parallel()
	s := newScript(t, nil)
	four := flowspec.IPv4
	s.of(four, ten1, discard(), device.Unshown, "has not connected")
	s.begin()
	s.of(four, ten1, discard(), device.Unshown, "no BGP session of ours")
	s.must(framed(kindInit, octets(t, "0002000161")), about(t, kindUp, 0, recordedUp))
	s.of(four, ten1, discard(), device.Unshown, "shows no ipv4")

	s.must(about(t, kindRoutes, 0, recordedPre))
	s.now = s.now.Add(time.Hour)
	s.of(four, ten1, discard(), device.Unshown, "whether its import policy takes it")
	s.must(about(t, kindRoutes, flagPost, recordedPost), about(t, kindRoutes, flagPost, recordedPostSix), about(t, kindRoutes, flagPost, recordedPostVPN))
	s.of(four, ten1, discard(), device.ShownHeld, "post-policy")
	s.of(flowspec.IPv6, "1601800020010db8000000000000000000000001038106", flowspec.Action{Rate: &flowspec.Rate{Amount: 1000, Unit: flowspec.Bytes}}, device.ShownHeld, "post-policy")
	s.of(four, ten1, flowspec.Action{Rate: &flowspec.Rate{Amount: 1000, Unit: flowspec.Bytes}}, device.ShownOtherwise, "other actions")
	s.of(four, "0601200a000009", discard(), device.ShownOtherwise, "does not hold it") // long after Peer Up

	s.must(about(t, kindRoutes, flagPost, recordedWithdrawn))
	s.of(four, ten1, discard(), device.ShownOtherwise, "its import policy does not take it")
	s.must(about(t, kindRoutes, flagPost, recordedPost), about(t, kindRoutes, 0, recordedWithdrawn)) // what does not come from us any more is not held, whatever else is shown
	s.of(four, ten1, discard(), device.ShownOtherwise, "does not hold it")

	// Where the Loc-RIB is shown, it decides.
	loc := func(body string) []byte {
		m := about(t, kindRoutes, 0, body)
		m[6] = 3
		return m
	}
	s.must(about(t, kindRoutes, 0, recordedPre), loc(recordedPost))
	s.of(four, ten1, discard(), device.ShownHeld, "Loc-RIB")
	s.must(loc(recordedWithdrawn))
	s.of(four, ten1, discard(), device.ShownOtherwise, "prefers another rule")
	s.must(loc(recordedPost), about(t, kindRoutes, 0, recordedWithdrawn))
	s.of(four, ten1, discard(), device.ShownOtherwise, "does not hold it")
	s.must(about(t, kindRoutes, flagPost, recordedPost), about(t, kindDown, 0, recordedDown))
	s.of(four, ten1, discard(), device.Unshown, "no BGP session of ours")
	s.lost("cut")
	s.of(four, ten1, discard(), device.Unshown, "no BMP session since")
	s.of(four, ten1, discard(), device.Unshown, "cut")
}

// A rule is not missed before the router had the time to show it: ten seconds, and the whole table where it does not say that it is through.
func TestPatience(t *testing.T) {
	t.Parallel()
	s := newScript(t, nil)
	s.begin()
	s.must(about(t, kindUp, 0, recordedUp), about(t, kindRoutes, flagPost, recordedPostVPN), about(t, kindRoutes, flagPost, recordedPost))
	for _, step := range []struct {
		after time.Duration
		ipv4  device.Showing // not shown; the table is not through
		vpn   device.Showing // it is
	}{{Patience - 1, device.Unshown, device.Unshown}, {1, device.Unshown, device.ShownOtherwise}, {dump, device.ShownOtherwise, device.ShownOtherwise}} {
		if s.now = s.now.Add(step.after); step.after == Patience-1 {
			s.must(about(t, kindRoutes, flagPost|0x20, recordedEnd)) // of the VPN family
		}
		s.of(flowspec.IPv4, "0601200a000009", discard(), step.ipv4, "BMP")
		s.of(flowspec.VPNv4, "0e0000fbf40000000101200a000009", discard(), step.vpn, "BMP")
	}
}

// Only the Adj-RIB-In of our session counts.
func TestOtherSessionsAreReadPast(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*RouterConfig){
		"address": func(c *RouterConfig) { c.Local = netip.MustParseAddr("127.7.0.11") },
		"AS":      func(c *RouterConfig) { c.AS = 64501 },
		"id":      func(c *RouterConfig) { c.RouterID = netip.MustParseAddr("127.7.0.11") },
	} {
		s := newScript(t, change)
		s.begin()
		s.must(about(t, kindUp, 0, recordedUp), about(t, kindRoutes, flagPost, recordedPost))
		if s.rib != nil {
			t.Errorf("another %s: taken for ours", name)
		}
	}
	s := newScript(t, nil)
	s.begin()
	local, vrf := about(t, kindRoutes, 0, recordedPost), about(t, kindRoutes, flagPost, recordedPost)
	local[6] = 3           // Loc-RIB (RFC 9069 §4.1): of no session
	vrf[6], vrf[15] = 1, 7 // with a route distinguisher
	s.must(about(t, kindUp, 0, recordedUp), about(t, kindRoutes, flagOut|flagPost, recordedPost), local, vrf)
	s.of(flowspec.IPv4, ten1, discard(), device.Unshown, "shows no ipv4")

	// Of a session in a VRF, that VRF alone counts, and its Loc-RIB.
	in := newScript(t, func(c *RouterConfig) { c.RD = flowspec.RD{7: 7} })
	in.begin()
	of := func(kind, rd byte, message []byte) []byte {
		message[6], message[15] = kind, rd
		return message
	}
	in.must(about(t, kindUp, 0, recordedUp), about(t, kindRoutes, flagPost, recordedPost), of(1, 8, about(t, kindUp, 0, recordedUp)), of(3, 0, about(t, kindRoutes, 0, recordedPost)), of(3, 8, about(t, kindRoutes, 0, recordedPost)))
	in.of(flowspec.IPv4, ten1, discard(), device.Unshown, "shows no BGP session of ours")
	in.must(of(1, 7, about(t, kindUp, 0, recordedUp)), of(1, 7, about(t, kindRoutes, flagPost, recordedPost)))
	in.of(flowspec.IPv4, ten1, discard(), device.ShownHeld, "post-policy")
	in.must(of(3, 7, about(t, kindRoutes, 0, recordedPost)))
	in.of(flowspec.IPv4, ten1, discard(), device.ShownHeld, "Loc-RIB")

	// The session before this one had another port.
	s.must(about(t, kindRoutes, flagPost, recordedPost))
	m, _ := flowspec.ParseNLRI(flowspec.IPv4, octets(t, ten1))
	if got := s.Of(m, discard(), s.now, 4711); got.State != device.Unshown || !strings.Contains(got.Words, "another BGP session") {
		t.Errorf("%+v", got)
	}
}

// Octets that cannot be understood end the connection.
func TestMalformed(t *testing.T) {
	t.Parallel()
	up := about(t, kindUp, 0, recordedUp)
	routes := func(hex string) []byte { return about(t, kindRoutes, flagPost, hex) }
	for name, c := range map[string]struct {
		messages [][]byte
		want     string
	}{
		"version":          {[][]byte{{1, 0, 0, 0, 6, 4}}, "version 1"},
		"too short":        {[][]byte{{3, 0, 0, 0, 5, 4}}, "5 octets"},
		"too long":         {[][]byte{{3, 0x7f, 0, 0, 0, 4}}, "octets: 6 to"},
		"cut off":          {[][]byte{up[:len(up)-1]}, "cut off"},
		"no header":        {[][]byte{framed(kindRoutes, make([]byte, 41))}, "per-peer header"},
		"no Peer Up":       {[][]byte{routes(recordedPost)}, "no Peer Up"},
		"no OPEN":          {[][]byte{about(t, kindUp, 0, recordedUp[:40])}, "at least 19"},
		"not an UPDATE":    {[][]byte{up, routes(strings.Replace(recordedPost, "003e02", "003e03", 1))}, "type 3"},
		"length":           {[][]byte{up, routes(strings.Replace(recordedPost, "003e02", "003f02", 1))}, "63 octets in 62"},
		"NLRI":             {[][]byte{up, routes(strings.Replace(recordedPost, "0601200a000001", "0701200a000001", 1))}, "NLRI"},
		"attribute length": {[][]byte{up, routes(strings.Replace(recordedPost, "800e0c", "800e0d", 1))}, "runs past"},
		"TLV":              {[][]byte{framed(kindInit, octets(t, "0002000561"))}, "not enough"},
	} {
		s := newScript(t, nil)
		s.begin()
		if err := s.says(c.messages...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// A rule that cannot be read, among others, is none of ours: its neighbours stand.
	s := newScript(t, nil)
	s.begin()
	bad := strings.Replace(strings.Replace(recordedPost, "003e02000000", "0042020000002b"[:12], 1), "800e0c00018500000601200a000001", "800e10"+"0001850000"+"03030d24"+"0601200a000001", 1)
	bad = strings.Replace(bad, "0042020000002740", "0042020000002b40", 1)
	s.must(up, routes(bad))
	s.of(flowspec.IPv4, ten1, discard(), device.ShownHeld, "post-policy")
}

// A router that shows more than there is room for loses its connection, whatever it withdraws in between.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	s := newScript(t, func(c *RouterConfig) { c.Most = 1000 })
	s.begin()
	s.must(about(t, kindUp, 0, recordedUp))
	for range 100 { // one rule, again and again
		s.must(about(t, kindRoutes, flagPost, recordedPost), about(t, kindRoutes, flagPost, recordedWithdrawn))
	}
	if s.size() != 0 {
		t.Errorf("%d octets of nothing", s.size())
	}
	var err error
	for n := 0; n < 10 && err == nil; n++ {
		err = s.says(about(t, kindRoutes, flagPost, strings.Replace(recordedPost, ten1, "0601200a0000"+hex.EncodeToString([]byte{byte(n)}), 1)))
	}
	if err == nil || !strings.Contains(err.Error(), "shows more than") {
		t.Error(err)
	}
}

// Whatever octets come, the connection ends or goes on, and nothing is held that was not shown.
func FuzzRouter(f *testing.F) {
	up := about(f, kindUp, 0, recordedUp)
	for _, body := range []string{recordedPre, recordedPost, recordedPostSix, recordedPostVPN, recordedWithdrawn, recordedEnd} {
		f.Add(append(bytes.Clone(up), about(f, kindRoutes, flagPost, body)...))
	}
	f.Add(append(framed(kindInit, octets(f, "0002000161")), framed(kindEnd, nil)...))
	f.Add(append(bytes.Clone(up), about(f, kindDown, 0, recordedDown)...))
	m, err := flowspec.ParseNLRI(flowspec.IPv4, octets(f, ten1))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newScript(t, func(c *RouterConfig) { c.Most = 1 << 20 })
		s.begin()
		err := s.hear(bytes.NewReader(b))
		if end(err) == "" {
			t.Error("no reason")
		}
		held := s.Of(m, discard(), s.now, 0).State == device.ShownHeld
		if held && !bytes.Contains(b, octets(t, ten1)) {
			t.Error("held, and the octets of the rule never came")
		}
		if s.size() > 1<<20+2*longest || s.size() < 0 {
			t.Errorf("%d octets", s.size())
		}
		s.lost(end(err))
		if s.Of(m, discard(), s.now, 0).State != device.Unshown {
			t.Error("held without a connection")
		}
	})
}

// An end in the middle of a message is no end.
func TestEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  error
		want string
	}{{io.EOF, "closed"}, {io.ErrUnexpectedEOF, "unexpected"}, {nil, "says that it ends"}} {
		if got := end(c.err); !strings.Contains(strings.Replace(got, "said", "says", 1), c.want) {
			t.Errorf("%v: %q", c.err, got)
		}
	}
}
