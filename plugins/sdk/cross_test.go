package sdk_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/plugins/sdk"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// echo keeps what reaches it and answers what it is told.
type echo struct {
	target device.Target
	change device.Change
	commit device.Commit
	undo   time.Duration
	state  device.State
	err    error
	left   time.Duration // until the deadline of the last call
}

func (e *echo) note(ctx context.Context, t device.Target) {
	e.target = t
	if d, ok := ctx.Deadline(); ok {
		e.left = time.Until(d)
	}
}

func (e *echo) Info(context.Context) (device.Info, error) {
	return device.Info{Name: "echo", Version: "1", Dialect: "junos"}, e.err
}

func (e *echo) Read(ctx context.Context, t device.Target, _ ...string) (device.State, error) {
	e.note(ctx, t)
	return e.state, e.err
}

func (e *echo) Render(ctx context.Context, t device.Target, c device.Change) ([]byte, error) {
	e.note(ctx, t)
	e.change = c
	return []byte("rendered"), e.err
}

func (e *echo) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	e.note(ctx, t)
	e.change, e.undo = c, undo
	return e.commit, e.err
}

func (e *echo) Confirm(ctx context.Context, t device.Target, c device.Commit) error {
	e.note(ctx, t)
	e.commit = c
	return e.err
}

func (e *echo) Cancel(ctx context.Context, t device.Target, c device.Commit) error {
	return e.Confirm(ctx, t, c)
}

func (e *echo) Counters(context.Context, device.Target) (map[string]device.Counter, error) {
	return map[string]device.Counter{"r-1": {Packets: 1, Bytes: 1 << 60}}, e.err
}

func (e *echo) Watch(ctx context.Context, t device.Target, changed func()) error {
	e.note(ctx, t)
	for range 3 {
		changed()
	}
	if e.err == nil {
		<-ctx.Done()
	}
	return e.err
}

// same compares domain values. Nil and empty lists of numbers differ, since they mean opposites.
func same(a, b any) string {
	return cmp.Diff(a, b, cmp.Comparer(func(x, y netip.Addr) bool { return x == y }), cmp.Comparer(func(x, y netip.Prefix) bool { return x == y }))
}

func values(max uint32) *rapid.Generator[packet.Values] {
	return rapid.Custom(func(t *rapid.T) packet.Values {
		n := rapid.IntRange(-1, 4).Draw(t, "spans")
		if n < 0 {
			return nil
		}
		v := packet.Values{}
		at := uint64(0)
		for range n {
			lo := at + uint64(rapid.Uint32Range(0, max/4).Draw(t, "gap"))
			hi := lo + uint64(rapid.Uint32Range(0, max/4).Draw(t, "length"))
			if hi > uint64(max) {
				break
			}
			v = append(v, packet.Span{Lo: uint32(lo), Hi: uint32(hi)})
			at = hi + 2
		}
		return v
	})
}

func prefixes() *rapid.Generator[*netip.Prefix] {
	return rapid.Custom(func(t *rapid.T) *netip.Prefix {
		if rapid.Bool().Draw(t, "none") {
			return nil
		}
		b := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "address")
		a := netip.AddrFrom4([4]byte(b))
		if rapid.Bool().Draw(t, "v6") {
			a = netip.AddrFrom16([16]byte(b))
		}
		p, err := a.Prefix(rapid.IntRange(0, a.BitLen()).Draw(t, "bits"))
		if err != nil {
			t.Fatal(err)
		}
		return &p
	})
}

