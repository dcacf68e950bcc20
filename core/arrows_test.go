// Package core_test holds what is true of the whole tree rather than of one package.
package core_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "github.com/sluice-gateway/sluice/"

// arrows says who may import whom: each package on the left may import the packages on the right and whatever those may import.
// The tree is the one of docs/architecture.md; imports point one way.
var arrows = map[string][]string{
	"core/packet":     {},
	"core/flowspec":   {"core/packet"},
	"core/notation":   {"core/flowspec"},
	"core/rulegen":    {"core/flowspec"}, // tables for tests and benchmarks
	"core/table":      {"core/flowspec"},
	"core/rib":        {"core/flowspec"},
	"core/admit":      {"core/flowspec"},
	"core/filter":     {"core/table"},
	"core/oracle":     {"core/filter"}, // for tests
	"core/profile":    {"core/filter"},
	"profiles":        {"core/profile"},
	"core/device":     {"core/filter"},
	"core/plan/split": {"core/flowspec"}, // and never core/table: the prover shares no code with what it checks
	"core/plan":       {"core/rib", "core/profile", "core/device", "core/table", "core/plan/split"},
	"core/store":      {"core/device"},

	// What checks a plan shares packet sets and the form of a file with what makes it, and nothing else.
	"core/certificate":       {},
	"core/certificate/issue": {"core/certificate", "core/plan"},
	"core/verify/octets":     {"core/certificate", "core/packet"},
	"core/verify":            {"core/certificate", "core/packet", "core/verify/octets"},

	"core/reconcile": {"core/plan", "core/rib", "core/store"},
	"core/idle":      {"core/reconcile"},
	"core/review":    {"core/table"},
	"core/report":    {"core/plan", "core/notation", "core/review"},
	"core/trace":     {"core/report"},
	"core/api":       {"core/reconcile", "core/report", "core/trace", "core/admit", "core/certificate/issue"},
	"core/config":    {"core/profile", "core/admit", "core/notation", "core/device", "core/plan"},

	"adapters/eos":                 {"core/filter"},
	"adapters/eosacl":              {"adapters/internal/ciscoacl"},
	"adapters/junos":               {"core/filter"},
	"adapters/internal/ciscoacl":   {"core/filter"},
	"adapters/iosxe":               {"adapters/internal/ciscoacl"},
	"adapters/iosxepolicy":         {"adapters/iosxe"},
	"adapters/iosxr":               {"adapters/internal/ciscoacl"},
	"adapters/openconfig":          {"core/filter"},
	"adapters/slx":                 {"core/filter"},
	"adapters/sros":                {"core/filter"},
	"adapters/vrp":                 {"core/filter"},
	"adapters/cli":                 {"core/device", "adapters/internal/sshclient", "adapters/internal/sessions", "adapters/internal/flowtext"},
	"adapters/cli/clitest":         {"adapters/netconf/netconftest", "adapters/internal/sshtest"}, // its clock
	"adapters/internal/sshclient":  {"core/device"},
	"adapters/internal/sessions":   {"core/device"},
	"adapters/internal/flowtext":   {"core/flowspec"},
	"adapters/internal/sshtest":    {},
	"adapters/netconf":             {"core/device", "adapters/internal/sshclient", "adapters/internal/sessions", "adapters/internal/flowtext"},
	"adapters/gnmi":                {"core/device"},
	"adapters/hostkey":             {},
	"adapters/neutral":             {"core/filter"},
	"adapters/nftables":            {"core/filter"},
	"adapters/nft":                 {"core/device", "adapters/internal/sshclient", "adapters/internal/sessions"},
	"adapters/netconf/netconftest": {"adapters/internal/sshtest"},
	"adapters/feed":                {"core/rib", "core/admit", "core/notation"},
	"adapters/bgp/session":         {},
	"adapters/bgp":                 {"core/rib", "core/admit", "core/flowspec", "core/device", "adapters/bgp/session", "adapters/bgp/bmp"},
	"adapters/bgp/bmp":             {"core/flowspec", "core/device", "adapters/bgp/session"},
	"adapters/bgp/bgptest":         {"core/flowspec", "adapters/bgp/session"},
	"plugins":                      {}, // the example as text
	"plugins/sdk":                  {"core/device"},
	"adapters/host":                {"core/device", "plugins/sdk"},
	"adapters/adaptertest":         {"core/device", "core/table"},
	"adapters/dialecttest":         {"core/plan", "profiles"},
	"plugins/junos":                {"adapters/junos", "adapters/netconf", "plugins/sdk"},
	"plugins/eos":                  {"adapters/cli", "adapters/eos", "plugins/sdk"},
	"plugins/eosacl":               {"adapters/cli", "adapters/eosacl", "plugins/sdk"},
	"plugins/iosxe":                {"adapters/iosxe", "adapters/netconf", "plugins/sdk"},
	"plugins/iosxepolicy":          {"adapters/iosxepolicy", "adapters/netconf", "plugins/sdk"},
	"plugins/iosxr":                {"adapters/iosxr", "adapters/netconf", "plugins/sdk"},
	"plugins/iosxrcli":             {"adapters/iosxr", "adapters/cli", "plugins/sdk"},
	"plugins/junoscli":             {"adapters/junos", "adapters/cli", "plugins/sdk"},
	"plugins/vrpcli":               {"adapters/vrp", "adapters/cli", "plugins/sdk"},
	"plugins/sroscli":              {"adapters/sros", "adapters/cli", "plugins/sdk"},
	"plugins/openconfig":           {"adapters/gnmi", "adapters/openconfig", "plugins/sdk"},
	"plugins/nftables":             {"adapters/nft", "adapters/nftables", "plugins/sdk"},
	"plugins/sros":                 {"adapters/sros", "adapters/netconf", "plugins/sdk"},
	"plugins/vrp":                  {"adapters/vrp", "adapters/netconf", "plugins/sdk"},
	"plugins/example":              {"plugins/sdk"},
}

