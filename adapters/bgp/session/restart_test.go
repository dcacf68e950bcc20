package session

import (
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a capability says, and that one which cannot be read says nothing.
func TestRestartCapability(t *testing.T) {
	t.Parallel()
	f4, f6 := Family{1, 133}, Family{2, 133}
	for text, want := range map[string]*Restart{
		"":                         nil,
		"00":                       nil,
		"0078000185":               nil,
		"00780001850000":           nil,
		"0078":                     {Time: 120 * time.Second},
		"8fff":                     {Restarting: true, Time: 4095 * time.Second},
		"400a00018580":             {Notification: true, Time: 10 * time.Second, Families: []Family{f4}, Forwarding: []Family{f4}},
		"c00a0001858000028500":     {Restarting: true, Notification: true, Time: 10 * time.Second, Families: []Family{f4, f6}, Forwarding: []Family{f4}},
		"00010001850000018580":     {Time: time.Second, Families: []Family{f4}}, // twice: the first counts
		"000100018500000286800001": nil,
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		got := parseRestart(b)
		if (got == nil) != (want == nil) || got != nil && (got.Restarting != want.Restarting || got.Notification != want.Notification || got.Time != want.Time ||
			!slices.Equal(got.Families, want.Families) || !slices.Equal(got.Forwarding, want.Forwarding)) {
			t.Errorf("%s: got %+v, want %+v", text, got, want)
		}
	}
}

// Our own capability reads as it was meant.
func TestOurRestartCapability(t *testing.T) {
	t.Parallel()
	for _, restarting := range []bool{false, true} {
		c := Config{LocalAS: 1, RouterID: netip.MustParseAddr("192.0.2.1"), Families: []Family{{1, 133}, {2, 134}}, Restart: 120 * time.Second, Restarting: func() bool { return restarting }}
		b, err := c.encodeOpen()
		if err != nil {
			t.Fatal(err)
		}
		o, err := decodeOpen(b[HeaderLen:])
		if err != nil {
			t.Fatal(err)
		}
		r := o.Restart
		if r == nil || r.Restarting != restarting || !r.Notification || r.Time != c.Restart || !slices.Equal(r.Families, c.Families) || !slices.Equal(r.Forwarding, c.Families) {
			t.Errorf("restarting %t: got %+v", restarting, r)
		}
		c.Restart = 0
		if b, err = c.encodeOpen(); err != nil {
			t.Fatal(err)
		}
		if o, err = decodeOpen(b[HeaderLen:]); err != nil || o.Restart != nil {
			t.Errorf("not offered: got %+v, %v", o.Restart, err)
		}
	}
}

// Which ends of a session leave the routes where they are.
func TestSurvives(t *testing.T) {
	t.Parallel()
	hard := &Notification{Code: 6, Subcode: CeaseHardReset, Data: []byte{6, 2}, Received: true}
	for name, c := range map[string]struct {
		ours   time.Duration
		peer   *Restart
		reason error
		want   bool
	}{
		"the connection was lost":          {time.Minute, &Restart{}, io.EOF, true},
		"we do not offer it":               {0, &Restart{}, io.EOF, false},
		"the peer does not offer it":       {time.Minute, nil, io.EOF, false},
		"a NOTIFICATION":                   {time.Minute, &Restart{}, Cease(CeaseReset, ""), false},
		"a NOTIFICATION with the N bit":    {time.Minute, &Restart{Notification: true}, Cease(CeaseReset, ""), true},
		"the hold timer":                   {time.Minute, &Restart{}, &Notification{Code: 4}, false},
		"the hold timer with the N bit":    {time.Minute, &Restart{Notification: true}, &Notification{Code: 4}, true},
		"a hard reset":                     {time.Minute, &Restart{Notification: true}, hard, false},
		"a hard reset, wrapped in our log": {time.Minute, &Restart{Notification: true}, errors.Join(hard), false},
	} {
		n := Negotiated{OurRestart: c.ours, Open: Open{Restart: c.peer}}
		if got := n.Survives(c.reason); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
	n := Negotiated{OurRestart: time.Minute, Families: []Family{{1, 133}}, Open: Open{Restart: &Restart{Notification: true, Time: time.Hour, Families: []Family{{2, 133}, {1, 133}}}}}
	if families, hold := n.Held(); !slices.Equal(families, n.Families) || hold != time.Minute {
		t.Errorf("held %v for %v: want those of the session, and no longer than we offer", families, hold)
	}
	n.Restart.Time = time.Second
	if _, hold := n.Held(); hold != time.Second {
		t.Errorf("held for %v, want as long as the peer says", hold)
	}
	if got := n.hard(Cease(CeaseShutdown, "bye")); got.Subcode != CeaseHardReset || string(got.Data) != "\x06\x02\x03bye" {
		t.Errorf("got %+v", got)
	}
	n.Restart.Notification = false
	if got := n.hard(Cease(CeaseShutdown, "bye")); got.Subcode != CeaseShutdown {
		t.Errorf("without the N bit there is no hard reset: got %+v", got)
	}
}

// A peer that offers graceful restart and connects anew has lost the old session, whose end it was never told: the new one takes over when its OPEN is there. One that connects
// and says nothing takes over nothing, and one that does not offer it is refused.
func TestPeerThatIsBackTakesOver(t *testing.T) {
	t.Parallel()
	for _, restart := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var a recorder
			p, stop := run(t, Config{LocalAS: 1, RouterID: highID, RemoteAS: 2, Passive: true, Restart: time.Minute}, &a)
			defer stop()
			theirs := Config{LocalAS: 2, RouterID: lowID, Families: []Family{flow4}, HoldTime: 90 * time.Second, Restart: restart}
			connect := func() wire {
				x, y := net.Pipe()
				if !p.offer(y) {
					t.Fatal("not taken")
				}
				return wire{t, x}
			}
			establish := func(w wire) {
				w.expect(typeOpen)
				w.say(open(t, theirs))
				w.expect(typeKeepalive)
				w.say(message(typeKeepalive, nil))
				synctest.Wait()
			}
			first := connect()
			establish(first)
			if p.Status().State != Established {
				t.Fatalf("status %+v", p.Status())
			}
			second := connect()
			if restart == 0 {
				if n := decodeNotification(second.expect(typeNotification)); n.Subcode != CeaseCollision {
					t.Errorf("got %v", n)
				}
				return
			}
			second.expect(typeOpen)
			if p.Status().State != Established || strings.Contains(a.String(), "down") {
				t.Errorf("a connection without an OPEN changed something: %v\n%s", p.Status().State, &a)
			}
			_ = second.Close()
			synctest.Wait()
			if p.Status().State != Established || strings.Contains(a.String(), "down") {
				t.Errorf("a connection that came and went changed something: %v\n%s", p.Status().State, &a)
			}
			crossed := connect()
			crossed.expect(typeOpen)
			crossed.say(open(t, theirs))
			if n := decodeNotification(crossed.expect(typeNotification)); n.Subcode != CeaseCollision || p.Status().State != Established || strings.Contains(a.String(), "down") {
				t.Errorf("a connection that was begun before the session was there: %v, %v\n%s", n, p.Status().State, &a)
			}
			time.Sleep(crossing)
			establish(connect())
			want := "up [1/133] 1m30s\ndown: the peer is back, and knows nothing of this session any more (RFC 4724 §4.2)\nup [1/133] 1m30s"
			if a.String() != want || p.Status().Established != 2 || p.Status().State != Established {
				t.Errorf("got\n%s\nwant\n%s\nstatus %+v", &a, want, p.Status())
			}
		})
	}
}

