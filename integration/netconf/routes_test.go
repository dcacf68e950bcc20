package netconf_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// The plugin of IOS XR asks a real NETCONF server for the flows of its default VRF: the server knows the question, answers with as much as was asked for, and the answer is understood. Ten thousand flows are more than
// one message of the transport.
func TestRoutesOfARealServer(t *testing.T) {
	t.Parallel()
	r := rig.BootWith(t, true, rig.FlowSpecModelOfOurs(t), "sluice-flowspec-oper")
	a, _ := pluginOf(t, "iosxr")
	reader, ok := a.(device.CounterReader)
	if !ok {
		t.Fatal("the plugin reads no counters")
	}
	d := r.Target
	d.Options = map[string]string{device.OptionCount: device.CountRoutes}
	if got, err := reader.Counters(within(t), d); err != nil || len(got) > 0 {
		t.Errorf("without flows: %v, %v", got, err)
	}
	want := map[string]device.Counter{}
	var nlris, flows strings.Builder
	for i := range 2000 {
		n := device.Counter{Packets: uint64(i), Bytes: uint64(i) * 100}
		statistics := fmt.Sprintf("<flow-statistics><classified><packets>%d</packets><bytes>%d</bytes></classified><dropped><packets>1</packets><bytes>1</bytes></dropped></flow-statistics>", n.Packets, n.Bytes)
		fmt.Fprintf(&nlris, "<nlri><nlri-bytes>0x0120CB00%04X0381110591%04X</nlri-bytes>%s</nlri>", i, i, statistics)
		want[fmt.Sprintf("1/133 0d0120cb00%04x0381110591%04x", i, i)] = n
		fmt.Fprintf(&flows, "<flow><flow-notation>Dest:203.0.%d.%d/32,Proto:=17,DPort:=%d</flow-notation>%s</flow>", i>>8, i&255, i, statistics)
		want[fmt.Sprintf("1/133 destination 203.0.%d.%d/32; protocol =udp; destination-port =%d;", i>>8, i&255, i)] = n
	}
	other := r.Another(t)
	for _, rpc := range []string{
		`<edit-config><target><candidate/></target><config><flow-spec xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-flowspec-oper"><vrfs>` +
			`<vrf><vrf-name>blue</vrf-name><afs><af><af-name>IPv4</af-name><flows><flow><flow-notation>Dest:10.0.0.9/32</flow-notation></flow></flows></af></afs></vrf>` +
			`<vrf><vrf-name>default</vrf-name><afs><af><af-name>IPv4</af-name><nlris>` + nlris.String() + `</nlris><flows>` + flows.String() + `</flows></af></afs></vrf></vrfs></flow-spec></config></edit-config>`,
		"<commit/>",
	} {
		if reply := other.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatal(reply)
		}
	}
	got, err := reader.Counters(within(t), d)
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%d counters, %v, want %d", len(got), err, len(want))
	}
}
