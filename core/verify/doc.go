// Package verify checks certificates: that a device which is given the entries of a certificate treats every packet as its rules ask.
//
// It is the part of sluice that has to be believed, so it is small, and shares no code with what it checks: the octets of rules and entries are read by package
// octets below it, which nobody else uses. All that it has in common with the rest is the algebra of packet sets (package packet)
// and the form of the file (package certificate). docs/certificates.md says in plain words what is promised and what is not.
//
// It finds nothing that the file can say: rules and entries stand in the file in the order of their evaluation, which is checked neighbour by neighbour, and
// what decides packets before a rule or an entry does is named. Whatever is wrong is told to one function, and the first fault stays: a certificate is verified if at
// the end there is none.
//
// # What is proven
//
// Rules and entries of different planes (address family and route distinguisher) never meet; what follows is about one plane. Let r1, r2, ... be the rules that are
// not rejected, in the order of RFC 8955 §5.1, each a set of packets with an outcome, and either terminal or continuing (RFC 8955 §7.3). What is asked for
// a packet is the list of the outcomes of the rules that match it, up to and including the first terminal one. A device has stages, FlowSpec and a filter;
// a stage does the same with its entries in its own order. Each entry has an owner, the rule that it is for. The checker establishes:
//
//	(a) an entry matches only packets of its owner, does what its owner asks, and is terminal exactly if its owner is;
//	(b) every packet of a rule is in one of its entries, or in a terminal rule above it; the entries of a continuing rule are disjoint;
//	(c) let y be an entry of rule k that its stage looks at before the entry x of rule i, which stands above k. Then i and k do the same and are both
//	    terminal or both continuing; or no packet of both x and y is outside the terminal rules above i and the terminal entries before y;
//	(d) two entries of different stages share no packet, nor would if one of them had set its DSCP; or both are terminal and do one thing, which done twice
//	    is the same as done once (no sample, no copy, no rate);
//	(e) two entries draw from one token bucket exactly if they are entries of one rule with a rate.
//
// A rule or entry that continues and does nothing is no part of any list and is left out of (c) and (d).
//
// Theorem. If (a) to (d) hold, the list of every packet is the one that is asked for, in whichever order the stages are passed.
//
// Proof. Take a packet p, and first one stage that holds all entries. A rule is reached if it matches p and no terminal rule above it does; likewise an
// entry. By (a) an entry that matches p has an owner that matches p. By (b) a reached rule i has an entry with p; let x(i) be the first. Where y is a
// reached entry, i a reached rule above the owner k of y, and y stands before x(i), p is in both and outside the terminal rules above i and outside the
// terminal entries before y, so (c) leaves only that i and k do the same and are of one kind (*).
// Terminal: let t be the reached terminal rule, if there is one, and z the first terminal entry with p. If there is no t, no terminal rule matches p, and by (a) no
// terminal entry. Otherwise z exists (x(t) is terminal), its owner is terminal and matches p, so it is t or stands below t; in the second case z stands before x(t)
// and by (*) does the same.
// Continuing: let y be a reached continuing entry and c its owner. Were t above c, then y, which stands before z or is followed by no terminal entry, would stand before
// x(t), and by (*) both would be of one kind, which they are not. So c is reached. Conversely, let c be a reached continuing rule. If z stood before x(c), (*) for c
// and z would make a continuing and a terminal rule of one kind. So x(c) is reached, and it is the only entry of c with p by (b). So the reached
// continuing entries are those of the reached continuing rules, one each, and by (*) two that stand the other way round than their rules do the same. A list
// in which only equal neighbours changed places is the same list.
// Two stages: put one behind the other in any order; pairs of entries of different stages that share p are of one kind and do the same by (d), as (c) would have it. So the list of p in
// the joint table is the one asked for. The device itself goes on to the second stage after a terminal entry y of the first, maybe with the DSCP that an entry of the
// first set. Whatever entry of the second then matches is by (d) terminal and does what y does, once more, which changes nothing; and if a continuing entry of
// the first was reached, (d) leaves no entry of the second that matches.
//
// With (e), buckets correspond one to one. For rules as they came this is Theorem 1 of order embedding, (c) is the complete inversion test, and an NLRI that two
// rules would need is in the first of them only: (b) holds for the second because the first stands above it. Where the order of a stage is unknown, (c) must
// hold for every order that the measured one, if there is one, leaves open: any two entries that share a packet must do the same and be of one kind, unless that of
// the upper rule was seen to come first.
//
// Rejected rules. The theorem is about the carried ones. Let i be a rejected terminal rule and j a carried one below it. The checker establishes that j does what i does, or
// is less severe, or that every packet of i and an entry of j is in a carried terminal rule above j. So whatever befalls a packet is
// asked for it, or is the same as what a rejected rule asks for it, or less severe (accept < mark, sample < redirect < rate < discard).
//
// # Work
//
// Pairs for (c) are those that change places when a stage is sorted by its rules: where nothing moved there are none. Pairs for (d), for an unknown order and for rejected
// rules are those whose destinations (or sources) meet. Every comparison counts against one budget; past it the answer is that the certificate is not verified.
package verify
