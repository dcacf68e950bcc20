package adaptertest

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// odd are the entries that some device or other refuses, by what is odd in them.
var odd = []struct {
	name string
	make func(*filter.Entry)
}{
	{"ordinary", func(*filter.Entry) {}}, // for a device that looks at its name or address
	{"redirect", func(e *filter.Entry) {
		e.Do = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 7}}
	}},
	{"next-hop", func(e *filter.Entry) {
		e.Do = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9")}}
	}},
	{"copy", func(e *filter.Entry) {
		e.Do = filter.Do{Redirect: &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr("192.0.2.9"), Copy: true}}
	}},
	{"mark", func(e *filter.Entry) { dscp := uint8(46); e.Do = filter.Do{Mark: &dscp} }},
	{"sample", func(e *filter.Entry) { e.Do = filter.Do{Sample: true} }},
	{"continue", func(e *filter.Entry) { e.Do = filter.Do{Continue: true, Sample: true} }},
	{"tcp-flags", func(e *filter.Entry) {
		e.Match.Proto, e.Match.Flags = packet.Values{{Lo: 6, Hi: 6}}, []filter.FlagTerm{{Set: 2, Clear: 16}}
	}},
	{"icmp", func(e *filter.Entry) {
		e.Match.Proto, e.Match.ICMPType = packet.Values{{Lo: 1, Hi: 1}}, packet.Values{{Lo: 8, Hi: 8}}
	}},
	{"length", func(e *filter.Entry) { e.Match.Length = packet.Values{{Lo: 400, Hi: 1500}} }},
	{"dscp", func(e *filter.Entry) { e.Match.DSCP = packet.Values{{Lo: 46, Hi: 46}} }},
	{"fragments", func(e *filter.Entry) { e.Match.Fragments = packet.AnyFrags &^ packet.OffsetZero }},
}

// Odd returns an entry of the named kind, one that some devices refuse, as a platform with semantics s wants it. The error lists the kinds.
func Odd(kind string, s filter.Semantics) (filter.Entry, error) {
	var kinds []string
	for _, o := range odd {
		if o.name == kind {
			e := Entry(s, 3)
			e.Name, e.Rule = "r-refused", "00000000000000ff"
			o.make(&e)
			e.Match = filter.Guard(e.Match, packet.IPv4, s)
			return e, nil
		}
		kinds = append(kinds, o.name)
	}
	slices.Sort(kinds)
	return filter.Entry{}, fmt.Errorf("there is no kind of entry %q; there are: %s", kind, strings.Join(kinds, ", "))
}
