package sros

import (
	"slices"
	"strconv"

	"github.com/sluice-gateway/sluice/core/packet"
)

// protocolWords are the names of protocols in nokia-types-sros (match-ip-protocol) of 26.3. tcp-udp stands for both and is no number.
var protocolWords = map[string]uint32{
	"icmp": 1, "igmp": 2, "ip": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "rdp": 27, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "idrp": 45, "rsvp": 46,
	"gre": 47, "ipv6-icmp": 58, "ipv6-no-nxt": 59, "ipv6-opts": 60, "iso-ip": 80, "eigrp": 88, "ospf-igp": 89, "ether-ip": 97, "encap": 98, "pnni": 102, "pim": 103,
	"vrrp": 112, "l2tp": 115, "stp": 118, "ptp": 123, "isis": 124, "crtp": 126, "crudp": 127, "sctp": 132,
}

// protocolName is how Render writes a protocol: by number, but for those that everybody knows. The name of 4 is ip, which reads like any of them.
func protocolName(n uint32) string {
	switch n {
	case 1:
		return "icmp"
	case protoTCP:
		return "tcp"
	case protoUDP:
		return "udp"
	case 47:
		return "gre"
	case 58:
		return "ipv6-icmp"
	}
	return strconv.FormatUint(uint64(n), 10)
}

// dscpNames are the names of nokia-types-qos (dscp-name) of 26.3, by number. The model takes names only.
var dscpNames = [64]string{
	"be", "cp1", "cp2", "cp3", "cp4", "cp5", "cp6", "cp7", "cs1", "cp9", "af11", "cp11", "af12", "cp13", "af13", "cp15",
	"cs2", "cp17", "af21", "cp19", "af22", "cp21", "af23", "cp23", "cs3", "cp25", "af31", "cp27", "af32", "cp29", "af33", "cp31",
	"cs4", "cp33", "af41", "cp35", "af42", "cp37", "af43", "cp39", "cs5", "cp41", "cp42", "cp43", "cp44", "cp45", "ef", "cp47",
	"nc1", "cp49", "cp50", "cp51", "cp52", "cp53", "cp54", "cp55", "nc2", "cp57", "cp58", "cp59", "cp60", "cp61", "cp62", "cp63",
}

// dscpNumber returns the number of a name.
func dscpNumber(name string) (uint32, bool) {
	n := slices.Index(dscpNames[:], name)
	return uint32(n), n >= 0
}

// flagBits are the TCP flags of the model, in its order, with their bits in the flag word.
var flagBits = []struct {
	name string
	bit  uint16
}{{"ack", 0x10}, {"syn", 0x02}, {"fin", 0x01}, {"rst", 0x04}, {"psh", 0x08}, {"urg", 0x20}, {"ece", 0x40}, {"cwr", 0x80}, {"ns", 0x100}}

// list is the name of the list that filters of version v are in.
func list(v packet.Version) string {
	if v == packet.IPv6 {
		return "ipv6-filter"
	}
	return "ip-filter"
}

// protocolLeaf is the condition on the protocol in filters of version v.
func protocolLeaf(v packet.Version) string {
	if v == packet.IPv6 {
		return "next-header"
	}
	return "protocol"
}

const (
	protoTCP = 6
	protoUDP = 17
)

// icmp is the protocol number of the ICMP of version v.
func icmp(v packet.Version) uint32 {
	if v == packet.IPv6 {
		return 58
	}
	return 1
}
