// Package vrp writes and reads traffic policies of Huawei VRP 8: it is the dialect behind NetEngine 40E and 8000. It renders a vendor-neutral filter as text of the command line and
// as XML of Huawei's models (huawei-acl, huawei-qos and huawei-pbr of 8.22) for NETCONF, and reads both back.
//
// # What becomes of a filter
//
// A policy is a list of classifiers, each with the behavior that its packets meet: "the smaller the value" of precedence, "the higher the precedence" (Command Reference of
// NetEngine 8000 F1A, "classifier behavior"), and the first classifier that takes a packet decides. A classifier takes what its access list permits, line by line in the order of
// their numbers:
//
//	acl name sluice-v4-16 advance
//	 rule 100 name r-00000000000000a1 permit udp source-port eq 53 destination 203.0.113.9 0 fragment-type non-subseq
//	 rule 200 name r-00000000000000b2 permit udp destination 203.0.113.9 0 fragment-type fragment-subseq
//	traffic classifier sluice-v4-16 operator or
//	 if-match acl name sluice-v4-16
//	traffic behavior sluice-deny
//	 deny
//	traffic policy sluice-in
//	 classifier sluice-v4-16 behavior sluice-deny precedence 16
//	 classifier sluice-v4-rest behavior sluice-permit precedence 5117
//
// Lines permit and behaviors deny, limit, mark or redirect. "If the deny action is configured in either the rule command or the traffic behavior view, all matched packets are
// discarded" (NE40E V800R012C10 Configuration Guide, "Defining a Traffic Behavior and Configuring Actions"), but other systems of Huawei skip a line that denies, or do not look at the
// word at all; a line that permits is a match to all of them.
//
// An interface takes one policy in each direction, so the filters of both IP versions are one, sluice-in. What no classifier takes would be forwarded; a last one of each version says so.
//
// # Classifiers
//
// Entries that do the same, stand together and ask for different packets share one, up to 64 when they are new together, 128 at most: a policy has 5119 precedences, and ten thousand entries are common. Entries that
// share a policer are one classifier however many they are: its `car` is one bucket for all of them (share-mode: on all interfaces of a network processor). They have to stand together.
//
// Lines name their protocol wherever they look at ports, TCP flags or ICMP fields, and keep off later fragments by a word of their own (`non-subseq`: "first fragment or
// non-fragment packets"). A set of fragment states that takes two words is two lines, the second one named NAME-later.
//
// # Places
//
// A classifier has a number, which is its precedence in IPv4; that in IPv6 is 2558 higher. The entry at seat 50 of a classifier is rule 100 of its access list, and 101 where it is written
// twice. Parse keeps both in filter.Entry.Place, and Edit gives a new entry a seat between its neighbours. One of another kind in the middle of a classifier moves those behind it to
// another one, 128 at most.
//
// # What it cannot say
//
//   - in IPv6 anything but prefixes, DSCP and later fragments: "MF classification supports the matching of only the first IPv6 extension header" (NE40E, Configuration Precautions for
//     Class-based QoS), so a protocol in a line is not the one behind the extension headers; no word keeps a line off later fragments; there is no length;
//   - `port`, several values of one field, protocol 0, an ICMP code without a type;
//   - flags beyond the six of the model, one flag or another;
//   - last or middle fragments alone, don't-fragment;
//   - rates in packets (limit-type pps, of whose burst nothing is written), samples (a policy in share-mode does not sample), going on to later classifiers, copies, a redirect into a VPN instance
//     (a rule names a route target);
//   - policers whose entries do not stand together, or two of which ask for the same packets;
//   - a filter in front of the operator's own: an interface takes one policy.
package vrp
