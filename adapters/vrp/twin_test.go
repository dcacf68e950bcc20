package vrp_test

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// does is what becomes of the packets of an entry, in the words of a behavior.
func does(do filter.Do) string {
	var words []string
	if do.Discard {
		words = append(words, "deny")
	}
	if do.Policer != "" {
		words = append(words, "car by "+do.Policer)
	}
	if do.Mark != nil {
		words = append(words, fmt.Sprintf("dscp %d", *do.Mark))
	}
	if do.Redirect != nil {
		words = append(words, "to "+do.Redirect.Addr.String())
	}
	if len(words) == 0 {
		return "permit"
	}
	return strings.Join(words, " ")
}

// router goes through the text as Huawei's guide says: the classifiers of the policy by their precedence, the rules of their access lists by their numbers. It knows nothing of
// packet sets or of our parser.
func router(f filter.Filter, text string, h packet.Header) []string {
	sections := map[string][][]string{}
	var head string
	for _, l := range strings.Split(text, "\n") {
		w := strings.Fields(l)
		switch {
		case len(w) == 0 || w[0] == "#":
		case l[0] != ' ':
			head = strings.TrimSuffix(strings.TrimSuffix(l, " advance"), " operator or")
			sections[head] = [][]string{}
		default:
			sections[head] = append(sections[head], w)
		}
	}
	nodes := sections["traffic policy sluice-in"][2:]
	slices.SortFunc(nodes, func(a, b []string) int { return cmp.Compare(atoi(a[5]), atoi(b[5])) })
	for _, n := range nodes {
		if name, took := classify(sections, n[1], h); took {
			return []string{strings.TrimSpace(name + " " + behaves(sections["traffic behavior "+n[3]], n[3]))}
		}
	}
	return []string{"nothing took it"}
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

// classify says whether a classifier takes h, and by which entry.
func classify(sections map[string][][]string, class string, h packet.Header) (string, bool) {
	w := sections["traffic classifier "+class][0]
	six := w[1] == "ipv6"
	if h.Dst.Is6() != six {
		return "", false
	}
	if w[len(w)-1] == "any" {
		return "", true
	}
	list := "acl name "
	if six {
		list = "acl ipv6 name "
	}
	rules := sections[list+w[len(w)-1]]
	slices.SortStableFunc(rules, func(a, b []string) int { return cmp.Compare(atoi(a[1]), atoi(b[1])) })
	for _, r := range rules {
		if r[2] == "name" && permits(r[4:], h) {
			return strings.TrimSuffix(r[3], "-later"), true
		}
	}
	return "", false
}

// behaves is what a behavior does; a policer is known by the behavior's name.
func behaves(lines [][]string, name string) string {
	var words []string
	for _, w := range lines {
		switch w[0] {
		case "permit":
		case "deny":
			words = append(words, "deny")
		case "car":
			words = append(words, "car by "+name)
		case "remark":
			words = append(words, "dscp "+w[len(w)-1])
		case "redirect":
			words = append(words, "to "+w[2])
		default:
			panic(strings.Join(w, " "))
		}
	}
	if len(words) == 0 {
		return "permit"
	}
	return strings.Join(words, " ")
}

// permits says whether `permit PROTOCOL ...` holds for h.
func permits(w []string, h packet.Header) bool {
	protocols := map[string]int{"icmp": 1, "igmp": 2, "ipinip": 4, "tcp": 6, "udp": 17, "gre": 47, "ospf": 89}
	switch p, word := protocols[w[1]], w[1]; {
	case word == "ip" || word == "ipv6":
	case p == 0 && atoi(word) != int(h.Proto), p > 0 && p != int(h.Proto):
		return false
	}
	for w = w[2:]; len(w) > 0; {
		n, holds := condition(w, h)
		if !holds {
			return false
		}
		w = w[n:]
	}
	return true
}

// condition reads one condition, and returns how many words it is and whether it holds.
func condition(w []string, h packet.Header) (int, bool) {
	switch w[0] {
	case "source":
		return address(w, h.Src)
	case "destination":
		return address(w, h.Dst)
	case "source-port":
		return compares(w, int(h.SrcPort))
	case "destination-port":
		return compares(w, int(h.DstPort))
	case "packet-length":
		return compares(w, int(h.Length))
	case "dscp":
		return 2, atoi(w[1]) == int(h.DSCP)
	case "tcp-flag":
		return 4, int(h.Flags)&atoi(w[3]) == atoi(w[1])
	case "icmp-type":
		if len(w) > 2 && !strings.Contains(w[2], "-") && w[2] != "dscp" {
			return 3, atoi(w[1]) == int(h.ICMPType) && atoi(w[2]) == int(h.ICMPCode)
		}
		return 2, atoi(w[1]) == int(h.ICMPType)
	case "fragment":
		return 1, h.Fragment >= packet.Middle
	case "fragment-type":
		return 2, map[string][4]bool{"non-fragment": {true}, "non-subseq": {true, true}, "fragment-spe-first": {1: true}, "fragment-subseq": {2: true, 3: true}}[w[1]][h.Fragment]
	}
	panic(strings.Join(w, " "))
}

// address compares the bits of a that the wildcard leaves.
func address(w []string, a netip.Addr) (int, bool) {
	if strings.Contains(w[1], "/") {
		return 2, netip.MustParsePrefix(w[1]).Contains(a)
	}
	mask := netip.MustParseAddr("0.0.0.0")
	if w[2] != "0" {
		mask = netip.MustParseAddr(w[2])
	}
	x, y, free := netip.MustParseAddr(w[1]).As4(), a.As4(), mask.As4()
	for i := range x {
		if (x[i]^y[i])&^free[i] != 0 {
			return 3, false
		}
	}
	return 3, true
}

func compares(w []string, n int) (int, bool) {
	switch m := atoi(w[2]); w[1] {
	case "eq":
		return 3, n == m
	case "lt":
		return 3, n < m
	case "gt":
		return 3, n > m
	case "range":
		return 4, m <= n && n <= atoi(w[3])
	}
	panic(strings.Join(w, " "))
}
