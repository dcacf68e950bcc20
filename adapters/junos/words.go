package junos

import "strconv"

// Words that Junos shows in place of numbers. Ours are written as numbers, but for the protocols that everybody knows by name; a device
// may show either. A word that is not here is an error, never a guess. From "Firewall Filter Match Conditions for IPv4 Traffic" and
// "... for IPv6 Traffic".

var protocolWords = map[string]uint32{
	"ah": 51, "dstopts": 60, "egp": 8, "esp": 50, "fragment": 44, "gre": 47, "hop-by-hop": 0, "icmp": 1, "icmp6": 58, "icmpv6": 58,
	"igmp": 2, "ipip": 4, "ipv6": 41, "mobility": 135, "no-next-header": 59, "ospf": 89, "pim": 103, "routing": 43, "rsvp": 46,
	"sctp": 132, "tcp": 6, "udp": 17, "vrrp": 112,
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
	case 47:
		return "gre"
	case 50:
		return "esp"
	case 58:
		return "icmp6"
	}
	return strconv.FormatUint(uint64(n), 10)
}

var portWords = map[string]uint32{
	"afs": 1483, "bgp": 179, "biff": 512, "bootpc": 68, "bootps": 67, "cmd": 514, "cvspserver": 2401, "dhcp": 67, "domain": 53,
	"eklogin": 2105, "ekshell": 2106, "exec": 512, "finger": 79, "ftp": 21, "ftp-data": 20, "http": 80, "https": 443, "ident": 113,
	"imap": 143, "kerberos-sec": 88, "klogin": 543, "kpasswd": 761, "krb-prop": 754, "krbupdate": 760, "kshell": 544, "ldap": 389,
	"ldp": 646, "login": 513, "mobileip-agent": 434, "mobilip-mn": 435, "msdp": 639, "netbios-dgm": 138, "netbios-ns": 137,
	"netbios-ssn": 139, "nfsd": 2049, "nntp": 119, "ntalk": 518, "ntp": 123, "pop3": 110, "pptp": 1723, "printer": 515,
	"radacct": 1813, "radius": 1812, "rip": 520, "rkinit": 2108, "smtp": 25, "snmp": 161, "snmptrap": 162, "snpp": 444, "socks": 1080,
	"ssh": 22, "sunrpc": 111, "syslog": 514, "tacacs": 49, "tacacs-ds": 65, "talk": 517, "telnet": 23, "tftp": 69, "timed": 525,
	"who": 513, "xdmcp": 177,
}

// icmpWords are those of IPv4; the same words mean other numbers in IPv6, where sluice writes none.
var icmpWords = map[string]uint32{
	"echo-reply": 0, "echo-request": 8, "info-reply": 16, "info-request": 15, "mask-reply": 18, "mask-request": 17,
	"parameter-problem": 12, "redirect": 5, "router-advertisement": 9, "router-solicit": 10, "source-quench": 4, "time-exceeded": 11,
	"timestamp": 13, "timestamp-reply": 14, "unreachable": 3,
}

var dscpWords = map[string]uint32{
	"ef": 46, "af11": 10, "af12": 12, "af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34,
	"af42": 36, "af43": 38,
}
