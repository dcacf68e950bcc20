// Package slx is the dialect of Extreme SLX-OS: extended access lists for interfaces that packets enter, for IPv4 and IPv6.
//
// An entry is a line of one list, in the order of the numbers; the last line, 65535, permits the rest, which the list would deny. A line has a protocol and two addresses,
// and drops or lets pass. So it can say:
//
//   - in IPv4, a source and a destination prefix, and one protocol but 0;
//   - in IPv6, a source prefix: the hardware does not look at destination addresses of IPv6 in a list for packets that come in ("Layer 3 ACL configuration guidelines",
//     SLX-OS security configuration guide 20.5.1), and whether its protocol is the one behind extension headers is not said;
//   - a counter for the line.
//
// SLX-OS has words for more. They are not written, for no public page says enough of them to prove what they do:
//
//   - Ports: what a line with ports does to later fragments, which have none, is not said, and nothing keeps it off them: `fragment` filters "fragmented packets" and `non-fragment`
//     "non-fragmented packets" ("seq (rules in IPv4 standard bACLs)", command reference 20.6.1), so one of the two takes the first fragment along, and which one is not said either.
//   - TCP flags, and later fragments by themselves, for the same reason.
//   - ICMP types and packet lengths: a line has no such words. DSCP: the model has a leaf for it, the command of 20.6.1 does not.
//   - Rates and marks: a policy map polices a whole list with one policer, and meters what the list permits ("Configuration Considerations for VLAN-based Rate Limiting",
//     traffic management guide 20.4.2), apart from the list that filters.
//
// A line is `deny`, not `hard-drop`: it leaves control packets to the router alone, which `hard-drop` takes from it (the same guidelines).
//
// SLX-OS keeps no remarks in a list. Text of ours has the names of entries as comments in front of the list; what a device shows has none, and its entries are named after their numbers.
package slx
