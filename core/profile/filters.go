package profile

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// filter reads what the platform's filters can do.
func (l *loader) filter(n node[rawFilter]) *Filter {
	raw := n.V
	if isTrue(raw.Cannot) {
		if l.own(raw.Dialect.at) || len(raw.Components) > 0 && l.own(raw.Components[0].Key.at) {
			l.bad(n.at, "filter says `cannot` and then what it can")
		}
		l.p.NoFilter = l.ref(n.at, raw.Fact, "filter")
		return nil
	}
	out := &Filter{Dialect: raw.Dialect.s, Versions: raw.Versions, Fact: l.ref(n.at, raw.Fact, "filter")}
	l.required(n.at, raw.Dialect, "dialect")
	var fams []flowspec.Family
	for _, v := range raw.Versions {
		f := flowspec.IPv4
		switch v {
		case 4:
		case 6:
			f = flowspec.IPv6
		default:
			l.bad(n.at, "%d is not an IP version: write 4 or 6", v)
		}
		if slices.Contains(fams, f) {
			l.bad(n.at, "version %d is there twice", v)
		}
		fams = append(fams, f)
	}
	if len(fams) == 0 {
		l.bad(n.at, "`versions` is missing under filter: [4], [6] or [4, 6]")
	}
	out.Semantics, out.SemanticsFact = l.semantics(n.at, raw.Semantics)
	out.Components, out.Cannot = l.components(n.at, raw.Components, "filter", fams)
	out.Exclude = l.exclusions(raw.Exclude, "filter", out.Components)
	out.Actions = l.actions(n.at, raw.Actions, "filter", fams)
	out.SharedPolicer = l.can(raw.SharedPolicer, "filter.shared-policer", nil)
	out.OffsetApart = l.can(raw.OffsetApart, "filter.offset-apart", fams)

	b := raw.Burst
	if b.written() {
		out.BurstMS, out.BurstMin, out.BurstMax = b.V.MS, b.V.Min, b.V.Max
		out.BurstFact = l.ref(b.at, b.V.Fact, "filter.burst")
		if b.V.MS < 0 || b.V.Max > 0 && b.V.Min > b.V.Max {
			l.bad(b.at, "the burst contradicts itself: milliseconds must not be negative, nor min-bytes above max-bytes")
		}
	} else if out.Actions.RateBytes.OK || out.Actions.RatePackets.OK {
		l.bad(n.at, "`burst` is missing under filter: its policers need one")
	}
	out.MaxEntries = l.count(n.at, raw.MaxEntries, "filter.max-entries")
	out.Cost = l.cost(raw.Cost, "filter", fams, out.Components)
	return out
}

func (l *loader) semantics(where at, n node[rawSemantics]) (filter.Semantics, string) {
	if !n.written() {
		l.bad(where, "`semantics` is missing under filter")
		return filter.Semantics{}, ""
	}
	said := func(b *bool, key string) bool {
		if b == nil {
			l.bad(n.at, "`%s` is missing under semantics: it decides what an entry matches, so it is never guessed", key)
			return false
		}
		return *b
	}
	return filter.Semantics{
		PortsCheckProtocol:    said(n.V.PortsCheckProtocol, "ports-check-protocol"),
		TransportChecksOffset: said(n.V.TransportChecksOffset, "transport-checks-offset"),
		FlagsCheckProtocol:    said(n.V.FlagsCheckProtocol, "flags-check-protocol"),
		ICMPChecksProtocol:    said(n.V.ICMPChecksProtocol, "icmp-checks-protocol"),
		TailDiscards:          said(n.V.TailDiscards, "tail-discards"),
	}, l.ref(n.at, n.V.Fact, "filter.semantics")
}
