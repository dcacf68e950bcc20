package netconf

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/flowtext"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// junosRoutes asks for the filter that Junos makes of its IPv4 routes, whose counters bear their matches as names. That of IPv6 is not asked for: no source shows the names of its counters.
var junosRoutes = counterModel{
	ask: func([]*element) ([]string, func(*element, map[string]device.Counter) error, error) {
		request := "<get-firewall-filter-information><filtername>" + flowtext.JunosFilter + "</filtername></get-firewall-filter-information>"
		return []string{request}, readJunosRoutes, nil
	},
}

// readJunosRoutes takes a <firewall-information>. Of a route that has a policer beside its counter there is no count: on vMX the policer showed more packets beyond its rate than the counter had in all
// (net4fungr.github.io, "kustom-metrics"), so what it discards is not in the counter, and no source says whether the two add up to what matched.
func readJunosRoutes(reply *element, out map[string]device.Counter) error {
	named := map[string]device.Counter{}
	if err := readJunos(reply, []string{flowtext.JunosFilter}, named); err != nil {
		return err
	}
	for _, p := range all([]*element{reply}, "filter-information", "policer") {
		name, err := p.leaf("policer-name")
		if err != nil {
			return err
		}
		_, limited, _ := strings.Cut(name, "_") // the rate stands in front
		delete(named, limited)
	}
	for name, n := range named {
		m, err := flowtext.Junos(name)
		if err != nil {
			continue // whose it is is not known
		}
		out[device.FlowName(m)] = n
	}
	return nil
}

// iosxrRoutes asks for the flows of the default VRF in Cisco-IOS-XR-flowspec-oper, twice: by the octets of their NLRI, and by their text. A router that shows both, as XRv 9000 says it does (`show telemetry internal
// json`, net4fungr.github.io), is believed in its octets.
var iosxrRoutes = counterModel{
	ask: func([]*element) ([]string, func(*element, map[string]device.Counter) error, error) {
		const counters = `<flow-statistics><classified/></flow-statistics>`
		request := `<get><filter type="subtree"><flow-spec xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-flowspec-oper"><vrfs><vrf><vrf-name>default</vrf-name><afs><af><af-name/>` +
			`<nlris><nlri><nlri-bytes/>` + counters + `</nlri></nlris><flows><flow><flow-notation/>` + counters + `</flow></flows></af></afs></vrf></vrfs></flow-spec></filter></get>`
		return []string{request}, readIOSXRRoutes, nil
	},
}

// iosxrFamilies are the address families of the model, by af-name.
var iosxrFamilies = map[string]flowspec.Family{"IPv4": flowspec.IPv4, "IPv6": flowspec.IPv6}

// readIOSXRRoutes takes a <flow-spec>: classified, which `show flowspec` calls Matched. Families and flows that are not understood have no count.
func readIOSXRRoutes(reply *element, out map[string]device.Counter) error {
	if reply.XMLName.Local != "flow-spec" {
		return fmt.Errorf("element %s, want flow-spec", reply.XMLName.Local)
	}
	for _, vrf := range all([]*element{reply}, "vrfs", "vrf") {
		name, err := vrf.leaf("vrf-name")
		if err != nil {
			return err
		}
		if name != "default" {
			return fmt.Errorf("flows of VRF %s, which nobody asked for", name)
		}
		for _, af := range all([]*element{vrf}, "afs", "af") {
			name, err := af.leaf("af-name")
			if err != nil {
				return err
			}
			if family, known := iosxrFamilies[name]; known {
				if err := readIOSXRFamily(af, family, out); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}

func readIOSXRFamily(af *element, f flowspec.Family, out map[string]device.Counter) error {
	octets := func(text string) (string, error) {
		m, err := flowtext.IOSXRBytes(f, text)
		return device.NLRIName(m), err
	}
	flow := func(text string) (string, error) {
		m, err := flowtext.IOSXR(text)
		return device.FlowName(m), err
	}
	if err := readIOSXRList(all([]*element{af}, "nlris", "nlri"), "nlri-bytes", octets, out); err != nil || f != flowspec.IPv4 {
		return err
	}
	return readIOSXRList(all([]*element{af}, "flows", "flow"), "flow-notation", flow, out)
}

// readIOSXRList reads a list of flows, which read names by their key.
func readIOSXRList(flows []*element, key string, read func(string) (string, error), out map[string]device.Counter) error {
	for _, flow := range flows {
		text, err := flow.leaf(key)
		if err != nil {
			return err
		}
		name, err := read(text)
		statistics := all([]*element{flow}, "flow-statistics", "classified")
		if err != nil || len(statistics) != 1 {
			continue // whose it is is not known, or it has no count
		}
		n, err := statistics[0].counter("packets", "bytes")
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		if _, twice := out[name]; twice {
			return fmt.Errorf("%s is there twice", text)
		}
		out[name] = n
	}
	return nil
}
