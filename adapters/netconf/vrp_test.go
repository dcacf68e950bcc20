package netconf_test

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

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
	less, changed := huaweiFilters(6), huaweiFilters(6)
	less.Filters[0].Entries, less.Filters[0].Policers = slices.Delete(less.Filters[0].Entries, 2, 4), nil
	changed.Filters[0].Entries[4].Do = filter.Do{}
	life{
		dialect: vrp.Dialect{},
		config:  huaweis,
		states:  []device.State{huaweiFilters(4), less, huaweiFilters(6), changed, huaweiFilters(2), {Filters: changed.Filters[1:]}, changed},
		undone:  huaweiFilters(3),
		edit: func(config *netconftest.Node) {
			config.Find("acl", "group6s", "group6", "rule-advances").Find("rule-advance", "dest-mask-len").Text = "48"
		},
		touched: 1,
	}.lead(t)
}
