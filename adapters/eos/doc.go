// Package eos writes and reads traffic policies of Arista EOS (`traffic-policies`, `traffic-policy`): it is the dialect behind the platforms
// 7280R3 and 7500R3. It renders a vendor-neutral filter as the text of the configuration and as the commands of eAPI or of gNMI's origin
// "cli", and reads both back.
//
// Access lists are not written. They take one prefix and no length for each entry, end by discarding, and limit or redirect only through class
// and policy maps of other features; a traffic policy says everything in one place.
//
// # One policy for both versions
//
// An interface takes one traffic policy, and a policy holds matches of both IP versions. The filters sluice-v4 and sluice-v6 therefore are the
// matches `ipv4` and `ipv6` of one policy, sluice-in, in the order of their entries; the first match that takes a packet decides. What no match
// takes goes on as it would have without a policy: `match ipv4-all-default ipv4` stands behind all others and has no actions.
//
// # What a match means
//
// A port, a TCP flag and an ICMP type stand inside a `protocol` statement, so none is read in another protocol. But no source says what a
// port condition does to later fragments, which have no ports, and EOS takes no `fragment` beside a port. So no later fragment gets there: where
// an entry is about packets at offset zero only, the policy begins with a part for later fragments (`fragment offset 1-8191`). It has a copy of
// every entry that takes them, named later-NAME, and ends with later-rest, which lets the rest of them pass. Semantics says what comes of it:
// transport conditions check the offset.
//
// A copy counts with its entry. It cannot share its policer: a limit on an entry that takes both kinds of packets is refused where the
// policy has that part.
//
// # What it cannot say
//
//   - a policer for two entries: `police` is an action of one match and has no name, and its policer is called sluice-NAME after the entry;
//   - TCP flags: `initial`, `established` and `rst` are the only words that are sourced, and what each says of the other flags is not;
//   - ICMP codes without exactly one type; several types (sources disagree on how they are separated);
//   - fragments other than "later" and "offset zero": nothing names more-fragments and don't-fragment;
//   - several lengths, several DSCPs; protocol 0 in IPv4;
//   - in IPv6 anything but prefixes and DSCP: the chip's key holds the next header, which is the upper-layer protocol only where no extension
//     header stands between; there is no fragment condition; and whether the length counts the header is not documented;
//   - flow labels, samples, going on to later entries, copies, redirects into a VRF;
//   - a filter in front of the operator's own: what follows a traffic policy's match is not documented.
package eos
