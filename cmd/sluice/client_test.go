package main

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// aGateway runs a gateway with an API source and an ASR 9000 that nobody answers for, changed as tweak says, and returns what runs a command line against it.
func aGateway(t *testing.T, tweak ...func(*config.Device)) func(stdin string, args ...string) (status int, out, errOut string) {
	t.Helper()
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	edge := config.Device{Name: "edge1", Profile: prof, BGP: &config.Peer{
		Address: netip.MustParseAddr("127.0.0.1"), Port: 1, AS: 64513, Families: []flowspec.Family{flowspec.IPv4},
	}}
	for _, change := range tweak {
		change(&edge)
	}
	return gatewayOf(t, &config.Config{Devices: []config.Device{edge}})
}

// gatewayOf runs a gateway with an API source and the devices and groups of cfg until the test ends.
func gatewayOf(t *testing.T, cfg *config.Config) func(stdin string, args ...string) (status int, out, errOut string) {
	t.Helper()
	sluice, stop := stoppable(t, cfg)
	t.Cleanup(stop)
	return sluice
}

// stoppable is gatewayOf, until stop is called. Several, one after the other, have one store where cfg names it.
func stoppable(t *testing.T, cfg *config.Config) (sluice func(stdin string, args ...string) (status int, out, errOut string), stop func()) {
	t.Helper()
	if cfg.Store == "" {
		cfg.Store = filepath.Join(t.TempDir(), "s.db")
	}
	cfg.RouterID, cfg.AS, cfg.ListenAPI = netip.MustParseAddr("192.0.2.1"), 64512, "127.0.0.1:0"
	cfg.Sources = []config.Source{{Name: "api", API: true, Admit: admit.Policy{Destinations: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}}}}
	g, err := newGateway(t.Context(), cfg, profiles.Embedded(), slog.New(slog.DiscardHandler), strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var tasks errgroup.Group
	tasks.Go(func() error { return g.run(ctx, nil) })
	stop = func() {
		cancel()
		if err := tasks.Wait(); err != nil {
			t.Error(err)
		}
	}
	return func(stdin string, args ...string) (int, string, string) {
		var out, errOut bytes.Buffer
		args = append(args, "--gateway", "http://"+g.api.Addr().String())
		status := run(t.Context(), args, strings.NewReader(stdin), &out, &errOut)
		return status, out.String(), errOut.String()
	}, stop
}

const (
	fits     = "flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }"
	sevenOne = "flow route { match { destination 203.0.113.20/32; protocol =udp; destination-port [ =80 =443 =3074 =7777 =9987 =27015 =30120 ]; } then { rate-limit 6250000; } }"
)

// Every answer of a gateway ends in the status that docs/cli.md promises, and says where in the text something is wrong.
func TestRuleAdd(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t)
	for _, c := range []struct {
		name, stdin string
		args        []string
		status      int
		out, errOut string
	}{
		{"taken", "", []string{fits, "--note", "ticket 4711", "--ttl", "10m"}, exitDone, "; ticket 4711)\n", ""},
		{"of several", fits + "\n" + strings.ReplaceAll(fits, "203.0.113.10", "198.51.100.1"), []string{"-"}, exitFailed, "203.0.113.10/32", "standard input:2:1: error: not admitted: "},
		{"a semicolon is missing", "", []string{"flow route { match { destination 203.0.113.10/32 } then { discard; } }"}, exitUsage, "",
			"RULE:1:22: error: the semicolon is missing: ExaBGP drops this statement and announces the rest [missing-semicolon]\n" +
				"    flow route { match { destination 203.0.113.10/32 } then { discard; } }\n" +
				"                         ^\n" +
				"  write: destination 203.0.113.10/32;\n"},
		{"nothing", "", nil, exitUsage, "", "no rule in the request"},
		{"no duration", "", []string{fits, "--ttl", "10"}, exitUsage, "", "such as 90s or 10m"},
	} {
		status, out, errOut := sluice(c.stdin, append([]string{"rule", "add"}, c.args...)...)
		if status != c.status || !strings.Contains(out, c.out) || !strings.Contains(errOut, c.errOut) {
			t.Errorf("%s: status %d, want %d\n%s\n%s", c.name, status, c.status, out, errOut)
		}
	}
}

