package eosacl_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// A chip is what a line with ports or ICMP does when a later fragment meets it, which Arista does not say.
type chip int

const (
	takesPermits chip = iota // a permit takes it whatever the port, a deny leaves it to the next line
	readsOctets              // compares the octets at that place
	skips                    // matches no later fragment
	takesAll                 // takes it whatever the port
)

// router reads the text line by line, as Arista's sources say, on each of the chips.
func router(_ filter.Filter, text string, h packet.Header) []string {
	var out []string
	for c := takesPermits; c <= takesAll; c++ {
		out = append(out, onChip(text, h, c))
	}
	return out
}

// says is the name of an entry and what becomes of its packets.
func says(e filter.Entry) string {
	if e.Do.Discard {
		return e.Name + " deny"
	}
	return e.Name + " permit"
}

// onChip returns what text does to h: the remark above the first line that matches, and its action.
func onChip(text string, h packet.Header, c chip) string {
	remark := ""
	for _, l := range strings.Split(text, "\n")[1:] {
		w := strings.Fields(l)
		switch {
		case len(w) < 3:
		case w[1] == "remark":
			remark = w[2] + " "
		default:
			l := line{words: w[2:], h: h, later: h.Fragment >= packet.Middle, chip: c, permits: w[1] == "permit"}
			if !l.matches() {
				continue
			}
			if n, _ := strconv.Atoi(w[0]); n == 10_000_000 || n == 2_147_483_640 {
				return w[1]
			}
			return remark + w[1]
		}
	}
	return "deny"
}

// line is the rest of a line.
type line struct {
	words          []string
	h              packet.Header
	chip           chip
	later, permits bool
}

func (l *line) next() string {
	if len(l.words) == 0 {
		return ""
	}
	w := l.words[0]
	l.words = l.words[1:]
	return w
}

func (l *line) number() int {
	n, err := strconv.Atoi(l.next())
	if err != nil {
		panic(err)
	}
	return n
}

// transport is what a comparison with a field of the transport header comes to.
func (l *line) transport(holds bool) bool {
	switch {
	case !l.later || l.chip == readsOctets:
		return holds
	case l.chip == takesPermits:
		return l.permits
	}
	return l.chip == takesAll
}

func (l *line) matches() bool {
	proto := l.next()
	ok := true
	switch proto {
	case "ip", "ipv6":
	case "icmp":
		ok = l.h.Proto == 1
	case "tcp":
		ok = l.h.Proto == 6
	case "udp":
		ok = l.h.Proto == 17
	default:
		ok = proto == strconv.Itoa(int(l.h.Proto))
	}
	ok = l.side(l.h.Src, l.h.SrcPort) && ok
	ok = l.side(l.h.Dst, l.h.DstPort) && ok
	if proto == "icmp" {
		for _, field := range []uint8{l.h.ICMPType, l.h.ICMPCode} {
			if len(l.words) > 0 && l.words[0][0] <= '9' {
				ok = l.transport(l.number() == int(field)) && ok
			}
		}
	}
	for len(l.words) > 0 {
		switch word := l.next(); word {
		case "dscp":
			ok = l.number() == int(l.h.DSCP) && ok
		case "fragments":
			ok = ok && l.later
		default:
			panic(fmt.Sprintf("%q", word))
		}
	}
	return ok
}

// side is an address, and a port behind it.
func (l *line) side(a netip.Addr, port uint16) bool {
	ok := true
	switch word := l.next(); word {
	case "any":
	case "host":
		ok = netip.MustParseAddr(l.next()) == a
	default:
		ok = netip.MustParsePrefix(word).Contains(a)
	}
	if len(l.words) == 0 {
		return ok
	}
	n := int(port)
	switch l.words[0] {
	case "eq":
		l.next()
		return l.transport(n == l.number()) && ok
	case "gt":
		l.next()
		return l.transport(n > l.number()) && ok
	case "lt":
		l.next()
		return l.transport(n < l.number()) && ok
	case "range":
		l.next()
		least, most := l.number(), l.number()
		return l.transport(least <= n && n <= most) && ok
	}
	return ok
}