func filters() *rapid.Generator[filter.Filter] {
	number := rapid.Uint32Range(0, 0xffff)
	return rapid.Custom(func(t *rapid.T) filter.Filter {
		f := filter.Filter{
			Name: "sluice-" + rapid.StringMatching(`[a-z0-9]{1,8}`).Draw(t, "name"), Version: rapid.SampledFrom([]packet.Version{4, 6}).Draw(t, "version"),
			Placement: rapid.SampledFrom([]filter.Placement{filter.Alone, filter.Before}).Draw(t, "placement"),
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "entries") {
			e := filter.Entry{Name: fmt.Sprintf("r-%d", i), Rule: flowspec.ID(rapid.String().Draw(t, "rule")), Counter: rapid.StringMatching(`[a-z]*`).Draw(t, "counter")}
			m := &e.Match
			m.Dst, m.Src = prefixes().Draw(t, "dst"), prefixes().Draw(t, "src")
			for _, v := range []*packet.Values{&m.Proto, &m.Port, &m.DstPort, &m.SrcPort, &m.ICMPType, &m.ICMPCode, &m.Length, &m.DSCP} {
				*v = values(0xffff).Draw(t, "values")
			}
			m.Label = values(1<<32-1).Draw(t, "label")
			for range rapid.IntRange(0, 2).Draw(t, "flags") {
				m.Flags = append(m.Flags, filter.FlagTerm{Set: uint16(number.Draw(t, "set") & 0xfff), Clear: uint16(number.Draw(t, "clear") & 0xfff)})
			}
			m.Fragments = packet.Frags(rapid.Byte().Draw(t, "fragments"))
			e.Do = filter.Do{Discard: rapid.Bool().Draw(t, "discard"), Policer: rapid.StringMatching(`(sluice-p)?`).Draw(t, "policer"), Sample: rapid.Bool().Draw(t, "sample"), Continue: rapid.Bool().Draw(t, "continue")}
			if rapid.Bool().Draw(t, "marked") {
				mark := rapid.Uint8Range(0, 63).Draw(t, "mark")
				e.Do.Mark = &mark
			}
			if rapid.Bool().Draw(t, "redirected") {
				r := flowspec.Redirect{Form: flowspec.RedirectForm(rapid.IntRange(1, 7).Draw(t, "form")), Global: rapid.Uint32().Draw(t, "global"), Local: rapid.Uint32().Draw(t, "local"), Copy: rapid.Bool().Draw(t, "copy")}
				if rapid.Bool().Draw(t, "addressed") {
					r.Addr = netip.MustParseAddr("2001:db8::1")
				}
				e.Do.Redirect = &r
			}
			f.Entries = append(f.Entries, e)
		}
		for i := range rapid.IntRange(0, 2).Draw(t, "policers") {
			f.Policers = append(f.Policers, filter.Policer{
				Name: fmt.Sprintf("sluice-p%d", i), Burst: rapid.Uint64().Draw(t, "burst"),
				Rate: flowspec.Rate{Amount: rapid.Float32Range(0, 1e20).Draw(t, "rate"), Unit: flowspec.Unit(rapid.IntRange(1, 2).Draw(t, "unit")), AS: uint16(number.Draw(t, "as"))},
			})
		}
		return f
	})
}

func TestFiltersCrossUnchanged(t *testing.T) {
	t.Parallel()
	e := &echo{commit: device.Commit{Confirmed: true}}
	a := sdktest.Loopback(t, e)
	rapid.Check(t, func(rt *rapid.T) {
		f, g := filters().Draw(rt, "filter"), filters().Draw(rt, "other")
		c := device.Change{
			Steps:   []device.Step{{Op: device.Op(rapid.IntRange(1, 3).Draw(rt, "op")), Filter: &f, Why: rapid.String().Draw(rt, "why")}},
			Desired: device.State{Filters: []filter.Filter{f, g}},
		}
		if _, err := a.Apply(t.Context(), device.Target{Name: "r1"}, c, time.Second); err != nil {
			rt.Fatal(err)
		}
		if d := same(e.change, c); d != "" {
			rt.Fatalf("a change does not cross unchanged (-got +want):\n%s", d)
		}
		e.state = device.State{Filters: []filter.Filter{g}, Attached: map[string][]string{f.Name: {"ge-0/0/0.0", rapid.String().Draw(rt, "interface")}},
			Misplaced: map[string][]string{g.Name: {rapid.String().Draw(rt, "misplaced")}}}
		got, err := a.Read(t.Context(), device.Target{Name: "r1"})
		if err != nil {
			rt.Fatal(err)
		}
		if d := same(got, e.state); d != "" {
			rt.Fatalf("a state does not cross unchanged (-got +want):\n%s", d)
		}
	})
}

