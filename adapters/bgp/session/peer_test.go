package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var (
	lowID  = netip.MustParseAddr("192.0.2.1")
	highID = netip.MustParseAddr("192.0.2.9")
	flow4  = Family{1, 133}
	flow6  = Family{2, 133}
	quiet  = slog.New(slog.DiscardHandler)
)

// recorder is a handler that writes down what it is told, as lines.
type recorder struct {
	mu       sync.Mutex
	lines    []string
	session  *Session
	onUpdate func(body []byte) error
}

func (r *recorder) note(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, fmt.Sprintf(format, args...))
}

func (r *recorder) Up(_ context.Context, s *Session) {
	r.note("up %v %v", s.Families, s.Hold)
	r.mu.Lock()
	r.session = s
	r.mu.Unlock()
}

func (r *recorder) Update(_ context.Context, _ *Session, body []byte) error {
	r.note("update %x", body)
	if r.onUpdate != nil {
		return r.onUpdate(body)
	}
	return nil
}

func (r *recorder) Refresh(_ context.Context, _ *Session, f Family) { r.note("refresh %v", f) }
func (r *recorder) Again(_ context.Context, _ *Session, f Family, end bool) {
	r.note("again %v %t", f, end)
}
func (r *recorder) Down(_ context.Context, _ *Session, err error) { r.note("down: %v", err) }

func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}

func (r *recorder) current() *Session {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.session
}

// run starts a peer inside the bubble of synctest and returns a function that stops it.
func run(t *testing.T, cfg Config, h Handler) (*Peer, func()) {
	t.Helper()
	if cfg.Families == nil {
		cfg.Families = []Family{flow4, flow6}
	}
	cfg.Log = quiet
	p, err := NewPeer(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { p.Run(ctx); close(done) }()
	return p, func() { cancel(); <-done }
}

// into is a Dial that connects to another peer over a pipe. The other one may come to be later.
func into(other *atomic.Pointer[Peer]) func(context.Context) (net.Conn, error) {
	return func(context.Context) (net.Conn, error) {
		a, b := net.Pipe()
		if p := other.Load(); p == nil || !p.offer(b) {
			return nil, errors.New("connection refused")
		}
		return a, nil
	}
}

func TestSessionLivesOnKeepalives(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a, b recorder
		passive, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RemoteAS: 2, Passive: true}, &a)
		defer stop()
		active, stop := run(t, Config{LocalAS: 2, RouterID: highID, RemoteAS: 1, HoldTime: 9 * time.Second, Families: []Family{flow6}, Dial: into(at(passive))}, &b)
		defer stop()
		time.Sleep(time.Hour) // of the bubble
		if want := "up [2/133] 9s"; a.String() != want || b.String() != want {
			t.Errorf("a: %s\nb: %s\nwant both: %s", &a, &b, want)
		}
		if st := active.Status(); st.State != Established || st.Negotiated.AS != 1 || !st.Negotiated.FourOctet {
			t.Errorf("status %+v", st)
		}
		if err := b.current().Send(RefreshMessage(flow6)); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if !strings.HasSuffix(a.String(), "refresh 2/133") {
			t.Errorf("a: %s", &a)
		}
	})
}

func TestShutdownSaysSo(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a, b recorder
		passive, stop := run(t, Config{LocalAS: 1, RouterID: lowID, Passive: true}, &a)
		defer stop()
		_, stopActive := run(t, Config{LocalAS: 2, RouterID: highID, Dial: into(at(passive))}, &b)
		time.Sleep(time.Second)
		stopActive()
		synctest.Wait()
		if want := `the peer sent NOTIFICATION 6/2 (cease: administrative shutdown), it says "sluice is stopping"`; !strings.Contains(a.String(), want) {
			t.Errorf("a: %s\nwant %s", &a, want)
		}
		if err := b.current().Send(RefreshMessage(flow4)); err == nil {
			t.Error("a session that ended still sends")
		}
	})
}

func at(p *Peer) *atomic.Pointer[Peer] {
	var a atomic.Pointer[Peer]
	a.Store(p)
	return &a
}

// wire is the far end of a connection, played by the test.
type wire struct {
	t *testing.T
	net.Conn
}

