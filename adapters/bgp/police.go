package bgp

import (
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
)

// ownMarks returns which communities of ours are on every path to a peer, under a policy.
func ownMarks(pc PeerConfig) func(device.Policy) []uint32 {
	return func(p device.Policy) []uint32 {
		marks := p.OnAll()
		if pc.Restart > 0 && !slices.Contains(p.Strip.Plain, NoLLGR) {
			marks = append(marks, NoLLGR)
		}
		return marks
	}
}

// SetPolicy has routes leave under another policy, from the next Apply on: the steps of that are then all that the peer is to have, and what it was sent otherwise is sent anew or withdrawn with them,
// in the order of a script. So at no moment is the peer owed less.
func (d *Device) SetPolicy(p device.Policy) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.next = &p
}

// turnTo begins a change to another policy: the peer is to have nothing but what the steps that follow say. The caller holds mu until they are recorded.
func (d *Device) turnTo(p device.Policy) {
	d.policy, d.marks, d.next = p, d.marksOf(p), nil
	for _, o := range d.routes {
		o.want = nil
		d.enqueue(o)
	}
}
