// Package nftables writes and reads packet filters of Linux (nf_tables, the program nft). It renders a vendor-neutral filter as a script for
// `nft -f`, and reads back that script and what `nft list table` and `nft -j list table` print.
//
// # What a filter becomes
//
// One table of its own, `table ip sluice-v4` or `table ip6 sluice-v6`, that is replaced whole in one transaction, or edited in one (Dialect.Edit). Its base chain has the name
// of the table and stands at prerouting with priority -450: before the kernel puts fragments together (-400) for connection tracking, so
// that each packet is seen as it came. What the chain accepts goes on to the chains of others, whatever their priority: an nft chain
// cannot let a packet bypass another one, so the two placements differ in what may stand in front of the tail and in nothing else. Packets of
// the host to itself (interface lo) are not looked at.
//
// Where a table has many entries for many destinations, verdict maps lead a packet to the entries for its destination, one map for each
// prefix length, the longest first; see layout.go. Below one destination the same is done for many sources. The order of entries is kept: prefixes share a map
// only where they stand in the order of RFC 8955 §5.1, in which a more specific prefix comes first.
//
// # What an entry becomes
//
// A rule with the entry's name as its comment, or two, where a port may be either one. Lists of more than one range are named sets, shared by
// all rules that ask for the same list: the kernel looks for sets by walking a list of them, so a set for each rule, anonymous or not, makes loading quadratic. Beyond a
// thousand sets, lists are written range by range (see writer.list).
// What does more than count, mark and end has a chain of its own, do-NAME.
//
// # What a rule means
//
// `th dport` reads two octets behind the IP header of whatever protocol, and on some kernels of later fragments (Linux commit
// a9e8503def0f, 2022, and its repair of the fast path in 2026). So entries must say what they need, as filter.Guard does, and Render writes it: ports with
// protocol tcp or udp, flags with tcp, ICMP with the ICMP of the version, and all of them with fragment offset zero. An entry that lacks these conditions is
// refused; none is added, and none is left out.
//
// In IPv6 a fragment header may be absent, and a condition on it fails then whether it is negated or not. So the chain of the entry
// turns away the fragments that are not meant.
//
// # What it cannot say
//
//   - sampling: nft logs every packet or none; a redirect into a VRF, for a rule names a route target;
//   - an IPv4 next hop, copy or not: what `dup` sends has the DF bit set and is another packet;
//   - a burst of less than one second of the rate, for a bucket of bytes holds one second and the burst (nft_limit.c).
package nftables
