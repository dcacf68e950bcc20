package netconf_test

import (
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
)

const flows = `<flow-spec xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-flowspec-oper"><vrfs>` +
	`<vrf><vrf-name>blue</vrf-name><afs><af><af-name>IPv4</af-name><flows><flow><flow-notation>Dest:10.0.0.9/32</flow-notation><flow-statistics><classified><packets>9</packets><bytes>9</bytes></classified></flow-statistics></flow></flows></af></afs></vrf>` +
	`<vrf><vrf-name>default</vrf-name><afs><af><af-name>IPv4</af-name>` +
	`<nlris><nlri><nlri-bytes>0x01200A326464038106059104D2</nlri-bytes><flow-statistics><classified><packets>2</packets><bytes>200</bytes></classified><dropped><packets>1</packets><bytes>100</bytes></dropped></flow-statistics></nlri></nlris>` +
	`<flows><flow><flow-notation>Dest:10.11.10.10/32,ICMPType:=8</flow-notation><flow-statistics><classified><packets>3</packets><bytes>300</bytes></classified></flow-statistics></flow></flows>` +
	`</af></afs></vrf></vrfs></flow-spec>`

func countingRoutes(d device.Target) device.Target {
	d.Options = map[string]string{device.OptionCount: device.CountRoutes}
	return d
}

// A router is asked for the flows of its default VRF alone, and what the server of these tests says of them is as the model has it.
func TestRoutesOfIOSXR(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a := netconf.New(iosxr.Dialect{}, netconf.Options{}).WithCounters()
	t.Cleanup(func() { _ = a.Close() })
	if _, err := a.Counters(ctx(t), countingRoutes(target(s))); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a router without the model: %v", err)
	}
	if err := s.Report(flows); err != nil {
		t.Fatal(err)
	}
	want := map[string]device.Counter{
		"1/133 0d01200a326464038106059104d2":              {Packets: 2, Bytes: 200},
		"1/133 destination 10.11.10.10/32; icmp-type =8;": {Packets: 3, Bytes: 300},
	}
	if got, err := a.Counters(ctx(t), countingRoutes(target(s))); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if _, err := a.Counters(ctx(t), target(s)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("lists are not counted: %v", err)
	}
	if filters, routes := a.Counts(); filters || !routes {
		t.Errorf("counts filters: %v, routes: %v", filters, routes)
	}
}

func TestModelTakesTheFlowsOfTheServer(t *testing.T) {
	t.Parallel()
	dir, module := rig.FlowSpecModel(t)
	rig.ModelsRefuse(t, "xml", []byte(flows), [][2]string{
		{"<dropped><packets>1</packets>", "<lost/><dropped><packets>1</packets>"}, {"<packets>9</packets>", "<packets>-9</packets>"}, {"flow-notation>Dest:10.0.0.9/32</flow-notation", "flow>Dest:10.0.0.9/32</flow"}, {"0x01200A326464038106059104D2", "0x01 20"}, {"<vrf-name>blue</vrf-name>", ""},
	}, "-t", "get", "-p", dir, filepath.Join(dir, module))
}

// A dialect of whose routes nothing is known is not asked, and neither is anybody for something else.
func TestRoutesThatAreNotRead(t *testing.T) {
	t.Parallel()
	a := netconf.New(sros.Dialect{}, netconf.Options{}).WithCounters()
	t.Cleanup(func() { _ = a.Close() })
	d := device.Target{Name: "sr", Address: "127.0.0.1:1"}
	if _, err := a.Counters(ctx(t), countingRoutes(d)); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("got %v", err)
	}
	d.Options = map[string]string{device.OptionCount: "everything"}
	if _, err := a.Counters(ctx(t), d); err == nil || !strings.Contains(err.Error(), "want flowspec") {
		t.Errorf("got %v", err)
	}
}

// A router with Junos is asked for the filter that it makes of its routes. One that has no routes has no such filter, and says so.
func TestRoutesOfJunos(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{Old: true, Junos: true})
	a := newAdapter(t).WithCounters()
	if _, err := a.Counters(ctx(t), countingRoutes(target(s))); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("without routes: %v", err)
	}
	s.Flow("198.51.100.7,*,proto=17,dstport>=1024&<=2047", 3, 300)
	s.Flow("198.51.100.8,*,frag:02", 4, 400)
	want := map[string]device.Counter{"1/133 destination 198.51.100.7/32; protocol =udp; destination-port >=1024&<=2047;": {Packets: 3, Bytes: 300}}
	if got, err := a.Counters(ctx(t), countingRoutes(target(s))); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}
