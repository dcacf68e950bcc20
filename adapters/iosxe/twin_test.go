package iosxe_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func does(do filter.Do) string {
	if do.Discard {
		return "deny"
	}
	return "permit"
}

// A line with ports, flags or ICMP may do to a later fragment what is documented (a permit takes it whatever the port, a deny leaves it to the next line), compare the octets
// at that place, or match none. A list of two parts does the same with all three.
type platform int

const (
	documented platform = iota
	readsOctets
	skips
)

// routers returns what each of the platforms does to h.
func routers(_ filter.Filter, text string, h packet.Header) []string {
	var out []string
	for _, p := range []platform{documented, readsOctets, skips} {
		out = append(out, router(text, h, p))
	}
	return out
}

// router returns what text does to h: the remark above the first line that matches, and its action.
func router(text string, h packet.Header, p platform) string {
	remark := ""
	for _, l := range strings.Split(text, "\n")[1:] {
		w := strings.Fields(l)
		if len(w) > 0 && w[0] == "sequence" {
			w = w[1:]
		}
		switch {
		case len(w) < 3:
			return "deny" // the implicit one
		case w[1] == "remark":
			remark = w[2]
			continue
		}
		if lineMatches(w[2:], w[1], h, p) {
			if w[0] == "10000000" || w[0] == "2147483640" {
				return w[1]
			}
			return remark + " " + w[1]
		}
	}
	return "deny"
}

// lineMatches looks at one word after the other.
func lineMatches(w []string, action string, h packet.Header, p platform) bool {
	isLater := h.Fragment >= packet.Middle
	compare := func(ok bool) bool { // a field of the transport header
		switch {
		case !isLater, p == readsOctets:
			return ok
		case p == skips:
			return false
		}
		return action == "permit"
	}
	numbers := map[string]uint8{"tcp": 6, "udp": 17, "icmp": 1, "gre": 47, "esp": 50}
	if h.Src.Is6() {
		numbers["icmp"] = 58
	}
	proto, named := numbers[w[0]]
	if !named && w[0] != "ip" && w[0] != "ipv6" {
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
		case strings.Contains(w[i], "/"):
			ok = ok && netip.MustParsePrefix(w[i]).Contains(a)
			i++
		default:
			ok = ok && withMask(w[i], w[i+1], a)
			i += 2
		}
		if i < len(w) && slices.Contains([]string{"eq", "neq", "range", "gt", "lt"}, w[i]) {
			ok = compare(portMatches(w, &i, int(port))) && ok
		}
	}
	end(h.Src, h.SrcPort)
	end(h.Dst, h.DstPort)
	if w[0] == "icmp" {
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
		case "dscp", "flow-label":
			n, _ := strconv.Atoi(w[i])
			ok = ok && n == map[string]int{"dscp": int(h.DSCP), "flow-label": int(h.Label)}[word]
			i++
		case "fragments":
			ok = ok && isLater
		default:
			panic(fmt.Sprintf("%q in %q", word, w))
		}
	}
	return ok
}

// withMask says whether a is address in all bits that mask leaves clear.
func withMask(address, mask string, a netip.Addr) bool {
	x, m, y := netip.MustParseAddr(address).As4(), netip.MustParseAddr(mask).As4(), a.As4()
	for i := range x {
		if (x[i]^y[i])&^m[i] != 0 {
			return false
		}
	}
	return true
}

// portMatches reads an operator and its numbers at w[*i].
func portMatches(w []string, i *int, port int) bool {
	op := w[*i]
	var ns []int
	for *i++; *i < len(w); *i++ {
		n, err := strconv.Atoi(w[*i])
		if err != nil || op != "eq" && op != "neq" && len(ns) == map[string]int{"range": 2}[op]+map[string]int{"gt": 1, "lt": 1}[op] {
			break
		}
		ns = append(ns, n)
	}
	switch op {
	case "eq":
		return slices.Contains(ns, port)
	case "neq":
		return !slices.Contains(ns, port)
	case "gt":
		return port > ns[0]
	case "lt":
		return port < ns[0]
	}
	return ns[0] <= port && port <= ns[1]
}
