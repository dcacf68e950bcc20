package netconf

import (
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/internal/flowtext"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// junosFilterNamespace is what Junos puts answers into. It bears the release, where the model has its own.
var junosFilterNamespace = regexp.MustCompile(` xmlns="http://xml\.juniper\.net/junos/[^"]*/junos-filter"`)

// What is asked for, what the server of these tests answers, and what a router answered, is as the model has it; and the model tells such answers from others.
func TestModelTakesFirewallCounters(t *testing.T) {
	t.Parallel()
	requests, _, err := junosRoutes.ask(nil)
	if err != nil || len(requests) != 1 {
		t.Fatal(requests, err)
	}
	const namespace = ` xmlns="http://yang.juniper.net/junos/rpc/firewall"`
	rig.ModelsRefuse(t, "xml", []byte(strings.Replace(requests[0], ">", namespace+">", 1)), [][2]string{
		{"filtername>" + flowtext.JunosFilter + "</filtername", "filter>" + flowtext.JunosFilter + "</filter"},
	}, "-t", "rpc", rig.FirewallModel(t))

	reply := func(information string) []byte {
		return []byte("<get-firewall-filter-information" + namespace + ">" + junosFilterNamespace.ReplaceAllString(information, "") + "</get-firewall-filter-information>")
	}
	rig.ModelsRefuse(t, "xml", reply(served(t)), [][2]string{
		{"packet-count>7<", "packet-count>-7<"}, {"counter-name>r-00000000000000a1</counter-name", "name>r-00000000000000a1</name"}, {"byte-count>700<", "byte-count>7e2<"},
	}, "-t", "reply", rig.FirewallModel(t))
}

// served returns what the server of these tests answers.
func served(t *testing.T) string {
	t.Helper()
	s, err := netconftest.Start(netconftest.Options{Old: true, Junos: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	a := New(junos.Dialect{}, Options{})
	t.Cleanup(func() { _ = a.Close() })
	d := device.Target{Name: "r", Address: s.Addr(), Username: s.Username(), Password: device.Secret(s.Password()), HostKey: s.HostKey(), Options: map[string]string{"commit": "junos"}}
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "r-00000000000000a1", Counter: "r-00000000000000a1", Do: filter.Do{Discard: true}}}}
	com, err := a.Apply(t.Context(), d, device.Diff(device.State{}, device.State{Filters: []filter.Filter{f}}), MaxWindow)
	if err == nil {
		err = a.Confirm(t.Context(), d, com)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.Count("r-00000000000000a1", 7, 700)
	l, err := a.acquire(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	defer a.release(l)
	var information string
	options, err := readDetails(d)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.first(t.Context(), l, options, func(s *session) error {
		reply, err := s.exec(t.Context(), "read the counters", "<get-firewall-filter-information><filtername>sluice-v4</filtername></get-firewall-filter-information>")
		if err == nil {
			information = reply.Data
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return information
}
