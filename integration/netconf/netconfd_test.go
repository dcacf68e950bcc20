package netconf_test

import (
	"context"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

var semantics = junos.Dialect{}.Semantics()

// filters returns a state of one filter with n entries, the first two behind one policer of that many bytes/s.
func filters(n int, rate float32) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Policers: []filter.Policer{{Name: "sluice-p1", Rate: flowspec.Rate{Amount: rate, Unit: flowspec.Bytes}, Burst: 125_000}}}
	for i := range n {
		f.Entries = append(f.Entries, adaptertest.Entry(semantics, i))
	}
	f.Entries[0].Do = filter.Do{Policer: "sluice-p1"}
	f.Entries[1].Do = f.Entries[0].Do
	return device.State{Filters: []filter.Filter{f}}
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func read(t *testing.T, a device.Adapter, r *rig.Router) device.State {
	t.Helper()
	st, err := a.Read(within(t), r.Target)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	return st
}

// differs says in what got is not want.
func differs(got, want device.State) error {
	if len(got.Filters) != len(want.Filters) {
		return errors.New("another number of filters")
	}
	for i := range want.Filters {
		if err := filter.Same(want.Filters[i], got.Filters[i], semantics); err != nil {
			return err
		}
	}
	return nil
}

func holds(t *testing.T, a device.Adapter, r *rig.Router, want device.State) {
	t.Helper()
	if err := differs(read(t, a, r), want); err != nil {
		t.Fatalf("the router does not hold what it should: %v", err)
	}
}

// becomes waits until the router holds want. It asks seldom: this server's undo timer runs only in seconds without a request.
func becomes(t *testing.T, a device.Adapter, r *rig.Router, want device.State) {
	t.Helper()
	asked := time.Time{}
	rig.Wait(t, "the router holds what it should", func() bool {
		if time.Since(asked) < 3*time.Second {
			return false
		}
		defer func() { asked = time.Now() }()
		st, err := a.Read(within(t), r.Target)
		return err == nil && differs(st, want) == nil
	})
}

func apply(t *testing.T, a device.Adapter, r *rig.Router, want device.State, undo time.Duration) device.Commit {
	t.Helper()
	com, err := a.Apply(within(t), r.Target, device.Diff(read(t, a, r), want), undo)
	if err != nil {
		t.Fatalf("apply: %v", err)
	}
	return com
}

func settle(t *testing.T, a device.Adapter, r *rig.Router, want device.State) {
	t.Helper()
	com := apply(t, a, r, want, 60*time.Second)
	if err := a.Confirm(within(t), r.Target, com); err != nil {
		t.Fatalf("confirm: %v", err)
	}
	holds(t, a, r, want)
}

// lint asks Juniper's models whether they take what the dialect renders.
func lint(t *testing.T, st device.State) {
	t.Helper()
	yang := rig.Models(t)
	for _, f := range st.Filters {
		rendered, err := junos.Dialect{}.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		if ok, out := rig.Yanglint(t, "xml", rendered.Payload, "-p", yang, filepath.Join(yang, "junos-conf-root@2024-01-01.yang"), filepath.Join(yang, "junos-conf-firewall@2024-01-01.yang")); !ok {
			t.Fatal(out)
		}
	}
}

func TestAddChangeWithdraw(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	holds(t, a, r, device.State{})
	for _, want := range []device.State{filters(4, 1_250_000), filters(7, 2_500_000), filters(3, 2_500_000), {}} {
		lint(t, want)
		settle(t, a, r, want)
	}
}

// TestEveryEnding: a router that is told its routing instances holds redirects into them and to next hops, limits in packets, marks, and filters in front of others.
func TestEveryEnding(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	r.Target.Options = map[string]string{"instances": "65000:666=SCRUB"}
	a, _ := plugin(t)
	mark := uint8(8)
	ends := []filter.Do{
		{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 666}, Mark: &mark, Sample: true},
		{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.99")}},
		{Policer: "sluice-p1", Continue: true},
	}
	v4 := filters(3, 1).Filters[0]
	v4.Policers[0].Rate, v4.Policers[0].Burst = flowspec.Rate{Amount: 5000, Unit: flowspec.Packets}, 500
	for i := range ends {
		v4.Entries[i].Do = ends[i]
	}
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Before}
	last := v6
	last.Entries = []filter.Entry{{Name: "a", Match: filter.Match{Proto: packet.Values{{Lo: 17, Hi: 17}}, DSCP: packet.Values{{Lo: 46, Hi: 46}}}, Do: filter.Do{Sample: true, Continue: true}}}
	for _, want := range []device.State{{Filters: []filter.Filter{v4, v6}}, {Filters: []filter.Filter{v4, last}}, {}} {
		settle(t, a, r, want)
	}
}

