// Package openconfig writes and reads access lists of the model openconfig-acl (1.3.3, openconfig/public): the dialect for devices that take
// it over gNMI or NETCONF. It renders a vendor-neutral filter as JSON for gNMI (JSON_IETF, RFC 7951) and as XML for NETCONF, from one tree,
// and reads both back.
//
// # What an entry means
//
// Entries are evaluated "in ascending order based on the sequence-id"; one names a forwarding action, and its conditions are those that are
// set. The model says neither that a port is looked for in TCP and UDP only, nor that later fragments have none, nor what becomes of
// packets that no entry matches. Semantics takes nothing for granted, and whoever makes entries for this dialect puts the missing conditions
// into them (filter.Guard does): the protocol, and offset zero, which is `fragment-offsets: [0]`. The last entry accepts the rest.
//
// # What it cannot say
//
// The model is the upper bound; a platform implements less of it (EOS, for one, has no fragment-offsets). In one entry:
//
//   - one protocol, one range of each port, one length: there are no lists; several DSCPs are a list;
//   - TCP flags that are set: all of some, or any of some. There is no identity for a flag that is not set, except in the built-in TCP_INITIAL
//     (SYN and not ACK);
//   - ICMP types that have an identity, no codes: a code's identity belongs to a type;
//   - fragments as "offset zero" (fragment-offsets) and "later" (the built-in FRAGMENT); in IPv6 none, and so no ports, flags or ICMP, which have to be kept off later fragments;
//   - in IPv6 no protocol: whether it is the next header or the upper-layer protocol is not said;
//   - ranges of lengths, flow labels, rates, marks, redirects, samples, going on to later entries;
//   - a set in front of the operator's own: in which order two sets of one interface are evaluated is not said.
//
// # Names
//
// A set bears the name of the filter and the type ACL_IPV4 or ACL_IPV6. Entries have numbers, a hundred apart at first, and their names in the
// description: "r-0000000000000001 counter r-0000000000000001". They count by themselves (state/matched-packets). Parse keeps the numbers in filter.Entry.Place, and
// Keep gives a new entry one between its neighbours, so that a changed rule changes its own entries and no others.
package openconfig
