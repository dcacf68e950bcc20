package eosacl

import (
	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Words that a device may show in place of numbers, spelled without hyphens. Ours are written as numbers, but for the protocols of which other words of a line depend. A
// word that is not here is an error, never a guess.

// spelling is how a device writes what it holds. The words are those of the grammar of EOS in batfish (Legacy_acl.g4, Legacy_common.g4) and of aerleon (arista.py); ports
// have the numbers of IANA's service names.
var spelling = ciscoacl.Spelling{
	Protocols: protocolWords, Ports: portWords, DSCP: dscpWords,
	Messages:    map[packet.Version]map[string]ciscoacl.Message{packet.IPv4: messageWords},
	Any:         map[packet.Version]string{packet.IPv4: "ip", packet.IPv6: "ipv6"},
	ICMP:        map[packet.Version]string{packet.IPv4: "icmp", packet.IPv6: "icmpv6"},
	MaxPorts:    10,
	MinProtocol: 1,
}

var protocolWords = map[string]uint32{"ahp": 51, "gre": 47, "icmp": 1, "igmp": 2, "ospf": 89, "pim": 103, "rsvp": 46, "tcp": 6, "udp": 17, "vrrp": 112}

var portWords = map[string]uint32{
	"bfd": 3784, "bfdecho": 3785, "bgp": 179, "biff": 512, "bootpc": 68, "bootps": 67, "chargen": 19, "cmd": 514, "daytime": 13, "dhcpv6client": 546, "dhcpv6server": 547,
	"discard": 9, "domain": 53, "echo": 7, "exec": 512, "finger": 79, "ftp": 21, "ftpdata": 20, "gopher": 70, "hostname": 101, "https": 443, "ident": 113, "imap": 143,
	"irc": 194, "isakmp": 500, "kerberos": 88, "klogin": 543, "kshell": 544, "ldap": 389, "ldaps": 636, "ldp": 646, "login": 513, "lpd": 515, "microsoftds": 445, "msdp": 639,
	"mssqlm": 1434, "mssqls": 1433, "nameserver": 42, "netbiosdgm": 138, "netbiosns": 137, "netbiosss": 139, "netbiosssn": 139, "nntp": 119, "non500isakmp": 4500, "ntp": 123,
	"openvpn": 1194, "pimautorp": 496, "pop2": 109, "pop3": 110, "pptp": 1723, "radius": 1812, "radiusacct": 1813, "rip": 520, "rsync": 873, "sip": 5060, "smtp": 25,
	"snmp": 161, "snmptrap": 162, "ssh": 22, "submission": 587, "sunrpc": 111, "syslog": 514, "tacacs": 49, "talk": 517, "telnet": 23, "tftp": 69, "time": 37, "uucp": 540,
	"vxlan": 4789, "who": 513, "whois": 43, "www": 80, "xdmcp": 177,
}

var dscpWords = map[string]uint32{
	"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
	"cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "default": 0, "ef": 46,
}

// messageWords are names of ICMP types, by the names that RFC 792, RFC 950, RFC 1256 and RFC 1393 give them. Names of a type with a code are left out: sluice writes none of
// those, and no page of Arista's says which code each means.
var messageWords = map[string]ciscoacl.Message{
	"alternateaddress": {6, -1}, "conversionerror": {31, -1}, "echo": {8, -1}, "echoreply": {0, -1}, "informationreply": {16, -1}, "informationrequest": {15, -1},
	"maskreply": {18, -1}, "maskrequest": {17, -1}, "parameterproblem": {12, -1}, "redirect": {5, -1}, "routeradvertisement": {9, -1}, "routersolicitation": {10, -1},
	"sourcequench": {4, -1}, "timeexceeded": {11, -1}, "timestampreply": {14, -1}, "timestamprequest": {13, -1}, "traceroute": {30, -1}, "unreachable": {3, -1},
}

// protocolName is how Render writes a protocol.
func protocolName(n uint32) string {
	switch n {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	}
	return number(n)
}
