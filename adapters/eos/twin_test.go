package eos_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// router reads the text line by line. Whether a port condition is read in later fragments no source says: the text has to be right either way.
func router(_ filter.Filter, text string, h packet.Header) []string {
	return []string{entryOf(text, h, false), entryOf(text, h, true)}
}

// entryOf returns the name of the entry whose match takes h, "" for the default. readsLater: ports and types are read in later fragments.
func entryOf(text string, h packet.Header, readsLater bool) string {
	for _, m := range strings.Split(text, "      match ")[1:] {
		name, body, _ := strings.Cut(m, " ")
		conditions, _, _ := strings.Cut(body, "         actions\n")
		if strings.HasSuffix(name, "-all-default") || name == "later-rest" && taken(conditions, h, readsLater) {
			return ""
		}
		if taken(conditions, h, readsLater) {
			return strings.TrimPrefix(name, "later-")
		}
	}
	return ""
}

// taken looks at one condition after the other.
func taken(conditions string, h packet.Header, readsLater bool) bool {
	protocol, asked := false, false
	for _, line := range strings.Split(conditions, "\n")[1:] {
		w := strings.Fields(line)
		ok := true
		switch {
		case len(w) == 0 || w[0] == "!":
		case w[0] == "source":
			ok = netip.MustParsePrefix(w[2]).Contains(h.Src)
		case w[0] == "destination":
			ok = netip.MustParsePrefix(w[2]).Contains(h.Dst)
		case w[0] == "protocol":
			asked = true
			protocol = protocol || statement(w[1:], h, readsLater)
		case w[0] == "fragment":
			ok = h.Fragment > packet.First // offset 1-8191
		case w[0] == "ip":
			ok = inList(w[2], int(h.Length))
		case w[0] == "dscp":
			ok = inList(w[1], int(h.DSCP))
		default:
			panic(fmt.Sprintf("%q", line))
		}
		if !ok {
			return false
		}
	}
	return !asked || protocol
}

// statement looks at what stands behind `protocol`.
func statement(w []string, h packet.Header, readsLater bool) bool {
	number, named := map[string]int{"icmp": 1, "tcp": 6, "udp": 17}[w[0]]
	if named && int(h.Proto) != number || !named && !inList(w[0], int(h.Proto)) {
		return false
	}
	if len(w) > 1 && h.Fragment > packet.First && !readsLater {
		return false
	}
	for w = w[1:]; len(w) > 0; {
		switch w[0] {
		case "source":
			if !inList(w[2], int(h.SrcPort)) {
				return false
			}
			w = w[3:]
		case "destination":
			if !inList(w[2], int(h.DstPort)) {
				return false
			}
			w = w[3:]
		case "type":
			if !inList(w[1], int(h.ICMPType)) || w[3] != "all" && !inList(w[3], int(h.ICMPCode)) {
				return false
			}
			w = w[4:]
		default:
			panic(fmt.Sprintf("%q", w))
		}
	}
	return true
}

func inList(list string, n int) bool {
	for _, v := range strings.Split(list, ",") {
		lo, hi, found := strings.Cut(v, "-")
		if !found {
			hi = lo
		}
		a, err := strconv.Atoi(lo)
		b, err2 := strconv.Atoi(hi)
		if err != nil || err2 != nil {
			panic(fmt.Sprintf("%q in %q", v, list))
		}
		if a <= n && n <= b {
			return true
		}
	}
	return false
}
