package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// env is a world in which a configuration can be read: two secrets, and the shipped profiles.
func env() Env {
	return Env{
		Getenv: func(name string) string {
			return map[string]string{"ACME_PASSWORD": "hunter2", "BGP_PASSWORD": "hunter3"}[name]
		},
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
		Command: func(words []string) ([]byte, error) {
			if slices.Equal(words, []string{"pass", "show", "routers/leaf1"}) {
				return []byte("hunter4\n"), nil
			}
			return runCommand(words)
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
	if c.RouterID != netip.MustParseAddr("192.0.2.1") || c.AS != 64512 || c.Community != 64512<<16|6666 {
		t.Errorf("BGP identity: %+v", c)
	}
	edge := c.Devices[0]
	if want := []string{"communities added: no-llgr, 64512:6666, 64512:70, 64512:70:1", "communities stripped: no-export",
		"VRF customer-a, rules with rd 64512:100: sent with rd 192.0.2.21:7, route targets 64512:107"}; !slices.Equal(edge.Sends(), want) {
		t.Errorf("edge1 is sent %q, want %q", edge.Sends(), want)
	}
	if sends := c.Devices[1].Sends(); len(sends) != 1 || sends[0] != "communities added: no-export, no-llgr, 64512:6666" || c.Devices[2].Sends() != nil {
		t.Errorf("mx1 is sent %q, lab %q", sends, c.Devices[2].Sends())
	}
	rd := flowspec.RD{0, 0, 0xfc, 0, 0, 0, 0, 100}
	if !slices.Equal(edge.VPNs(), []flowspec.RD{rd}) || c.Devices[1].VPNs() != nil {
		t.Errorf("edge1 has the VPNs %x, mx1 %x", edge.VPNs(), c.Devices[1].VPNs())
	}
	if g := c.Groups; len(g) != 1 || g[0].Name != "junos" || !slices.Equal(g[0].Devices, []string{"mx1", "lab"}) || !slices.Equal(g[0].Canary, []string{"lab"}) || g[0].Watch != 10*time.Second || g[0].Soak != 10*time.Minute || g[0].Unmanned || c.AtOnce != 16 {
		t.Errorf("groups %+v, %d at once", g, c.AtOnce)
	}
	for i, want := range []Idle{{30 * time.Minute, "expire"}, {time.Hour, "show"}, {time.Hour, "show"}, {time.Hour, "show"}} {
		if got := c.Sources[i].Idle; got != want {
			t.Errorf("idle of source %d: got %v, want %v", i, got, want)
		}
	}
	for i, want := range []Mass{{60, 5 * time.Second, 50, 15 * time.Minute}, {}, {50, 10 * time.Second, 20, 10 * time.Minute}, {}} {
		if got := c.Sources[i].Mass; got != want {
			t.Errorf("%s: a mass withdrawal is %+v, want %+v", c.Sources[i].Name, got, want)
		}
	}
	detector := c.Sources[0]
	if in := detector.Admit.In; in == nil || *in != rd {
		t.Errorf("the rules of detector are in %x", in)
	}
	if detector.Hold != 10*time.Minute || detector.Quiet != 30*time.Second || detector.MaxRules != 2000 || detector.BGP == nil || !detector.BGP.Passive {
		t.Errorf("detector: %+v", detector)
	}
	if p := detector.BGP; p.Password != "hunter3" || p.Hops != 1 || p.Offsets != flowspec.OffsetWhole || p.Restart != 2*time.Minute || fmt.Sprintf("%v %+v %#v", *p, *p, *p) != strings.ReplaceAll(fmt.Sprintf("%v %+v %#v", *p, *p, *p), "hunter", "") {
		t.Errorf("the session of detector: %+v", *p)
	}
	if from := detector.Admit.From; len(from.Originators) != 2 || from.Originators[0].String() != "192.0.2.10/32" || !slices.Equal(from.ASes, []uint32{0}) || !slices.Equal(from.Communities, []uint32{64512<<16 | 100}) {
		t.Errorf("detector may bring %+v", from)
	}
	if detector.BGP.LocalAS != 64512 {
		t.Errorf("the local AS of detector is %d", detector.BGP.LocalAS)
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
	if lab := c.Devices[2].Filter.Target; lab.Password != "hunter4" || lab.Options["acme-slot"] != "3" {
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

// A route reflector stands for several platforms: what it is sent is what all of them take.
func TestDeviceForSeveralPlatforms(t *testing.T) {
	t.Parallel()
	c, err := Parse("c.yaml", []byte(minimal+`devices:
  - {name: rr, profiles: [asr9k, "junos-mx:term-order=standard", nokia-sros], bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}
`), env())
	if err != nil {
		t.Fatal(err)
	}
	p := c.Devices[0].Profile
	if p.Name != "cisco-asr9k+junos-mx+nokia-sros" || p.Native.MaxRules.N != 512 || c.Devices[0].Room() != 512 {
		t.Errorf("%s holds %+v, room for %d", p.Name, p.Native.MaxRules, c.Devices[0].Room())
	}
	if f := p.Facts[p.Native.MaxRules.Fact]; f.ID != "nokia-sros/max-size" || !strings.HasPrefix(f.Text, "nokia-sros: ") || f.Basis != profile.Documented {
		t.Errorf("the limit rests on %+v", f)
	}
}

// What a source may filter, and where its rules are.
func TestVPNsOfSources(t *testing.T) {
	t.Parallel()
	text := strings.Replace(vrf, "import: [\"1:2\"]", "import: [\"1:2\"], export: [\"1:3\"]", 1)
	c, err := Parse("c.yaml", []byte(minimal+text+`sources:
  - {name: global, validation: off, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}, allow: {destinations: [any]}}
  - {name: placed, vrf: a, validation: off, bgp: {address: 192.0.2.3, as: 1, families: [ipv4]}, allow: {destinations: [any]}}
  - {name: vpns, bgp: {address: 192.0.2.4, as: 1, families: [vpnv4, vpnv6]}, allow: {destinations: [any], vrfs: [a, b]}}
  - {name: api, api: true, allow: {destinations: [any], vrfs: [b]}}
  - {name: file, file: /x, allow: {destinations: [any], vrfs: [any]}}
`), env())
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"map[] in <nil>, any false", "map[a:] in &[0 0 0 1 0 0 0 1], any false", "map[a: b:1:3] in <nil>, any false", "map[b:] in <nil>, any false", "map[] in <nil>, any true",
	} {
		p := c.Sources[i].Admit
		vpns := map[string]string{}
		for _, v := range p.VPNs {
			vpns[v.Name] = ""
			for _, c := range v.Targets {
				vpns[v.Name] += notation.TargetText(c)
			}
		}
		if got := fmt.Sprintf("%v in %v, any %t", vpns, p.In, p.AnyVPN); got != want {
			t.Errorf("%s: %s, want %s", c.Sources[i].Name, got, want)
		}
	}
}

func TestOnExcess(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Excess{"discard": {}, "warn": {Warn: true}, "teardown": {Teardown: 10 * time.Minute}, "teardown 90s": {Teardown: 90 * time.Second}} {
		c, err := Parse("c.yaml", []byte(minimal+"sources:\n  - {name: s, validation: off, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}, allow: {destinations: [any], max-rules: 2, on-excess: "+text+"}}\n"), env())
		if err != nil || c.Sources[0].Excess != want {
			t.Errorf("%s: got %+v, %v", text, c, err)
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
		if key != "insecure-ignore-host-key" && key != ",inline" { // deliberately not advertised, and no key
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

const vrf = "vrfs:\n  - {name: a, rd: \"1:1\", route-targets: {import: [\"1:1\"]}}\n  - {name: b, rd: \"1:2\", route-targets: {import: [\"1:2\"]}}\n"

const fleet = `devices:
  - {name: a, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}
  - {name: b, profile: asr9k, bgp: {address: 192.0.2.3, as: 1, families: [ipv4]}}
  - {name: c, profile: arista-eos, bgp: {address: 192.0.2.4, as: 1, families: [ipv4]}}
`

// both is a neighbour that is device and source, with these families as a source.
func both(families string) string {
	return "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n" +
		"sources:\n  - {name: s, validation: off, bgp: {address: 192.0.2.2, as: 1, families: " + families + "}, allow: {destinations: [any]}}\n"
}

func TestDeviceThatIsASource(t *testing.T) {
	t.Parallel()
	c, err := Parse("c.yaml", []byte(minimal+both("[ipv4]")), env())
	if err != nil || !c.Devices[0].BGP.Same(*c.Sources[0].BGP) {
		t.Errorf("got %v, %v", c, err)
	}
}

// Rules of another AS are compared with unicast routes unless the file says otherwise, and somebody has to send these.
func TestValidation(t *testing.T) {
	t.Parallel()
	const vrfs = "vrfs:\n  - {name: a, rd: \"1:1\"}\n"
	const edge = "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.3, as: 64512, families: [ipv4, ipv4-unicast]}}\n"
	source := func(as int, families, more string) string {
		return fmt.Sprintf("sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: %d, families: [%s]}, allow: {destinations: [any], vrfs: [any]}%s}\n", as, families, more)
	}
	for name, c := range map[string]struct {
		text, err string
		validate  bool
	}{
		"another AS":             {source(1, "ipv4, ipv4-unicast", ""), "", true},
		"by another's routes":    {edge + source(1, "ipv4", ""), "", true},
		"off":                    {source(1, "ipv4", ", validation: off"), "", false},
		"ours":                   {source(64512, "ipv4", ""), "", false},
		"ours, on":               {source(64512, "ipv4, ipv4-unicast", ", validation: on"), "", true},
		"nothing to compare":     {source(1, "ipv4", ""), "no neighbour is to send the ipv4 ones: add ipv4-unicast to the families of this source", false},
		"of the other version":   {edge + source(1, "ipv4, ipv6", ""), "no neighbour is to send the ipv6 ones: add ipv6-unicast", false},
		"of a VPN":               {edge + source(1, "ipv4", ", vrf: a"), "no neighbour is to send the ipv4 ones of a: add ipv4-unicast", false},
		"VPN families alone":     {source(1, "vpnv4", ""), "", true},
		"unicast and no rules":   {source(1, "ipv4-unicast", ""), "families: missing", false},
		"no such unicast family": {source(1, "vpnv4-unicast", ""), `"vpnv4-unicast" is no family`, false},
		"no such word":           {source(64512, "ipv4", ", validation: strict"), `"strict" is neither "on" nor "off"`, false},
		"by no path":             {"sources:\n  - {name: s, api: true, validation: off, allow: {destinations: [any]}}\n", "is for BGP sources", false},
	} {
		got, err := Parse("c.yaml", []byte("router-id: 192.0.2.1\nas: 64512\nstore: x\n"+vrfs+c.text), env())
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: got %v, want %s", name, err, c.err)
		case c.err == "" && (err != nil || got.Sources[0].Validate != c.validate):
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestProblemsHavePlaces(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"empty":             {"", "c.yaml: the file is empty"},
		"unknown key":       {minimal + "stroe: x\n", `c.yaml:4:1: unknown field "stroe"`},
		"duplicate key":     {minimal + "as: 1\n", `c.yaml:4:1: `},
		"second document":   {minimal + "---\nas: 1\n", "a second document"},
		"tag":               {"as: !vault 64512\n", "tags are not read here"},
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
		"memory":            {minimal + "plugins:\n  - {name: p, file: /x, unlocked: true, memory: 1GB}\n", `c.yaml:5:49: plugins[0].memory: "1GB" is no amount of memory`},
		"pinned and not":    {minimal + "plugins:\n  - {name: p, file: /x, unlocked: true, sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855}\n", "write one of the two"},
		"not pinned":        {minimal + "plugins:\n  - {name: p, file: /x}\n", "/x is not pinned in plugins.lock: if it is the file that you mean, type `sluice adapter lock -c c.yaml`"},
		"twice the name":    {minimal + "sources:\n  - {name: a, api: true, allow: {destinations: [any]}}\n  - {name: a, api: true, allow: {destinations: [any]}}\n", `c.yaml:6:12: sources[1].name: "a" is there twice`},
		"secret not there":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {env: NOPE}}\n", "the environment variable NOPE is not set"},
		"secret by two":     {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {env: A, command: [b]}}\n", "needs exactly one of env, file and command"},
		"no command":        {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {command: [/nowhere/pass]}}\n", "/nowhere/pass: no such file"},
		"command fails":     {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {command: [sh, -c, \"echo hunter5 >&2; exit 3\"]}}\n", "sh failed: exit status 3"},
		"command is silent": {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {command: [\"true\"]}}\n", "true gives nothing"},
		"secret in clear":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: hunter2}\n", "c.yaml:7:"},
		"default above max": {minimal + "ttl: {default: 2h, max: 1h}\n", "c.yaml:4:16: ttl.default: 2h0m0s is above the ceiling"},
		"short confirm":     {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", confirm-within: 10ms}\n", "confirm-within: 10ms is not between 1s and 1m0s"},
		"count too often":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", count-every: 10ms}\n", "count-every: 10ms is below 1s"},
		"two APIs":          {minimal + "sources:\n  - {name: a, api: true, allow: {destinations: [any]}}\n  - {name: b, api: true, allow: {destinations: [any]}}\n", "c.yaml:6:20: sources[1].api: there is a source with api: true already"},
		"one pipe twice":    {minimal + "sources:\n  - {name: a, pipe: \"-\", allow: {destinations: [any]}}\n  - {name: b, pipe: \"-\", allow: {destinations: [any]}}\n", "each would get some of its lines"},
		"no filters":        {minimal + "devices:\n  - name: d\n    profile: generic\n    filter: {adapter: junos, address: \"a:1\"}\n", "profile generic has no filters"},
		"no FlowSpec":       {minimal + "devices:\n  - {name: d, profile: cisco-ncs5500, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "profile cisco-ncs5500 has no FlowSpec by BGP: give the device a filter adapter instead (Only systems with external TCAM"},
		"one without":       {minimal + "devices:\n  - {name: d, profiles: [asr9k, cisco-ncs5500], bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "c.yaml:5:25: devices[0].profiles: profile cisco-ncs5500 has no FlowSpec by BGP"},
		"said both ways":    {minimal + "devices:\n  - {name: d, profile: asr9k, profiles: [asr9k, junos-mx], bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "devices[0].profile: there are profiles as well"},
		"one of them twice": {minimal + "devices:\n  - {name: d, profiles: [asr9k, cisco-asr9k], bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "profile cisco-asr9k is there twice"},
		"room of several":   {minimal + "devices:\n  - {name: d, profiles: [asr9k, junos-mx], bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "profile cisco-asr9k+junos-mx does not know how many"},
		"several, filters":  {minimal + "devices:\n  - {name: d, profiles: [asr9k, junos-mx], max-routes: 9, filter: {adapter: junos, address: \"a:1\"}, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "profile cisco-asr9k+junos-mx has no filters"},
		"path of no path":   {minimal + "sources:\n  - {name: s, api: true, allow: {destinations: [any], neighbour-as: [1]}}\n", "sources[0].allow: originators, neighbour-as and communities are about the paths"},
		"no originator":     {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 64512, families: [ipv4]}, allow: {destinations: [any], originators: [x]}}\n", `originators[0]: "x" is not a prefix`},
		"large origin":      {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 64512, families: [ipv4]}, allow: {destinations: [any], communities: [\"1:1:1\"]}}\n", "is no community of 32 bits"},
		"no such value":     {minimal + "devices:\n  - {name: d, profile: \"cisco-ncs5500:etcam=yes\", bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "option etcam is one of false, true, not \"yes\""},
		"two IP versions":   {minimal + "devices:\n  - name: d\n    profile: asr9k\n    bgp: {address: 192.0.2.2, local-address: \"2001:db8::1\", as: 1, families: [ipv4]}\n", "are not of one IP version"},
		"empty secret":      {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", password: {file: /empty}}\n", "/empty gives nothing"},
		"neighbour twice":   {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n  - {name: e, profile: asr9k, bgp: {address: 192.0.2.2, port: 179, as: 1, families: [ipv4]}}\n", `c.yaml:6:46: devices[1].bgp.address: 192.0.2.2 is the neighbour of "d" already`},
		"both, not agreed":  {minimal + both("[ipv4, ipv6]"), `192.0.2.2 is the device "d" as well, over one session: as, families and all`},
		"one name for two":  {minimal + strings.Replace(both("[ipv4]"), "name: s, validation: off, bgp: {address: 192.0.2.2", "name: d, validation: off, bgp: {address: 192.0.2.3", 1), `"d" is also a device, with another address`},
		"negative room":     {minimal + "devices:\n  - {name: d, profile: asr9k, max-routes: -1, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "c.yaml:5:43: devices[0].max-routes: -1 is negative"},
		"headroom of what":  {minimal + "devices:\n  - {name: d, profile: asr9k, headroom: 9, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "devices[0].headroom: headroom is beyond max-routes, and there is no max-routes"},
		"no room said":      {minimal + "devices:\n  - {name: d, profile: junos-mx, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", `devices[0].max-routes: missing: profile junos-mx does not know how many FlowSpec routes the router takes. Write the limit that is configured there, such as "max-routes: 3000", or "max-routes: unlimited" if there is none (more than the neighbour may send: with teardown, ends the session)`},
		"what the RFC says": {minimal + "devices:\n  - {name: d, profile: generic, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "devices[0].max-routes: missing: profile generic does not know"},
		"room for none":     {minimal + "devices:\n  - {name: d, profile: asr9k, max-routes: 0, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", `c.yaml:5:43: devices[0].max-routes: "0" is neither a number of routes nor "unlimited"`},
		"room for many":     {minimal + "devices:\n  - {name: d, profile: asr9k, max-routes: 3k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", `"3k" is neither a number of routes nor "unlimited"`},
		"room without end":  {minimal + "devices:\n  - {name: d, profile: junos-mx, max-routes: unlimited, headroom: 9, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "headroom is beyond max-routes"},
		"room without BGP":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    filter: {adapter: junos, address: \"a:1\"}\n", "c.yaml:7:17: devices[0].max-routes: routes are what BGP carries"},
		"order not there":   {minimal + "devices:\n  - {name: d, profile: junos-mx, measured-order: /gone, bgp: {address: 192.0.2.2, as: 1, families: [ipv6]}}\n", "c.yaml:5:50: devices[0].measured-order: open /gone"},
		"order unreadable":  {minimal + "devices:\n  - {name: d, profile: junos-mx, measured-order: /empty, bgp: {address: 192.0.2.2, as: 1, families: [ipv6]}}\n", "/empty: there is no FlowSpec rule in it"},
		"order of no BGP":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    measured-order: /etc/sluice/mx1.order\n    filter: {adapter: junos, address: \"a:1\"}\n", "the order of routes is that of BGP"},
		"protected":         {minimal + "protected: [192.0.2.1/24]\n", "c.yaml:4:13: protected[0]: 192.0.2.1/24 has bits set outside its length"},
		"no instance's rt":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", instances: {SCRUB: \"65000:666\"}}\n", `c.yaml:7:58: devices[0].filter.instances: "SCRUB" is no route target`},
		"one instance":      {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", instances: {\"1:1\": A, \"1:2\": A}}\n", "instance A: route target 1:1 and route target 1:2"},
		"instances twice":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\", instances: {\"1:1\": A}, options: {instances: \"1:1=A\"}}\n", "options.instances: write it as instances beside options"},
		"VRF without rd":    {minimal + "vrfs:\n  - name: a\n", "c.yaml:5:5: vrfs[0].rd: missing"},
		"bad rd":            {minimal + "vrfs:\n  - {name: a, rd: \"70000:70000\"}\n", `vrfs[0].rd: "70000:70000" is no route distinguisher`},
		"bad route target":  {minimal + "vrfs:\n  - {name: a, rd: \"1:1\", route-targets: {import: [x]}}\n", `vrfs[0].route-targets.import[0]: "x" is no route target`},
		"one rd for two":    {minimal + "vrfs:\n  - {name: a, rd: \"1:1\"}\n  - {name: b, rd: \"1:1\"}\n", "c.yaml:6:19: vrfs[1].rd: another VPN has the route distinguisher 1:1 already"},
		"a VRF called any":  {minimal + "vrfs:\n  - {name: any, rd: \"1:1\"}\n", "stands for all VPNs"},
		"no VRF":            {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}}\n", "families for VPNs, and the device has no vrfs"},
		"no family for it":  {minimal + vrf + "devices:\n  - {name: d, profile: asr9k, vrfs: [{name: a}], bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "devices[0].vrfs: rules of VPNs travel in the families vpnv4 and vpnv6"},
		"unknown VRF":       {minimal + "devices:\n  - {name: d, profile: asr9k, vrfs: [{name: a}], bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}}\n", `devices[0].vrfs[0].name: "a" is not among vrfs`},
		"no route target":   {minimal + "vrfs:\n  - {name: a, rd: \"1:1\"}\ndevices:\n  - {name: d, profile: asr9k, vrfs: [{name: a}], bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}}\n", "no route target: a VRF takes"},
		"no such family":    {minimal + vrf + "devices:\n  - {name: d, profile: arista-eos, vrfs: [{name: a}], bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}}\n", "profile arista-eos does not take FlowSpec of family vpnv4 ("},
		"one target twice":  {minimal + vrf + "devices:\n  - {name: d, profile: asr9k, vrfs: [{name: a}, {name: b, route-targets: {import: [\"1:1\"]}}], bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}}\n", "devices[0].vrfs[1]: a imports 1:1 too: rules of the one would filter packets of the other"},
		"one rd twice":      {minimal + vrf + "devices:\n  - {name: d, profile: asr9k, vrfs: [{name: a}, {name: b, rd: \"1:1\"}], bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}}\n", "devices[0].vrfs[1]: a has the route distinguisher 1:1 on this device too"},
		"source and VPNs":   {minimal + vrf + "sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}, allow: {destinations: [any]}}\n", "sources[0].allow: vrfs is missing"},
		"VRF said twice":    {minimal + vrf + "sources:\n  - {name: s, vrf: a, bgp: {address: 192.0.2.2, as: 1, families: [vpnv4]}, allow: {destinations: [any], vrfs: [a]}}\n", "name their VPNs themselves"},
		"source elsewhere":  {minimal + vrf + "sources:\n  - {name: s, vrf: c, api: true, allow: {destinations: [any]}}\n", `sources[0].vrf: "c" is not among vrfs`},
		"no such mark":      {minimal + "devices:\n  - {name: d, profile: asr9k, communities: {add: [x]}, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", `devices[0].communities.add[0]: "x" is no community`},
		"mark that acts":    {minimal + "devices:\n  - {name: d, profile: asr9k, communities: {add: [\"0x8006000000000000\"]}, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "is an action of FlowSpec"},
		"target as mark":    {minimal + "devices:\n  - {name: d, profile: asr9k, communities: {add: [\"target:1:1\"]}, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "it belongs to vrfs"},
		"our own stripped":  {minimal + "devices:\n  - {name: d, profile: asr9k, communities: {strip: [\"64512:6666\"]}, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "it stays"},
		"long restart":      {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4], graceful-restart: 2h}}\n", "2h0m0s is not whole seconds up to 4095s"},
		"half a second":     {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4], graceful-restart: 500ms}}\n", "500ms is not whole seconds"},
		"bmp, no listener":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    bmp: 192.0.2.9\n    bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}\n", "listen.bmp is missing"},
		"bmp, no bgp":       {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    bmp: 192.0.2.9\n    filter: {adapter: junos, address: \"a:1\"}\n", "the device has no bgp"},
		"bmp, no address":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    bmp: edge\n    bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}\n", "the device connects from"},
		"counters, no bgp":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    filter: {adapter: junos, address: \"a:1\"}\n    counters: {adapter: junos, address: \"a:1\"}\n", "the device has no bgp"},
		"counters, whose":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}\n    counters: {address: \"a:1\"}\n", "missing: the adapter"},
		"counters, often":   {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}\n    counters: {adapter: junos, address: \"a:1\", count-every: 0s}\n", "below 1s"},
		"counters, what":    {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    max-routes: 9\n    bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}\n    counters: {adapter: junos, address: \"a:1\", options: {count: filters}}\n", "not for a configuration to say"},
		"bmp, one address":  {minimal + "listen: {bmp: [\"192.0.2.1:11019\"]}\ndevices:\n  - {name: d, profile: junos-mx, max-routes: 9, bmp: 192.0.2.7, bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}}\n  - {name: e, profile: junos-mx, max-routes: 9, bmp: 192.0.2.7, bgp: {address: 192.0.2.8, as: 1, families: [ipv4]}}\n", "tell two devices apart"},
		"bmp, wrong rd":     {minimal + "listen: {bmp: [\"192.0.2.1:11019\"]}\ndevices:\n  - {name: d, profile: junos-mx, max-routes: 9, bmp: 192.0.2.7, bmp-rd: a, bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}}\n", `devices[0].bmp-rd: "a" is no route distinguisher`},
		"bmp's rd alone":    {minimal + "devices:\n  - {name: d, profile: junos-mx, max-routes: 9, bmp-rd: \"1:1\", bgp: {address: 192.0.2.9, as: 1, families: [ipv4]}}\n", "devices[0].bmp: missing: bmp-rd"},
		"alone in nothing":  {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    one-nlri-per-update: true\n    filter: {adapter: junos, address: \"a:1\"}\n", "UPDATEs are BGP's"},
		"excess of what":    {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}, allow: {destinations: [any], on-excess: warn}}\n", "there is no max-rules to exceed"},
		"excess by API":     {minimal + "sources:\n  - {name: s, api: true, allow: {destinations: [any], max-rules: 2, on-excess: warn}}\n", "sources[0].allow.on-excess: is for BGP sources"},
		"excess, and then":  {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}, allow: {destinations: [any], max-rules: 2, on-excess: explode}}\n", `"explode" is neither "discard"`},
		"mass by API":       {minimal + "sources:\n  - {name: s, api: true, mass-withdrawal: {more-than: 50%}, allow: {destinations: [any]}}\n", "sources[0].mass-withdrawal: is not for rules that come by API"},
		"no share":          {minimal + "sources:\n  - {name: s, pipe: \"-\", mass-withdrawal: {more-than: half}, allow: {destinations: [any]}}\n", `c.yaml:5:55: sources[0].mass-withdrawal.more-than: "half" is no share, such as 50%`},
		"too large a share": {minimal + "sources:\n  - {name: s, pipe: \"-\", mass-withdrawal: {more-than: 101%}, allow: {destinations: [any]}}\n", `"101%" is no share`},
		"of no rules":       {minimal + "sources:\n  - {name: s, pipe: \"-\", mass-withdrawal: {of-at-least: 0}, allow: {destinations: [any]}}\n", "0 is no number of rules"},
		"mass in no time":   {minimal + "sources:\n  - {name: s, pipe: \"-\", mass-withdrawal: {within: 1ms}, allow: {destinations: [any]}}\n", "1ms is not between 1s and 1h"},
		"idle at once":      {minimal + "idle: {after: 10s}\n", "idle.after: 10s is less than a minute"},
		"idle and then":     {minimal + "sources:\n  - {name: s, api: true, idle: {then: drop}, allow: {destinations: [any]}}\n", `sources[0].idle.then: "drop" is none of show, warn, expire`},
		"kept no time":      {minimal + "sources:\n  - {name: s, pipe: \"-\", mass-withdrawal: {keep: 0s}, allow: {destinations: [any]}}\n", "0s is less than a second: more-than: 100% is how"},
		"device anywhere":   {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.0/24, as: 1, families: [ipv4]}}\n", "192.0.2.0/24 is a prefix: a device is one router"},
		"crowd twice":       {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.0/24, as: 64512, families: [ipv4]}, allow: {destinations: [any]}}\n  - {name: t, bgp: {address: 192.0.2.0/24, as: 64512, families: [ipv4]}, allow: {destinations: [any]}}\n", `sources[1].bgp.address: the neighbours in 192.0.2.0/24 are those of "s" already`},
		"crowd's bits":      {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.1/24, as: 64512, families: [ipv4]}, allow: {destinations: [any]}}\n", "192.0.2.1/24 has bits set outside its length"},
		"signed crowd":      {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.0/24, as: 64512, md5-password: {env: BGP_PASSWORD}, families: [ipv4]}, allow: {destinations: [any]}}\n", "a signature goes with an address"},
		"crowd of nobody":   {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.0/24, limit: 0, as: 64512, families: [ipv4]}, allow: {destinations: [any]}}\n", "0 is no number of neighbours"},
		"limit of one":      {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.1, limit: 2, as: 64512, families: [ipv4]}, allow: {destinations: [any]}}\n", "where address is a prefix"},
		"@":                 {minimal + "sources:\n  - {name: s@t, api: true, allow: {destinations: [any]}}\n", "an @ stands between"},
		"short teardown":    {minimal + "sources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}, allow: {destinations: [any], max-rules: 2, on-excess: teardown 1ms}}\n", "less than a second"},
		"far away":          {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4], ttl-security: 255}}\n", "ttl-security: 255: the number of hops"},
		"no such form":      {minimal + "devices:\n  - {name: d, profile: generic, bgp: {address: 192.0.2.2, as: 1, families: [ipv6], ipv6-offset: shifted}}\n", `bgp.ipv6-offset: "shifted" is none of rfc8956, whole-prefix, from-octet, multiples-of-8`},
		"another form":      {minimal + "devices:\n  - {name: d, profile: gobgp, bgp: {address: 192.0.2.2, as: 1, families: [ipv6], ipv6-offset: rfc8956}}\n", "devices[0].bgp.ipv6-offset: rfc8956, and profile gobgp says whole-prefix"},
		"a form too many":   {minimal + "devices:\n  - {name: d, profile: bird, bgp: {address: 192.0.2.2, as: 1, families: [ipv6], ipv6-offset: whole-prefix}}\n", "devices[0].bgp.ipv6-offset: whole-prefix, and profile bird says multiples-of-8"},
		"a form for one":    {minimal + "devices:\n  - {name: d, profile: bird, bgp: {address: 192.0.2.2, as: 1, families: [ipv6], ipv6-offset: from-octet}}\nsources:\n  - {name: s, bgp: {address: 192.0.2.2, as: 1, families: [ipv6]}, allow: {destinations: [any]}}\n", "over one session"},
		"password in clear": {minimal + "devices:\n  - {name: d, profile: asr9k, bgp: {address: 192.0.2.2, as: 1, families: [ipv4], md5-password: hunter2}}\n", "c.yaml:5:"},
		"both ways":         {minimal + "devices:\n  - {name: d, profile: asr9k, communities: {add: [\"1:1\"], strip: [\"1:1\"]}, bgp: {address: 192.0.2.2, as: 1, families: [ipv4]}}\n", "devices[0].communities.add[0]: 1:1 is stripped as well"},
		"marks without BGP": {minimal + "devices:\n  - name: d\n    profile: junos-mx\n    communities: {add: [\"1:1\"]}\n    filter: {adapter: junos, address: \"a:1\"}\n", "communities travel by BGP"},
		"nobody first":      {minimal + fleet + "groups:\n  - {name: g, devices: [a, b]}\n", "c.yaml:9:6: groups[0].canary: missing"},
		"nobody waits":      {minimal + fleet + "groups:\n  - {name: g, devices: [a], canary: [a]}\n", "every device is a canary"},
		"stranger first":    {minimal + fleet + "groups:\n  - {name: g, devices: [a, b], canary: [c]}\n", `groups[0].canary[0]: "c" is not among the devices of the group`},
		"nobody's device":   {minimal + fleet + "groups:\n  - {name: g, devices: [a, b, x], canary: [a]}\n", `groups[0].devices[2]: "x" is not among devices`},
		"in two groups":     {minimal + fleet + "groups:\n  - {name: g, devices: [a, b], canary: [a]}\n  - {name: h, devices: [b, a], canary: [a]}\n", "groups[1].devices[0]: b is in group g already"},
		"another platform":  {minimal + fleet + "groups:\n  - {name: g, devices: [a, c], canary: [a]}\n", "groups[0].devices[1]: c has profile arista-eos, and no canary of the group has"},
		"short watch":       {minimal + fleet + "groups:\n  - {name: g, devices: [a, b], canary: [a], watch: 10ms}\n", "groups[0].watch: 10ms is less than a second"},
		"short soak":        {minimal + fleet + "groups:\n  - {name: g, devices: [a, b], canary: [a], soak: 1s}\n", "groups[0].soak: 1s is less than watch, which is 10s"},
		"without canary":    {minimal + fleet + "groups:\n  - {name: g, devices: [a, b], canary: [a], canary-down: panic}\n", `"panic" is neither "wait" nor "go-on"`},
		"none at once":      {minimal + "commits-at-once: 0\n", "c.yaml:4:18: commits-at-once: 0: at least one device"},
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

// A profile that takes offsets of multiples of 8 leaves it to the configuration how the neighbour writes others.
func TestOffsetsOfOneReleaseOrAnother(t *testing.T) {
	t.Parallel()
	for _, form := range []flowspec.OffsetForm{flowspec.OffsetRFC8956, flowspec.OffsetFromOctet, flowspec.OffsetEights} {
		c, err := Parse("c.yaml", []byte(minimal+"community: 1:1\ndevices:\n  - {name: d, profile: bird, max-routes: 100, bgp: {address: 192.0.2.2, as: 1, families: [ipv6], ipv6-offset: "+form.String()+"}}\n"), env())
		if err != nil || c.Devices[0].BGP.Offsets != form {
			t.Errorf("%s: %v", form, err)
		}
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
		if s := fmt.Sprintf(verb, c.Devices[2].Filter.Target); strings.Contains(s, "hunter4") {
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

// Whose rules a device takes is said by names of sources, and a group tries the rules of all of them on a canary.
func TestSourcesOfADevice(t *testing.T) {
	t.Parallel()
	const sources = minimal + "sources:\n  - {name: one, api: true, allow: {destinations: [any]}}\n  - {name: two, pipe: /run/p, allow: {destinations: [any]}}\n"
	device := func(name, more string) string {
		return "  - {name: " + name + ", profile: asr9k, bgp: {address: 192.0.2." + map[string]string{"a": "2", "b": "3"}[name] + ", as: 1, families: [ipv4]}" + more + "}\n"
	}
	group := "groups:\n  - {name: g, devices: [a, b], canary: [a]}\n"
	for name, c := range map[string]struct{ text, err string }{
		"some":            {sources + "devices:\n" + device("a", ", sources: [two, one]"), ""},
		"unknown":         {sources + "devices:\n" + device("a", ", sources: [one, three]"), `devices[0].sources[1]: "three" is not among sources`},
		"twice":           {sources + "devices:\n" + device("a", ", sources: [one, one]"), `"one" is there twice`},
		"none":            {sources + "devices:\n" + device("a", ", sources: []"), "devices[0].sources: empty"},
		"canary alike":    {sources + "devices:\n" + device("a", ", sources: [one]") + device("b", ", sources: [one]") + group, ""},
		"canary of all":   {sources + "devices:\n" + device("a", "") + device("b", ", sources: [one]") + group, ""},
		"canary of fewer": {sources + "devices:\n" + device("a", ", sources: [one]") + device("b", "") + group, "groups[0].devices[1]: b takes rules of sources whose rules no canary of the group with its profile takes"},
		"canary of other": {sources + "devices:\n" + device("a", ", sources: [one]") + device("b", ", sources: [two]") + group, "they would be tried on nobody"},
	} {
		got, err := Parse("c.yaml", []byte(c.text), env())
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %s", name, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case name == "some" && !slices.Equal(got.Devices[0].Sources, []flowspec.Source{"one", "two"}):
			t.Errorf("sources %v", got.Devices[0].Sources)
		}
	}
}

// What of another configuration is not as in this one is named, and no more: two loads of one file do not differ.
func TestDiffers(t *testing.T) {
	t.Parallel()
	load := func(edits ...string) *Config {
		t.Helper()
		text := reference(t)
		for i := 0; i < len(edits); i += 2 {
			if !strings.Contains(text, edits[i]) {
				t.Fatalf("the reference has no %q", edits[i])
			}
			text = strings.ReplaceAll(text, edits[i], edits[i+1])
		}
		c, err := Parse("reference.yaml", []byte(text), env())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	was := load()
	for name, tt := range map[string]struct {
		edits []string
		want  []string
	}{
		"nothing":    {nil, nil},
		"no-export":  {[]string{"no-export: true ", "no-export: false"}, []string{"device edge1 is another one", "device mx1 is another one", "device rr1 is another one"}},
		"a renaming": {[]string{"name: rr1", "name: rr2"}, []string{"device rr2 is new", "device rr1 is gone"}},
		"a number":   {[]string{"commits-at-once: 16", "commits-at-once: 17"}, []string{"commits-at-once is another one"}},
	} {
		if got := was.Differs(load(tt.edits...)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
