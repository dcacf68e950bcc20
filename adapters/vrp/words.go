package vrp

import (
	"strconv"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Protocol numbers that conditions depend on.
const (
	icmp = 1
	tcp  = 6
	udp  = 17
)

// protocolWords are the words for protocols in lines of IPv4 (huawei-acl of 8.22, and the syntax of rule in NE40E's guide). In lines of IPv6 only `ipv6`, any protocol,
// is ours.
var protocolWords = map[string]int{"icmp": icmp, "igmp": 2, "ipinip": 4, "tcp": tcp, "udp": udp, "gre": 47, "ospf": 89}

// protocolWord is how a line names its protocol; -1 is any.
func protocolWord(n int, v packet.Version) string {
	switch {
	case n < 0 && v == packet.IPv6:
		return "ipv6"
	case n < 0:
		return "ip"
	}
	for word, p := range protocolWords {
		if p == n {
			return word
		}
	}
	return strconv.Itoa(n)
}

// portWords are the words for ports of TCP and UDP that a router may show in place of numbers. Those that mean another port in each of the two (514 is cmd and syslog, 512 exec
// and biff, 513 login and who) mean one all the same. From the syntax of rule in NE40E's guide; the numbers are IANA's.
var portWords = map[string]uint32{
	"bgp": 179, "biff": 512, "bootpc": 68, "bootps": 67, "chargen": 19, "cmd": 514, "daytime": 13, "discard": 9, "dns": 53, "dnsix": 90, "domain": 53, "echo": 7, "exec": 512,
	"finger": 79, "ftp": 21, "ftp-data": 20, "gopher": 70, "hostname": 101, "irc": 194, "klogin": 543, "kshell": 544, "login": 513, "lpd": 515, "mobilip-ag": 434,
	"mobilip-mn": 435, "nameserver": 42, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ssn": 139, "nntp": 119, "ntp": 123, "pop2": 109, "pop3": 110, "rip": 520, "smtp": 25,
	"snmp": 161, "snmptrap": 162, "sunrpc": 111, "syslog": 514, "tacacs": 49, "tacacs-ds": 65, "talk": 517, "telnet": 23, "tftp": 69, "time": 37, "uucp": 540, "who": 513,
	"whois": 43, "www": 80, "xdmcp": 177,
}

// dscpWords are the words for code points (NE40E's guide, rule and remark dscp; RFC 2474, RFC 2597, RFC 3246).
var dscpWords = map[string]uint32{
	"af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38,
	"cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "default": 0, "ef": 46,
}