func TestGatewayIsAURL(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if status := run(t.Context(), []string{"rule", "list", "--gateway", "router:8330"}, strings.NewReader(""), &out, &out); status != exitUsage || !strings.Contains(out.String(), "is no URL") {
		t.Errorf("status %d\n%s", status, out.String())
	}
}

// A rule shows its own verdict with fact and packet; what is to be typed on a device stands in the device's plan, each line under the other.
func TestRuleShowAndDevicePlan(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t)
	status, out, errOut := sluice(fits+"\n"+sevenOne, "rule", "add")
	if status != exitDone {
		t.Fatalf("status %d\n%s", status, errOut)
	}
	id := strings.Fields(strings.Split(out, "\n")[1])[0]

	_, out, _ = sluice("", "rule", "show", id)
	for _, want := range []string{"rejected   " + id, "[rate-split]", "source: ASR 9000", "try: ", "packet: udp ", "asked for: ", "would get: "} {
		if !strings.Contains(out, want) {
			t.Errorf("rule show does not say %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "local-install") {
		t.Errorf("rule show speaks of the whole device:\n%s", out)
	}
	until := func(want string, args ...string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); ; {
			if _, out, errOut := sluice("", args...); strings.Contains(out, want) {
				return
			} else if time.Now().After(end) {
				t.Fatalf("sluice %s does not say %q:\n%s%s", strings.Join(args, " "), want, out, errOut)
			}
		}
	}
	until("of them: 1 failed, 1 refused", "device", "show", "edge1") // nobody answers there: what is owed was not sent
	until("delivered  2 rules in", "device", "history", "edge1")
	_, out, _ = sluice("", "device", "plan", "edge1")
	for _, want := range []string{"[local-install]\n          flowspec\n           local-install interface-all\n", "2 rules: 1 native, 0 rewritten, 0 by filter, 1 rejected"} {
		if !strings.Contains(out, want) {
			t.Errorf("device plan does not say %q:\n%s", want, out)
		}
	}
	proof := filepath.Join(t.TempDir(), "edge1.json")
	if status, out, errOut = sluice("", "device", "plan", "edge1", "--certificate", proof); status != exitDone || !strings.Contains(out, "1 rejected") {
		t.Errorf("status %d\n%s%s", status, out, errOut)
	}
	var checked bytes.Buffer
	if status = run(t.Context(), []string{"verify", proof}, strings.NewReader(""), &checked, &checked); status != exitDone || !strings.Contains(checked.String(), "verified: 2 rules, 1 entry for cisco-asr9k") {
		t.Errorf("status %d\n%s", status, checked.String())
	}
	if status, _, errOut = sluice("", "device", "plan", "edge2", "--certificate", proof); status != exitFailed || !strings.Contains(errOut, `no device "edge2"`) {
		t.Errorf("status %d\n%s", status, errOut)
	}
	for _, args := range [][]string{{"rule", "show", "4711"}, {"rule", "delete", id, "4711"}} {
		if status, _, errOut := sluice("", args...); status != exitUsage || !strings.Contains(errOut, `"4711" is no rule's ID`) {
			t.Errorf("%q: status %d\n%s", args, status, errOut)
		}
	}
	if _, out, _ = sluice("", "rule", "list"); !strings.Contains(out, "2 rules in force") {
		t.Errorf("a rule is gone, and another of the same line was none:\n%s", out)
	}
	if status, out, _ = sluice("", "rule", "delete", id); status != exitDone || out != id+" withdrawn\n" {
		t.Errorf("delete: status %d\n%s", status, out)
	}
	if status, _, errOut = sluice("", "rule", "delete", id); status != exitFailed || !strings.Contains(errOut, "no rule with ID") {
		t.Errorf("delete again: status %d\n%s", status, errOut)
	}
}

