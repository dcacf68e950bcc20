package iosxe

import (
	"strconv"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Words that a device may show in place of numbers, spelled without hyphens. Ours are written as numbers, but for protocols that everybody knows by name, and those of which other words of a line depend. A word
// that is not here is an error, never a guess.

// spelling is how a device writes what it holds. The words of protocols, ports and DSCP are those of Cisco-IOS-XE-acl and Cisco-IOS-XE-types of 17.18.1, which numbers most
// of them; login, exec and cmd have the numbers of IANA's service names.
var spelling = ciscoacl.Spelling{
	Protocols: protocolWords, Ports: portWords, DSCP: dscpWords,
	Messages:    map[packet.Version]map[string]ciscoacl.Message{packet.IPv4: messageWords},
	Any:         map[packet.Version]string{packet.IPv4: "ip", packet.IPv6: "ipv6"},
	ICMP:        map[packet.Version]string{packet.IPv4: "icmp", packet.IPv6: "icmp"},
	MaxPorts:    maxPorts,
	MinProtocol: 1,
	Reserved:    map[packet.Version][]uint32{packet.IPv6: extensionHeaders},
}

// protocolWords are those of both IP versions but icmp, which is another number in each.
var protocolWords = map[string]uint32{
	"ahp": 51, "eigrp": 88, "esp": 50, "gre": 47, "igmp": 2, "ipinip": 4, "nos": 94, "ospf": 89, "pcp": 108, "pim": 103, "sctp": 132, "tcp": 6, "udp": 17,
}

var portWords = map[string]uint32{
	"bgp": 179, "biff": 512, "bootpc": 68, "bootps": 67, "chargen": 19, "cmd": 514, "daytime": 13, "discard": 9, "dnsix": 195, "domain": 53, "echo": 7, "exec": 512,
	"finger": 79, "ftp": 21, "ftpdata": 20, "gopher": 70, "hostname": 101, "ident": 113, "irc": 194, "isakmp": 500, "klogin": 543, "kshell": 544, "login": 513, "lpd": 515,
	"mobileip": 434, "msrpc": 135, "nameserver": 42, "netbiosdgm": 138, "netbiosns": 137, "netbiosss": 139, "nntp": 119, "non500isakmp": 4500, "ntp": 123,
	"onepplain": 15001, "oneptls": 15002, "pimautorp": 496, "pop2": 109, "pop3": 110, "rip": 520, "ripv6": 521, "smtp": 25, "snmp": 161, "snmptrap": 162, "sunrpc": 111,
	"syslog": 514, "tacacs": 49, "talk": 517, "telnet": 23, "tftp": 69, "time": 37, "uucp": 540, "who": 513, "whois": 43, "www": 80, "xdmcp": 177,
}

var dscpWords = map[string]uint32{
	"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
	"cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "default": 0, "ef": 46,
}

// messageWords are names of ICMP types, by the names that RFC 792, RFC 950, RFC 1256 and RFC 1393 give them. Names of a type with a code are left out: we write none of
// those, and no page of Cisco's says which code each means.
var messageWords = map[string]ciscoacl.Message{
	"alternateaddress": {6, -1}, "conversionerror": {31, -1}, "echo": {8, -1}, "echoreply": {0, -1}, "informationreply": {16, -1}, "informationrequest": {15, -1},
	"maskreply": {18, -1}, "maskrequest": {17, -1}, "mobileredirect": {32, -1}, "parameterproblem": {12, -1}, "redirect": {5, -1}, "routeradvertisement": {9, -1},
	"routersolicitation": {10, -1}, "sourcequench": {4, -1}, "timeexceeded": {11, -1}, "timestampreply": {14, -1}, "timestamprequest": {13, -1}, "traceroute": {30, -1},
	"unreachable": {3, -1},
}

// extensionHeaders are those of IPv6 (IANA, "IPv6 Extension Header Types") that another header can follow in the clear. None is ever the protocol of a packet, which is behind all of
// them (RFC 8956 section 3.3), but a line with one takes the packets that have it; ESP, behind which nothing can be read, is a protocol.
var extensionHeaders = []uint32{0, 43, 44, 51, 60, 135, 139, 140}

// protocolName is how Render writes a protocol. The model compares names: ports stand "when protocol != 'icmp'", and words behind tcp are those of a tcp. The command line of IPv6
// has no word gre.
func protocolName(n uint32, v packet.Version) string {
	switch {
	case n == 6:
		return "tcp"
	case n == 17:
		return "udp"
	case n == 47 && v == packet.IPv4:
		return "gre"
	case n == 50:
		return "esp"
	case n == ciscoacl.ICMP(v):
		return "icmp"
	}
	return strconv.FormatUint(uint64(n), 10)
}
