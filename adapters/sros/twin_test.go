package sros_test

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// TestTextDoesWhatTheTableSays holds the text against a router that goes through it line by line, as Nokia's guide says, and knows nothing of packet sets or of our parser.
func TestTextDoesWhatTheTableSays(t *testing.T) {
	t.Parallel()
	matched, fragments, zeros := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable, sayableAction).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			h := someHeader(t, f.Version)
			want := "accept"
			for _, e := range f.Entries {
				if e.Match.Set(f.Version, dialect.Semantics()).Has(h) {
					want = e.Name + " " + does(e.Do)
					matched++
					if h.Fragment >= packet.Middle {
						fragments++
					}
					break
				}
			}
			if strings.Contains(r.Text, "fragment first-only") && h.Fragment >= packet.Middle {
				zeros++
			}
			if got := router(r.Text, h); got != want {
				t.Fatalf("%+v: the text says %q, the table %q\n%s", h, got, want, r.Text)
			}
		}
	})
	if matched == 0 || fragments == 0 || zeros == 0 {
		t.Errorf("%d packets met an entry, %d of them later fragments; %d later fragments met filters that tell them by first-only", matched, fragments, zeros)
	}
}

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

// router returns what text does to h: the description of the first entry that matches and its action, or the default action.
func router(text string, h packet.Header) string {
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

// someHeader draws a packet, with addresses and protocols that entries are likely to ask for.
func someHeader(t *rapid.T, v packet.Version) packet.Header {
	addr := func(name string) netip.Addr {
		b := rapid.SampledFrom([]byte{0, 1, 2, 128, 255}).Draw(t, name)
		if v == packet.IPv6 {
			return netip.AddrFrom16([16]byte{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8, 15: b})
		}
		return netip.AddrFrom4([4]byte{203, 0, 113, b})
	}
	return packet.Header{
		Src: addr("h-src"), Dst: addr("h-dst"), Proto: rapid.SampledFrom([]uint8{1, 6, 17, 50, 58}).Draw(t, "h-proto"),
		SrcPort: rapid.Uint16().Draw(t, "h-sport"), DstPort: rapid.Uint16().Draw(t, "h-dport"),
		ICMPType: rapid.Uint8().Draw(t, "h-type"), ICMPCode: rapid.Uint8().Draw(t, "h-code"), Flags: rapid.Uint16Range(0, 0xfff).Draw(t, "h-flags"),
		Length: rapid.Uint16().Draw(t, "h-length"), DSCP: rapid.Uint8Range(0, 63).Draw(t, "h-dscp"),
		Fragment: packet.Fragment(rapid.IntRange(0, 3).Draw(t, "h-fragment")), DF: v == packet.IPv4 && rapid.Bool().Draw(t, "h-df"),
	}
}