// TestRestartInTheMiddle kills the plugin between commit and confirmation. What then becomes of the change is decided by whoever knows its commit.
func TestRestartInTheMiddle(t *testing.T) {
	t.Parallel()
	before, after := filters(4, 1_250_000), filters(6, 1_250_000)
	t.Run("another process confirms", func(t *testing.T) {
		t.Parallel()
		r := rig.Boot(t, true)
		a, h := plugin(t)
		settle(t, a, r, before)
		com := apply(t, a, r, after, 5*time.Second)
		kill(t, h)
		var transient *device.Transient
		err := a.Confirm(within(t), r.Target, com)
		for errors.As(err, &transient) && time.Now().Before(com.Deadline) { // the router may not have noticed yet that the session is gone
			err = a.Confirm(within(t), r.Target, com)
		}
		if err != nil {
			t.Fatalf("confirm by another process: %v", err)
		}
		passes(t, com.Deadline)
		holds(t, a, r, after)
	})
	t.Run("nobody confirms", func(t *testing.T) {
		t.Parallel()
		r := rig.Boot(t, true)
		a, h := plugin(t)
		settle(t, a, r, before)
		com := apply(t, a, r, after, 5*time.Second)
		kill(t, h)
		becomes(t, a, r, before)
		if time.Now().Before(com.Deadline.Add(-time.Second)) {
			t.Errorf("the router undid the change before its time")
		}
		if err := a.Confirm(within(t), r.Target, com); err == nil {
			t.Error("a change that the router has undone was confirmed")
		}
		settle(t, a, r, after)
	})
}

// passes waits until a moment is over, and two seconds for the router to act on it.
func passes(t *testing.T, at time.Time) {
	t.Helper()
	select {
	case <-time.After(time.Until(at) + 2*time.Second):
	case <-t.Context().Done():
		t.Fatal("the test ended")
	}
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	before, after := filters(4, 1_250_000), filters(6, 1_250_000)
	settle(t, a, r, before)
	com := apply(t, a, r, after, 12*time.Second) // long enough for what comes within it on a machine under load
	holds(t, a, r, after)
	// The candidate is locked for all of the window: nobody's commit can confirm ours in passing.
	other := r.Another(t)
	if reply := other.Do(t, "<lock><target><candidate/></target></lock>"); !strings.Contains(reply, "lock-denied") {
		t.Errorf("another hand got the lock within our window:\n%s", reply)
	}
	becomes(t, a, r, before)
	if time.Now().Before(com.Deadline.Add(-time.Second)) {
		t.Error("the router undid the change before its time")
	}
	// Behind the deadline the lock is given back.
	rig.Wait(t, "the candidate is unlocked", func() bool {
		return strings.Contains(other.Do(t, "<lock><target><candidate/></target></lock>"), "<ok/>")
	})
}

func TestCancel(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	before, after := filters(4, 1_250_000), filters(6, 1_250_000)
	settle(t, a, r, before)
	com := apply(t, a, r, after, 60*time.Second)
	if err := a.Cancel(within(t), r.Target, com); err != nil {
		t.Fatal(err)
	}
	holds(t, a, r, before)
	settle(t, a, r, after)
}

// What another hand does: a filter of its own, and a look at running.
const (
	edgeIn = `<edit-config><target><candidate/></target><config><configuration xmlns="http://yang.juniper.net/junos/conf/root"><firewall xmlns="http://yang.juniper.net/junos/conf/firewall">` +
		`<family><inet><filter><name>EDGE-IN</name><term><name>all</name><then><accept/></then></term></filter></inet></family></firewall></configuration></config></edit-config>`
	running = "<get-config><source><running/></source></get-config>"
)

// TestOtherHands shows that we neither commit nor discard what is not ours.
func TestOtherHands(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	other := r.Another(t)
	if reply := other.Do(t, edgeIn); !strings.Contains(reply, "<ok/>") {
		t.Fatal(reply)
	}
	// Uncommitted edits of somebody else lie in the candidate.
	_, err := a.Apply(within(t), r.Target, device.Diff(device.State{}, filters(4, 1_250_000)), time.Minute)
	var transient *device.Transient
	if !errors.As(err, &transient) || !strings.Contains(err.Error(), "neither committed nor discarded") {
		t.Errorf("apply into a dirty candidate: got %v, want *device.Transient that says so", err)
	}
	if reply := other.Do(t, "<commit/>"); !strings.Contains(reply, "<ok/>") {
		t.Fatal(reply)
	}
	edge := func() bool {
		return strings.Contains(other.Do(t, running), "EDGE-IN")
	}
	if !edge() {
		t.Error("the other hand's edit was lost")
	}
	settle(t, a, r, filters(4, 1_250_000))
	settle(t, a, r, device.State{})
	if !edge() {
		t.Error("the other hand's filter was removed")
	}
}

// TestOneEntryGone: what another hand deletes inside our filter is seen, and put back.
func TestOneEntryGone(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	want := filters(4, 1_250_000)
	settle(t, a, r, want)
	other := r.Another(t)
	edit := `<edit-config><target><candidate/></target><config><configuration xmlns="http://yang.juniper.net/junos/conf/root"><firewall xmlns="http://yang.juniper.net/junos/conf/firewall">` +
		`<family><inet><filter><name>sluice-v4</name><term xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"><name>` + want.Filters[0].Entries[3].Name + `</name></term></filter></inet></family></firewall></configuration></config></edit-config>`
	for _, rpc := range []string{edit, "<commit/>"} {
		if reply := other.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatal(reply)
		}
	}
	if st := read(t, a, r); differs(st, want) == nil {
		t.Fatal("a deleted entry is not seen")
	}
	settle(t, a, r, want)
}

