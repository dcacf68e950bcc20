package notation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Text returns r as ExaBGP writes it on one line: `flow route { match { destination 203.0.113.10/32; protocol =udp; } then { discard; } }`.
// It is meant for reading: packets per second are written as ExaBGP's main branch reads them, the AS number in a rate is left
// out, and what ExaBGP cannot say at all is spelled in the same manner. Write is exact.
func Text(r flowspec.Rule) string {
	if !r.Match.Valid() {
		return ""
	}
	return line(r, "", r.Action.String())
}

// line puts the parts of a rule together; head are statements in front of match. An IPv6 rule without a prefix needs ExaBGP's form that names the family, which is
// flat; in braces ExaBGP takes it for IPv4.
func line(r flowspec.Rule, head, action string) string {
	m := r.Match
	words := action + communityWords(r)
	if silentAction(r.Action) {
		words = "accept; " + words
	}
	if m.Family().Version() == 6 && !hasPrefix(m) {
		kind, rd := "flow", ""
		if m.Family().VPN() {
			kind, rd = "flow-vpn", "rd "+rdText(m.RD())+" "
		}
		flat := strings.NewReplacer(";", "").Replace(m.String() + " " + words)
		return "ipv6 " + kind + " " + rd + flat
	}
	rd := ""
	if m.Family().VPN() {
		rd = "rd " + rdText(m.RD()) + "; "
	}
	return "flow route { " + head + rd + "match { " + m.String() + " } then { " + words + " } }"
}

// silentAction says whether nothing in a is an action that a reader knows, although there are communities to print.
func silentAction(a flowspec.Action) bool {
	if a.Rate != nil || a.Redirect != nil || a.Mark != nil || a.Sample || a.Continue || len(a.Unknown) == 0 {
		return false
	}
	return !slices.ContainsFunc(a.Unknown, func(c flowspec.ExtComm) bool { return classOf(c) != noClass })
}

func hasPrefix(m flowspec.Match) bool {
	_, dst := m.Component(flowspec.DstPrefix)
	_, src := m.Component(flowspec.SrcPrefix)
	return dst || src
}

// communityWords prints what travels with the action.
func communityWords(r flowspec.Rule) string {
	var s strings.Builder
	list := func(word string, values []string) {
		switch len(values) {
		case 0:
		case 1:
			fmt.Fprintf(&s, " %s %s;", word, values[0])
		default:
			fmt.Fprintf(&s, " %s [ %s ];", word, strings.Join(values, " "))
		}
	}
	list("community", communityTexts(r.Communities))
	list("large-community", largeTexts(r.LargeCommunities))
	var ext []string
	for _, c := range r.Others {
		ext = append(ext, c.String())
	}
	list("extended-community", ext)
	return s.String()
}

func communityTexts(list []uint32) (texts []string) {
	for _, c := range list {
		texts = append(texts, fmt.Sprintf("%d:%d", c>>16, c&0xffff))
	}
	return texts
}

func largeTexts(list [][3]uint32) (texts []string) {
	for _, c := range list {
		texts = append(texts, fmt.Sprintf("%d:%d:%d", c[0], c[1], c[2]))
	}
	return texts
}

// rdText prints a route distinguisher as its type says (RFC 4364 §4.2), or in hexadecimal when the type is unknown.
func rdText(rd flowspec.RD) string {
	a, b := uint32(rd[2])<<24|uint32(rd[3])<<16|uint32(rd[4])<<8|uint32(rd[5]), uint32(rd[6])<<8|uint32(rd[7])
	switch uint16(rd[0])<<8 | uint16(rd[1]) {
	case 0:
		return fmt.Sprintf("%d:%d", a>>16, a<<16|b)
	case 1:
		return fmt.Sprintf("%s:%d", netip.AddrFrom4([4]byte(rd[2:6])), b)
	case 2:
		return fmt.Sprintf("%d:%d", a, b)
	}
	return fmt.Sprintf("0x%x", rd[:])
}

// exactAction prints an action in words that mean the same to every version of ExaBGP; where there are none, as extended
// communities, which all of them send untouched. head are statements in front of match: ExaBGP 4.2 refuses `redirect` with an
// IPv6 address, and takes the address from a next-hop statement.
func exactAction(a flowspec.Action) (head, words string) {
	said := a
	said.Rate, said.Unknown = nil, nil
	var raw []flowspec.ExtComm
	if a.Rate != nil {
		if whole := float32(uint64(a.Rate.Amount)) == a.Rate.Amount; a.Rate.Unit == flowspec.Bytes && a.Rate.AS == 0 && whole && a.Rate.Amount <= 1e12 {
			said.Rate = a.Rate
		} else {
			raw, _ = flowspec.Action{Rate: a.Rate}.Communities()
		}
	}
	raw = append(raw, a.Unknown...)
	words = said.String()
	if len(raw) > 0 {
		words = strings.TrimPrefix(words, "accept;")
	}
	for _, c := range raw {
		words += " extended-community " + c.String() + ";"
	}
	if r := a.Redirect; r != nil && r.Form == flowspec.NextHopSimpson && !r.Copy && !r.Addr.Is4() {
		head = "next-hop " + r.Addr.String() + "; "
		words = strings.Replace(words, r.String(), "redirect-to-nexthop", 1)
	}
	return head, strings.TrimSpace(words)
}
