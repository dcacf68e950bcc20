// Package iosxepolicy writes and reads QoS policies of Cisco IOS XE (`policy-map`, with `class-map` and `ip access-list extended`): it is the dialect of routers that are to limit and to mark,
// which access lists on an interface (package iosxe) do not. It renders a vendor-neutral filter as text for people and as XML of Cisco's native model for NETCONF (Cisco-IOS-XE-policy and
// Cisco-IOS-XE-acl in Cisco-IOS-XE-native), and reads both back.
//
// # What a policy looks like
//
// The policy is the whole filter, since a QoS policy classifies before an access list is looked at ("QoS Order of Operation", IOS 12.2). Each entry is a class, in the order of the entries, with an
// access list that only permits: the first class whose list permits a packet decides ("matching terminates at the first matching class", there), and what none takes is in class-default,
// which does nothing to it.
//
//	ip access-list extended sluice-v4-r-00000000000000a1
//	 10 permit udp any host 203.0.113.9
//	!
//	class-map match-all sluice-v4-r-00000000000000a1
//	 match access-group name sluice-v4-r-00000000000000a1
//	!
//	policy-map sluice-v4
//	 class sluice-v4-r-00000000000000a1
//	  police cir 8000000 bc 100000
//	   conform-action transmit
//	   exceed-action drop
//	!
//
// Class and list have the name of the filter and that of the entry. A list has a line for each protocol of its entry. A DSCP is a condition of the class, beside its list, for that a class compares it is written
// down; `match-all` asks for both. A discard is `drop`, alone in its class ("Modular QoS CLI Unconditional Packet Discard"); an entry that only accepts is a policer that transmits whatever it
// measures, as "Recommended CoPP Deployment Methodology" (OL-11615-01) has it, since what a class without actions does is in no page that was found.
//
// Every class counts its packets. That nobody asked for the counter of an entry stands in the description of its class.
//
// # What it cannot say
//
//   - ports, TCP flags, ICMP types. A list that permits a port takes later fragments of all ports along (Cisco document 8014), and they would have to be decided by classes in front of it. That the list of a class
//     looks at the word `fragments`, and does not take every packet of its line, is written for no policy on an interface. Without such conditions a line takes whole packets and fragments alike, which is what a
//     rule without them means;
//   - fragments, for the same reason;
//   - packet lengths. A class compares them (`match packet length min max`), but whether a packet as long as one of the bounds is inside is told in two ways;
//   - IPv6. Access lists of IPv6 permit neighbour discovery by themselves, and whether the list of a class does is not written down: a discard of anything would discard that too;
//   - a policer for several entries: it is an action of one class;
//   - rates in packets, samples, redirects, going on to later entries;
//   - a place in front of the operator's policy: an interface takes one in each direction.
package iosxepolicy
