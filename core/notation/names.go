package notation

import (
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// named is a value with its name.
type named struct {
	name  string
	value uint16
}

// protocols are the names that ExaBGP knows, and no others: it refuses icmpv6, and its ipip is 94.
var protocols = []named{
	{"icmp", 1}, {"igmp", 2}, {"tcp", 6}, {"egp", 8}, {"udp", 17}, {"rsvp", 46}, {"gre", 47}, {"esp", 50}, {"ah", 51},
	{"ospf", 89}, {"ipip", 94}, {"pim", 103}, {"sctp", 132},
}

// icmpTypes are ExaBGP's names of ICMP types, IPv4 numbers all of them.
var icmpTypes = []named{
	{"echo-reply", 0}, {"unreachable", 3}, {"source-quench", 4}, {"redirect", 5}, {"echo-request", 8},
	{"router-advertisement", 9}, {"router-solicit", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
	{"timestamp", 13}, {"timestamp-reply", 14}, {"info-request", 15}, {"info-reply", 16}, {"mask-request", 17},
	{"mask-reply", 18}, {"traceroute", 30}, {"photuris", 40}, {"experimental-mobility", 41}, {"extended-echo-request", 42},
	{"extended-echo-reply", 43}, {"experimental-one", 253}, {"experimental-two", 254},
}

// icmpCodes are ExaBGP's names of ICMP codes, of whatever type they belong to.
var icmpCodes = []named{
	{"network-unreachable", 0}, {"host-unreachable", 1}, {"protocol-unreachable", 2}, {"port-unreachable", 3},
	{"fragmentation-needed", 4}, {"source-route-failed", 5}, {"destination-network-unknown", 6},
	{"destination-host-unknown", 7}, {"source-host-isolated", 8}, {"destination-network-prohibited", 9},
	{"destination-host-prohibited", 10}, {"network-unreachable-for-tos", 11}, {"host-unreachable-for-tos", 12},
	{"communication-prohibited-by-filtering", 13}, {"host-precedence-violation", 14}, {"precedence-cutoff-in-effect", 15},
	{"redirect-for-network", 0}, {"redirect-for-host", 1}, {"redirect-for-tos-and-net", 2}, {"redirect-for-tos-and-host", 3},
	{"ttl-eq-zero-during-transit", 0}, {"ttl-eq-zero-during-reassembly", 1}, {"required-option-missing", 1}, {"ip-header-bad", 2},
}

// icmp6Types are the names that sluice's own notation knows in IPv6 rules (IANA "ICMPv6 type numbers").
var icmp6Types = []named{
	{"destination-unreachable", 1}, {"packet-too-big", 2}, {"time-exceeded", 3}, {"parameter-problem", 4},
	{"echo-request", 128}, {"echo-reply", 129}, {"router-solicit", 133}, {"router-advertisement", 134},
	{"neighbor-solicit", 135}, {"neighbor-advertisement", 136}, {"redirect", 137},
}

// dscps are the names of RFC 2474, RFC 2597, RFC 3246 and RFC 5865, for sluice's own notation.
var dscps = []named{
	{"cs0", 0}, {"cs1", 8}, {"cs2", 16}, {"cs3", 24}, {"cs4", 32}, {"cs5", 40}, {"cs6", 48}, {"cs7", 56},
	{"af11", 10}, {"af12", 12}, {"af13", 14}, {"af21", 18}, {"af22", 20}, {"af23", 22},
	{"af31", 26}, {"af32", 28}, {"af33", 30}, {"af41", 34}, {"af42", 36}, {"af43", 38}, {"ef", 46}, {"va", 44},
}

// tcpFlags are ExaBGP's names, and psh, which it lacks and everybody writes.
var tcpFlags = []named{
	{"fin", 0x01}, {"syn", 0x02}, {"rst", 0x04}, {"push", 0x08}, {"psh", 0x08}, {"ack", 0x10}, {"urg", 0x20},
	{"urgent", 0x20}, {"ece", 0x40}, {"cwr", 0x80}, {"ns", 0x100},
}

// fragments are the bits of RFC 8955 §4.2.2.12. not-a-fragment is ExaBGP 4.2's, and the value 0.
var fragments = []named{
	{"not-a-fragment", 0}, {"dont-fragment", 1}, {"is-fragment", 2}, {"first-fragment", 4}, {"last-fragment", 8},
}

// find looks a word up in a short list.
func find(list []named, word string) (uint64, bool) {
	for i := range list {
		if list[i].name == word {
			return uint64(list[i].value), true
		}
	}
	return 0, false
}

// port looks a word up in the sorted list of ports.
func port(word string) (uint64, bool) {
	lo, hi := 0, len(ports)
	for lo < hi {
		if mid := (lo + hi) / 2; ports[mid].name < word {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(ports) && ports[lo].name == word {
		return uint64(ports[lo].value), true
	}
	return 0, false
}

// nameOf returns the first name of a value in a list, or false.
func nameOf(list []named, value uint64) (string, bool) {
	for i := range list {
		if uint64(list[i].value) == value {
			return list[i].name, true
		}
	}
	return "", false
}

// canonical puts a name in lower case with hyphens: ExaBGP compares value names so. It allocates only when it must.
func canonical(word string) string {
	for i := 0; i < len(word); i++ {
		if c := word[i]; c == '_' || 'A' <= c && c <= 'Z' {
			return strings.ReplaceAll(strings.ToLower(word), "_", "-")
		}
	}
	return word
}

// number reads a decimal number, or with 0x a hexadecimal one, without sign, space or underscore. The second result says
// whether word is a number at all; a number that does not fit in 32 bits comes back as the largest.
func number(word string) (uint64, bool) {
	if len(word) == 0 {
		return 0, false
	}
	base, digits := 10, word
	if len(word) > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X') {
		base, digits = 16, word[2:]
	}
	for i := 0; i < len(digits); i++ {
		c := digits[i] | 0x20
		if digits[i] >= '0' && digits[i] <= '9' || base == 16 && c >= 'a' && c <= 'f' {
			continue
		}
		return 0, false
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return 1<<32 - 1, true
	}
	return v, true
}

// kind says what the values of a component are called in a message.
func kind(t flowspec.Type) string {
	switch t {
	case flowspec.Protocol:
		return "protocol"
	case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
		return "port"
	case flowspec.ICMPType:
		return "ICMP type"
	case flowspec.ICMPCode:
		return "ICMP code"
	case flowspec.TCPFlags:
		return "TCP flag"
	case flowspec.PacketLength:
		return "packet length"
	case flowspec.DSCP:
		return "DSCP"
	case flowspec.Fragment:
		return "fragment bit"
	}
	return "flow label"
}

// example is a value to show in a hint.
func example(t flowspec.Type) string {
	switch t {
	case flowspec.Protocol:
		return "=udp"
	case flowspec.TCPFlags:
		return "syn"
	case flowspec.Fragment:
		return "is-fragment"
	}
	return "=80"
}