// A device that does not answer is not in sync, and the reason stands below the table.
// A device that holds two routes is given no third, and what it is given instead of one of them comes after that one has gone. Both are said.
func TestDeviceWithoutRoom(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t, func(d *config.Device) { d.MaxRoutes = 2 })
	add := func(host string) {
		t.Helper()
		if status, out, errOut := sluice("", "rule", "add", "flow route { match { destination 203.0.113."+host+"/32; } then { discard; } }"); status > 1 {
			t.Fatalf("%d %s%s", status, out, errOut)
		}
	}
	until := func(args []string, wants ...string) {
		t.Helper()
		out := ""
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if _, out, _ = sluice("", args...); !slices.ContainsFunc(wants, func(w string) bool { return !strings.Contains(out, w) }) {
				return
			}
		}
		t.Fatalf("%v: got\n%s\nwant %q in it", args, out, wants)
	}
	add("20")
	add("30")
	until([]string{"device", "show", "edge1"}, "2 routes given")
	add("10") // comes before the others, so that the last of them has no place
	note := "note: the last change began with the withdrawal of 1 route, severest first, before it announced others: the device has room for 2 routes, not for both tables"
	until([]string{"device", "plan", "edge1"}, note, "holds 2 rules", "3 rules: 2 native, 0 rewritten, 0 by filter, 1 rejected")
	until([]string{"device", "show", "edge1"}, note)
}

func TestDeviceList(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t)
	status, out, errOut := sluice("", "device", "list")
	lines := strings.Split(out, "\n")
	if status != exitDone || len(lines) < 2 || !strings.HasPrefix(lines[0], "DEVICE ") || !strings.HasPrefix(lines[1], "edge1 ") || strings.Contains(lines[1], "in-sync") {
		t.Errorf("status %d\n%s%s", status, out, errOut)
	}
	if status, _, errOut = sluice("", "device", "show", "edge2"); status != exitFailed || !strings.Contains(errOut, `no device "edge2"`) {
		t.Errorf("status %d\n%s", status, errOut)
	}
}

// A device whose profile has filters in one language is not given an adapter that writes another.
func TestAdapterOfAnotherDialect(t *testing.T) {
	t.Parallel()
	asr9k, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	for adapter, want := range map[string]string{
		"junos":     "device edge1: adapter junos does not write the filters of profile cisco-asr9k; its dialect is iosxr",
		"iosxr":     "",
		"iosxr-cli": "",
	} {
		got := ""
		if err := startAndEnd(t, config.Device{Name: "edge1", Profile: asr9k, Filter: &config.FilterDelivery{
			Adapter: adapter, Confirm: 30 * time.Second, Target: device.Target{Name: "edge1", Address: "127.0.0.1:1", Placement: filter.Alone},
		}}); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", adapter, got, want)
		}
	}
}

// startAndEnd makes a gateway with one device, and ends it.
func startAndEnd(t *testing.T, d config.Device) error {
	t.Helper()
	g, err := newGateway(t.Context(), &config.Config{
		RouterID: netip.MustParseAddr("192.0.2.1"), AS: 64512, ListenAPI: "127.0.0.1:0", Store: filepath.Join(t.TempDir(), "s.db"), Devices: []config.Device{d},
	}, profiles.Embedded(), slog.New(slog.DiscardHandler), strings.NewReader(""))
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := g.run(ctx, nil); err != nil {
		t.Error(err)
	}
	return nil
}

// Options of a device are those of its adapter's transport.
func TestOptionsOfAnotherTransport(t *testing.T) {
	t.Parallel()
	const file = "../../adapters/openconfig/testdata/profile.yaml"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := profile.Load(file, b)
	if err != nil {
		t.Fatal(err)
	}
	for option, want := range map[string]string{"ca-file": "", "min-commit-interval": "device edge1: device edge1, option min-commit-interval: there is no such option; there are ca-file, server-name, cert-file, key-file and commit"} {
		d := config.Device{Name: "edge1", Profile: leaf, Filter: &config.FilterDelivery{
			Adapter: "openconfig", Confirm: 30 * time.Second, Target: device.Target{Name: "edge1", Options: map[string]string{option: "5s"}},
		}}
		got := ""
		if err := startAndEnd(t, d); err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: got %q, want %q", option, got, want)
		}
	}
}

