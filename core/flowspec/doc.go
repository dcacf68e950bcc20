// Package flowspec holds FlowSpec rules: their matches as BGP carries them, their actions, and their order.
//
// A [Match] is the condition of a rule, an NLRI of RFC 8955 (IPv4) or RFC 8956 (IPv6). It comes from octets with
// [ParseNLRI] or from components with [NewMatch], and one that exists is valid: its components stand in type order, each type
// once, every value inside its bounds. Octets that are not so are refused whole with a [*SyntaxError]. Nothing is
// repaired by leaving a part out, because a rule with one condition less matches more packets, and a discard that matches
// more is an outage.
//
// # Canonical octets
//
// Some bits are to be ignored by a receiver: the AND bit of the first pair of a list, reserved operator bits, what pads
// a prefix to octets, the two upper bits of a DSCP, the upper four of a fragment mask, DF in IPv6. A short NLRI may also be
// written with a long length. [Match.NLRI] has all of these cleared, so that one rule has one form: it is the identity of
// the rule, what is sent, and what [Compare] orders. Widths of values and the order of lists are the writer's own
// and are kept, since both decide the place of a rule among others. [Match.Received] is what came.
//
// # Order
//
// Which rule a packet meets first follows from the NLRIs alone, never from time or sender. [Compare] is that order (RFC 8955
// §5.1, RFC 8956 §4). It compares octets: `=80` written in one octet comes before `=80` written in two, and a list comes
// before a single value, because the end-of-list bit is the highest.
//
// # Packets
//
// [Match.Set] gives the packets that a match holds, for proofs. [Match.String] and [Action.String] print rules as ExaBGP
// writes them.
//
// # Actions
//
// [ParseAction] reads extended communities into an [Action]. What is not understood, and what contradicts itself, is kept
// apart in Action.Unknown and never guessed at. The T bit of the traffic-action community, called "terminal" and meaning
// the reverse, is Action.Continue here and interpreted nowhere else.
package flowspec
