// Package filter is a packet filter without a vendor: what a device is given that does not take rules by BGP, or cannot carry one of
// them natively.
//
// A Filter is plain data: entries in the order of evaluation, each with a Match and what it does, and policers that entries share by
// name. A planner makes it, a Dialect writes it in a vendor's language and reads it back, an adapter delivers it.
//
// # What an entry matches
//
// FlowSpec says what a component means: a port is that of TCP or UDP, in a packet that has one. Platforms say less. On many of them a
// port condition by itself compares the octets at some place of any packet, be it ESP or a later fragment. Semantics describes that, and
// Match.Set lifts a match to packets accordingly, so that a proof compares what the platform does and not what the line looks like.
// Guard puts into a match what the platform leaves unsaid:
//
//	guarded := filter.Guard(m, v, s)   // Proto within TCP and UDP, Fragments within offset zero, ...
//	guarded.Set(v, s)                  // what FlowSpec means by m, whatever s is
//
// Two traps are in the data itself. An empty list matches nothing, a nil list everything; the JSON form keeps them apart. And Fragments 0
// is "no condition", so a match that can hold no fragment state has an empty Proto instead.
//
// # What a filter does
//
// Table turns a filter into a table.Table, which is compared with the one that the rules ask for. Placement decides what is behind the
// entries. Alone: the filter is the only one on the interface, and dialects add an entry that accepts the rest where the platform would
// discard it. Before: the operator's own filter follows, and has to see every packet that we do not discard. There, nothing but discard
// may end the evaluation: an accept, or a limit without continue, would let packets bypass that filter. Check refuses such entries; an
// exception to a discard is written by narrowing the discard.
//
// # How it is held to that
//
// Same compares two filters entry by entry, packets proven equal. What a dialect writes and reads back must be the Same: in tests for
// random filters, and at run time before every apply.
package filter
