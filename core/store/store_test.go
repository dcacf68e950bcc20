package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.etcd.io/bbolt"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// rule returns the n-th of a series of different rules, with everything a rule can bear.
func rule(tb testing.TB, n int) flowspec.Rule {
	tb.Helper()
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{},
		flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)}), Len: 32}},
		flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	if err != nil {
		tb.Fatal(err)
	}
	mark := uint8(n % 64)
	r := flowspec.Rule{
		Match: m, Source: "api", Note: fmt.Sprint("rule ", n), Expires: time.Date(2030, 1, 1, 0, 0, n, 0, time.UTC),
		Action: flowspec.Action{
			Rate: &flowspec.Rate{Amount: float32(n), Unit: flowspec.Bytes}, Mark: &mark, Sample: true,
			Redirect: &flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: netip.MustParseAddr("192.0.2.99")},
			Unknown:  []flowspec.ExtComm{"\x07\x02\x00\x00\xfb\xf4\x40\x01"},
		},
		Communities: []uint32{64512<<16 | 666}, LargeCommunities: [][3]uint32{{1, 2, 3}},
		Others: []flowspec.ExtComm{"\x00\x02\xfc\x00\x00\x00\x00\x01"},
	}
	r.ID = flowspec.NewID(r.Source, m)
	return r
}

func open(tb testing.TB, path string) (s *Store, stop func()) {
	tb.Helper()
	s, err := Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	return s, func() {
		cancel()
		if err := errors.Join(<-done, s.Close()); err != nil {
			tb.Error(err)
		}
	}
}

// apply waits until the write is durable.
func apply(tb testing.TB, s *Store, puts []flowspec.Rule, deletes []flowspec.ID) {
	tb.Helper()
	done := make(chan error, 1)
	s.Apply(puts, deletes, func(err error) { done <- err })
	if err := <-done; err != nil {
		tb.Fatal(err)
	}
}

func TestRulesComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s, stop := open(t, path)
	want := []flowspec.Rule{rule(t, 1), rule(t, 2), rule(t, 3)}
	apply(t, s, want, nil)
	apply(t, s, nil, []flowspec.ID{want[1].ID})
	stop()

	s, stop = open(t, path)
	defer stop()
	got, err := s.Load()
	if err != nil {
		t.Fatal(err)
	}
	byID := map[flowspec.ID]flowspec.Rule{}
	for _, r := range got {
		byID[r.ID] = r
	}
	wantByID := map[flowspec.ID]flowspec.Rule{want[0].ID: want[0], want[2].ID: want[2]}
	same := cmp.Comparer(func(a, b flowspec.Match) bool {
		return string(a.NLRI()) == string(b.NLRI()) && a.Family() == b.Family()
	})
	addr := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	if diff := cmp.Diff(wantByID, byID, same, addr); diff != "" {
		t.Errorf("rules after reopening (-want +got):\n%s", diff)
	}
}

// A withdrawal has to name the octets that a peer sent, after a restart as well.
func TestReceivedOctetsAreKept(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	long := []byte{0xf0, 0x03, 3, 0x81, 17} // long length form
	m, err := flowspec.ParseNLRI(flowspec.IPv4, long)
	if err != nil {
		t.Fatal(err)
	}
	apply(t, s, []flowspec.Rule{{ID: flowspec.NewID("x", m), Match: m, Source: "x"}}, nil)
	got, err := s.Load()
	if err != nil || len(got) != 1 {
		t.Fatal(got, err)
	}
	if string(got[0].Match.Received()) != string(long) {
		t.Errorf("received octets % x, want % x", got[0].Match.Received(), long)
	}
}

func TestSecondGatewayIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	_, stop := open(t, path)
	defer stop()
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second Open: %v, want %v", err, ErrInUse)
	}
}

func TestForeignLayoutIsRefused(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s, stop := open(t, path)
	err := s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(keyLayout, []byte("99")) })
	stop()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); err == nil || !strings.Contains(err.Error(), `layout "99"`) {
		t.Errorf("Open: %v", err)
	}
}

func TestDamagedRuleIsNotSkipped(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	apply(t, s, []flowspec.Rule{rule(t, 1)}, nil)
	err := s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketRules).Put([]byte("0123456789abcdef"), []byte(`{"family":"ipv4","nlri":"AwMBEQ==","source":"api"}`))
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load(); err == nil || !strings.Contains(err.Error(), "0123456789abcdef") {
		t.Errorf("Load: %v, want an error that names the rule", err)
	}
}

