package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// env is a world in which a configuration can be read: two secrets, and the shipped profiles.
func env() Env {
	return Env{
		Getenv: func(name string) string { return map[string]string{"ACME_PASSWORD": "hunter2"}[name] },
		ReadFile: func(name string) ([]byte, error) {
			if name == "/empty" {
				return []byte("\n"), nil
			}
			if name == "/etc/sluice/mx1.order" {
				return []byte("2/133 0901300020010db80001\n"), nil
			}
			if name == "/etc/sluice/id_ed25519" {
				return []byte("-----BEGIN KEY-----\n"), nil
			}
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		},
		Profiles: func(string) (*profile.Library, error) { return profiles.Embedded(), nil },
	}
}

// reference returns the YAML of docs/configuration.md.
func reference(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(b), "```yaml\n")
	text, _, closed := strings.Cut(rest, "```")
	if !found || !closed {
		t.Fatal("docs/configuration.md has no YAML block")
	}
	return text
}

func TestReferenceIsValid(t *testing.T) {
	t.Parallel()
	c, err := Parse("reference.yaml", []byte(reference(t)), env())
	if err != nil {
		t.Fatal(err)
	}
	if c.RouterID != netip.MustParseAddr("192.0.2.1") || c.AS != 64512 || c.Community != 64512<<16|6666 || !c.NoExport {
		t.Errorf("BGP identity: %+v", c)
	}
	detector := c.Sources[0]
	if detector.Hold != 10*time.Minute || detector.Quiet != 30*time.Second || detector.MaxRules != 2000 || detector.BGP == nil || !detector.BGP.Passive {
		t.Errorf("detector: %+v", detector)
	}
	if len(detector.Admit.Components) != 7 || detector.Admit.Components[0] != flowspec.DstPrefix {
		t.Errorf("detector may use %v", detector.Admit.Components)
	}
	for _, s := range c.Sources {
		if len(s.Admit.Protected) != 2 || s.Admit.Protected[0] != netip.MustParsePrefix("192.0.2.0/24") {
			t.Errorf("of %s is protected: %v", s.Name, s.Admit.Protected)
		}
	}
	if !c.Sources[1].Admit.AnyDestination || c.Sources[1].File == "" {
		t.Errorf("standing: %+v", c.Sources[1])
	}
	mx := c.Devices[1]
	if len(mx.Measured.Listed()) != 1 {
		t.Errorf("measured order: %v", mx.Measured.Listed())
	}
	if mx.Profile.Name != "junos-mx" || mx.Settings["term-order"] != "standard" || mx.Filter.Target.Placement != filter.Alone || mx.Filter.Confirm != 30*time.Second {
		t.Errorf("mx1: %+v", mx)
	}
	if got := mx.Filter.Instances.String(); got != "65000:666=SCRUB" || mx.Filter.Target.Options["instances"] != got {
		t.Errorf("mx1 has the instances %s, and its adapter is told %v", got, mx.Filter.Target.Options)
	}
	if edge := c.Devices[0]; edge.Room() != 3200 || edge.Holding().Native.MaxRules != (profile.Number{N: 3000}) || edge.Profile.Native.MaxRules.Fact == "" || mx.Room() != 0 || mx.Holding() != mx.Profile {
		t.Errorf("edge1 has room for %d and holds %+v; its profile says %+v; mx1 has room for %d", edge.Room(), edge.Holding().Native.MaxRules, edge.Profile.Native.MaxRules, mx.Room())
	}
	if lab := c.Devices[2].Filter.Target; lab.Password != "hunter2" || lab.Options["acme-slot"] != "3" {
		t.Errorf("lab: %+v", lab)
	}
}

