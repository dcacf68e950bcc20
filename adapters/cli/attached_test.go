package cli_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Where filters stand is read with them, from the lines of interfaces only.
func TestAttached(t *testing.T) {
	t.Parallel()
	type places = map[string][]string
	for name, c := range map[string]struct {
		cli.Dialect
		system            clitest.System
		placement         filter.Placement
		config            string
		stands, elsewhere places
	}{
		"EOS access lists": {
			eosacl.Dialect{}, clitest.EOS, filter.Alone,
			"interface Ethernet2\n   ip access-group sluice-v4 in\n   ipv6 access-group sluice-v6 in\ninterface Ethernet3\n   ip access-group sluice-v4 out\ninterface Vlan10\n   ip access-group sluice-v4 in\n" +
				"system control-plane\n   ip access-group sluice-v4 in\n",
			places{"sluice-v4": {"Ethernet2", "Vlan10"}, "sluice-v6": {"Ethernet2"}}, places{"sluice-v4": {"Ethernet3, for outgoing packets"}},
		},
		"EOS traffic policies": {
			eos.Dialect{}, clitest.EOS, filter.Alone, "interface Ethernet2\n   traffic-policy input sluice-in\ninterface Ethernet3\n   traffic-policy input EDGE\n",
			places{"sluice-v4": {"Ethernet2"}, "sluice-v6": {"Ethernet2"}}, places{},
		},
		"IOS XR, alone": {
			iosxr.Dialect{}, clitest.IOSXR, filter.Alone,
			"interface TenGigE0/0/0/0\n ipv4 access-group sluice-v4 ingress hardware-count\ninterface TenGigE0/0/0/1\n ipv4 access-group common sluice-v4 EDGE ingress\ninterface TenGigE0/0/0/2\n ipv4 access-group sluice-v4 egress\n",
			places{"sluice-v4": {"TenGigE0/0/0/0"}}, places{"sluice-v4": {"TenGigE0/0/0/1, beside EDGE", "TenGigE0/0/0/2, for outgoing packets"}},
		},
		"Junos": {
			junos.Dialect{}, clitest.Junos, filter.Alone,
			"set interfaces ge-0/0/1 unit 100 family inet filter input sluice-v4\nset firewall family inet filter sluice-v4 term rest then accept\n", places{"sluice-v4": {"ge-0/0/1.100"}}, places{},
		},
		"IOS XR, before": {
			iosxr.Dialect{}, clitest.IOSXR, filter.Before,
			"interface TenGigE0/0/0/0\n ipv4 access-group common sluice-v4 EDGE ingress\ninterface TenGigE0/0/0/1\n ipv4 access-group sluice-v4 ingress\ninterface TenGigE0/0/0/2\n ipv4 access-group common EDGE sluice-v4 ingress\n",
			places{"sluice-v4": {"TenGigE0/0/0/0"}},
			places{"sluice-v4": {"TenGigE0/0/0/1, not as the common list, which is searched first", "TenGigE0/0/0/2, not as the common list, which is searched first"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, clitest.Options{System: c.system, Config: c.config})
			a := cli.New(c.Dialect, cli.Options{})
			t.Cleanup(func() { _ = a.Close() })
			d := target(s)
			d.Placement = c.placement
			got, err := a.Read(t.Context(), d)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.stands, got.Attached); diff != "" {
				t.Errorf("where they stand (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.elsewhere, got.Misplaced); diff != "" {
				t.Errorf("where they stand otherwise (-want +got):\n%s", diff)
			}
		})
	}
}