// A frozen device says so everywhere, and what has ended there; only its own thaw, or that of all, ends it.
func TestDeviceFreeze(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t)
	want := func(status int, say string, args ...string) string {
		t.Helper()
		got, out, errOut := sluice("", args...)
		if got != status || !strings.Contains(out+errOut, say) {
			t.Fatalf("sluice %s: exit %d, want %d and %q:\n%s%s", strings.Join(args, " "), got, status, say, out, errOut)
		}
		return out
	}
	id, _, _ := strings.Cut(want(exitDone, "flow route", "rule", "add", fits), " ")
	until := func(say string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !strings.Contains(want(exitDone, "edge1", "device", "show", "edge1"), say); {
			if time.Now().After(end) {
				want(exitDone, say, "device", "show", "edge1")
			}
		}
	}
	until("1 route given to BGP")
	want(exitDone, "0 routes sent; BGP session: Active", "device", "show", "edge1", "--native")
	want(exitDone, "edge1 is frozen until 20", "device", "freeze", "edge1", "--for", "2h", "--reason", "new line\ncards")
	want(exitDone, "edge1: frozen by order until 20", "device", "list")
	want(exitDone, "withdrawn", "rule", "delete", id)
	until("overdue: " + id + " destination 203.0.113.10/32;")
	want(exitDone, "edge1: it has ended, and the device, which is frozen by order, still does it", "rule", "show", id)
	want(exitDone, "1 overdue", "device", "show", "edge1")
	want(exitDone, "frozen by order since 20", "device", "show", "edge1")
	want(exitDone, ": new line cards", "device", "show", "edge1")
	want(exitFailed, "frozen by order", "device", "sync", "edge1")
	want(exitDone, "all devices are frozen until it is thawed", "device", "freeze", "--all")
	want(exitDone, "thaw --all", "device", "thaw", "edge1")
	want(exitFailed, "not frozen on its own", "device", "thaw", "edge1")
	want(exitDone, "frozen by order with all devices", "device", "show", "edge1")
	want(exitDone, "no longer frozen", "device", "thaw", "--all")
	want(exitFailed, "no device", "device", "freeze", "edge9")
	want(exitFailed, "such as 2h", "device", "freeze", "edge1", "--for", "soon")
	want(exitUsage, "--all", "device", "freeze")
	want(exitUsage, "--all", "device", "thaw", "edge1", "--all")
}

// says waits until a command ends so and says so.
func says(t *testing.T, sluice func(string, ...string) (int, string, string), status int, say string, args ...string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		got, out, errOut := sluice("", args...)
		if got == status && strings.Contains(out+errOut, say) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("sluice %s: exit %d, want %d and %q:\n%s%s", strings.Join(args, " "), got, status, say, out, errOut)
		}
	}
}

