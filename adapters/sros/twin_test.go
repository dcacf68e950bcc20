package sros_test

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// says is the name of an entry and what becomes of its packets.
func says(e filter.Entry) string { return e.Name + " " + does(e.Do) }

func does(do filter.Do) string {
	switch {
	case do.Discard:
		return "drop"
	case do.Redirect != nil:
		return "forward " + do.Redirect.Addr.String()
	case do.Mark != nil:
		return "accept " + marks[*do.Mark]
	case do.Policer != "":
		return `accept "` + do.Policer + `"`
	}
	return "accept"
}

// marks are some names of DSCPs that every operator knows; the others are cpN.
var marks = func() (out [64]string) {
	for i := range out {
		out[i] = "cp" + strconv.Itoa(i)
	}
	for i, name := range map[int]string{0: "be", 8: "cs1", 16: "cs2", 24: "cs3", 32: "cs4", 40: "cs5", 46: "ef", 48: "nc1", 56: "nc2"} {
		out[i] = name
	}
	for class := range 4 {
		for drop := 1; drop <= 3; drop++ {
			out[10+8*class+2*(drop-1)] = "af" + strconv.Itoa(class+1) + strconv.Itoa(drop)
		}
	}
	return out
}()

// ranges are told on one line, so that a line is a condition.
var ranges = regexp.MustCompile(`range \{\s+start (\d+)\s+end (\d+)\s+\}`)

// router goes through the text line by line, as Nokia's guide says.
func router(_ filter.Filter, text string, h packet.Header) []string {
	return []string{outcome(text, h)}
}

// outcome returns what text does to h: the description of the first entry that matches and its action, or the default action.
func outcome(text string, h packet.Header) string {
	rest, description, matches, action := "drop", "", true, []string(nil)
	var path []string
	for _, l := range strings.Split(ranges.ReplaceAllString(text, "range $1 $2"), "\n") {
		w := strings.Fields(l)
		if len(w) == 0 {
			continue
		}
		if w[0] == "}" {
			if path[len(path)-1] == "entry" && matches {
				return strings.Join(append([]string{description}, action...), " ")
			}
			path = path[:len(path)-1]
			continue
		}
		open := w[len(w)-1] == "{"
		switch {
		case w[0] == "entry":
			description, matches, action = "", true, nil
		case w[0] == "default-action":
			rest = w[1]
		case w[0] == "description":
			description = strings.Trim(w[1], `"`)
		case within(path, "match") && !open:
			matches = fulfils(append(path[4:], w...), h) && matches
		case within(path, "action") && w[0] != "rate-limit" && w[0] != "remark" && w[0] != "next-hop" && w[0] != "nh-ip" && w[0] != "indirect":
			if w[0] == "forward" || w[0] == "accept" || w[0] == "drop" {
				action = append(action, w[0])
			} else {
				action = append(action, w[1])
			}
		}
		if open {
			path = append(path, w[0])
		}
	}
	return rest
}

func within(path []string, name string) bool {
	for _, p := range path {
		if p == name {
			return true
		}
	}
	return false
}

// fulfils looks at one condition: match, what it is about, and a value. In a later fragment all fields of the transport header are zero: "values of zero or false also match
// non-first fragment packets".
func fulfils(w []string, h packet.Header) bool {
	if h.Fragment >= packet.Middle {
		h.SrcPort, h.DstPort, h.ICMPType, h.ICMPCode, h.Flags = 0, 0, 0, 0, 0
	}
	last := w[len(w)-1]
	n, _ := strconv.Atoi(last)
	switch w[1] {
	case "protocol", "next-header":
		names := map[string][]uint8{"icmp": {1}, "tcp": {6}, "udp": {17}, "ipv6-icmp": {58}, "tcp-udp": {6, 17}, "gre": {47}, "igmp": {2}, "sctp": {132}}
		for _, p := range names[last] {
			if p == h.Proto {
				return true
			}
		}
		return len(names[last]) == 0 && last == strconv.Itoa(int(h.Proto))
	case "dscp":
		return last == marks[h.DSCP]
	case "fragment":
		return map[string][4]bool{"false": {true, false, false, false}, "true": {false, true, true, true}, "first-only": {false, true, false, false}, "non-first-only": {false, false, true, true}}[last][h.Fragment]
	case "src-ip":
		return netip.MustParsePrefix(last).Contains(h.Src)
	case "dst-ip":
		return netip.MustParsePrefix(last).Contains(h.Dst)
	case "src-port":
		return compares(w[2:], int(h.SrcPort))
	case "dst-port":
		return compares(w[2:], int(h.DstPort))
	case "port":
		return compares(w[2:], int(h.SrcPort)) || compares(w[2:], int(h.DstPort))
	case "tcp-flags":
		bit := map[string]uint16{"fin": 1, "syn": 2, "rst": 4, "psh": 8, "ack": 16, "urg": 32, "ece": 64, "cwr": 128, "ns": 256}[w[2]]
		return h.Flags&bit != 0 == (last == "true")
	case "icmp":
		return map[string]uint8{"type": h.ICMPType, "code": h.ICMPCode}[w[2]] == uint8(n)
	case "packet-length":
		return compares(w[2:], int(h.Length))
	}
	panic(strings.Join(w, " "))
}

// compares says whether n fulfils eq, lt, gt or range.
func compares(w []string, n int) bool {
	lo, _ := strconv.Atoi(w[1])
	hi, _ := strconv.Atoi(w[len(w)-1])
	switch w[0] {
	case "eq":
		return n == lo
	case "lt":
		return n < lo
	case "gt":
		return n > lo
	case "range":
		return lo <= n && n <= hi
	}
	panic(strings.Join(w, " "))
}
