// Package bgp speaks FlowSpec with other routers over BGP: it takes rules in from peers that are sources, and gives devices theirs.
//
// A Speaker holds all peers. What a source announces becomes events for a rib.Input, NLRI by NLRI (ingest.go): an NLRI that cannot be
// understood is refused whole and named in the log and the status, and the others of the same UPDATE stand. Nothing that a peer sends reaches
// another peer except through the RIB.
//
// Each device has an Adj-RIB-Out of its own (deliver.go), since one rule is different octets on different platforms. A Device is a device.Adapter: Apply
// records what the router is owed and returns when the octets are on the wire, or at once while the session is down; then
// everything goes out when it comes up. What is sent is the difference between owed and sent at the moment of writing, packed so that rules
// with the same actions share UPDATEs: announcements first, mildest first, then withdrawals, severest first. So no packet fares
// worse on the way than in the worse of the two tables.
//
// Unicast routes are taken in from neighbours that have their families, for a Validator to compare rules with (unicast.go), and never sent. A neighbour that sends several paths for one NLRI has the rule of the best one
// (paths.go). Neighbours may come from a prefix (template.go): each is a peer, and a source, of its own.
//
// The session itself is package session. Settings, what is refused, and examples for ExaBGP and BIRD are in docs/bgp.md.
package bgp
