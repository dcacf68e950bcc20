package cli

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/flowtext"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

//go:embed templates/junos_show_flowspec.textfsm
var junosFlowSpec string

//go:embed templates/iosxr_show_flowspec.textfsm
var iosxrFlowSpec string

//go:embed templates/eos_show_flowspec.textfsm
var eosFlowSpec string

// Routes is how a system is asked what its FlowSpec routes have matched.
type Routes struct {
	Command  string // typed where commands are; "": it is not asked
	Template string // the TextFSM template that reads the answer, with the values NAME, PACKETS and BYTES, and with POLICER or INSTALLED where the system shows them
	// Match reads a NAME. One that it does not understand has no count.
	Match func(name string) (flowspec.Match, error)
}

// read returns the counters of an answer by device.FlowName. A rule that is not installed has none, and neither has one with a policer: see readJunosRoutes of adapters/netconf.
func (r Routes) read(text string) (map[string]device.Counter, error) {
	records, err := readListing(r.Template, text)
	if err != nil {
		return nil, err
	}
	out, limited := map[string]device.Counter{}, map[string]bool{}
	for _, one := range records {
		if policer := one.value("POLICER"); policer != "" {
			_, of, _ := strings.Cut(policer, "_") // the rate stands in front
			limited[of] = true
			continue
		}
		name, n, err := one.counter()
		if err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice || name == "" {
			return nil, fmt.Errorf("counter %q is there twice, or has no name", name)
		}
		if installed, shown := one["INSTALLED"]; shown && installed != "yes" {
			continue
		}
		out[name] = n
	}
	return r.named(out, limited)
}

// named gives counters the names of what they count.
func (r Routes) named(counters map[string]device.Counter, limited map[string]bool) (map[string]device.Counter, error) {
	out := map[string]device.Counter{}
	for name, n := range counters {
		m, err := r.Match(name)
		if err != nil || limited[name] {
			continue
		}
		flow := device.FlowName(m)
		if _, twice := out[flow]; twice {
			return nil, fmt.Errorf("two counters are of %v", m)
		}
		out[flow] = n
	}
	return out, nil
}

// The routes of the systems. That of Junos is asked for one filter, IOS XR and EOS for IPv4 in the default VRF: of IPv6 no source shows an answer.
var (
	junosRoutes = Routes{"show firewall filter " + flowtext.JunosFilter, junosFlowSpec, flowtext.Junos}
	iosxrRoutes = Routes{"show flowspec ipv4 detail", iosxrFlowSpec, flowtext.IOSXR}
	eosRoutes   = Routes{"show flow-spec ipv4", eosFlowSpec, flowtext.EOS}
)
