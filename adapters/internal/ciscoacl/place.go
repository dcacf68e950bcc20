package ciscoacl

import "github.com/sluice-gateway/sluice/core/filter"

// The numbers of lines. An entry at place p has its remark at p*perPlace, and itself behind that, counted from the beginning of its part.
const (
	perPlace   = 10
	lastPlace  = 999_999
	laterBegin = 0
	LaterEnd   = 10_000_000 // permit the rest of the later fragments
	firstBegin = LaterEnd
	firstEnd   = firstBegin + (lastPlace+1)*perPlace
	ListEnd    = 2_147_483_640 // permit the rest; sequence numbers end at 2147483643 in IOS XR, 2147483647 in IOS
)

// places gives entries that are new together room for 99 in between.
var places = filter.Places{Last: lastPlace, Step: 100}

// begin is where the lines of p begin. A list of one part has it where packets with a transport header go.
func (p part) begin() uint32 {
	if p == later {
		return laterBegin
	}
	return firstBegin
}
