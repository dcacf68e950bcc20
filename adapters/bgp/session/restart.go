package session

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// longestRestart is what fits into the twelve bits of a Restart Time (RFC 4724 §3).
const longestRestart = 4095 * time.Second

// Restart is what a speaker says of graceful restart in its OPEN (RFC 4724 §3, RFC 8538 §2).
type Restart struct {
	Restarting   bool // R: it has restarted, so nobody has to wait for its End-of-RIB
	Notification bool // N: a NOTIFICATION ends a session as a lost connection does, but for a hard reset
	Time         time.Duration
	Families     []Family // whose routes are to be kept when the session is lost
	Forwarding   []Family // of them, those with the F bit: it still forwards as it did
}

// restartCapability is our own. The F bit is always set: what we announced goes on filtering while we are away, which is all the forwarding that a rule has.
func (c *Config) restartCapability() bgp.ParameterCapabilityInterface {
	var families []*bgp.CapGracefulRestartTuple
	for _, f := range c.Families {
		if f.Unicast() {
			continue // we never announce such routes
		}
		families = append(families, bgp.NewCapGracefulRestartTuple(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI), true))
	}
	return bgp.NewCapGracefulRestart(c.Restarting != nil && c.Restarting(), true, uint16(c.Restart/time.Second), families)
}

// parseRestart reads the value of a capability, or returns nil: one that cannot be read is as good as none.
func parseRestart(b []byte) *Restart {
	if len(b) < 2 || len(b)%4 != 2 {
		return nil
	}
	head := binary.BigEndian.Uint16(b)
	r := &Restart{Restarting: head&0x8000 != 0, Notification: head&0x4000 != 0, Time: time.Duration(head&0x0fff) * time.Second}
	for one := range slices.Chunk(b[2:], 4) {
		f := Family{binary.BigEndian.Uint16(one), one[2]}
		if slices.Contains(r.Families, f) {
			continue
		}
		r.Families = append(r.Families, f)
		if one[3]&0x80 != 0 {
			r.Forwarding = append(r.Forwarding, f)
		}
	}
	return r
}

// Graceful says whether both sides offered graceful restart.
func (n Negotiated) Graceful() bool { return n.OurRestart > 0 && n.Restart != nil }

// Survives says whether the routes of a session that ended for this reason are kept by the other side, for as long as a Restart Time says: RFC 4724 keeps
// them when the connection was lost, and RFC 8538 §4 also after a NOTIFICATION, where both sides know that and it is no hard reset.
func (n Negotiated) Survives(reason error) bool {
	if !n.Graceful() {
		return false
	}
	var said *Notification
	if !errors.As(reason, &said) {
		return true
	}
	return n.Restart.Notification && !(said.Code == 6 && said.Subcode == CeaseHardReset)
}

// Held returns the families whose routes the peer asked to have kept, and for how long: its Restart Time, and never longer than ours.
func (n Negotiated) Held() ([]Family, time.Duration) {
	if !n.Graceful() {
		return nil, 0
	}
	var out []Family
	for _, f := range n.Restart.Families {
		if n.Has(f) {
			out = append(out, f)
		}
	}
	return out, min(n.Restart.Time, n.OurRestart)
}

// hard makes of a NOTIFICATION one after which nothing is kept (RFC 8538 §3): needed where both sides have the N bit.
func (n Negotiated) hard(said *Notification) *Notification {
	if !n.Graceful() || !n.Restart.Notification {
		return said
	}
	return &Notification{Code: 6, Subcode: CeaseHardReset, Data: append([]byte{said.Code, said.Subcode}, said.Data...), Detail: said.Detail}
}