// What another configuration would change of a device is shown where a person looks, and not done before a person says so.
func TestProposalCommands(t *testing.T) {
	t.Parallel()
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	narrow, native := *prof, *prof.Native
	native.Components = maps.Clone(native.Components)
	limits := native.Components[flowspec.SrcPort]
	limits.MaxValues = 1
	native.Components[flowspec.SrcPort] = limits
	narrow.Native = &native
	cfg := config.Config{Software: "v1", Store: filepath.Join(t.TempDir(), "s.db"), Devices: []config.Device{{Name: "edge1", Profile: prof, BGP: &config.Peer{
		Address: netip.MustParseAddr("127.0.0.1"), Port: 1, AS: 64513, Families: []flowspec.Family{flowspec.IPv4},
	}}}}
	first := cfg
	sluice, stop := stoppable(t, &first)
	says(t, sluice, exitDone, "flow route", "rule", "add", "flow route { match { destination 203.0.113.10/32; protocol =udp; source-port [ =53 =123 ]; } then { discard; } }")
	says(t, sluice, exitDone, "1 route given", "device", "show", "edge1")
	says(t, sluice, exitDone, "nothing: edge1 is given the plans of this version", "device", "plan", "edge1", "--since")
	stop()
	second := cfg
	second.Devices = slices.Clone(cfg.Devices)
	second.Devices[0].Profile = &narrow
	sluice, stop = stoppable(t, &second)
	defer stop()
	says(t, sluice, exitDone, "edge1: this version would change 1 rule: sluice device plan edge1 --since", "device", "list")
	says(t, sluice, exitDone, "this version would change 1 rule of what it has", "device", "show", "edge1")
	says(t, sluice, exitDone, "1 route given", "device", "show", "edge1")
	says(t, sluice, exitDone, "\n  - native\n  -   flow route", "device", "plan", "edge1", "--since")
	says(t, sluice, exitDone, "source-port =123; } then { discard; } }\n1 rule would change: sluice device adopt edge1\n", "device", "plan", "edge1", "--since")
	says(t, sluice, exitDone, "edge1\n", "plan", "--since")
	says(t, sluice, exitDone, `"device": "edge1"`, "plan", "--since", "--format", "json")
	says(t, sluice, exitUsage, "sluice device plan NAME", "plan")
	says(t, sluice, exitUsage, "--all", "device", "adopt")
	says(t, sluice, exitFailed, `no device "edge9"`, "device", "adopt", "edge9")
	says(t, sluice, exitDone, "edge1 is given the plans of this version", "device", "adopt", "edge1")
	says(t, sluice, exitDone, "2 routes given", "device", "show", "edge1")
	says(t, sluice, exitDone, "nothing: every device", "plan", "--since")
	says(t, sluice, exitFailed, "nothing is proposed", "device", "adopt", "--all")
}

// What is new waits for a canary that is not there; it is shown where a person looks, and goes when a person says so.
func TestRolloutCommands(t *testing.T) {
	t.Parallel()
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	cfg := &config.Config{Groups: []config.Group{{Name: "edge", Devices: []string{"edge1", "edge2"}, Canary: []string{"edge1"}, Watch: time.Second}}}
	for i, name := range []string{"edge1", "edge2"} {
		cfg.Devices = append(cfg.Devices, config.Device{Name: name, Profile: prof, BGP: &config.Peer{
			Address: netip.MustParseAddr("127.0.0.1"), Port: uint16(i + 1), AS: 64513, Families: []flowspec.Family{flowspec.IPv4},
		}})
	}
	sluice := gatewayOf(t, cfg)
	until := func(status int, say string, args ...string) { t.Helper(); says(t, sluice, status, say, args...) }
	until(exitDone, "edge: done\n  canary: edge1, watched for 1s, with new plans for 0s; others: edge2\n", "rollout", "show")
	until(exitDone, "flow route", "rule", "add", fits)
	until(exitDone, "edge: trying: canary edge1 cannot be given it: no BGP session: ", "rollout", "show", "edge")
	until(exitDone, "  withheld: ", "rollout", "show", "edge")
	until(exitDone, "edge2: 1 rule withheld: canary edge1", "device", "list")
	until(exitDone, "in group edge, after its canaries\n  1 rule withheld: canary edge1", "device", "show", "edge2")
	until(exitDone, "canary of group edge", "device", "show", "edge1")
	until(exitDone, "0 routes given", "device", "show", "edge2")
	until(exitDone, "is stopped", "rollout", "stop", "edge", "--reason", "ticket 7")
	until(exitDone, "edge: stopped: ticket 7", "rollout", "show")
	until(exitDone, "goes on", "rollout", "resume", "edge")
	until(exitFailed, "is not stopped", "rollout", "resume", "edge")
	until(exitDone, `"withheld":1`, "rollout", "show", "--format", "json")
	until(exitDone, "get what is in force", "rollout", "release", "edge")
	until(exitDone, "1 route given", "device", "show", "edge2")
	until(exitDone, "edge: done", "rollout", "show")
	until(exitFailed, `no group "core"`, "rollout", "release", "core")
	until(exitFailed, `no group "core"`, "rollout", "show", "core")
}

