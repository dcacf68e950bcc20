package junos_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// router reads the text line by line, as the manual says, and returns the names of the entries whose terms match h, up to the one that ends the evaluation.
func router(_ filter.Filter, text string, h packet.Header) []string {
	var names []string
	for _, term := range strings.Split(text, "            term ")[1:] {
		name, body, _ := strings.Cut(term, " {")
		from, then, _ := strings.Cut(body, "then")
		if name == "accept-rest" || name == "nothing" || !termMatches(from, h) {
			continue
		}
		names = append(names, name)
		if !strings.Contains(then, "next term;") {
			break
		}
	}
	return []string{strings.Join(names, " ")}
}

// termMatches looks at one condition after the other.
func termMatches(from string, h packet.Header) bool {
	lines := strings.Split(from, "\n")
	for i, l := range lines {
		word, arg, _ := strings.Cut(strings.TrimSuffix(strings.TrimSpace(l), ";"), " ")
		ok := true
		switch word {
		case "source-address":
			ok = inPrefix(lines[i+1], h.Src)
		case "destination-address":
			ok = inPrefix(lines[i+1], h.Dst)
		case "protocol", "payload-protocol":
			ok = inList(arg, int(h.Proto))
		case "source-port":
			ok = inList(arg, int(h.SrcPort))
		case "destination-port":
			ok = inList(arg, int(h.DstPort))
		case "port":
			ok = inList(arg, int(h.SrcPort)) || inList(arg, int(h.DstPort))
		case "icmp-type":
			ok = inList(arg, int(h.ICMPType))
		case "icmp-code":
			ok = inList(arg, int(h.ICMPCode))
		case "packet-length":
			ok = inList(arg, int(h.Length))
		case "dscp", "traffic-class":
			ok = inList(arg, int(h.DSCP))
		case "fragment-offset":
			ok = arg == "0" && h.Fragment <= packet.First
		case "is-fragment":
			ok = h.Fragment >= packet.Middle
		case "fragment-flags":
			more := h.Fragment == packet.First || h.Fragment == packet.Middle
			ok = holds(arg, map[string]bool{"more-fragments": more, "dont-fragment": h.DF})
		case "tcp-flags":
			set := map[string]bool{}
			for bit, name := range []string{"fin", "syn", "rst", "push", "ack", "urgent"} {
				set[name] = h.Flags>>bit&1 == 1
			}
			ok = holds(arg, set)
		}
		if !ok {
			return false
		}
	}
	return true
}

func inPrefix(line string, a netip.Addr) bool {
	return netip.MustParsePrefix(strings.TrimSuffix(strings.TrimSpace(line), ";")).Contains(a)
}

func inList(arg string, n int) bool {
	names := map[string]int{"icmp": 1, "tcp": 6, "udp": 17, "gre": 47, "esp": 50, "icmp6": 58}
	for _, v := range strings.Fields(strings.Trim(arg, "[]")) {
		lo, hi, found := strings.Cut(v, "-")
		if !found {
			hi = lo
		}
		number := func(s string) int {
			if k, ok := names[s]; ok {
				return k
			}
			k, err := strconv.Atoi(s)
			if err != nil {
				panic(fmt.Sprintf("%q in %q", s, arg))
			}
			return k
		}
		if number(lo) <= n && n <= number(hi) {
			return true
		}
	}
	return false
}

// holds evaluates (a & !b) | c.
func holds(expression string, set map[string]bool) bool {
	for _, term := range strings.Split(strings.Trim(expression, `"`), "|") {
		all := true
		for _, literal := range strings.Split(strings.Trim(term, " ()"), "&") {
			name, not := strings.CutPrefix(strings.TrimSpace(literal), "!")
			value, known := set[name]
			if !known {
				panic(fmt.Sprintf("%q in %q", name, expression))
			}
			all = all && value != not
		}
		if all {
			return true
		}
	}
	return false
}