// An option of a profile counts for the whole configuration: what the device carries, and how much of it.
func TestDeviceWithAnOption(t *testing.T) {
	t.Parallel()
	c, err := Parse("c.yaml", []byte(minimal+`devices:
  - {name: a, profile: "cisco-ncs5500:etcam=true", max-routes: 100, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}
  - {name: b, profile: "nokia-sros:max-size=raised", max-routes: 2000, bgp: {address: 192.0.2.3, as: 1, families: [ipv4]}}
  - {name: c, profile: nokia-sros, max-routes: 2000, bgp: {address: 192.0.2.4, as: 1, families: [ipv4]}}
`), env())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{100, 2000, 512} {
		d := c.Devices[i]
		p, err := d.Holding().With(d.Settings)
		if err != nil || p.Native == nil || p.Native.MaxRules.N != want || p.Native.MaxRules.Soft {
			t.Errorf("%s: %+v, %v; want %d rules", d.Name, p, err, want)
		}
	}
}

// Every key of the raw types is in the reference: a key that is not is one that nobody can find.
func TestReferenceIsComplete(t *testing.T) {
	t.Parallel()
	text := reference(t)
	for _, key := range keys(t) {
		if !strings.Contains(text, key+":") {
			t.Errorf("docs/configuration.md does not mention %q", key)
		}
	}
}

// keys returns the YAML keys of raw.go.
func keys(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("raw.go")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, part := range strings.Split(string(b), "`yaml:\"")[1:] {
		key, _, _ := strings.Cut(part, "\"")
		if key != "insecure-ignore-host-key" { // deliberately not advertised
			out = append(out, key)
		}
	}
	if len(out) < 40 {
		t.Fatalf("found %d keys only", len(out))
	}
	return out
}

const minimal = `router-id: 192.0.2.1
as: 64512
store: s.db
`

// both is a neighbour that is device and source, with these families as a source.
func both(families string) string {
	return "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n" +
		"sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 1, families: " + families + "}, allow: {destinations: [any]}}\n"
}

func TestDeviceThatIsASource(t *testing.T) {
	t.Parallel()
	c, err := Parse("c.yaml", []byte(minimal+both("[ipv4]")), env())
	if err != nil || !c.Devices[0].BGP.Same(*c.Sources[0].BGP) {
		t.Errorf("got %v, %v", c, err)
	}
}

func TestProblemsHavePlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "c.yaml: the file is empty"},
		"unknown key":       {minimal + "stroe: x\n", `c.yaml:4:1: unknown field "stroe"`},
		"duplicate key":     {minimal + "as: 1\n", `c.yaml:4:1: `},
		"second document":   {minimal + "---\nas: 1\n", "a second document"},
		"wrong type":        {"router-id: 192.0.2.1\nas: lots\nstore: x\n", "c.yaml:2:5: "},
		"no AS":             {"router-id: 192.0.2.1\nstore: x\n", "as: missing"},
		"router id":         {"router-id: 2001:db8::1\nas: 1\nstore: x\n", "c.yaml:1:12: router-id: "},
		"API off loopback":  {minimal + "listen: {api: \"0.0.0.0:8330\"}\n", "c.yaml:4:15: listen.api: "},
		"no destinations":   {minimal + "sources:\n  - name: api\n    api: true\n", "c.yaml:5:5: sources[0].allow.destinations: missing"},
		"host bits":         {minimal + "sources:\n  - name: api\n    api: true\n    allow: {destinations: [203.0.113.9/24]}\n", "c.yaml:7:28: sources[0].allow.destinations[0]: 203.0.113.9/24 has bits set outside its length; write 203.0.113.0/24"},
		"two kinds":         {minimal + "sources:\n  - name: x\n    api: true\n    file: r\n    allow: {destinations: [any]}\n", "needs exactly one of bgp, file, pipe and api"},
		"on-loss":           {minimal + "sources:\n  - name: x\n    api: true\n    on-loss: forget\n    allow: {destinations: [any]}\n", `c.yaml:7:14: sources[0].on-loss: "forget" is neither`},
		"compat":            {minimal + "sources:\n  - name: x\n    file: r\n    compat: [everything]\n    allow: {destinations: [any]}\n", "c.yaml:7:14: sources[0].compat[0]: "},
		"hold time":         {minimal + "devices:\n  - name: d\n    profile: asr9k\n    bgp: {address: 192.0.2.2, as: 1, families: [ipv4], hold-time: 1s}\n", "neither 0 nor between 3s and 65535s"},
		"unknown profile":   {minimal + "devices:\n  - name: d\n    profile: asr9\n    bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}\n", "c.yaml:6:14: devices[0].profile: "},
		"nothing delivers":  {minimal + "devices:\n  - name: d\n    profile: asr9k\n", "c.yaml:5:5: devices[0]: needs bgp, filter or both"},
		"long confirm":      {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", confirm-within: 90s}\n", "confirm-within: 1m30s is not between 1s and 1m0s"},
		"checksum":          {minimal + "plugins:\n  - {name: p, file: /x, sha256: 12}\n", "64 hexadecimal digits"},
		"twice the name":    {minimal + "sources:\n  - {name: a, api: true, allow: {destinations: [any]}}\n  - {name: a, api: true, allow: {destinations: [any]}}\n", `c.yaml:6:12: sources[1].name: "a" is there twice`},
		"secret not there":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {env: NOPE}}\n", "the environment variable NOPE is not set"},
		"secret in clear":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: hunter2}\n", "c.yaml:7:"},
		"default above max": {minimal + "ttl: {default: 2h, max: 1h}\n", "c.yaml:4:16: ttl.default: 2h0m0s is above the ceiling"},
		"short confirm":     {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", confirm-within: 10ms}\n", "confirm-within: 10ms is not between 1s and 1m0s"},
		"two APIs":          {minimal + "sources:\n  - {name: a, api: true, allow: {destinations: [any]}}\n  - {name: b, api: true, allow: {destinations: [any]}}\n", "c.yaml:6:20: sources[1].api: there is a source with api: true already"},
		"one pipe twice":    {minimal + "sources:\n  - {name: a, pipe: \"-\", allow: {destinations: [any]}}\n  - {name: b, pipe: \"-\", allow: {destinations: [any]}}\n", "each would get some of its lines"},
		"no filters":        {minimal + "devices:\n  - name: d\n    profile: generic\n    filter: {adapter: junos, address: \"a:1\"}\n", "profile generic has no filters"},
		"no FlowSpec":       {minimal + "devices:\n  - {name: d, profile: cisco-ncs5500, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "profile cisco-ncs5500 has no FlowSpec by BGP: give the device a filter adapter instead (Only systems with external TCAM"},
		"no such value":     {minimal + "devices:\n  - {name: d, profile: \"cisco-ncs5500:etcam=yes\", bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "option etcam is one of false, true, not \"yes\""},
		"two IP versions":   {minimal + "devices:\n  - name: d\n    profile: asr9k\n    bgp: {address: 192.0.2.2, local-address: \"2001:db8::1\", as: 1, families: [ipv4]}\n", "are not of one IP version"},
		"empty secret":      {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {file: /empty}}\n", "/empty is empty"},
		"neighbour twice":   {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n  - {name: e, profile: asr9k, bgp: {address: 192.0.2.2, port: 179, as: 1, families: [ipv4]}}\n", `c.yaml:6:46: devices[1].bgp.address: 192.0.2.2 is the neighbour of "d" already`},
		"both, not agreed":  {minimal + both("[ipv4, ipv6]"), `192.0.2.2 is the device "d" as well, over one session: as, families`},
		"one name for two":  {minimal + strings.Replace(both("[ipv4]"), "name: s, bgp: {address: 192.0.2.2", "name: d, bgp: {address: 192.0.2.3", 1), `"d" is also a device, with another address`},
		"negative room":     {minimal + "devices:\n  - {name: d, profile: asr9k, max-routes: -1, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "c.yaml:5:43: devices[0].max-routes: -1 is negative"},
		"headroom of what":  {minimal + "devices:\n  - {name: d, profile: asr9k, headroom: 9, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "devices[0].headroom: headroom is beyond max-routes, and there is no max-routes"},
		"room without BGP":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    filter: {adapter: junos, address: \"a:1\"}\n", "c.yaml:7:17: devices[0].max-routes: routes are what BGP carries"},
		"order not there":   {minimal + "devices:\n  - {name: d, profile: junos-mx, measured-order: /gone, bgp: {address: 192.0.2.2, as: 1, families: [ipv6]}}\n", "c.yaml:5:50: devices[0].measured-order: open /gone"},
		"order unreadable":  {minimal + "devices:\n  - {name: d, profile: junos-mx, measured-order: /empty, bgp: {address: 192.0.2.2, as: 1, families: [ipv6]}}\n", "/empty: there is no FlowSpec rule in it"},
		"order of no BGP":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    measured-order: /etc/sluice/mx1.order\n    filter: {adapter: junos, address: \"a:1\"}\n", "the order of routes is that of BGP"},
		"protected":         {minimal + "protected: [192.0.2.1/24]\n", "c.yaml:4:13: protected[0]: 192.0.2.1/24 has bits set outside its length"},
		"no route target":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", instances: {SCRUB: \"65000:666\"}}\n", `c.yaml:7:58: devices[0].filter.instances: "SCRUB" is no route target`},
		"one instance":      {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", instances: {\"1:1\": A, \"1:2\": A}}\n", "instance A: route target 1:1 and route target 1:2"},
		"instances twice":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", instances: {\"1:1\": A}, options: {instances: \"1:1=A\"}}\n", "options.instances: write it as instances beside options"},
		"no community":      {"router-id: 192.0.2.1\nas: 4200000000\nstore: x\n", "community: missing"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse("c.yaml", []byte(c.text), env())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// A hard limit of the profile is the most that a device has room for, whatever the file says.
func TestHardLimitOfTheProfile(t *testing.T) {
	t.Parallel()
	hard := func(n int, soft bool) *profile.Profile {
		return &profile.Profile{Native: &profile.Native{MaxRules: profile.Number{N: n, Soft: soft}}}
	}
	for _, c := range []struct {
		device      Device
		room, holds int
	}{
		{Device{Profile: hard(100, false)}, 100, 100},
		{Device{Profile: hard(100, false), MaxRoutes: 50, Headroom: 10}, 60, 50},
		{Device{Profile: hard(100, false), MaxRoutes: 95, Headroom: 10}, 100, 95},
		{Device{Profile: hard(100, false), MaxRoutes: 200}, 100, 100},
		{Device{Profile: hard(100, true)}, 0, 100},
		{Device{Profile: hard(100, true), MaxRoutes: 200}, 200, 200},
		{Device{Profile: hard(profile.Unlimited, false), MaxRoutes: 7}, 7, 7},
		{Device{Profile: hard(profile.Unlimited, false)}, 0, profile.Unlimited},
		{Device{Profile: &profile.Profile{}}, 0, -2},
	} {
		holds := -2
		if n := c.device.Holding().Native; n != nil {
			holds = n.MaxRules.N
		}
		if got := c.device.Room(); got != c.room || holds != c.holds {
			t.Errorf("max-routes %d, headroom %d: room for %d, holds %d; want %d and %d", c.device.MaxRoutes, c.device.Headroom, got, holds, c.room, c.holds)
		}
	}
}

// All problems of a file are told at once, in its order.
func TestAllProblemsAreTold(t *testing.T) {
	t.Parallel()
	_, err := Parse("c.yaml", []byte("router-id: x\nas: 0\nstore: s\nttl: {max: soon}\n"), env())
	var all interface{ Unwrap() []error }
	if !errors.As(err, &all) || len(all.Unwrap()) != 3 {
		t.Fatalf("got %v, want three problems", err)
	}
	for i, want := range []int{1, 2, 4} {
		var p Problem
		if !errors.As(all.Unwrap()[i], &p) || p.Line != want {
			t.Errorf("problem %d: %v, want it on line %d", i, all.Unwrap()[i], want)
		}
	}
}

// A secret does not appear in what is printed of a configuration.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	c, err := Parse("reference.yaml", []byte(reference(t)), env())
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		if s := fmt.Sprintf(verb, c.Devices[2].Filter.Target); strings.Contains(s, "hunter2") {
			t.Errorf("%s prints the password: %s", verb, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(minimal))
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("sources:\n  - {name: a, allow: {destinations: [any]}, bgp: {address: ::1}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := Parse("c.yaml", text, env())
		if (c == nil) == (err == nil) {
			t.Errorf("config %v, error %v", c, err)
		}
	})
}
