package notation

import (
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// settleMatch turns what was read into a Match. It reports what contradicts itself or was hardly meant.
func (r *route) settleMatch(whole span) (flowspec.Match, bool) {
	v6, known := r.version()
	if !known {
		return flowspec.Match{}, false
	}
	r.judgeWords(v6)
	list := r.components()
	if r.bad {
		return flowspec.Match{}, false
	}
	if len(list) == 0 {
		r.guard("empty-match", whole, "no condition at all: ExaBGP announces an NLRI of length 0, which matches every packet", "match { destination 203.0.113.10/32; }")
		return flowspec.Match{}, false
	}
	family := flowspec.IPv4
	switch {
	case r.vpn && !r.hasRD:
		return flowspec.Match{}, r.failSpan("syntax", whole, "a rule of flow-vpn begins with a route distinguisher (RFC 8955 §8), and there is none", "rd 65000:1")
	case r.vpn && v6:
		family = flowspec.VPNv6
	case r.vpn:
		family = flowspec.VPNv4
	case v6:
		family = flowspec.IPv6
	}
	m, err := flowspec.NewMatch(family, r.rd, list...)
	if err != nil {
		return flowspec.Match{}, r.failSpan("bad-match", r.blame(whole, v6), err.Error(), "")
	}
	r.judgeMatch(whole, v6)
	return m, true
}

// version decides between IPv4 and IPv6. ExaBGP takes a rule for IPv6 when a prefix is, and for IPv4 otherwise.
func (r *route) version() (v6, known bool) {
	v6 = r.family == flowspec.IPv6
	for typ := flowspec.DstPrefix; typ <= flowspec.SrcPrefix; typ++ {
		p := r.prefixes[typ]
		switch {
		case !p.Addr.IsValid():
		case r.family == 0:
			v6 = !p.Addr.Is4()
		case p.Addr.Is4() == v6:
			if !r.guard("mixed-families", r.at[typ], "a prefix of the other family than the command names: ExaBGP announces something else", "announce ipv4 flow or announce ipv6 flow, by the prefix") {
				return false, false
			}
			v6 = !p.Addr.Is4()
		}
	}
	return v6, true
}

// judgeWords reports words that belong to the other family.
func (r *route) judgeWords(v6 bool) {
	if r.v6Word.end > 0 && !v6 {
		r.guard("ipv6-word-in-ipv4", r.v6Word, "a word of IPv6 in an IPv4 rule: routers read something else there, or call it malformed", r.v6Hint)
	}
	if r.icmpName.end > 0 && v6 {
		r.guard("icmp-name-in-ipv6", r.icmpName, "an ICMP name in an IPv6 rule: ExaBGP's names are numbers of ICMP for IPv4 (echo-request is 8 there, 128 in ICMPv6)", "the number of ICMPv6")
	}
}

// components returns what NewMatch takes, in type order.
func (r *route) components() []flowspec.Component {
	list := r.list[:0]
	for typ := flowspec.DstPrefix; typ <= flowspec.FlowLabel; typ++ {
		switch {
		case typ.Prefix() && r.prefixes[typ].Addr.IsValid():
			list = append(list, flowspec.Component{Type: typ, Prefix: r.prefixes[typ]})
		case len(r.terms[typ]) > 0:
			list = append(list, flowspec.Component{Type: typ, Terms: r.terms[typ]})
		}
	}
	r.list = list
	return list
}

// blame finds the component that NewMatch refuses, by trying each alone.
func (r *route) blame(whole span, v6 bool) span {
	family := flowspec.IPv4
	if v6 {
		family = flowspec.IPv6
	}
	for _, c := range r.components() {
		if _, err := flowspec.NewMatch(family, flowspec.RD{}, c); err != nil {
			return r.at[c.Type]
		}
	}
	return whole
}

// judgeMatch warns of matches that are legal and rarely meant.
func (r *route) judgeMatch(whole span, v6 bool) {
	if !r.prefixes[flowspec.DstPrefix].Addr.IsValid() {
		family, hint := "IPv4", "destination 203.0.113.10/32;"
		if v6 {
			family, hint = "IPv6", "destination 2001:db8::10/128;"
		}
		r.warn(Warning, "no-destination", whole, "no destination: an "+family+" rule for traffic to everywhere", hint)
	}
	for typ := flowspec.DstPrefix; typ <= flowspec.SrcPrefix; typ++ {
		if p := r.prefixes[typ]; p.Addr.IsValid() && p.Len == 0 {
			r.warn(Warning, "any-prefix", r.at[typ], "a prefix of length 0 matches every address", "")
		}
	}
}
