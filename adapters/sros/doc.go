// Package sros writes and reads filters of Nokia SR OS (`ip-filter`, `ipv6-filter`): it is the dialect behind the 7750 SR. It renders a vendor-neutral filter as text
// of the MD-CLI for people and as XML of the model nokia-conf for NETCONF, and reads both back.
//
// # What an entry means
//
// An entry is a numbered list of conditions, each with one value or one range, all of which must hold, and an action that ends the evaluation. Lists are cut into entries
// by whoever makes them. What an entry does not say is not checked, so one with ports, TCP flags or ICMP fields names its protocol, and Render refuses it otherwise.
//
// Later fragments have no transport header. Conditions on ports, flags and ICMP "with values of zero or false also match non-first fragment packets if other match
// criteria within the same filter entry are also met" (Router Configuration Guide 22.7, "IPv4/IPv6 filter policy entry match criteria", the operational note for fragmented
// traffic): a later fragment is compared as if all of these were zero. So an entry with one condition that zero does not fulfil (port 53, SYN set) meets no later fragment,
// and one whose conditions zero fulfils (ports below 1024, ICMP type 0, ACK clear) is written twice:
//
//	entry 1000 { ... match { fragment false      protocol tcp  tcp-flags { ack false } } ... }    whole packets
//	entry 1001 { ... match { fragment first-only protocol tcp  tcp-flags { ack false } } ... }    first fragments
//
// Both bear the name of the entry, and limit by the same policer. Other sets of fragment states are written in the same way, as far as the four words reach.
// In IPv6, where `false` and `true` look for the fragment header, which an atomic fragment has as well, only `non-first-only` is used.
//
// # Filters of type packet-length
//
// A filter matches packet lengths only if its type is packet-length, and then it matches neither DSCP in IPv4 nor flow labels (Router Configuration Guide 22.5, "filter type
// packet-length"). All of ours are of that type: a rule with a length is common in attacks, one with a DSCP is not, and a filter whose type changed with its rules would have
// to be built anew on the line cards.
//
// # Numbers
//
// The entry at place 100 is entry 1000, and 1001 where it is written twice; the description carries its name. Parse keeps places in filter.Entry.Place, and Edit gives a new
// entry one between its neighbours, so that a changed rule changes its own entries and no others. Ours are below 1000000: an operator's filter that embeds ours has its own
// entries from there on.
//
// # Rates
//
// A rate is a policer of its own, `filter policer`, that entries name: one of scope filter is "shared by entries in same filter policer" (nokia-conf-filter of 26.3). SR OS has
// these from 25.3 on. A rate-limit that an entry holds by itself would be another bucket for each entry.
//
// # What it cannot say
//
//   - going on to later entries, copies, a redirect into a VRF (a rule names a route target, an entry names a router instance or a service);
//   - samples: filter-sample depends on how cflowd is set up on the interface;
//   - rates in packets, whose policer has no burst; a rate that marks, a redirect that marks or limits, of which it is not written that they go together;
//   - a counter of another name than the entry's rule: SR OS counts by entry;
//   - several values of one field, TCP flags of which one or another must be set, flags beyond the nine of the model;
//   - last or middle fragments alone, don't-fragment; in IPv6 whatever needs more than `non-first-only`.
package sros