func TestTargetAndCommitCrossUnchanged(t *testing.T) {
	t.Parallel()
	e := &echo{}
	a := sdktest.Loopback(t, e)
	target := device.Target{
		Name: "r1", Address: "192.0.2.1:830", Username: "u", Password: "hunter2hunter2", PrivateKey: "PEM", KnownHosts: "/etc/known", HostKey: "ssh-ed25519 A",
		InsecureIgnoreHostKey: true, Placement: filter.Before, Interfaces: []string{"ge-0/0/0.0"}, Options: map[string]string{"a": "b"}, Timeout: 3 * time.Second,
	}
	commit := device.Commit{Token: "persist=1", Deadline: time.Unix(1_800_000_000, 123), Confirmed: false}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := a.Confirm(ctx, target, commit); err != nil {
		t.Fatal(err)
	}
	if d := same(e.target, target); d != "" {
		t.Errorf("target (-got +want):\n%s", d)
	}
	if d := same(e.commit, commit); d != "" {
		t.Errorf("commit (-got +want):\n%s", d)
	}
	if e.left <= 50*time.Second || e.left > time.Minute {
		t.Errorf("the adapter sees a deadline in %s, want about a minute", e.left)
	}
	counters, err := a.(device.CounterReader).Counters(ctx, target)
	if err != nil || counters["r-1"] != (device.Counter{Packets: 1, Bytes: 1 << 60}) {
		t.Errorf("counters: %v, %v", counters, err)
	}
}

// What a device says of changes crosses as at least one word, how it ends as an error of its kind. An adapter without ears is unsupported, and one that panics ends the call alone.
func TestWatchCrosses(t *testing.T) {
	t.Parallel()
	e := &echo{}
	target := device.Target{Name: "r1", Password: "hunter2hunter2", Timeout: 3 * time.Second}
	watch := func(a device.Adapter) (said int, err error) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		err = a.(device.Watcher).Watch(ctx, target, func() { said++; cancel() })
		return said, err
	}
	a := sdktest.Loopback(t, e)
	if said, err := watch(a); said == 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("said %d times, then %v", said, err)
	}
	if d := same(e.target, target); d != "" {
		t.Errorf("target (-got +want):\n%s", d)
	}
	var refused *device.Refused
	shy := &echo{err: &device.Refused{Words: "no ON_CHANGE"}}
	if err := sdktest.Loopback(t, shy).(device.Watcher).Watch(t.Context(), target, func() {}); !errors.As(err, &refused) || refused.Words != "no ON_CHANGE" {
		t.Errorf("got %T %v", err, err)
	}
	if _, err := watch(sdktest.Loopback(t, struct{ device.Adapter }{shy})); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("an adapter that hears nothing: %v", err)
	}
	broken := sdktest.Loopback(t, panics{shy})
	if _, err := watch(broken); err == nil || !strings.Contains(err.Error(), "panicked") {
		t.Errorf("an adapter that panics: %v", err)
	}
	if _, err := broken.Info(t.Context()); !errors.As(err, &refused) { // as it is told to answer
		t.Errorf("the plugin afterwards: %v", err)
	}
}

// panics is an adapter that panics when it is to watch.
type panics struct{ device.Adapter }

func (panics) Watch(context.Context, device.Target, func()) error { panic("hunter2hunter2") }

