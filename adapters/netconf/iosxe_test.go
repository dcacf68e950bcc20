package netconf_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/adapters/iosxepolicy"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// ciscos is what stands on a router of IOS XE besides ours.
const ciscos = `<native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native"><hostname>edge1</hostname><ip><domain><name>example.net</name></domain><access-list>` +
	`<extended xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-acl"><name>EDGE-IN</name><access-list-seq-rule><sequence>10</sequence><ace-rule><action>permit</action><protocol>ip</protocol>` +
	`<any/><dst-any/></ace-rule></access-list-seq-rule></extended></access-list></ip><ipv6><access-list/></ipv6></native>`

// ciscoLists returns a list of each IP version: n entries with ports, and one of IPv6.
func ciscoLists(n int) device.State {
	v4 := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		port := uint32(i + 1)
		v4.Entries = append(v4.Entries, filter.Entry{Name: fmt.Sprintf("r-%016x", i), Rule: flowspec.ID(fmt.Sprintf("%016x", i)), Counter: fmt.Sprintf("r-%016x", i), Do: filter.Do{Discard: i%2 == 0}, Match: filter.Match{
			Dst: &dst, Proto: packet.Values{{Lo: 17, Hi: 17}}, SrcPort: packet.Values{{Lo: port, Hi: port}}, Fragments: packet.OffsetZero,
		}})
	}
	dst := netip.MustParsePrefix("2001:db8::/64")
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "r-v6", Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: true}}}}
	return device.State{Filters: []filter.Filter{v4, v6}}
}

// Access lists of IOS XE come, change line by line and go, an unconfirmed change is undone, another hand's line is put right, and the operator's list stays.
func TestIOSXEAccessLists(t *testing.T) {
	t.Parallel()
	less, changed := ciscoLists(6), ciscoLists(6)
	less.Filters[0].Entries = slices.Delete(less.Filters[0].Entries, 2, 4)
	changed.Filters[0].Entries[3].Do = filter.Do{}
	life{
		dialect: iosxe.Dialect{},
		config:  ciscos,
		states:  []device.State{ciscoLists(4), less, ciscoLists(6), changed, ciscoLists(2), {Filters: changed.Filters[1:]}, changed},
		undone:  ciscoLists(3),
		edit: func(config *netconftest.Node) {
			l := config.Find("native", "ip", "access-list", "extended=sluice-v4")
			l.Remove(l.Find("access-list-seq-rule=10001001"))
		},
	}.lead(t)
}

// ciscoPolicy returns a policy of n classes, of which every third discards, marks or limits.
func ciscoPolicy(n int) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), 32)
		id, mark := fmt.Sprintf("%016x", i), uint8(i)
		e := filter.Entry{Name: "r-" + id, Rule: flowspec.ID(id), Counter: "r-" + id, Match: filter.Match{Dst: &dst, Proto: packet.Values{{Lo: 17, Hi: 17}}}}
		switch i % 3 {
		case 0:
			e.Do.Discard = true
		case 1:
			e.Do.Mark = &mark
		case 2:
			e.Do.Policer = "sluice-r-" + id
			f.Policers = append(f.Policers, filter.Policer{Name: e.Do.Policer, Rate: flowspec.Rate{Amount: 125000, Unit: flowspec.Bytes}, Burst: 15000})
		}
		f.Entries = append(f.Entries, e)
	}
	return device.State{Filters: []filter.Filter{f}}
}

// A policy of IOS XE comes, grows in the middle and goes, its classes in their order, with all of its class maps and lists; another hand's class is put right, and the operator's policy stays.
func TestIOSXEPolicies(t *testing.T) {
	t.Parallel()
	theirs := `<policy><class-map xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-policy"><name>VOICE</name><prematch>match-any</prematch><match><dscp>46</dscp></match></class-map></policy></native>`
	less, moved := ciscoPolicy(6), ciscoPolicy(6)
	less.Filters[0].Entries = slices.Delete(less.Filters[0].Entries, 3, 5) // a discard and a mark
	es := moved.Filters[0].Entries
	es[0], es[5] = es[5], es[0]
	life{
		dialect: iosxepolicy.Dialect{},
		config:  strings.TrimSuffix(ciscos, "</native>") + theirs,
		states:  []device.State{ciscoPolicy(4), less, ciscoPolicy(6), moved, {}, moved},
		undone:  less,
		edit: func(config *netconftest.Node) {
			p := config.Find("native", "policy", "policy-map=sluice-v4")
			p.Remove(p.Find("class=sluice-v4-r-0000000000000003"))
		},
	}.lead(t)
}