// tapped gives the connections that a peer makes to the test.
func tapped() (func(context.Context) (net.Conn, error), chan net.Conn) {
	far := make(chan net.Conn, 1)
	return func(ctx context.Context) (net.Conn, error) {
		a, b := net.Pipe()
		select {
		case far <- b:
			return a, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}, far
}

func (w wire) expect(typ uint8) []byte {
	w.t.Helper()
	for {
		got, body, err := readMessage(w, MaxMessage)
		if err != nil {
			w.t.Fatalf("waiting for a message of type %d: %v", typ, err)
		}
		if got == typ {
			return body
		}
		if got != typeKeepalive {
			w.t.Fatalf("a message of type %d (%x), want %d", got, body, typ)
		}
	}
}

func (w wire) say(b []byte) {
	w.t.Helper()
	if _, err := w.Write(b); err != nil {
		w.t.Fatal(err)
	}
}

// open is an OPEN as a peer with this configuration sends it.
func open(t *testing.T, c Config) []byte {
	t.Helper()
	b, err := c.encodeOpen()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func far(t *testing.T) []byte {
	return open(t, Config{LocalAS: 70000, RouterID: highID, HoldTime: 90 * time.Second, Families: []Family{flow4}})
}

func TestHoldTimerExpires(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial, conns := tapped()
		var r recorder
		p, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RemoteAS: 70000, HoldTime: 30 * time.Second, Dial: dial}, &r)
		defer stop()
		w := wire{t, <-conns}
		w.expect(typeOpen)
		w.say(far(t))
		w.expect(typeKeepalive)
		w.say(message(typeKeepalive, nil))
		start := time.Now()
		n := decodeNotification(w.expect(typeNotification))
		if n.Code != 4 || time.Since(start) != 30*time.Second {
			t.Errorf("%v after %v, want code 4 after 30s", n, time.Since(start))
		}
		synctest.Wait()
		if want := "nothing from the peer for 30s"; !strings.Contains(r.String(), want) {
			t.Errorf("%s\nwant %q", &r, want)
		}
		if st := p.Status(); st.LastError == "" || st.State == Established {
			t.Errorf("status %+v", st)
		}
	})
}

func TestSilenceAfterConnectingIsNotEndless(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial, conns := tapped()
		_, stop := run(t, Config{LocalAS: 1, RouterID: lowID, OpenTimeout: 20 * time.Second, Dial: dial}, &recorder{})
		defer stop()
		w, start := wire{t, <-conns}, time.Now()
		w.expect(typeOpen)
		if n := decodeNotification(w.expect(typeNotification)); n.Code != 4 || time.Since(start) != 20*time.Second {
			t.Errorf("%v after %v", n, time.Since(start))
		}
	})
}

// A gateway that is busy does not blame the peer: the hold timer runs only while it really waits for one.
func TestBusyHandlerDoesNotExpireThePeer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a, b recorder
		a.onUpdate = func([]byte) error { time.Sleep(5 * time.Minute); return nil }
		passive, stop := run(t, Config{LocalAS: 1, RouterID: lowID, HoldTime: 10 * time.Second, Passive: true}, &a)
		defer stop()
		_, stop = run(t, Config{LocalAS: 2, RouterID: highID, Dial: into(at(passive))}, &b)
		defer stop()
		time.Sleep(time.Second)
		mark, err := AppendUnreach(nil, flow4, nil, MaxMessage)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.current().Send(mark); err != nil {
			t.Fatal(err)
		}
		time.Sleep(4 * time.Minute)
		if strings.Contains(a.String(), "down") {
			t.Errorf("a: %s", &a)
		}
	})
}

// A peer that stops reading loses its session, and nobody waits for it longer than that.
func TestPeerThatDoesNotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial, conns := tapped()
		var r recorder
		_, stop := run(t, Config{LocalAS: 1, RouterID: lowID, NoHold: true, Dial: dial}, &r)
		defer stop()
		w := wire{t, <-conns}
		w.expect(typeOpen)
		w.say(far(t))
		w.expect(typeKeepalive)
		w.say(message(typeKeepalive, nil))
		synctest.Wait()
		start := time.Now()
		if err := r.current().Send(RefreshMessage(flow4)); err == nil || time.Since(start) != 8*time.Minute {
			t.Errorf("Send = %v after %v, want an error after 8 minutes", err, time.Since(start))
		}
		synctest.Wait()
		if !strings.Contains(r.String(), "down: the peer has read nothing for 8m0s (RFC 9687)") {
			t.Errorf("%s", &r)
		}
	})
}

