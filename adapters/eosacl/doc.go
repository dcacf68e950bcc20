// Package eosacl writes and reads access lists of Arista EOS (`ip access-list`, `ipv6 access-list`): it is the dialect for platforms without traffic policies, and for whoever
// has access lists on the interfaces already. It renders a vendor-neutral filter as the text of the configuration and as the commands of eAPI or of gNMI's origin "cli",
// and reads both back. Traffic policies say more (package eos), and stand elsewhere.
//
// # What a list looks like
//
// A filter that looks at ports or ICMP types is written in two parts, as package ciscoacl describes: what a line with a port does to later fragments, which have none, is not
// documented for EOS (there is a command `fragment-rules` that changes it), so no such line ever meets one:
//
//	ip access-list sluice-v4
//	   counters per-entry
//	   1000 remark r-00000000000000a1                       for later fragments: the entries that match them,
//	   1001 deny ip any host 203.0.113.9 fragments          by addresses, protocol and DSCP
//	   10000000 permit ip any any fragments                 and no further
//	   10001000 remark r-00000000000000a1                   for packets with a transport header
//	   10001001 deny ip any host 203.0.113.9
//	   10002000 remark r-00000000000000b2
//	   10002001 deny udp any eq 123 host 203.0.113.80
//	   2147483640 permit ip any any
//
// `fragments` is "match non-head fragment packets" (Arista AVD, schema of ip_access_lists). The last line permits the rest, whatever a list without it would do.
//
// Every line counts, by `counters per-entry`; the counts of a rule's lines add up to the counter that bears the name of its first entry.
//
// # What it cannot say
//
//   - rates, marks, redirects, samples, going on to later entries: a line permits or denies;
//   - packet lengths: Arista says that access lists have them ("IP Packet length matching in Ingress Security ACLs", eos.arista.com), but no source says how they are written;
//   - TCP flags: lines name them without a sign, and whether a packet needs all of them or any is not documented;
//   - `port`, lists, an ICMP code without a type, ranges of DSCP, protocol 0;
//   - fragments other than "later" and "offset zero";
//   - in IPv6 anything but prefixes: whether the protocol of a line is the one behind extension headers is not documented, and no source has its fragments or DSCP;
//   - a filter in front of the operator's: an interface takes one access list for each IP version.
//
// A resequenced list (`resequence`) is another hand's work: its lines stand at other numbers, and Parse says so.
package eosacl
