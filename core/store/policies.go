package store

import (
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// policy is a device.Policy on disk. Extended communities and route distinguishers are octets, in hexadecimal.
type policy struct {
	Add      marks `json:"add"`
	Strip    marks `json:"strip"`
	StripAll bool  `json:"strip-all,omitempty"`
	VRFs     []vrf `json:"vrfs"` // null is not the same as none

	Community uint32 `json:"community,omitempty"`
	NoExport  *bool  `json:"no-export"` // null: it was not noted then how all routes leave
}

type marks struct {
	Plain    []uint32    `json:"plain,omitempty"`
	Large    [][3]uint32 `json:"large,omitempty"`
	Extended []string    `json:"extended,omitempty"`
}

type vrf struct {
	Name    string   `json:"name"`
	Of      string   `json:"of"`
	RD      string   `json:"rd"`
	Targets []string `json:"targets"`
}

// SavePolicy notes, durably, how the routes of a device leave.
func (s *Store) SavePolicy(name string, p device.Policy) error {
	out := policy{Add: encodeMarks(p.Add), Strip: encodeMarks(p.Strip), StripAll: p.StripAll, Community: p.Community, NoExport: &p.NoExport}
	if p.VRFs != nil {
		out.VRFs = []vrf{}
	}
	for _, v := range p.VRFs {
		out.VRFs = append(out.VRFs, vrf{v.Name, hex.EncodeToString(v.Of[:]), hex.EncodeToString(v.RD[:]), encodeExtended(v.Targets)})
	}
	return s.put(bucketPolicies, name, out)
}

// Policy returns what SavePolicy noted of a device, or false.
func (s *Store) Policy(name string) (device.Policy, bool, error) {
	var in policy
	found, err := s.get(bucketPolicies, name, &in)
	if !found || err != nil || in.NoExport == nil {
		return device.Policy{}, false, err
	}
	p := device.Policy{StripAll: in.StripAll, Community: in.Community, NoExport: *in.NoExport}
	p.Add, err = decodeMarks(in.Add)
	errs := []error{err}
	p.Strip, err = decodeMarks(in.Strip)
	errs = append(errs, err)
	if in.VRFs != nil {
		p.VRFs = []device.VRF{}
	}
	for _, v := range in.VRFs {
		one := device.VRF{Name: v.Name}
		one.Targets, err = decodeExtended(v.Targets)
		errs = append(errs, err, decodeRD(v.Of, &one.Of), decodeRD(v.RD, &one.RD))
		p.VRFs = append(p.VRFs, one)
	}
	if err := errors.Join(errs...); err != nil {
		return p, true, fmt.Errorf("read policies of %s: %w", name, err)
	}
	return p, true, nil
}

func encodeMarks(m device.Marks) marks { return marks{m.Plain, m.Large, encodeExtended(m.Extended)} }

func decodeMarks(m marks) (device.Marks, error) {
	extended, err := decodeExtended(m.Extended)
	return device.Marks{Plain: m.Plain, Large: m.Large, Extended: extended}, err
}

func encodeExtended(list []flowspec.ExtComm) []string {
	var out []string
	for _, c := range list {
		out = append(out, hex.EncodeToString([]byte(c)))
	}
	return out
}

func decodeExtended(list []string) ([]flowspec.ExtComm, error) {
	var out []flowspec.ExtComm
	for _, s := range list {
		octets, err := hex.DecodeString(s)
		if err != nil {
			return nil, err
		}
		out = append(out, flowspec.ExtComm(octets))
	}
	return out, nil
}

func decodeRD(s string, rd *flowspec.RD) error {
	octets, err := hex.DecodeString(s)
	if err == nil && len(octets) != len(rd) {
		err = fmt.Errorf("route distinguisher of %d octets", len(octets))
	}
	copy(rd[:], octets)
	return err
}
