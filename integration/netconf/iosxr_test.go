package netconf_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// accessLists returns a state of a list of each IP version: n entries of IPv4 with ports, and one of IPv6.
func accessLists(n int) device.State {
	v4 := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		port := uint32(i + 1)
		v4.Entries = append(v4.Entries, filter.Entry{Name: fmt.Sprintf("r-%016x", i), Counter: fmt.Sprintf("r-%016x", i), Do: filter.Do{Discard: i%2 == 0}, Match: filter.Match{
			Dst: &dst, Proto: packet.Values{{Lo: 17, Hi: 17}}, SrcPort: packet.Values{{Lo: port, Hi: port}}, Fragments: packet.OffsetZero,
		}})
	}
	dst := netip.MustParsePrefix("2001:db8::/64")
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "r-v6", Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: true}}}}
	return device.State{Filters: []filter.Filter{v4, v6}}
}

// An operator's list beside ours.
const edgeList = `<edit-config><target><candidate/></target><config><ipv4 xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg"><access-lists><access-list>` +
	`<access-list-name>EDGE-IN</access-list-name><sequences><sequence><sequence-number>10</sequence-number><permit><protocol>ipv4</protocol><source><any/></source>` +
	`<destination><any/></destination></permit></sequence></sequences></access-list></access-lists></ipv4></config></edit-config>`

// The plugin of IOS XR on a NETCONF server that holds Cisco's models and enforces their musts: lists come, change line by line and go, an unconfirmed change is
// undone, another hand's line is put right, and the operator's list stays.
func TestIOSXRAccessLists(t *testing.T) {
	t.Parallel()
	r := rig.BootWith(t, true, rig.CiscoModels(t), "Cisco-IOS-XR-um-ipv4-access-list-cfg", "Cisco-IOS-XR-um-ipv6-access-list-cfg")
	a, _ := pluginOf(t, "iosxr")
	other := r.Another(t)
	for _, rpc := range []string{edgeList, "<commit/>"} {
		if reply := other.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatal(reply)
		}
	}
	less := accessLists(6)
	less.Filters[0].Entries = slices.Delete(less.Filters[0].Entries, 2, 4)
	changed := accessLists(6)
	changed.Filters[0].Entries[3].Do = filter.Do{}
	for _, want := range []device.State{accessLists(4), less, accessLists(6), changed, {Filters: changed.Filters[1:]}} {
		settle(t, a, r, want)
	}
	com := apply(t, a, r, accessLists(4), 60*time.Second)
	if err := a.Cancel(within(t), r.Target, com); err != nil {
		t.Fatal(err)
	}
	holds(t, a, r, device.State{Filters: changed.Filters[1:]})

	settle(t, a, r, accessLists(4))
	const theirs = `<edit-config><target><candidate/></target><config><ipv4 xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg"><access-lists><access-list>` +
		`<access-list-name>sluice-v4</access-list-name><sequences><sequence xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete">` +
		`<sequence-number>10001001</sequence-number></sequence></sequences></access-list></access-lists></ipv4></config></edit-config>`
	for _, rpc := range []string{theirs, "<commit/>"} {
		if reply := other.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatal(reply)
		}
	}
	if differs(read(t, a, r), accessLists(4)) == nil {
		t.Fatal("a deleted line is not seen")
	}
	settle(t, a, r, accessLists(4))
	settle(t, a, r, device.State{})
	if reply := other.Do(t, running); !strings.Contains(reply, "EDGE-IN") || strings.Contains(reply, "sluice-") {
		t.Errorf("the operator's list should be there, and nothing of ours: %s", reply)
	}
}
