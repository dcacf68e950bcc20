package netconf_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// huaweis is what stands on a router of VRP besides ours. Containers that are empty mean nothing in YANG, and the server keeps them.
const huaweis = `<acl xmlns="urn:huawei:yang:huawei-acl"><groups><group><identity>3000</identity><type>advance</type><rule-advances><rule-advance><name>5</name><id>5</id><action>deny</action>` +
	`<protocol>0</protocol></rule-advance></rule-advances></group></groups><group6s/></acl><qos xmlns="urn:huawei:yang:huawei-qos"><classifier-template>` +
	`<traffic-behaviors><traffic-behavior><name>gold</name></traffic-behavior></traffic-behaviors><traffic-classifiers/><traffic-policys/></classifier-template></qos>`

// huaweiFilters returns a filter of each IP version: n entries with ports that are discarded, some in the middle limited by one policer, and one that is written twice.
func huaweiFilters(n int) device.State {
	v4 := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	limit := filter.Policer{Name: "sluice-p", Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		e := filter.Entry{Name: fmt.Sprintf("r-%016x", i), Rule: flowspec.ID(fmt.Sprintf("%016x", i)), Counter: fmt.Sprintf("r-%016x", i), Do: filter.Do{Discard: true}, Match: filter.Match{
			Dst: &dst, Proto: packet.Values{{Lo: 17, Hi: 17}}, SrcPort: packet.Values{{Lo: uint32(i), Hi: uint32(i)}}, Fragments: packet.OffsetZero,
		}}
		if i == 2 || i == 3 {
			e.Do = filter.Do{Policer: limit.Name}
			v4.Policers = []filter.Policer{limit}
		}
		v4.Entries = append(v4.Entries, e)
	}
	dst, any := netip.MustParsePrefix("2001:db8::/64"), netip.MustParsePrefix("203.0.113.1/32")
	v4.Entries = append(v4.Entries, filter.Entry{Name: "r-any", Match: filter.Match{Dst: &any, Fragments: 0xee}, Do: filter.Do{Discard: true}})
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "r-v6", Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: true}}}}
	return device.State{Filters: []filter.Filter{v4, v6}}
}

// Filters of VRP come, change line by line and go, an unconfirmed change is undone, another hand's line is put right, and the operator's objects stay.
func TestVRPFilters(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{Config: huaweis})
	a := netconf.New(vrp.Dialect{}, netconf.Options{})
	t.Cleanup(func() { _ = a.Close() })
	holds := func(want device.State) device.State {
		t.Helper()
		st, err := a.Read(ctx(t), target(s))
		if err != nil {
			t.Fatal(err)
		}
		if len(st.Filters) != len(want.Filters) {
			t.Fatalf("the router holds %d filters, want %d", len(st.Filters), len(want.Filters))
		}
		for i, f := range want.Filters {
			if err := filter.Same(f, st.Filters[i], vrp.Dialect{}.Semantics()); err != nil {
				t.Fatal(err)
			}
		}
		return st
	}
	before := s.Running()
	less, changed := huaweiFilters(6), huaweiFilters(6)
	less.Filters[0].Entries, less.Filters[0].Policers = slices.Delete(less.Filters[0].Entries, 2, 4), nil
	changed.Filters[0].Entries[4].Do = filter.Do{}
	have := holds(device.State{})
	for _, want := range []device.State{huaweiFilters(4), less, huaweiFilters(6), changed, huaweiFilters(2), {Filters: changed.Filters[1:]}, changed} {
		settled(t, a, target(s), have, want)
		have = holds(want)
	}
	com, err := toward(t, a, target(s), have, huaweiFilters(3))
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Cancel(ctx(t), target(s), com); err != nil {
		t.Fatal(err)
	}
	holds(changed)

	s.Edit(func(config *netconftest.Node) {
		rules := config.Find("acl", "group6s", "group6", "rule-advances")
		rules.Find("rule-advance", "dest-mask-len").Text = "48"
	})
	st, err := a.Read(ctx(t), target(s))
	if err != nil || filter.Same(changed.Filters[1], st.Filters[1], vrp.Dialect{}.Semantics()) == nil {
		t.Fatalf("a changed prefix is not seen: %v", err)
	}
	settled(t, a, target(s), st, changed)
	have = holds(changed)
	settled(t, a, target(s), have, device.State{})
	if got := s.Running(); got != before {
		t.Errorf("the operator's configuration is not what it was:\n%s\nwant\n%s", got, before)
	}
}
