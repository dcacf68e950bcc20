package openconfig_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// tree is a JSON object, looked into by path.
type tree map[string]any

func (o tree) at(path ...string) tree {
	for _, name := range path {
		next, _ := o[name].(map[string]any)
		o = next
	}
	return o
}

// router reads the JSON leaf by leaf, as the model's descriptions say, and returns the name in the description of the first entry that matches h. Ports, flags and types are
// whatever octets stand there, in any protocol and any fragment.
func router(_ filter.Filter, text string, h packet.Header) []string {
	var root tree
	if err := json.Unmarshal([]byte(text), &root); err != nil {
		return []string{err.Error()}
	}
	set := root.at("openconfig-acl:acl", "acl-sets")["acl-set"].([]any)[0].(map[string]any)
	for _, e := range tree(set).at("acl-entries")["acl-entry"].([]any) {
		entry := tree(e.(map[string]any))
		if ipMatches(entry, "ipv4", h) && ipMatches(entry, "ipv6", h) && transportMatches(entry.at("transport", "config"), h) && icmpMatches(entry.at("ipv4", "icmpv4", "config"), h) {
			name, _, _ := strings.Cut(entry.at("config")["description"].(string), " ")
			return []string{name}
		}
	}
	return []string{""}
}

func ipMatches(entry tree, family string, h packet.Header) bool {
	for name, v := range entry.at(family, "config") {
		ok := true
		switch name {
		case "source-address":
			ok = netip.MustParsePrefix(v.(string)).Contains(h.Src)
		case "destination-address":
			ok = netip.MustParsePrefix(v.(string)).Contains(h.Dst)
		case "protocol":
			want, named := map[string]float64{"IP_ICMP": 1, "IP_IGMP": 2, "IP_IN_IP": 4, "IP_TCP": 6, "IP_UDP": 17, "IP_RSVP": 46, "IP_GRE": 47, "IP_AUTH": 51, "IP_PIM": 103, "IP_L2TP": 115}[strings.TrimPrefix(fmt.Sprint(v), "openconfig-packet-match-types:")]
			if !named {
				want = v.(float64)
			}
			ok = want == float64(h.Proto)
		case "dscp":
			ok = v.(float64) == float64(h.DSCP)
		case "dscp-set":
			ok = false
			for _, one := range v.([]any) {
				ok = ok || one.(float64) == float64(h.DSCP)
			}
		case "length":
			total := v.(float64)
			if family == "ipv6" {
				total += 40 // "the rest of the packet following the IPv6 header"
			}
			ok = total == float64(h.Length)
		case "fragment-offsets":
			ok = false
			for _, one := range v.([]any) {
				ok = ok || one.(float64) == 0 && h.Fragment <= packet.First
			}
		default:
			panic(name)
		}
		if !ok {
			return false
		}
	}
	return true
}

func transportMatches(config tree, h packet.Header) bool {
	for name, v := range config {
		ok := true
		switch name {
		case "source-port":
			ok = inRange(v, int(h.SrcPort))
		case "destination-port":
			ok = inRange(v, int(h.DstPort))
		case "builtin-detail":
			ok = v == "TCP_INITIAL" && h.Flags&0x12 == 0x02 || v == "FRAGMENT" && h.Fragment > packet.First
		case "explicit-tcp-flags":
			all, some := true, false
			for _, one := range v.([]any) {
				name := strings.TrimPrefix(one.(string), "openconfig-packet-match-types:TCP_")
				bit := uint16(1) << (strings.Index("FINSYNRSTPSHACKURGECECWR", name) / 3)
				all, some = all && h.Flags&bit != 0, some || h.Flags&bit != 0
			}
			ok = config["explicit-detail-match-mode"] == "ALL" && all || config["explicit-detail-match-mode"] == "ANY" && some
		}
		if !ok {
			return false
		}
	}
	return true
}

func icmpMatches(config tree, h packet.Header) bool {
	if config["type"] == nil {
		return true
	}
	number := map[string]uint8{"ECHO_REPLY": 0, "DST_UNREACHABLE": 3, "ECHO": 8, "TIME_EXCEEDED": 11, "EXT_ECHO_REPLY": 43}
	want, known := number[strings.TrimPrefix(config["type"].(string), "openconfig-icmpv4-types:")]
	return known && h.ICMPType == want
}

func inRange(v any, n int) bool {
	if number, ok := v.(float64); ok {
		return number == float64(n)
	}
	lo, hi, _ := strings.Cut(v.(string), "..")
	a, _ := strconv.Atoi(lo)
	b, _ := strconv.Atoi(hi)
	return a <= n && n <= b
}