// No source may cut the gateway off from its own neighbours, in either direction.
func TestOwnSessionsAreNotFiltered(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t, func(d *config.Device) {
		d.BGP.Address, d.BGP.Local, d.BGP.Port = netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2"), 0
	})
	for _, c := range []struct {
		rule   string
		status int
		say    string
	}{
		{"flow route { match { destination 203.0.113.0/24; protocol =tcp; } then { discard; } }", exitFailed, "the BGP session with edge1, such as tcp 203.0.113.2:"},
		{"flow route { match { destination 203.0.113.2/32; source-port =179; } then { rate-limit 9600; } }", exitFailed, "tcp 203.0.113.1:179 > 203.0.113.2:"},
		{"flow route { match { destination 203.0.113.0/24; protocol =tcp; } then { accept; } }", exitDone, ""},
		{"flow route { match { destination 203.0.113.0/24; protocol =udp; } then { discard; } }", exitDone, ""},
		{"flow route { match { destination 203.0.113.9/32; protocol =tcp; } then { discard; } }", exitDone, ""},
	} {
		status, out, errOut := sluice("", "rule", "add", c.rule)
		if status != c.status || !strings.Contains(errOut, c.say) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s%s", c.rule, status, c.status, c.say, out, errOut)
		}
	}
}

// Nor may one cut the connection by which a router shows what it holds.
func TestBMPIsNotFiltered(t *testing.T) {
	t.Parallel()
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	const port = 31019
	router, ours := netip.MustParseAddr("203.0.113.1"), netip.MustParseAddr("203.0.113.2")
	sluice := gatewayOf(t, &config.Config{
		ListenBMP: []netip.AddrPort{netip.AddrPortFrom(netip.IPv4Unspecified(), port)},
		Devices: []config.Device{{Name: "edge1", Profile: prof, BMP: router, BGP: &config.Peer{
			Address: router, Local: ours, AS: 64513, Families: []flowspec.Family{flowspec.IPv4},
		}}},
	})
	for rule, said := range map[string]string{
		"destination 203.0.113.2/32; protocol =tcp; source-port >=1024; destination-port =31019;": "the BMP session of edge1, such as tcp 203.0.113.1:",
		"destination 203.0.113.1/32; protocol =tcp; source-port =31019; destination-port >=1024;": "the BMP session of edge1, such as tcp 203.0.113.2:31019 > 203.0.113.1:",
		"destination 203.0.113.2/32; protocol =tcp; source-port >=1024; destination-port =31020;": "",
	} {
		status, out, errOut := sluice("", "rule", "add", "flow route { match { "+rule+" } then { discard; } }")
		if (status != exitDone) != (said != "") || !strings.Contains(errOut, said) {
			t.Errorf("%s: exit %d, want %q:\n%s%s", rule, status, said, out, errOut)
		}
	}
}

// A rule that a device does not take, for its source, is shown as left out, and why; it is not refused, and not in what BGP is given.
func TestRuleOfASourceThatIsNotTaken(t *testing.T) {
	t.Parallel()
	sluice := aGateway(t, func(d *config.Device) { d.Sources = []flowspec.Source{"detector"} })
	_, out, _ := sluice("", "rule", "add", fits)
	id := strings.Fields(out)[0]
	says(t, sluice, exitDone, "left-out", "rule", "show", id)
	says(t, sluice, exitDone, "the device does not take rules of api, by its configuration: it takes those of detector", "rule", "show", id)
	says(t, sluice, exitDone, "1 rule left out: of sources that the device does not take", "device", "show", "edge1")
	says(t, sluice, exitDone, "0 routes given to BGP", "device", "show", "edge1")
	says(t, sluice, exitDone, "0 rejected", "device", "show", "edge1")
	says(t, sluice, exitDone, "source-not-taken", "device", "plan", "edge1")
}
