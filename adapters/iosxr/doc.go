// Package iosxr writes and reads access lists of Cisco IOS XR (`ipv4 access-list`, `ipv6 access-list`): it is the dialect behind ASR 9000 and NCS 5500/5700. It
// renders a vendor-neutral filter as text for people and as XML of Cisco's unified models for NETCONF (Cisco-IOS-XR-um-ipv4-access-list-cfg and its twin for IPv6; the
// older Cisco-IOS-XR-ipv4-acl-cfg is deprecated in 25.4.2), and reads both back.
//
// # What an entry means
//
// An entry is one line: one protocol, one range of each port, one set of flags. Lists and `port` are cut into entries by whoever makes them. A line names its
// protocol, so ports, TCP flags and ICMP fields are never compared in another one; but what a line with such conditions does to later fragments, which have no
// transport header, depends on what it does to the others. "The ACL logic assumes that if the Layer 3 information matches, then the Layer 4 information would also
// match, if it was available": a permit takes later fragments of any port along, a deny leaves them to the lines below (Cisco document 8014; "ACL IP Fragments
// Matching - NCS55xx and NCS5xx", where packets were sent through).
//
// So a filter that looks at transport headers is written in two parts, and no line of it ever meets a packet that it could misread:
//
//	1000 remark r-00000000000000a1                           for later fragments: the entries that match them,
//	1001 deny ipv4 any host 203.0.113.9 fragments            by addresses, protocol, length and DSCP
//	10000000 permit ipv4 any any fragments                   and no further
//	10001000 remark r-00000000000000a1                       for packets with a transport header
//	10001001 deny ipv4 any host 203.0.113.9
//	10002000 remark r-00000000000000b2
//	10002001 permit tcp any host 203.0.113.80 eq 443
//	2147483640 permit ipv4 any any
//
// A filter that looks at no transport header has the second part only. In front of the operator's list (placement before) nothing may be permitted, so there is
// no first part either; a deny with ports leaves later fragments alone by itself, which is documented for IPv4.
//
// # Places
//
// An entry has one place in both parts: at place 200 the remark is line 2000 and the entry 2001 of the first part, 10002000 and 10002001 of the second. The remark
// carries the entry's name. Parse keeps places in filter.Entry.Place, and Edit gives a new entry one between its neighbours, so that a changed rule changes its own
// lines and no others.
//
// # What it cannot say
//
//   - rates and marks: an access list neither polices nor marks. A QoS policy on the interface could, but it classifies by itself, in parallel with the access list
//     (Cisco's "ASR9000/XR Feature Order of operation"), so the order of the entries is not its order. To keep to it, the list of a class would have to leave packets
//     out, exceptions and later fragments for a start; but "when an ACL list is used within a class-map, the deny action of the ACL is ignored and the traffic is
//     classified" (NCS 5500 and NCS 540 Command References, "match access-group"), and of ASR 9000 nothing is written. Nor is it that a policer never counts what the
//     access list denies, nor, of a policy in the place of the list, that the list of a class knows `fragments`. There is no model to prove on; docs/adapters.md has what was
//     looked for;
//   - samples, going on to later entries, copies, a redirect into a VRF (a rule names a route target, a line names a VRF);
//   - flow labels, TCP flags beyond the six of the model, an ICMP code without a type, lists;
//   - some fragment states: whole packets alone, middle fragments alone, don't-fragment beside a part for later fragments.
package iosxr