// Traps of this server, each of which a real router may have as well.

// TestTrapFirstRequestBehindTheHello: the server does not answer a request that arrives together with the rig.Hello, until another comes. The pacer
// cures that; without it our calls end in time, and say that it was time that ran out.
func TestTrapFirstRequestBehindTheHello(t *testing.T) {
	t.Parallel()
	get := rig.Request("1", "<get-config><source><running/></source></get-config>")
	t.Run("paced", func(t *testing.T) {
		t.Parallel()
		c, err := rig.Boot(t, true).Connect()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Send(t, rig.Hello+get)
		if reply, err := c.Read(20 * time.Second); err != nil || !strings.Contains(reply, "<data") {
			t.Errorf("no answer to the request behind the rig.Hello: %v %s", err, reply)
		}
	})
	t.Run("not paced", func(t *testing.T) {
		t.Parallel()
		r := rig.Boot(t, false)
		c, err := r.Connect()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.Send(t, rig.Hello+get)
		if reply, err := c.Read(3 * time.Second); err == nil {
			t.Errorf("this server has mended its fault: the pacer can go\n%s", reply)
		}
		a, _ := plugin(t)
		r.Target.Timeout = 3 * time.Second
		var transient *device.Transient
		start := time.Now()
		if _, err := a.Read(within(t), r.Target); err != nil && !errors.As(err, &transient) {
			t.Errorf("got %v, want an answer or *device.Transient", err)
		}
		if d := time.Since(start); d > 30*time.Second {
			t.Errorf("a server that does not answer was waited for %s", d)
		}
	})
}

// TestTrapCommitBehindValidate: after a validate of the candidate the commit answers ok, and running is what it was.
func TestTrapCommitBehindValidate(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	before, after := filters(4, 1_250_000), filters(6, 1_250_000)
	settle(t, a, r, before)
	checked := r.Target
	checked.Options = map[string]string{"validate": "true"}
	_, err := a.Apply(within(t), checked, device.Diff(before, after), time.Minute)
	var transient *device.Transient
	if !errors.As(err, &transient) || !strings.Contains(err.Error(), "answered ok to the commit, and does not hold the change") {
		t.Errorf("an ok that was not true: got %v, want *device.Transient that says so", err)
	}
	holds(t, a, r, before)
	settle(t, a, r, after) // without validate it works
}

// TestTrapLockOnRunning: a session that locks running keeps the undo timer from restoring it. That is why we lock the candidate only.
func TestTrapLockOnRunning(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	other := r.Another(t)
	for _, rpc := range []string{
		"<lock><target><running/></target></lock>",
		"<lock><target><candidate/></target></lock>",
		edgeIn,
		"<commit><confirmed/><confirm-timeout>2</confirm-timeout></commit>",
	} {
		if reply := other.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatalf("%s\n%s", rpc, reply)
		}
	}
	passes(t, time.Now().Add(3*time.Second))
	if reply := other.Do(t, running); !strings.Contains(reply, "EDGE-IN") {
		t.Error("this server has mended its fault: the timer restores a locked running")
	}
}

// TestOthersLockOnRunning: while somebody else holds that lock we change nothing, and say why.
func TestOthersLockOnRunning(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	before, after := filters(4, 1_250_000), filters(6, 1_250_000)
	settle(t, a, r, before)
	other := r.Another(t)
	if reply := other.Do(t, "<lock><target><running/></target></lock>"); !strings.Contains(reply, "<ok/>") {
		t.Fatal(reply)
	}
	_, err := a.Apply(within(t), r.Target, device.Diff(before, after), 3*time.Second)
	var transient *device.Transient
	if !errors.As(err, &transient) {
		t.Errorf("apply while running is locked: got %v, want *device.Transient", err)
	}
	holds(t, a, r, before)
	if reply := other.Do(t, "<unlock><target><running/></target></unlock>"); !strings.Contains(reply, "<ok/>") {
		t.Fatal(reply)
	}
	settle(t, a, r, after)
}

// TestBigTable times a table of five hundred entries: this server needs seconds for it.
func TestBigTable(t *testing.T) {
	t.Parallel()
	r := rig.Boot(t, true)
	a, _ := plugin(t)
	start := time.Now()
	settle(t, a, r, filters(500, 1_250_000))
	t.Logf("500 entries added, verified and confirmed in %s", time.Since(start).Round(time.Millisecond))
}

// BenchmarkTransport loads a filter, and changes one entry of it. netconfd takes so long for ten thousand entries that it is asked for two.
func BenchmarkTransport(b *testing.B) {
	r := rig.Boot(b, true)
	r.Target.Timeout = 5 * time.Minute
	a := netconf.New(junos.Dialect{}, netconf.Options{})
	b.Cleanup(func() { _ = a.Close() })
	rig.Bench(b, rig.Transport{Adapter: a, Target: r.Target, Entries: 2000, State: func(n int) device.State { return filters(max(n, 2), 1_250_000) }})
}