// After a teardown there is no session until the rest is over, whoever calls, and nothing survives it: the NOTIFICATION is a hard reset where another would keep routes.
func TestTeardown(t *testing.T) {
	t.Parallel()
	for _, restart := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			var a, b recorder
			passive, stop := run(t, Config{LocalAS: 1, RouterID: lowID, Passive: true, Restart: restart}, &a)
			defer stop()
			active, stop := run(t, Config{LocalAS: 2, RouterID: highID, Dial: into(at(passive)), Restart: restart}, &b)
			defer stop()
			time.Sleep(time.Second)
			for n, p := range []*Peer{passive, active} {
				began := time.Now()
				p.Teardown(Cease(CeaseMaximum, ""), 10*time.Minute)
				time.Sleep(10*time.Minute - time.Second)
				if passive.Status().State == Established || active.Status().Established != uint64(n+1) {
					t.Errorf("a session %v after the teardown: %+v", time.Since(began), active.Status())
				}
				time.Sleep(2 * time.Minute) // attempts have become rare
				if passive.Status().State != Established || active.Status().Established != uint64(n+2) {
					t.Errorf("no session %v after the teardown: %+v", time.Since(began), active.Status())
				}
			}
			want := "the peer sent NOTIFICATION 6/1 (cease: maximum number of prefixes reached)"
			if restart > 0 {
				want = "the peer sent NOTIFICATION 6/9 (cease: hard reset) for 6/1 (cease: maximum number of prefixes reached)"
			}
			if !strings.Contains(a.String(), want) || !strings.Contains(b.String(), want) {
				t.Errorf("a: %s\nb: %s\nwant %s", &a, &b, want)
			}
		})
	}
}