func TestWhatEndsAnOpening(t *testing.T) {
	t.Parallel()
	good := Config{LocalAS: 70000, RouterID: highID, HoldTime: 90 * time.Second, Families: []Family{flow4}}
	with := func(change func(*Config)) Config { c := good; change(&c); return c }
	for name, tt := range map[string]struct {
		say  func(t *testing.T) []byte
		want Notification
	}{
		"another AS": {func(t *testing.T) []byte { return open(t, with(func(c *Config) { c.LocalAS = 70001 })) }, Notification{Code: 2, Subcode: 2}},
		"identifier zero": {func(t *testing.T) []byte {
			return open(t, with(func(c *Config) { c.RouterID = netip.IPv4Unspecified() }))
		}, Notification{Code: 2, Subcode: 3}},
		"hold time of 2 s": {func(t *testing.T) []byte { return open(t, with(func(c *Config) { c.HoldTime = 2 * time.Second })) }, Notification{Code: 2, Subcode: 6}},
		"no common family": {func(t *testing.T) []byte { return open(t, with(func(c *Config) { c.Families = []Family{{1, 1}} })) }, Notification{Code: 2, Subcode: 7}},
		"version 3":        {func(t *testing.T) []byte { b := open(t, good); b[HeaderLen] = 3; return b }, Notification{Code: 2, Subcode: 1}},
		"bad marker":       {func(*testing.T) []byte { return make([]byte, HeaderLen) }, Notification{Code: 1, Subcode: 1}},
		"bad length":       {func(*testing.T) []byte { b := message(typeKeepalive, nil); b[17]++; return b }, Notification{Code: 1, Subcode: 2}},
		"bad type":         {func(*testing.T) []byte { return message(9, nil) }, Notification{Code: 1, Subcode: 3}},
		"an UPDATE first":  {func(*testing.T) []byte { return message(typeUpdate, make([]byte, 4)) }, Notification{Code: 5, Subcode: 1}},
		"AS capability of 2 octets": {func(*testing.T) []byte {
			return message(typeOpen, []byte{4, 0x5b, 0xa0, 0, 90, 192, 0, 2, 9, 12, 2, 10, 65, 2, 0, 1, 1, 4, 0, 1, 0, 133})
		}, Notification{Code: 2}},
		"capability past its end": {func(*testing.T) []byte {
			return message(typeOpen, []byte{4, 0x5b, 0xa0, 0, 90, 192, 0, 2, 9, 10, 2, 8, 1, 4, 0, 1, 0, 133, 65, 4})
		}, Notification{Code: 2}},
		"an unknown parameter": {func(*testing.T) []byte {
			return message(typeOpen, []byte{4, 0x5b, 0xa0, 0, 90, 192, 0, 2, 9, 2, 1, 0})
		}, Notification{Code: 2, Subcode: 4}},
		"cut parameters": {func(t *testing.T) []byte {
			b := open(t, good)
			b[HeaderLen+9] = 200
			return b
		}, Notification{Code: 2}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dial, conns := tapped()
				var r recorder
				p, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RemoteAS: 70000, Dial: dial}, &r)
				defer stop()
				w := wire{t, <-conns}
				w.expect(typeOpen)
				w.say(tt.say(t))
				n := decodeNotification(w.expect(typeNotification))
				if n.Code != tt.want.Code || n.Subcode != tt.want.Subcode {
					t.Errorf("got %v, want %d/%d", n, tt.want.Code, tt.want.Subcode)
				}
				synctest.Wait()
				if r.String() != "" || p.Status().LastError == "" {
					t.Errorf("handler: %q, status: %+v", r.String(), p.Status())
				}
			})
		})
	}
}

// A peer that is quick with its KEEPALIVE must not get our first UPDATE before ours: ExaBGP answers that with NOTIFICATION 5/2.
func TestKeepaliveComesBeforeTheFirstUpdate(t *testing.T) {
	t.Parallel()
	for range 200 {
		synctest.Test(t, func(t *testing.T) {
			dial, conns := tapped()
			_, stop := run(t, Config{LocalAS: 1, RouterID: lowID, Dial: dial}, eager{})
			defer stop()
			w := wire{t, <-conns}
			go func() {
				_, _ = w.Write(append(far(t), message(typeKeepalive, nil)...))
			}()
			for _, want := range []uint8{typeOpen, typeKeepalive, typeUpdate} {
				if typ, _, err := readMessage(w, MaxMessage); err != nil || typ != want {
					t.Fatalf("a message of type %d, %v, want type %d", typ, err, want)
				}
			}
		})
	}
}

// eager is a handler that speaks as soon as it may.
type eager struct{}

func (eager) Up(_ context.Context, s *Session) {
	mark, err := AppendUnreach(nil, flow4, nil, MaxMessage)
	if err == nil {
		_ = s.Send(mark)
	}
}
func (eager) Update(context.Context, *Session, []byte) error { return nil }
func (eager) Refresh(context.Context, *Session, Family)      {}
func (eager) Again(context.Context, *Session, Family, bool)  {}
func (eager) Down(_ context.Context, _ *Session, _ error)    {}

func TestTwoOctetSpeaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial, conns := tapped()
		var r recorder
		p, stop := run(t, Config{LocalAS: 70000, RouterID: lowID, RemoteAS: 3, Dial: dial}, &r)
		defer stop()
		w := wire{t, <-conns}
		if body := w.expect(typeOpen); !bytes.Equal(body[1:3], []byte{0x5b, 0xa0}) {
			t.Errorf("My AS is %x, want AS_TRANS 5ba0", body[1:3])
		}
		w.say(message(typeOpen, []byte{4, 0, 3, 0, 90, 192, 0, 2, 9, 8, 2, 6, 1, 4, 0, 1, 0, 133}))
		w.expect(typeKeepalive)
		w.say(message(typeKeepalive, nil))
		synctest.Wait()
		if st := p.Status(); st.State != Established || st.Negotiated.FourOctet {
			t.Errorf("status %+v", st)
		}
	})
}

// Both call at once, again and again with all timings that jitter gives: exactly one session stays, and it is the same one on both sides.
func TestCollision(t *testing.T) {
	t.Parallel()
	for _, sameID := range []bool{false, true} {
		t.Run(fmt.Sprintf("same identifier %t", sameID), func(t *testing.T) {
			t.Parallel()
			for range 20 {
				synctest.Test(t, func(t *testing.T) {
					var a, b recorder
					var toLeft, toRight atomic.Pointer[Peer]
					id := highID
					if sameID {
						id = lowID
					}
					left, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RetryMin: 50 * time.Millisecond, Dial: into(&toRight)}, &a)
					defer stop()
					toLeft.Store(left)
					right, stop := run(t, Config{LocalAS: 2, RouterID: id, RetryMin: 50 * time.Millisecond, Dial: into(&toLeft)}, &b)
					defer stop()
					toRight.Store(right)
					time.Sleep(10 * time.Minute)
					if left.Status().State != Established || right.Status().State != Established {
						t.Errorf("left %+v\nright %+v", left.Status(), right.Status())
					}
					if err := a.current().Send(RefreshMessage(flow6)); err != nil {
						t.Error(err)
					}
					synctest.Wait()
					if !strings.HasSuffix(b.String(), "refresh 2/133") {
						t.Errorf("left:\n%s\nright:\n%s", &a, &b)
					}
				})
			}
		})
	}
}

// The rule of RFC 4271 §6.8, step by step: our identifier is lower, so the connection that the peer made stays.
func TestCollisionKeepsTheConnectionOfTheHigherIdentifier(t *testing.T) {
	t.Parallel()
	for _, ours := range []netip.Addr{lowID, netip.MustParseAddr("203.0.113.1")} {
		synctest.Test(t, func(t *testing.T) {
			dial, conns := tapped()
			var r recorder
			p, stop := run(t, Config{LocalAS: 1, RouterID: ours, Dial: dial}, &r)
			defer stop()
			called := wire{t, <-conns}
			called.expect(typeOpen)
			a, b := net.Pipe()
			p.offer(b)
			calling := wire{t, a}
			calling.expect(typeOpen)
			calling.say(far(t))
			stays, goes := calling, called
			if ours != lowID {
				stays, goes = called, calling
			}
			if n := decodeNotification(goes.expect(typeNotification)); n.Code != 6 || n.Subcode != CeaseCollision {
				t.Errorf("%v, want a collision", n)
			}
			if stays == called {
				stays.say(far(t))
			}
			stays.expect(typeKeepalive)
			stays.say(message(typeKeepalive, nil))
			synctest.Wait()
			if p.Status().State != Established {
				t.Errorf("status %+v", p.Status())
			}
		})
	}
}

func TestSecondConnectionOfAnEstablishedPeerIsRefused(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var a, b recorder
		passive, stop := run(t, Config{LocalAS: 1, RouterID: lowID, Passive: true}, &a)
		defer stop()
		_, stop = run(t, Config{LocalAS: 2, RouterID: highID, Dial: into(at(passive))}, &b)
		defer stop()
		time.Sleep(time.Second)
		near, farEnd := net.Pipe()
		passive.offer(farEnd)
		if n := decodeNotification(wire{t, near}.expect(typeNotification)); n.Subcode != CeaseCollision {
			t.Errorf("%v", n)
		}
		if passive.Status().State != Established {
			t.Errorf("%+v", passive.Status())
		}
	})
}

