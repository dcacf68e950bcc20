package iosxr

import (
	"strconv"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Words that a device may show in place of numbers, spelled without hyphens and capitals: the models say NetBIOS_NS and TTLExceeded where a line says netbios-ns
// and ttl-exceeded. Ours are written as numbers, but for the protocols of which the models make other conditions depend. A word that is not here is an error, never a
// guess. From Cisco-IOS-XR-um-access-list-datatypes of 25.4.2.

var protocolWords = map[string]uint32{
	"ahp": 51, "eigrp": 88, "esp": 50, "gre": 47, "icmp": 1, "icmpv6": 58, "igmp": 2, "igrp": 9, "ipinip": 4, "nos": 94, "ospf": 89, "pcp": 108,
	"pim": 103, "rsvp": 46, "sctp": 132, "tcp": 6, "udp": 17, "vrrp": 112,
}

var portWords = map[string]uint32{
	"bfd": 3784, "bgp": 179, "bootpc": 68, "bootps": 67, "chargen": 19, "cmdorsyslog": 514, "daytime": 13, "discard": 9, "dns": 53, "dnsix": 195, "domain": 53,
	"echo": 7, "execorbiff": 512, "finger": 79, "ftp": 21, "ftpdata": 20, "gopher": 70, "hostname": 101, "https": 443, "ident": 113, "irc": 194, "isakmp": 500,
	"klogin": 543, "kshell": 544, "ldp": 646, "loginorwho": 513, "lpd": 515, "mobileip": 434, "nameserver": 42, "netbiosdgs": 138, "netbiosns": 137,
	"netbiosss": 139, "nntp": 119, "ntp": 123, "pimautorp": 496, "pop2": 109, "pop3": 110, "radius": 1812, "radiusacct": 1813, "rip": 520, "smtp": 25,
	"snmp": 161, "snmptrap": 162, "ssh": 22, "sunrpc": 111, "tacacs": 49, "talk": 517, "telnet": 23, "tftp": 69, "time": 37, "uucp": 540, "whois": 43,
	"www": 80, "xdmcp": 177,
}

var dscpWords = map[string]uint32{
	"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
	"cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "default": 0, "ef": 46,
}

// messageWords are those of each IP version. The models number them type<<16 + code, with the code 65535 for any. Two are left out: "network unreachable for TOS"
// and "host unreachable for TOS" have each other's code there (RFC 1812 section 5.2.7.1), so which of them a device means is not known.
var messageWords = map[packet.Version]map[string]ciscoacl.Message{packet.IPv4: messageWords4, packet.IPv6: messageWords6}

var messageWords6 = map[string]ciscoacl.Message{
	"noroutetodestination": {1, 0}, "administrativelyprohibited": {1, 1}, "beyondscopeofsourceaddress": {1, 2}, "addressunreachable": {1, 3},
	"portunreachable": {1, 4}, "destinationunreachable": {1, -1}, "packettoobig": {2, 0}, "ttlexceeded": {3, 0}, "reassemblyoption": {3, 1},
	"timeexceeded": {3, -1}, "erroneousheaderfield": {4, 0}, "unrecognizednextheader": {4, 1}, "unrecognizedoption": {4, 2}, "parameterproblem": {4, -1},
	"echo": {128, 0}, "echoreply": {129, 0}, "groupmembershipquery": {130, -1}, "groupmembershipreport": {131, -1}, "groupmembershipreduction": {132, -1},
	"routersolicitation": {133, 0}, "routeradvertisement": {134, 0}, "neighborsolicitation": {135, 0}, "neighboradvertisement": {136, 0},
	"neighborredirect": {137, 0}, "rrcommand": {138, 0}, "rrresult": {138, 1}, "rrseqnumreset": {138, 255}, "routerrenumbering": {138, -1},
	"querysubjectisipv6address": {139, 0}, "querysubjectisdomainname": {139, 1}, "querysubjectisipv4address": {139, 2}, "whoareyourequest": {139, -1},
	"nodeinformationsuccessfulreply": {140, 0}, "nodeinformationrequestisrefused": {140, 1}, "unknownquerytype": {140, 2}, "whoareyoureply": {140, -1},
}

var messageWords4 = map[string]ciscoacl.Message{
	"echoreply": {0, -1}, "unreachable": {3, -1}, "networkunreachable": {3, 0}, "hostunreachable": {3, 1}, "protocolunreachable": {3, 2},
	"portunreachable": {3, 3}, "packettoobig": {3, 4}, "sourceroutefailed": {3, 5}, "networkunknown": {3, 6}, "hostunknown": {3, 7}, "hostisolated": {3, 8},
	"dodnetprohibited": {3, 9}, "dodhostprohibited": {3, 10}, "administrativelyprohibited": {3, 13},
	"hostprecedenceunreachable": {3, 14}, "precedenceunreachable": {3, 15}, "sourcequench": {4, -1}, "redirect": {5, -1}, "networkredirect": {5, 0},
	"hostredirect": {5, 1}, "nettosredirect": {5, 2}, "hosttosredirect": {5, 3}, "alternateaddress": {6, -1}, "echo": {8, -1}, "routeradvertisement": {9, -1},
	"routersolicitation": {10, -1}, "timeexceeded": {11, -1}, "ttlexceeded": {11, 0}, "reassemblytimeout": {11, 1}, "parameterproblem": {12, -1},
	"generalparameterproblem": {12, 0}, "optionmissing": {12, 1}, "noroomforoption": {12, 2}, "timestamprequest": {13, -1}, "timestampreply": {14, -1},
	"informationrequest": {15, -1}, "informationreply": {16, -1}, "maskrequest": {17, -1}, "maskreply": {18, -1}, "traceroute": {30, -1}, "conversionerror": {31, -1},
	"mobileredirect": {32, -1},
}

// spelling is how a device writes what it holds.
var spelling = ciscoacl.Spelling{
	Protocols: protocolWords, Ports: portWords, DSCP: dscpWords, Messages: messageWords,
	Any:      map[packet.Version]string{packet.IPv4: "ipv4", packet.IPv6: "ipv6"},
	ICMP:     map[packet.Version]string{packet.IPv4: "icmp", packet.IPv6: "icmpv6"},
	MaxPorts: 1,
}

// family is the word for IP version v: the element and the first word of the list, and the protocol that stands for any.
func family(v packet.Version) string {
	if v == packet.IPv6 {
		return "ipv6"
	}
	return "ipv4"
}

// protocolName is how Render writes a protocol. The models compare names: tcp-flags stand "when protocol='tcp'", and not beside a 6.
func protocolName(n uint32, v packet.Version) string {
	switch {
	case n == 6:
		return "tcp"
	case n == 17:
		return "udp"
	case n == 1 && v == packet.IPv4:
		return "icmp"
	case n == 58 && v == packet.IPv6:
		return "icmpv6"
	case n == 2 && v == packet.IPv4:
		return "igmp"
	}
	for _, name := range []string{"gre", "esp", "ahp", "ospf", "pim"} {
		if protocolWords[name] == n {
			return name
		}
	}
	return strconv.FormatUint(uint64(n), 10)
}
