package sros

import (
	"errors"
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readAction reads the `action` of an entry.
func readAction(n *node, v packet.Version) (filter.Do, error) {
	var do filter.Do
	endings, extras := 0, 0
	err := n.container(func(k *node) (err error) {
		switch k.name {
		case "accept":
			endings++
			return k.empty()
		case "drop":
			endings++
			do.Discard = true
			return k.empty()
		case "forward":
			endings++
			extras++
			do.Redirect, err = readForward(k, v)
		case "remark":
			extras++
			do.Mark, err = readRemark(k)
		case "rate-limit":
			extras++
			do.Policer, err = readLimit(k)
		default:
			err = k.foreign()
		}
		return err
	})
	switch {
	case err != nil:
	case endings != 1:
		err = n.errorf("want one of accept, drop and forward")
	case extras > 1 || do.Discard && extras > 0:
		err = n.errorf("it does more than sluice writes")
	}
	return do, err
}

// one returns the only node in n, by that name.
func (n *node) one(name string) (*node, error) {
	if len(n.words) > 0 || len(n.kids) != 1 || n.kids[0].name != name {
		return nil, n.errorf("want %s and nothing else", name)
	}
	return n.kids[0], nil
}

func readForward(n *node, v packet.Version) (*flowspec.Redirect, error) {
	hop, err := n.one("next-hop")
	if err == nil {
		hop, err = hop.one("nh-ip")
	}
	if err != nil {
		return nil, err
	}
	r := &flowspec.Redirect{Form: flowspec.NextHopIETFv4}
	if v == packet.IPv6 {
		r.Form = flowspec.NextHopIETFv6
	}
	indirect := false
	err = hop.container(func(k *node) (err error) {
		switch k.name {
		case "indirect":
			indirect, err = boolean(k)
		case "address":
			text, err := k.leaf()
			if err != nil {
				return err
			}
			r.Addr, err = netip.ParseAddr(text)
			if err != nil || r.Addr.Is4() != (v == packet.IPv4) || r.Addr.Is4In6() || r.Addr.Zone() != "" {
				return k.errorf("%q is no address of IPv%d", text, v)
			}
		default:
			err = k.foreign()
		}
		return err
	})
	if err == nil && (!indirect || !r.Addr.IsValid()) {
		err = hop.errorf("want an address, and indirect true")
	}
	return r, err
}

func readRemark(n *node) (*uint8, error) {
	k, err := n.one("dscp")
	if err != nil {
		return nil, err
	}
	vs, err := named(k, dscpNumber)
	if err != nil {
		return nil, err
	}
	mark := uint8(vs[0].Lo)
	return &mark, nil
}

func readLimit(n *node) (string, error) {
	k, err := n.one("policer")
	if err != nil {
		return "", err
	}
	name, err := k.leaf()
	if err == nil && !marked(name) {
		err = k.errorf("%s is none of ours", name)
	}
	return name, err
}

// readPolicer reads a policer. It must be of scope filter, which is the default: one of scope system would count what other filters let through.
func readPolicer(n *node) (filter.Policer, error) {
	out := filter.Policer{Name: n.words[0], Rate: flowspec.Rate{Unit: flowspec.Bytes}}
	if err := n.strange(); err != nil {
		return out, err
	}
	if _, err := n.value(); err != nil {
		return out, err
	}
	err := n.body(func(k *node) error {
		text, err := k.leaf()
		if err != nil {
			return err
		}
		switch k.name {
		case "scope":
			if text != "filter" {
				return k.errorf("%s, want filter", text)
			}
		case "pir":
			kilobits, err := number(k, 1, highestPIR)
			if err != nil {
				return err
			}
			out.Rate.Amount = rateOf(float64(kilobits))
		case "mbs":
			out.Burst, err = strconv.ParseUint(text, 10, 32)
			if err != nil || out.Burst < 1 || out.Burst > largestMBS {
				return k.errorf("%q is no number of 1 to %d", text, largestMBS)
			}
		default:
			return k.foreign()
		}
		return nil
	})
	if err == nil && (out.Rate.Amount == 0 || out.Burst == 0) {
		err = errors.New("pir or mbs is missing")
	}
	return out, err
}
