package bgp

import (
	"encoding/hex"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Refusal is something a peer sent that was not taken.
type Refusal struct {
	At     time.Time
	Family flowspec.Family // 0: none in particular
	Octets []byte          // the NLRI with its length octets, or the body of the message; at most the first 512
	Offset int             // of the NLRI in its attribute
	Count  int             // NLRIs refused or treated as withdrawn; 0: something else was wrong
	Reason string
}

// Hex prints the octets.
func (r Refusal) Hex() string { return hex.EncodeToString(r.Octets) }

const (
	keptRefusals = 64  // in memory, per peer
	keptOctets   = 512 // of each
	// A peer may log this many refusals per window; the rest is counted. A hostile one must not fill the disk.
	quotaLines  = 20
	quotaWindow = 10 * time.Second
)

// ring keeps the newest refusals.
type ring struct {
	entries []Refusal
	next    int
}

func (r *ring) add(e Refusal) {
	if len(r.entries) < keptRefusals {
		r.entries = append(r.entries, e)
		return
	}
	r.entries[r.next] = e
	r.next = (r.next + 1) % keptRefusals
}

// list returns a copy, oldest first.
func (r *ring) list() []Refusal {
	return slices.Concat(r.entries[r.next:], r.entries[:r.next])
}

// quota decides whether one more line may be logged.
type quota struct {
	since   time.Time
	lines   int
	dropped int
}

func (q *quota) allow(now time.Time) (ok bool, dropped int) {
	if now.Sub(q.since) > quotaWindow {
		dropped = q.dropped
		*q = quota{since: now}
	}
	if q.lines == quotaLines {
		q.dropped++
		return false, 0
	}
	q.lines++
	return true, dropped
}

// refuse counts, keeps and logs one refusal.
func (in *ingest) refuse(r Refusal) {
	r.At = time.Now()
	r.Octets = slices.Clone(r.Octets[:min(len(r.Octets), keptOctets)])
	in.mu.Lock()
	in.status.Refused += uint64(max(r.Count, 1))
	in.ring.add(r)
	ok, dropped := in.quota.allow(r.At)
	in.mu.Unlock()
	if !ok {
		return
	}
	args := []any{"source", in.source, "reason", r.Reason, "octets", r.Hex()}
	if r.Family != 0 {
		args = append(args, "family", r.Family)
	}
	if r.Count > 0 {
		args = append(args, "offset", r.Offset, "rules", r.Count)
	}
	if dropped > 0 {
		args = append(args, "not-logged-before", dropped)
	}
	in.log.Warn("refused", args...)
}
