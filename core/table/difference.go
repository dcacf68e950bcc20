package table

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Kind says in which way two tables differ about a packet.
type Kind string

// The kinds of differences.
const (
	Over     Kind = "over"    // got treats the packet worse than want does
	Under    Kind = "under"   // want treats it worse than got does
	Ordered  Kind = "order"   // both tables have an entry for each of the two treatments, and the other one comes first
	Shared   Kind = "policer" // two packets share a bucket on one side only
	Other    Kind = "other"   // neither is worse: another target, another mark
	NotKnown Kind = "unproven"
)

// Difference is a packet, or two, that fare differently in two tables.
type Difference struct {
	Kind   Kind // set by Differences
	Packet packet.Header
	// Other is set when the difference is about policers: Packet and Other share a bucket on one side and not on the other.
	Other     *packet.Header
	WantEntry string // ID of the entry that decides on each side; "" is the default
	GotEntry  string
	// OtherWantEntry and OtherGotEntry are the same for Other.
	OtherWantEntry, OtherGotEntry string
	Want, Got                     string // what happens to the packet, in words
	// Unproven is set when the comparison gave up within its budget. Nothing else is set then but Reason. It counts as different.
	Unproven bool
	Reason   string
}

// String says what d is about in one sentence.
func (d *Difference) String() string {
	switch {
	case d == nil:
		return "equal"
	case d.Unproven:
		return "not proven: " + d.Reason
	case d.Other != nil:
		return fmt.Sprintf("%s and %s: want %s, got %s", d.Packet, d.Other, d.Want, d.Got)
	}
	return fmt.Sprintf("%s: want %s, got %s", d.Packet, d.Want, d.Got)
}

func unproven() *Difference {
	return &Difference{Unproven: true, Reason: "too entangled: the comparison gave up within its budget of steps"}
}

// differs describes how h fares in want and got.
func differs(want, got Table, h packet.Header) *Difference {
	wantIDs, wantDoes := want.Classify(h)
	gotIDs, gotDoes := got.Classify(h)
	d := &Difference{Packet: h, Want: words(wantDoes), Got: words(gotDoes)}
	d.WantEntry, d.GotEntry = decider(want, h, wantIDs), decider(got, h, gotIDs)
	// Where the same entry decides in the end, an earlier one that continues makes the difference.
	for i := range min(len(wantIDs), len(gotIDs)) {
		if wantDoes[i].bare() != gotDoes[i].bare() {
			d.WantEntry, d.GotEntry = wantIDs[i], gotIDs[i]
			break
		}
	}
	return d
}

// decider returns the last of ids when it ends the evaluation of h, else "": the default accepts.
func decider(t Table, h packet.Header, ids []string) string {
	for i := range t {
		if t[i].Match.Has(h) && !t[i].Continue {
			return t[i].ID
		}
	}
	return ""
}

// words says what does amount to.
func words(does []Outcome) string {
	var parts []string
	for _, o := range does {
		if o != (Outcome{}) {
			parts = append(parts, o.String())
		}
	}
	if parts == nil {
		return "accept"
	}
	return strings.Join(parts, ", then ")
}
