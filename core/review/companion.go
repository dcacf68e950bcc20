package review

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Companion is a rule that is worth adding beside discards of UDP by port: later fragments have no ports (RFC 8955 §4.2.2.12), so they flow on, and an amplified answer is
// mostly later fragments. It takes the later fragments of all UDP between the same addresses, whatever the ports, which is why it is proposed and never added.
type Companion struct {
	Rules []int // the discards that it stands beside, ascending
	Match flowspec.Match
}

// isFragment is the bit of the fragment component that any fragment but the first has (RFC 8955 §4.2.2.12).
const isFragment = 2

// companionSteps bounds the looks at other rules, for all companions together.
const companionSteps = 2_000_000

// Companions returns what is worth adding, by the first rule that it stands beside. Nothing is proposed where a rule decides those fragments already, or where
// looking for one takes too long, nor for a discard without a destination: that would be all fragments of a network.
func (x *Index) Companions() []Companion {
	var out []Companion
	at := map[string]int{}
	steps := companionSteps
	for i := range x.rules {
		m, ok := x.companion(i)
		if !ok {
			continue
		}
		key := m.Family().String() + string(m.NLRI())
		if n, seen := at[key]; seen {
			if n >= 0 {
				out[n].Rules = append(out[n].Rules, i)
			}
			continue
		}
		at[key] = -1
		if set := m.Set(); !x.decides(&steps, i, set) && steps > 0 {
			at[key] = len(out)
			out = append(out, Companion{Rules: []int{i}, Match: m})
		}
	}
	return out
}

// companion returns the later fragments that rule i lets pass, if it discards UDP by what only first fragments and whole packets have.
func (x *Index) companion(i int) (flowspec.Match, bool) {
	r := &x.rules[i]
	if !r.Action.Discard() || !r.Match.Has(flowspec.DstPrefix) || r.Match.Has(flowspec.Fragment) || !r.Match.Has(flowspec.Port) && !r.Match.Has(flowspec.DstPort) && !r.Match.Has(flowspec.SrcPort) {
		return flowspec.Match{}, false
	}
	udp := packet.Everything(r.Match.Family().Version())
	udp.Proto = packet.Values{{Lo: 17, Hi: 17}}
	if !x.sets[i].Overlaps(packet.Of(udp)) {
		return flowspec.Match{}, false
	}
	var list []flowspec.Component
	for _, t := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		if c, has := r.Match.Component(t); has {
			list = append(list, c)
		}
	}
	list = append(list, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}},
		flowspec.Component{Type: flowspec.Fragment, Terms: []flowspec.Term{{Op: flowspec.AnyBit, Value: isFragment}}})
	var rd flowspec.RD
	if r.Match.Family().VPN() {
		rd = r.Match.RD()
	}
	m, err := flowspec.NewMatch(r.Match.Family(), rd, list...)
	return m, err == nil
}

// decides says whether one rule near rule i decides all packets of set.
func (x *Index) decides(steps *int, i int, set packet.Set) bool {
	look := func(j int) bool {
		*steps--
		return !x.rules[j].Action.Continue && x.sets[j].Contains(set)
	}
	for j := range x.Above(i) {
		if look(j) || *steps <= 0 {
			return true
		}
	}
	for j := range x.Below(i) {
		if look(j) || *steps <= 0 {
			return true
		}
	}
	return false
}
