package rib

import (
	"context"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Kind is what an Event tells about its source.
type Kind uint8

// The kinds of events.
const (
	Update   Kind = iota + 1 // Withdraw and Refused first, then Announce
	Up                       // the source is there again: what it does not repeat before EndOfRIB (or its quiet time) is swept
	Down                     // the source is gone: its rules are withdrawn or held, as configured for the source
	EndOfRIB                 // the source has said all it has for Family (0: for all families)
	Again                    // the source begins to say all it has for Family again: what it does not repeat before EndOfRIB is swept (RFC 7313)
	Accept                   // somebody believes what the source withdrew, see MassWithdrawal: its rules go
	Keep                     // somebody wants what the source withdrew kept for Hold from now on
	Expire                   // the rules of Announce are over: those that are there as given go, which is no withdrawal of the source; the answer is ErrStays where one does not
)

// Event is what a source says. The rules of Announce bear Source and ID already.
type Event struct {
	Source flowspec.Source
	Kind   Kind
	Family flowspec.Family
	// Hold is how long to keep rules. With Down, how long the source asked to have its rules of the families Held kept (RFC 4724 §3, RFC 8538 §4). They are kept as long as it or the policy of the source says,
	// whichever is longer.
	Hold     time.Duration
	Held     []flowspec.Family
	Announce []flowspec.Rule
	Withdraw []flowspec.Match // identity is family and canonical NLRI
	// Refused are rules that the source may not say any more, whatever it says itself. They go at once, and are no withdrawal of the source (see MassWithdrawal).
	Refused []flowspec.Match
	// Done, where set, receives one answer: nil once the event is stored durably, or why it was not taken. Capacity 1.
	Done chan<- error
}

// Input is where sources send events; *RIB is one. It blocks while the RIB is busy, and fails when ctx ends.
type Input interface {
	Send(ctx context.Context, e Event) error
}