func TestErrorsKeepTheirKind(t *testing.T) {
	t.Parallel()
	e := &echo{}
	a := sdktest.Loopback(t, e)
	read := func(err error) error {
		e.err = err
		_, got := a.Read(t.Context(), device.Target{Name: "r1"})
		return got
	}
	var (
		transient *device.Transient
		refused   *device.Refused
		drifted   *device.Drifted
	)
	if err := read(&device.Transient{Err: errors.New("lock held by session 7")}); !errors.As(err, &transient) || err.Error() != "lock held by session 7" {
		t.Errorf("transient: %v", err)
	}
	if err := read(fmt.Errorf("apply: %w", &device.Transient{Err: errors.New("locked"), Unchanged: true})); !errors.As(err, &transient) || !transient.Unchanged {
		t.Errorf("transient, and nothing changed: %#v", err)
	}
	if err := read(context.DeadlineExceeded); !errors.As(err, &transient) || transient.Unchanged {
		t.Errorf("a deadline that passed: %#v", err)
	}
	if err := read(fmt.Errorf("apply to r1: %w", &device.Refused{Words: "syntax error\nat <term>"})); !errors.As(err, &refused) || refused.Words != "apply to r1: refused by the device: syntax error\nat <term>" && refused.Words != "apply to r1: syntax error\nat <term>" {
		t.Errorf("refused: %#v", err)
	}
	if err := read(&device.Drifted{What: "filter sluice-v4", Gone: true}); !errors.As(err, &drifted) || !drifted.Gone || drifted.What != "filter sluice-v4" {
		t.Errorf("drifted: %#v", err)
	}
	if err := read(fmt.Errorf("counters of a switch: %w", errors.ErrUnsupported)); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "counters of a switch") {
		t.Errorf("unsupported: %v", err)
	}
	if err := read(errors.New("no kind at all")); err == nil || errors.As(err, &transient) || errors.As(err, &refused) || errors.As(err, &drifted) || !strings.Contains(err.Error(), "no kind at all") {
		t.Errorf("no kind: %#v", err)
	}
	if err := read(&device.Refused{Words: strings.Repeat("ü", 1<<20)}); !errors.As(err, &refused) || len(refused.Words) > 40<<10 {
		t.Errorf("a refusal of 2 MiB: %.80v", err)
	}
	if err := read(&device.Refused{Words: "octets \xff\xfe"}); !errors.As(err, &refused) {
		t.Errorf("a refusal that is no UTF-8: %v", err)
	}
}

func TestTenThousandEntriesCross(t *testing.T) {
	t.Parallel()
	var ports packet.Values
	for p := uint32(1); len(ports) < 64; p += 900 {
		ports = append(ports, packet.Span{Lo: p, Hi: p + 300})
	}
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range 10_000 {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)
		f.Entries = append(f.Entries, filter.Entry{Name: fmt.Sprintf("r-%016x", i), Rule: "0123456789abcdef", Match: filter.Match{Dst: &dst, SrcPort: ports}, Do: filter.Do{Discard: true}})
	}
	e := &echo{state: device.State{Filters: []filter.Filter{f}}, commit: device.Commit{Confirmed: true}}
	a := sdktest.Loopback(t, e)
	c := device.Change{Steps: []device.Step{{Op: device.Add, Filter: &f}}, Desired: e.state}
	if _, err := a.Apply(t.Context(), device.Target{Name: "r1"}, c, time.Minute); err != nil {
		t.Fatal(err)
	}
	got, err := a.Read(t.Context(), device.Target{Name: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	if d := same(got, e.state); d != "" || len(e.change.Desired.Filters[0].Entries) != 10_000 {
		t.Error("10,000 entries do not cross unchanged")
	}
	if n := sdk.StateSize(e.state); n <= 4<<20 {
		t.Errorf("the state has %d octets: not above gRPC's own limit, so this test shows nothing", n)
	}
}

func TestRoutesDoNotCross(t *testing.T) {
	t.Parallel()
	a := sdktest.Loopback(t, &echo{})
	c := device.Change{Steps: []device.Step{{Op: device.Add, Route: &device.Route{}}}}
	if _, err := a.Apply(t.Context(), device.Target{Name: "r1"}, c, time.Minute); err == nil {
		t.Error("a FlowSpec route went into a plugin")
	}
}

func BenchmarkTenThousandEntries(b *testing.B) {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range 10_000 {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 32)
		f.Entries = append(f.Entries, filter.Entry{Name: fmt.Sprintf("r-%016x", i), Match: filter.Match{Dst: &dst, SrcPort: packet.Values{{Lo: 53, Hi: 53}}}, Do: filter.Do{Discard: true}})
	}
	a := sdktest.Loopback(b, &echo{state: device.State{Filters: []filter.Filter{f}}})
	for b.Loop() {
		if _, err := a.Read(b.Context(), device.Target{Name: "r1"}); err != nil {
			b.Fatal(err)
		}
	}
}
