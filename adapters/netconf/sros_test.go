package netconf_test

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// nokias is what stands on a router of SR OS besides ours.
const nokias = `<configure xmlns="urn:nokia.com:sros:ns:yang:sr:conf"><groups><group><name>edges</name><filter><ip-filter><filter-name>EDGE-IN</filter-name>` +
	`<chain-to-system-filter>true</chain-to-system-filter></ip-filter></filter></group></groups><apply-groups>edges</apply-groups>` +
	`<filter><policer><policer-name>gold</policer-name><pir>1000</pir></policer><ip-filter><filter-name>EDGE-IN</filter-name><entry><entry-id>10</entry-id><action><accept/></action></entry></ip-filter></filter></configure>`

// nokiaFilters returns a filter of each IP version: n entries with ports, one of which is written twice, every third limited by one policer.
func nokiaFilters(n int) device.State {
	v4 := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	limit := filter.Policer{Name: "sluice-p", Rate: flowspec.Rate{Amount: 1250, Unit: flowspec.Bytes}, Burst: 15000}
	for i := range n {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		e := filter.Entry{Name: fmt.Sprintf("r-%016x", i), Rule: flowspec.ID(fmt.Sprintf("%016x", i)), Counter: fmt.Sprintf("r-%016x", i), Do: filter.Do{Discard: true}, Match: filter.Match{
			Dst: &dst, Proto: packet.Values{{Lo: 17, Hi: 17}}, SrcPort: packet.Values{{Lo: uint32(i), Hi: uint32(i)}}, Fragments: packet.OffsetZero,
		}}
		if i%3 == 2 {
			e.Do = filter.Do{Policer: limit.Name}
			v4.Policers = []filter.Policer{limit}
		}
		v4.Entries = append(v4.Entries, e)
	}
	dst := netip.MustParsePrefix("2001:db8::/64")
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "r-v6", Match: filter.Match{Dst: &dst}, Do: filter.Do{Discard: true}}}}
	return device.State{Filters: []filter.Filter{v4, v6}}
}

// Filters of SR OS come, change entry by entry and go, an unconfirmed change is undone, another hand's entry is put right, and the operator's objects stay.
func TestSROSFilters(t *testing.T) {
	t.Parallel()
	less, changed := nokiaFilters(6), nokiaFilters(6)
	less.Filters[0].Entries = slices.Delete(less.Filters[0].Entries, 2, 4)
	changed.Filters[0].Entries[3].Do = filter.Do{}
	s, a := life{
		dialect: sros.Dialect{},
		config:  nokias,
		states:  []device.State{nokiaFilters(4), less, nokiaFilters(6), changed, nokiaFilters(2), {Filters: changed.Filters[1:]}, changed},
		undone:  nokiaFilters(3),
		edit: func(config *netconftest.Node) {
			f := config.Find("configure", "filter", "ip-filter=sluice-v4")
			f.Remove(f.Find("entry=2000"))
		},
	}.lead(t)

	s.Edit(func(config *netconftest.Node) {
		config.Find("configure", "groups", "group", "filter", "ip-filter").Kid("filter-name").Text = "<.*>"
	})
	_, err := a.Read(ctx(t), target(s))
	var drifted *device.Drifted
	if !errors.As(err, &drifted) || !strings.Contains(err.Error(), `group edges has ip-filter "<.*>", which may add to our filters`) {
		t.Errorf("got %v, want a refusal of the group", err)
	}
}