func TestRetriesSlowDownAndRecover(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var tries []time.Duration
		start := time.Now()
		_, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RetryMin: time.Second, RetryMax: 10 * time.Second, Dial: func(context.Context) (net.Conn, error) {
			tries = append(tries, time.Since(start))
			return nil, errors.New("connection refused")
		}}, &recorder{})
		time.Sleep(2 * time.Minute)
		stop()
		var gaps []time.Duration
		for i := 1; i < len(tries); i++ {
			gaps = append(gaps, tries[i]-tries[i-1])
		}
		for i, most := range []time.Duration{1, 2, 4, 8, 10, 10, 10} {
			if i >= len(gaps) || gaps[i] > most*time.Second || gaps[i] < most*time.Second*3/4 {
				t.Fatalf("gaps %v: gap %d must be %d s less at most a quarter", gaps, i, most)
			}
		}
		if len(slices.Compact(gaps)) < 3 {
			t.Errorf("gaps %v have no jitter", gaps)
		}
	})
}

// far is there or not, and ends its sessions. The first attempt after a session comes at once, however long the peer was away before it; sessions that end soon, one after the other, are damped
// (RFC 4271 §8.1.1), until one lasts, or somebody says that the reason is gone.
func TestFirstAttemptAfterASessionIsQuick(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		conns := make(chan net.Conn, 1)
		var there atomic.Bool
		p, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RetryMin: time.Second, RetryMax: time.Minute, Dial: func(context.Context) (net.Conn, error) {
			if !there.Load() {
				return nil, errors.New("connection refused")
			}
			near, farEnd := net.Pipe()
			conns <- farEnd
			return near, nil
		}}, &recorder{})
		defer stop()
		time.Sleep(3 * time.Minute) // the waits have grown
		there.Store(true)
		session := func(lasts time.Duration) (waited time.Duration) {
			t.Helper()
			began := time.Now()
			w := wire{t, <-conns}
			waited = time.Since(began)
			w.expect(typeOpen)
			w.say(far(t))
			w.expect(typeKeepalive)
			w.say(message(typeKeepalive, nil))
			for end := time.Now().Add(lasts); time.Now().Before(end); time.Sleep(time.Second) {
				synctest.Wait()
			}
			_ = w.Conn.Close()
			synctest.Wait()
			return waited
		}
		if waited := session(time.Second); waited > time.Minute {
			t.Errorf("the peer was there and called after %v", waited)
		}
		for i, want := range []time.Duration{1, 2, 4, 8, 16} {
			if waited := session(time.Second); waited > want*time.Second || waited < want*time.Second*3/4 {
				t.Errorf("after short session %d it waited %v, want %d s less at most a quarter", i+1, waited, want)
			}
		}
		if waited := session(11 * time.Second); waited < 20*time.Second {
			t.Errorf("after six short sessions it waited %v", waited)
		}
		if waited := session(time.Second); waited > time.Second {
			t.Errorf("after a good session it waited %v", waited)
		}
		for range 5 {
			session(time.Second)
		}
		p.Hint()
		if waited := session(time.Second); waited > time.Second {
			t.Errorf("after a hint it waited %v", waited)
		}
		p.Hint()
		if waited := session(time.Second); waited < 20*time.Second {
			t.Errorf("after two hints within ten seconds it waited %v", waited)
		}
	})
}

func TestHandlerEndsTheSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dial, conns := tapped()
		r := recorder{onUpdate: func(body []byte) error { return &Notification{Code: 3, Subcode: 1, Detail: "because"} }}
		_, stop := run(t, Config{LocalAS: 1, RouterID: lowID, Dial: dial}, &r)
		defer stop()
		w := wire{t, <-conns}
		w.expect(typeOpen)
		w.say(far(t))
		w.expect(typeKeepalive)
		w.say(message(typeKeepalive, nil))
		w.say(message(typeUpdate, make([]byte, 4)))
		if n := decodeNotification(w.expect(typeNotification)); n.Code != 3 || n.Subcode != 1 || len(n.Data) != 0 {
			t.Errorf("%v", n)
		}
		synctest.Wait()
		if want := "down: NOTIFICATION 3/1 (UPDATE message error: malformed attribute list): because"; !strings.HasSuffix(r.String(), want) {
			t.Errorf("%s\nwant %s", &r, want)
		}
	})
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		"local AS":      {},
		"router id":     {LocalAS: 1, RouterID: netip.MustParseAddr("::1")},
		"family":        {LocalAS: 1, RouterID: lowID},
		"whole seconds": {LocalAS: 1, RouterID: lowID, Families: []Family{flow4}, HoldTime: 2 * time.Second},
		"address":       {LocalAS: 1, RouterID: lowID, Families: []Family{flow4}},
	} {
		if _, err := NewPeer(cfg, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("NewPeer(%+v) = %v, want an error with %q", cfg, err, want)
		}
	}
}
