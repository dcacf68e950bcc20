package plan

import (
	"fmt"

	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// proofSteps bounds one proof. Real splits need some dozens.
const proofSteps = 200_000

// prove says whether the packets of parts are exactly the packets of the rule of c. It knows nothing of how the parts came to be: it
// reads their sets from the octets that will be sent, or from the entries that will be rendered. Packets that cannot exist (an IPv4 packet of 12
// octets) are no difference, as in package table. The error is the difference in
// words, with a packet where there is one.
func prove(c *card, parts []packet.Set) (*table.Difference, error) {
	if c.set.Tiles(parts...) {
		return nil, nil
	}
	id := string(c.rule.ID)
	left, done := c.set.Outside(proofSteps, parts...)
	if !done {
		return &table.Difference{Unproven: true, Reason: "too many steps"}, fmt.Errorf("the proof took more than %d steps", proofSteps)
	}
	if h, ok := left.Witness(); ok {
		return &table.Difference{Packet: h, WantEntry: id, Want: c.want.String(), Got: table.Outcome{}.String()},
			fmt.Errorf("no piece matches %s", h)
	}
	for _, s := range parts {
		if c.set.BoxInBox(s) || c.set.Contains(s) {
			continue
		}
		more, done := s.Outside(proofSteps, c.set)
		if !done {
			return &table.Difference{Unproven: true, Reason: "too many steps"}, fmt.Errorf("the proof took more than %d steps", proofSteps)
		}
		h, ok := more.Witness()
		if !ok {
			continue
		}
		return &table.Difference{Packet: h, GotEntry: id, Want: table.Outcome{}.String(), Got: c.want.String()},
			fmt.Errorf("a piece matches %s, the rule does not", h)
	}
	return nil, nil
}

// unproven is the reason of a rule whose proof failed: our own fault, and never delivered.
func unproven(what string) Reason {
	return Reason{Code: "unproven", Severity: Error, Message: "the pieces were not proven to match what the rule matches: " + what,
		Hint: "this is a fault in sluice; please report the rule and the profile"}
}
