// Package packet describes IP packets by their headers, and sets of packets exactly.
//
// A [Header] is one packet. A [Set] is a set of packets: a union of product boxes, each a [Box] with one
// set per header field. Sets can be intersected, joined, subtracted and compared, and every answer is
// exact; where two sets differ, [Set.Witness] shows a packet that an operator would recognise. Everything
// that this project proves about rules and filters is proven here.
//
// # The free space
//
// Real headers are no product: a port exists only in TCP and UDP, and only where the fragment offset is
// zero. So boxes live in a free space in which every packet carries every field, and who builds a box says
// what a field needs: a condition on a port also narrows the protocol to TCP and UDP, and the fragment
// state to offset zero. A set built so does not care about the value of a field that the packet lacks,
// and inclusion, equality, overlap and difference of such sets are those of the sets of real packets.
// A platform whose filters read a port where there is none is another way to build a box, in the same space,
// and that is how the difference is seen. docs/semantics.md tells all of it.
//
// # Cost
//
// The usual rule is one box, or two when it names a port in either direction. Two boxes compare side by
// side. Larger unions are compared by counting packets (see count.go) when the boxes are disjoint, and by
// peeling (see cover.go) when they are not. Peeling can take exponential time in the worst case; [Set.Outside] takes a
// budget and says when it gave up.
package packet
