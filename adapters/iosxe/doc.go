// Package iosxe writes and reads access lists of Cisco IOS XE and classic IOS (`ip access-list extended`, `ipv6 access-list`): it is the dialect behind ASR 1000 and other
// routers with these systems. It renders a vendor-neutral filter as text for people and as XML of Cisco's native model for NETCONF (Cisco-IOS-XE-acl in
// Cisco-IOS-XE-native), and reads both back. What it has in common with the access lists of IOS XR, the two parts and the places of lines, is in package ciscoacl.
//
// # What an entry means
//
// An entry is one line:
//
//	3000 remark r-00000000000000c3                           for later fragments: the entries that match them,
//	3001 deny ip host 192.0.2.66 any fragments               by addresses, protocol and DSCP
//	10000000 permit ip any any fragments                     and no further
//	10001000 remark r-00000000000000a1                       for packets with a transport header
//	10001001 deny udp any eq 19 53 123 host 203.0.113.80
//	10003000 remark r-00000000000000c3
//	10003001 deny ip host 192.0.2.66 any
//	2147483640 permit ip any any
//
// The first line that matches decides. What none matches is denied, but for neighbour discovery, which IPv6 lists permit by themselves ("permit icmp any any nd-na", "nd-ns");
// the last line of ours permits everything, so that neither is ever reached.
//
// The numbers of IPv6 lines stand behind a word, `sequence 10001001 deny ...`, and in older releases at their end, which is read as well. Classic IOS leaves the numbers out of
// its configuration ("sequence numbers are not nvgened", IP Access List Entry Sequence Numbering); such a list is read by its order.
//
// In IPv6 the protocol of a line is the upper-layer one, behind all extension headers, as FlowSpec means it (RFC 8956 section 3.3): access lists were extended "to support traffic
// filtering based on IPv6 option headers and optional, upper-layer protocol type information" (Cisco 10000 Series Software Configuration Guide, "IPv6 Extended ACLs"), and a word of its own (hbh) beside the protocol tells packets with a hop-by-hop header apart ("IPv6 ACL Extensions for Hop by Hop
// Filtering"); what has no complete header at the end of the chain is "undetermined-transport" ("IPv6 ACL Undetermined-Transport Support", IOS XE 16). `fragments` checks "non-initial fragments"
// (Cisco-IOS-XE-acl), those with an offset above zero in their fragment header.
//
// Every line counts its matches. An entry that nobody asked to count says so in its remark, `r-00000000000000a1 uncounted`; nothing else tells it from the others.
//
// # What it cannot say
//
//   - rates and marks. A QoS policy does both, in the place of the lists and for rules without ports: package iosxepolicy. For rules with ports one thing is missing, which is said there;
//   - packet lengths. A class map matches them (`match packet length`), in that policy;
//   - redirects. Policy routing is an object of its own, one for each interface;
//   - samples, going on to later entries;
//   - protocol 0, which may be another way to write any;
//   - in IPv6, protocols that are extension headers, TCP flags (its lines take flags without saying whether all or any) and lists of ports;
//   - an ICMP code without a type, and fragment states beyond "later fragments" and "all others";
//   - a place in front of the operator's list. There is a common access list (`ip access-group common`), but no page says whether what none of its lines matches is denied.
package iosxe
