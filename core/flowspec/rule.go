package flowspec

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// Source is where a rule came from: a configured name such as "exabgp" or "api".
type Source string

// ID identifies a rule: a hash of source and canonical NLRI, the same after a restart. 16 hexadecimal digits.
type ID string

// NewID returns the ID of the rule with that NLRI from that source.
func NewID(s Source, m Match) ID {
	h := sha256.New()
	h.Write([]byte(s))
	h.Write([]byte{0, byte(m.fam)}) // no source name contains a zero octet
	h.Write(m.nlri)
	return ID(hex.EncodeToString(h.Sum(nil)[:8]))
}

// Rule is a match with actions, origin and lifetime.
type Rule struct {
	ID     ID
	Match  Match
	Action Action
	// Communities and LargeCommunities are ordinary BGP communities (RFC 1997, RFC 8092) that travel with the rule; Others are
	// extended communities that are no actions. They decide nothing here.
	Communities      []uint32
	LargeCommunities [][3]uint32
	Others           []ExtComm
	Source           Source
	Expires          time.Time // zero: never
	Note             string
}
