// Package junos writes and reads firewall filters of Junos (`firewall family inet|inet6 filter`): it is the dialect behind the platforms
// MX and PTX. It renders a vendor-neutral filter as text for people and as XML for NETCONF, and reads both back.
//
// # What a term means
//
// A Junos term matches octets, not packets. Juniper's "Firewall Filter Match Conditions" pages say of ports, TCP flags and ICMP fields
// that the term checks neither the protocol nor, for IPv4, whether the packet is a first fragment: a lone `source-port 53` also matches an
// ESP packet, or a later fragment, whose octets happen to read 53. Semantics says so, and whoever makes entries for this dialect puts the
// missing conditions into them (filter.Guard does):
//
//   - ports: Proto within TCP and UDP; TCP flags: Proto is TCP; ICMP type and code: Proto is ICMP, or ICMPv6 in IPv6;
//   - all of these: Fragments within packet.OffsetZero;
//   - one Fragments set that a single term can say (filter.FragmentParts);
//   - Port in an entry without DstPort and SrcPort: Junos does not take them together in one term.
//
// A protocol in IPv6 is payload-protocol, the one behind all extension headers, as FlowSpec means it (RFC 8956 section 3.3); next-header is
// whatever comes first.
//
// Render writes exactly these conditions and refuses an entry that lacks them; it adds none and leaves none out.
//
// # What it cannot say
//
//   - flow labels, TCP flags beyond the six that Junos names, a redirect into a VRF whose name it was not told (a rule names a route target, a
//     term names a routing instance: Dialect.With), a copy to a next hop, discard or a redirect that continues, both of them at once;
//   - in IPv6: the fragment offset. `fragment-offset` and `fragment-flags` exist in family inet only, and the pages that describe
//     `is-fragment`, `first-fragment` and `last-fragment` of family inet6 do not say whether the first fragment, or an unfragmented packet,
//     is meant. Hence no fragments in IPv6, and no ports, flags or ICMP either, since those have to be kept off later fragments;
//   - in IPv6: the packet length, as no source at hand says whether the 40 octets of the header count.
//
// # Names
//
// Every object is named sluice-*. The filter's terms are its entries; one more term, accept-rest, lets the rest pass where the filter
// stands alone, because Junos discards what no term matches. In front of another filter the rest goes on to that one; there, a filter that is
// empty, or whose last entry goes on, ends by a term nothing, for Junos takes no `next term` at the end. Policers are filter-specific: one
// bucket for all terms that name them, where the default would be one for each term.
package junos