func TestCommitsAndHeldFilters(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	if _, found, err := s.Commit("mx1"); found || err != nil {
		t.Fatal(found, err)
	}
	want := device.Commit{Token: "sluice-1", Deadline: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	if err := errors.Join(s.SaveCommit("mx1", want), s.SaveHeld("mx1", []string{"sluice-v4"})); err != nil {
		t.Fatal(err)
	}
	if got, found, err := s.Commit("mx1"); !found || err != nil || got != want {
		t.Errorf("Commit: %v %v %v", got, found, err)
	}
	if held, err := s.Held("mx1"); err != nil || len(held) != 1 || held[0] != "sluice-v4" {
		t.Errorf("Held: %v %v", held, err)
	}
	if err := s.ClearCommit("mx1"); err != nil {
		t.Fatal(err)
	}
	if _, found, _ := s.Commit("mx1"); found {
		t.Error("the commit is still there after ClearCommit")
	}
}

func TestWritesAfterTheEndAreRefused(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	stop()
	done := make(chan error, 1)
	s.Apply([]flowspec.Rule{rule(t, 1)}, nil, func(err error) { done <- err })
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("Apply after the end: %v, want %v", err, ErrClosed)
	}
}

// TestKilledWriter kills a process that stores rules and says so, at some moment, and finds every rule that it had said was stored.
func TestKilledWriter(t *testing.T) {
	if path := os.Getenv("SLUICE_STORE_VICTIM"); path != "" {
		victim(t, path)
		return
	}
	t.Parallel()
	for round := range 5 {
		path := filepath.Join(t.TempDir(), "s.db")
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilledWriter$")
		cmd.Env = append(os.Environ(), "SLUICE_STORE_VICTIM="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		acknowledged := map[string]bool{}
		for limit := 20 + 37*round; len(acknowledged) < limit; {
			var id string
			if _, err := fmt.Fscan(out, &id); err != nil {
				t.Fatal(err)
			}
			acknowledged[id] = true
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed

		s, stop := open(t, path)
		rules, err := s.Load()
		stop()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rules {
			delete(acknowledged, string(r.ID))
		}
		if len(acknowledged) > 0 {
			t.Errorf("round %d: %d acknowledged rules are lost", round, len(acknowledged))
		}
	}
}

// victim stores rules and prints the ID of each once it is durable, until it is killed.
func victim(t *testing.T, path string) {
	s, _ := open(t, path)
	for n := range 1 << 20 {
		r := rule(t, n)
		apply(t, s, []flowspec.Rule{r}, nil)
		fmt.Println(r.ID)
	}
}

func BenchmarkOneRuleDurable(b *testing.B) {
	s, stop := open(b, filepath.Join(b.TempDir(), "s.db"))
	defer stop()
	for n := 0; b.Loop(); n++ {
		apply(b, s, []flowspec.Rule{rule(b, n)}, nil)
	}
}

func BenchmarkTenThousandRules(b *testing.B) {
	s, stop := open(b, filepath.Join(b.TempDir(), "s.db"))
	defer stop()
	var rules []flowspec.Rule
	for n := range 10000 {
		rules = append(rules, rule(b, n))
	}
	for b.Loop() {
		apply(b, s, rules, nil)
	}
}

// A freeze, and what a device had then, are read back whole; those of one device and of all are kept apart.
func TestFreezesAreKept(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	since := time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)
	want := map[string]device.Freeze{"": {Since: since, Reason: "all"}, "mx1": {Since: since, Until: since.Add(time.Hour)}}
	for name, f := range want {
		if err := s.SaveFreeze(name, f); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := s.Freezes(); err != nil || !cmp.Equal(got, want) {
		t.Errorf("freezes %v, error %v", got, err)
	}
	if err := errors.Join(s.ClearFreeze(""), s.ClearFreeze("mx2")); err != nil {
		t.Fatal(err)
	}
	delete(want, "")
	if got, err := s.Freezes(); err != nil || !cmp.Equal(got, want) {
		t.Errorf("freezes %v, error %v", got, err)
	}

	r := rule(t, 7)
	kept := device.Kept{Rules: []flowspec.Rule{r}, Routes: []*device.Route{{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others}}}
	if err := s.SaveKept("mx1", kept); err != nil {
		t.Fatal(err)
	}
	got, found, err := s.Kept("mx1")
	if err != nil || !found || !cmp.Equal(got, kept) {
		t.Errorf("kept %v %v, error %v", got, found, err)
	}
	if err := s.ClearKept("mx1"); err != nil {
		t.Fatal(err)
	}
	if _, found, err := s.Kept("mx1"); err != nil || found {
		t.Errorf("still kept: %v, error %v", found, err)
	}
}

// What was released to one group is its own, stays through other changes, and goes with the group.
func TestRolloutsAreKept(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	if _, found, err := s.Rollout("edge"); found || err != nil {
		t.Fatal(found, err)
	}
	begun := device.Begun{At: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	want := device.Rollout{Stop: &device.Stop{At: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), Why: "no space", Device: "mx1"}}
	one, two, three := rule(t, 1), rule(t, 2), rule(t, 3)
	err := errors.Join(s.SaveRollout("edge", want), s.SaveRollout("edge2", device.Rollout{}), s.SaveBegun("lab", begun), s.SaveBegun("old", begun), s.SaveBegun("done", begun), s.ClearBegun("done"), s.SaveReleased("edge", []flowspec.Rule{one, two}, nil),
		s.SaveReleased("edge2", []flowspec.Rule{two}, nil), s.SaveReleased("edge", []flowspec.Rule{three}, []flowspec.ID{one.ID, "not there"}))
	if err != nil {
		t.Fatal(err)
	}
	check := func(group string, want ...flowspec.Rule) {
		t.Helper()
		got, err := s.Released(group)
		less := func(a, b flowspec.Rule) int { return strings.Compare(string(a.ID), string(b.ID)) }
		slices.SortFunc(got, less)
		slices.SortFunc(want, less)
		if err != nil || !cmp.Equal(got, want) {
			t.Errorf("released to %s: %v, error %v; want %v", group, got, err, want)
		}
	}
	check("edge", two, three)
	check("edge2", two)
	if got, found, err := s.Rollout("edge"); err != nil || !found || !cmp.Equal(got, want) {
		t.Errorf("rollout %v %v, error %v", got, found, err)
	}
	if err := s.KeepRollouts([]string{"edge2", "new"}, []string{"lab"}); err != nil {
		t.Fatal(err)
	}
	check("edge")
	check("edge2", two)
	if _, found, _ := s.Rollout("edge"); found {
		t.Error("the group that is no more is still there")
	}
	if _, found, _ := s.Rollout("edge2"); !found {
		t.Error("the other one is gone")
	}
	if got, found, err := s.Begun("lab"); err != nil || !found || got != begun {
		t.Errorf("begun with the canary: %v %v, error %v", got, found, err)
	}
	for _, name := range []string{"old", "done"} {
		if _, found, err := s.Begun(name); found || err != nil {
			t.Errorf("begun with %s: %v, error %v", name, found, err)
		}
	}
}

// How plans carried rules comes back as it was, by what they stand for, and goes when no device is given them.
func TestFormsAreKept(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	one, two := rule(t, 1), rule(t, 2)
	route := &device.Route{Match: two.Match, Action: two.Action, Communities: two.Communities, LargeCommunities: two.LargeCommunities, Others: two.Others}
	want := map[flowspec.ID]device.Form{
		one.ID: device.FormOf(one, "native", []*device.Route{{Match: one.Match, Action: one.Action, Communities: one.Communities, LargeCommunities: one.LargeCommunities, Others: one.Others}}),
		two.ID: device.FormOf(one, "rewritten", []*device.Route{route}),
		"f":    {Rule: "0123", Carried: "filter", Filter: "4567", Entries: 3},
	}
	if !want[one.ID].AsCame || want[two.ID].AsCame || len(want[one.ID].RoutesOf(one)) != 1 {
		t.Fatalf("forms %+v", want)
	}
	err := errors.Join(s.SaveForms("v1", want, nil), s.SaveForms("v2", want, nil), s.SaveForms("v2", nil, []flowspec.ID{one.ID, two.ID}), s.SaveAdopted("mx1", "v1"), s.SaveAdopted("mx2", "v2"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Forms("v1"); err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %+v, error %v; want %+v", got, err, want)
	}
	if got, err := s.Forms("v2"); err != nil || len(got) != 1 || got["f"].Entries != 3 {
		t.Errorf("got %+v, error %v", got, err)
	}
	if err := s.KeepForms([]string{"v2"}, []string{"mx1"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Forms("v1"); err != nil || len(got) > 0 {
		t.Errorf("still there: %+v, error %v", got, err)
	}
	if of, found, err := s.Adopted("mx1"); err != nil || !found || of != "v1" {
		t.Errorf("mx1 is given %q %v, error %v", of, found, err)
	}
	if _, found, _ := s.Adopted("mx2"); found {
		t.Error("mx2 is still there")
	}
}

// How the routes of a device leave comes back as it was, octet for octet, and goes with the device.
func TestPoliciesAreKept(t *testing.T) {
	t.Parallel()
	s, stop := open(t, filepath.Join(t.TempDir(), "s.db"))
	defer stop()
	want := device.Policy{
		Add: device.Marks{Plain: []uint32{1, 2}, Large: [][3]uint32{{1, 2, 3}}, Extended: []flowspec.ExtComm{"\x00\x03\xfb\xf4\x00\x00\xff\x64"}}, Strip: device.Marks{Plain: []uint32{4}}, StripAll: true, Community: 64512<<16 | 6666, NoExport: true,
		VRFs: []device.VRF{{Name: "a", Of: flowspec.RD{7: 1}, RD: flowspec.RD{0: 0xff, 7: 2}, Targets: []flowspec.ExtComm{"\x00\x02\xfb\xf4\x00\x00\x00\x80"}}},
	}
	if err := errors.Join(s.SavePolicy("mx1", want), s.SavePolicy("mx2", device.Policy{VRFs: []device.VRF{}}), s.SavePolicy("mx3", device.Policy{}), s.KeepForms(nil, []string{"mx1", "mx2"})); err != nil {
		t.Fatal(err)
	}
	if got, found, err := s.Policy("mx1"); !found || err != nil || !cmp.Equal(got, want) {
		t.Errorf("got %+v, %v, error %v; want %+v", got, found, err, want)
	}
	if got, found, err := s.Policy("mx2"); !found || err != nil || got.VRFs == nil {
		t.Errorf("none is not nil: %+v, %v, error %v", got, found, err)
	}
	if _, found, err := s.Policy("mx3"); found || err != nil {
		t.Errorf("of a device that is no more: %v, error %v", found, err)
	}
}

// What counters have come to comes back as it was, and goes with its device; so does what the gateway ended, up to a number.
func TestSeriesAndEndsAreKept(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "s.db")
	s, stop := open(t, path)
	one, two := rule(t, 1), rule(t, 2)
	at := time.Unix(1_700_000_000, 0).UTC()
	of := device.Readings{Read: at, Packets: 9, Bytes: 900}
	series := map[flowspec.ID]device.Series{
		one.ID: {Packets: 3, Bytes: 300, First: at, Last: at, Watched: at, As: "x", Raw: map[string]device.Counter{"r-1": {Packets: 3, Bytes: 300}}},
		two.ID: {},
	}
	err := errors.Join(s.SaveSeries("mx1", of, series, nil), s.SaveSeries("mx10", of, series, nil), s.SaveSeries("mx10", of, nil, []flowspec.ID{two.ID}))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 51 {
		if _, err := s.SaveEnded(Ended{Rule: one, At: at.Add(time.Duration(i) * time.Second), Reason: "because"}); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	s, stop = open(t, path)
	defer stop()
	if got, list, err := s.Series("mx1"); err != nil || !got.Read.Equal(of.Read) || got.Packets != 9 || !cmp.Equal(list, series) {
		t.Errorf("%+v, %v, error %v", got, list, err)
	}
	if _, list, err := s.Series("mx10"); err != nil || len(list) != 1 {
		t.Errorf("%v, error %v", list, err)
	}
	if err := s.KeepSeries([]string{"mx10"}); err != nil {
		t.Fatal(err)
	}
	if got, list, err := s.Series("mx1"); err != nil || !got.Read.IsZero() || len(list) > 0 {
		t.Errorf("still there: %+v %v, error %v", got, list, err)
	}
	list, err := s.Ended()
	if err != nil || len(list) != 51 || list[0].Rule.ID != one.ID || list[0].Reason != "because" || !list[0].At.Equal(at) {
		t.Fatalf("%d ended, error %v", len(list), err)
	}
	last, err := s.SaveEnded(Ended{Rule: two, At: at})
	if err == nil {
		err = s.DropEnded(last)
	}
	if list, again := s.Ended(); err != nil || again != nil || len(list) != 51 {
		t.Errorf("%d ended after one was taken back, errors %v, %v", len(list), err, again)
	}
}
