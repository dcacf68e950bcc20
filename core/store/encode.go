package store

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// stored is a rule on disk: the octets that BGP would carry, so that the format outlives our types.
type stored struct {
	Family   string      `json:"family"`
	NLRI     []byte      `json:"nlri"`
	Received []byte      `json:"received,omitempty"` // where it differs from NLRI
	Actions  [][]byte    `json:"actions,omitempty"`
	NextHop  string      `json:"next-hop,omitempty"`
	Plain    []uint32    `json:"communities,omitempty"`
	Large    [][3]uint32 `json:"large-communities,omitempty"`
	Others   [][]byte    `json:"others,omitempty"`
	Source   string      `json:"source"`
	Expires  time.Time   `json:"expires,omitzero"`
	Note     string      `json:"note,omitempty"`
}

func encodeRule(r flowspec.Rule) ([]byte, error) {
	ext, hop := r.Action.Communities()
	s := stored{
		Family: r.Match.Family().String(), NLRI: r.Match.NLRI(),
		Actions: octets(ext), Plain: r.Communities, Large: r.LargeCommunities, Others: octets(r.Others),
		Source: string(r.Source), Expires: r.Expires, Note: r.Note,
	}
	if got := r.Match.Received(); string(got) != string(s.NLRI) {
		s.Received = got
	}
	if hop.IsValid() {
		s.NextHop = hop.String()
	}
	return json.Marshal(s)
}

func decodeRule(b []byte) (flowspec.Rule, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return flowspec.Rule{}, err
	}
	fam, err := family(s.Family)
	if err != nil {
		return flowspec.Rule{}, err
	}
	nlri := s.NLRI
	if s.Received != nil {
		nlri = s.Received
	}
	m, err := flowspec.ParseNLRI(fam, nlri)
	if err != nil {
		return flowspec.Rule{}, err
	}
	if string(m.NLRI()) != string(s.NLRI) {
		return flowspec.Rule{}, fmt.Errorf("octets % x were stored as % x", nlri, s.NLRI)
	}
	var hop netip.Addr
	if s.NextHop != "" {
		if hop, err = netip.ParseAddr(s.NextHop); err != nil {
			return flowspec.Rule{}, err
		}
	}
	action, others, err := flowspec.ParseAction(communities(s.Actions), hop)
	if err != nil {
		return flowspec.Rule{}, err
	}
	if len(others) > 0 {
		return flowspec.Rule{}, fmt.Errorf("%d stored action communities are none", len(others))
	}
	source := flowspec.Source(s.Source)
	return flowspec.Rule{
		ID: flowspec.NewID(source, m), Match: m, Action: action,
		Communities: s.Plain, LargeCommunities: s.Large, Others: communities(s.Others),
		Source: source, Expires: s.Expires, Note: s.Note,
	}, nil
}

func family(name string) (flowspec.Family, error) {
	for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6, flowspec.VPNv4, flowspec.VPNv6} {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("unknown family %q", name)
}

func octets(list []flowspec.ExtComm) [][]byte {
	var out [][]byte
	for _, c := range list {
		out = append(out, []byte(c))
	}
	return out
}

func communities(list [][]byte) []flowspec.ExtComm {
	var out []flowspec.ExtComm
	for _, b := range list {
		out = append(out, flowspec.ExtComm(b))
	}
	return out
}
