package netconf

import (
	"fmt"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
)

// junosCounters asks for one filter after another with <get-firewall-filter-information>, which is `show firewall filter NAME`: a counter for each name behind count in its terms, that is for each rule. A
// policer has numbers of its own there, of the packets beyond its rate, which the counter has as well.
var junosCounters = counterModel{
	names: `<configuration xmlns="http://yang.juniper.net/junos/conf/root"><firewall xmlns="http://yang.juniper.net/junos/conf/firewall"><family>` +
		`<inet><filter><name/></filter></inet><inet6><filter><name/></filter></inet6></family></firewall></configuration>`,
	ask: func(named []*element) ([]string, func(*element, map[string]device.Counter) error, error) {
		top := []*element{{Kids: named}}
		filters := slices.Concat(all(top, "configuration", "firewall", "family", "inet", "filter"), all(top, "configuration", "firewall", "family", "inet6", "filter"))
		names, err := marked(filters, "name")
		var requests []string
		for _, name := range names {
			requests = append(requests, "<get-firewall-filter-information><filtername>"+escape(name)+"</filtername></get-firewall-filter-information>")
		}
		return requests, func(reply *element, out map[string]device.Counter) error { return readJunos(reply, names, out) }, err
	},
}

// readJunos takes a <firewall-information>. A filter that stands on no interface is not in it. What the device says beside it, as <cli> in what it shows, is passed over.
func readJunos(reply *element, names []string, out map[string]device.Counter) error {
	if reply.XMLName.Local == "cli" {
		return nil
	}
	if reply.XMLName.Local != "firewall-information" {
		return fmt.Errorf("element %s, want firewall-information", reply.XMLName.Local)
	}
	for _, f := range all([]*element{reply}, "filter-information") {
		name, err := f.leaf("filter-name")
		if err != nil {
			return err
		}
		if !slices.Contains(names, name) {
			return fmt.Errorf("counters of filter %s, which nobody asked for", name)
		}
		for _, c := range all([]*element{f}, "counter") {
			of, err := c.leaf("counter-name")
			if err != nil {
				return fmt.Errorf("filter %s: %w", name, err)
			}
			n, err := c.counter("packet-count", "byte-count")
			if err != nil {
				return fmt.Errorf("filter %s, counter %s: %w", name, of, err)
			}
			if _, twice := out[of]; twice {
				return fmt.Errorf("filter %s: counter %s is there twice", name, of)
			}
			out[of] = n
		}
	}
	return nil
}
