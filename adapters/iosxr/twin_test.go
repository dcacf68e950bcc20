package iosxr_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A lineCard is what a line with ports, flags or ICMP does when a later fragment meets it.
type lineCard int

const (
	documented  lineCard = iota // a permit takes it whatever the port, a deny leaves it to the next line
	readsOctets                 // compares the octets at that place
	skips                       // matches no later fragment
)

// router reads the text line by line, as Cisco's pages say. A list of two parts does the same whatever a line card makes of later fragments.
func router(f filter.Filter, text string, h packet.Header) []string {
	out := []string{onCard(text, h, documented)}
	if f.Placement == filter.Alone {
		out = append(out, onCard(text, h, readsOctets), onCard(text, h, skips))
	}
	return out
}

// says is the name of an entry and what becomes of its packets.
func says(e filter.Entry) string {
	switch {
	case e.Do.Discard:
		return e.Name + " deny"
	case e.Do.Redirect != nil:
		return e.Name + " permit to " + e.Do.Redirect.Addr.String()
	}
	return e.Name + " permit"
}

// rest is what becomes of packets that no entry matches.
func rest(f filter.Filter) string {
	if f.Placement == filter.Before {
		return "next list"
	}
	return "permit"
}

// onCard returns what text does to h: the remark above the first line that matches, and its action.
func onCard(text string, h packet.Header, card lineCard) string {
	remark := ""
	for _, l := range strings.Split(text, "\n")[1:] {
		w := strings.Fields(l)
		switch {
		case len(w) < 3:
			return "next list" // "The common/chained ACL is searched first before the interface ACL"
		case w[1] == "remark":
			remark = w[2]
			continue
		}
		if lineMatches(w[2:], w[1], h, card) {
			out := w[1]
			if i := len(w) - 3; w[i] == "nexthop1" {
				out += " to " + w[i+2]
			}
			if n, _ := strconv.Atoi(w[0]); n == 10_000_000 || n == 2_147_483_640 {
				return out
			}
			return remark + " " + out
		}
	}
	return "deny"
}

// lineMatches looks at one word after the other.
func lineMatches(w []string, action string, h packet.Header, card lineCard) bool {
	isLater := h.Fragment >= packet.Middle
	compare := func(ok bool) bool { // a field of the transport header
		switch {
		case !isLater, card == readsOctets:
			return ok
		case card == skips:
			return false
		}
		return action == "permit"
	}
	names := map[string]uint8{"icmp": 1, "igmp": 2, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "ahp": 51, "icmpv6": 58, "ospf": 89, "pim": 103}
	proto, named := names[w[0]]
	if !named && w[0] != "ipv4" && w[0] != "ipv6" {
		n, _ := strconv.Atoi(w[0])
		proto, named = uint8(n), true
	}
	ok := !named || proto == h.Proto
	i := 1
	end := func(a netip.Addr, port uint16) {
		switch {
		case w[i] == "any":
			i++
		case w[i] == "host":
			ok = ok && netip.MustParseAddr(w[i+1]) == a
			i += 2
		default:
			ok = ok && netip.MustParsePrefix(w[i]).Contains(a)
			i++
		}
		if i < len(w) && strings.Contains(" eq gt lt range ", " "+w[i]+" ") {
			ok = compare(number(w, &i, int(port))) && ok
		}
	}
	end(h.Src, h.SrcPort)
	end(h.Dst, h.DstPort)
	if i < len(w) && (w[0] == "icmp" || w[0] == "icmpv6") {
		for _, field := range []uint8{h.ICMPType, h.ICMPCode} {
			if i < len(w) && w[i][0] <= '9' {
				n, _ := strconv.Atoi(w[i])
				ok = compare(n == int(field)) && ok
				i++
			}
		}
	}
	for i < len(w) {
		word := w[i]
		i++
		switch word {
		case "match-all", "match-any":
			all, some := true, false
			for i < len(w) && (w[i][0] == '+' || w[i][0] == '-') {
				bit := strings.Index("finsynrstpshackurg", w[i][1:]) / 3
				holds := h.Flags>>bit&1 == 1 == (w[i][0] == '+')
				all, some = all && holds, some || holds
				i++
			}
			ok = compare(word == "match-all" && all || word == "match-any" && some) && ok
		case "dscp":
			if w[i][0] <= '9' {
				n, _ := strconv.Atoi(w[i])
				ok = ok && n == int(h.DSCP)
				i++
				break
			}
			ok = number(w, &i, int(h.DSCP)) && ok
		case "packet-length":
			ok = number(w, &i, int(h.Length)) && ok
		case "fragments":
			ok = ok && isLater
		case "fragment-offset":
			ok = ok && !isLater && w[i] == "eq" && w[i+1] == "0"
			i += 2
		case "counter":
			i++
		case "nexthop1":
			i += 2
		default:
			panic(fmt.Sprintf("%q in %q", word, w))
		}
	}
	return ok
}

// number reads eq N, gt N, lt N or range N M at w[*i].
func number(w []string, i *int, n int) bool {
	op := w[*i]
	lo, _ := strconv.Atoi(w[*i+1])
	*i += 2
	switch op {
	case "eq":
		return n == lo
	case "gt":
		return n > lo
	case "lt":
		return n < lo
	}
	hi, _ := strconv.Atoi(w[*i])
	*i++
	return lo <= n && n <= hi
}