// anywhere may import everything: only cmd wires, and whole scenarios need whole programs.
var anywhere = []string{"cmd/", "integration/"}

func TestImportsPointOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		if wires(name) {
			continue
		}
		if _, known := arrows[home(name)]; !known {
			t.Errorf("%s has no place in the tree: add it to arrows and to docs/architecture.md", name)
			continue
		}
		allowed := map[string]bool{home(name): true}
		closure(home(name), allowed)
		for _, i := range p.Imports {
			to, ours := strings.CutPrefix(i, module)
			if ours && !allowed[home(to)] {
				t.Errorf("%s imports %s: that arrow points the wrong way", name, to)
			}
		}
	}
}

// TestForeignTypesStopAtOnePackage keeps third-party types in the package that exists to meet them.
func TestForeignTypesStopAtOnePackage(t *testing.T) {
	t.Parallel()
	meets := map[string][]string{
		"github.com/osrg/gobgp/":           {"adapters/bgp"},
		"github.com/Juniper/go-netconf/":   {"adapters/netconf"},
		"github.com/scrapli/scrapligo/":    {"adapters/cli"},
		"github.com/sirikothe/gotextfsm":   {"adapters/cli"},
		"github.com/openconfig/":           {"adapters/gnmi", "integration/gnmi"},
		"github.com/hashicorp/go-plugin":   {"plugins/sdk", "adapters/host"},
		"go.etcd.io/bbolt":                 {"core/store"},
		"github.com/danielgtaylor/huma/v2": {"core/api"},
	}
	for _, p := range packages(t) {
		name := strings.TrimPrefix(p.ImportPath, module)
		for _, i := range p.Imports {
			for foreign, homes := range meets {
				if strings.HasPrefix(i, foreign) && !under(name, homes) {
					t.Errorf("%s imports %s: only %v may", name, i, homes)
				}
			}
		}
	}
}

type listed struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	cmd.Dir = ".."
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, errOut.String())
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages only", len(all))
	}
	return all
}

func closure(name string, seen map[string]bool) {
	for _, to := range arrows[name] {
		if !seen[to] {
			seen[to] = true
			closure(to, seen)
		}
	}
}

// home is the package of the tree that name belongs to: itself, or the nearest one above it.
func home(name string) string {
	for n := name; n != ""; {
		if _, ok := arrows[n]; ok {
			return n
		}
		i := strings.LastIndexByte(n, '/')
		if i < 0 {
			break
		}
		n = n[:i]
	}
	return name
}

func wires(name string) bool {
	for _, p := range anywhere {
		if strings.HasPrefix(name+"/", p) {
			return true
		}
	}
	return name == "core" // this test
}

func under(name string, homes []string) bool {
	for _, h := range homes {
		if name == h || strings.HasPrefix(name, h+"/") {
			return true
		}
	}
	return false
}
