package openconfig

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// reading is the conditions of an entry as they come in.
type reading struct {
	v        packet.Version
	m        filter.Match
	dscps    string // which of dscp and dscp-set was there
	offsets  []string
	detail   string // detail-mode
	builtin  string
	anyOrAll string
	flags    []uint16
}

// family takes one element of ipv4 or ipv6.
func (r *reading) family(k *element) error {
	switch {
	case k.name == "config":
		return k.each([]string{"dscp-set", "fragment-offsets"}, r.ipLeaf)
	case k.name == "icmpv4" && r.v == packet.IPv4:
		return inConfig(k, nil, func(k *element) error {
			if k.name != "type" {
				return errUnknown
			}
			n, ok := known(icmpTypes, k.value, icmpModule)
			if !ok {
				return fmt.Errorf("%q is no type that sluice knows", k.value)
			}
			r.m.ICMPType = packet.Values{{Lo: n, Hi: n}}
			return nil
		})
	case len(k.body) == 0 && !k.leaf:
		return nil
	}
	return errUnknown
}

// known returns the number of an identity.
func known(names map[uint32]string, value, module string) (uint32, bool) {
	value = strings.TrimPrefix(value, module+":")
	for n, name := range names {
		if name == value {
			return n, true
		}
	}
	return 0, false
}

// ipLeaf takes one leaf of ipv4/config or ipv6/config.
func (r *reading) ipLeaf(k *element) error {
	if !k.leaf {
		return errUnknown
	}
	switch {
	case k.name == "source-address":
		return r.prefix(&r.m.Src, k.value)
	case k.name == "destination-address":
		return r.prefix(&r.m.Dst, k.value)
	case k.name == "dscp", k.name == "dscp-set":
		if r.dscps != "" && r.dscps != k.name {
			return errors.New("dscp and dscp-set do not stand together")
		}
		r.dscps = k.name
		return r.number(&r.m.DSCP, k.value, 63)
	case k.name == "length":
		return r.length(k.value)
	case k.name == "protocol" && r.v == packet.IPv4:
		if n, ok := known(protocols, k.value, typesModule); ok {
			r.m.Proto = packet.Values{{Lo: n, Hi: n}}
			return nil
		}
		return r.number(&r.m.Proto, k.value, 254)
	case k.name == "fragment-offsets" && r.v == packet.IPv4:
		r.offsets = append(r.offsets, k.value)
		return nil
	}
	return errUnknown
}

func (r *reading) prefix(to **netip.Prefix, value string) error {
	p, err := netip.ParsePrefix(value)
	if err != nil || p != p.Masked() || p.Addr().Is4() != (r.v == packet.IPv4) || p.Addr().Is4In6() {
		return fmt.Errorf("%q is no prefix of IPv%d without bits behind its length", value, r.v)
	}
	*to = &p
	return nil
}

// number adds one number to a list.
func (r *reading) number(to *packet.Values, value string, most uint32) error {
	n, err := parseNumber(value, most)
	if err != nil {
		return err
	}
	one := packet.Values{{Lo: n, Hi: n}}
	if *to != nil {
		one = to.Or(one)
	}
	*to = one
	return nil
}

func parseNumber(value string, most uint32) (uint32, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil || n > uint64(most) {
		return 0, fmt.Errorf("%q is no number of 0 to %d", value, most)
	}
	return uint32(n), nil
}

func (r *reading) length(value string) error {
	most := uint32(65535)
	if r.v == packet.IPv6 {
		most -= ipv6Header // FlowSpec names no longer packets
	}
	n, err := parseNumber(value, most)
	if err != nil {
		return err
	}
	if r.v == packet.IPv6 {
		n += ipv6Header
	}
	r.m.Length = packet.Values{{Lo: n, Hi: n}}
	return nil
}

// transportLeaf takes one leaf of transport/config.
func (r *reading) transportLeaf(k *element) error {
	if r.v == packet.IPv6 {
		return errUnknown
	}
	switch k.name {
	case "source-port":
		return readPorts(&r.m.SrcPort, k.value)
	case "destination-port":
		return readPorts(&r.m.DstPort, k.value)
	case "detail-mode":
		r.detail = k.value
	case "explicit-detail-match-mode":
		r.anyOrAll = k.value
	case "builtin-detail":
		r.builtin = k.value
	case "explicit-tcp-flags":
		name := strings.TrimPrefix(k.value, typesModule+":")
		for _, f := range flags {
			if f.name == name {
				r.flags = append(r.flags, f.bit)
				return nil
			}
		}
		return fmt.Errorf("%q is no flag", k.value)
	default:
		return errUnknown
	}
	return nil
}

// readPorts reads a number, a range, or ANY.
func readPorts(to *packet.Values, value string) error {
	if value == "ANY" {
		return nil
	}
	lo, hi, found := strings.Cut(value, "..")
	if !found {
		hi = lo
	}
	a, err := parseNumber(lo, 65535)
	b, err2 := parseNumber(hi, 65535)
	if err != nil || err2 != nil || a > b {
		return fmt.Errorf("%q is no port or range of ports", value)
	}
	*to = packet.Values{{Lo: a, Hi: b}}
	return nil
}

// match puts the conditions together.
func (r *reading) match() (filter.Match, error) {
	switch strings.Join(r.offsets, " ") {
	case "":
	case "0":
		r.m.Fragments = packet.OffsetZero
	default:
		return r.m, fmt.Errorf("fragment-offsets %q: sluice writes 0", r.offsets)
	}
	err := r.details()
	return r.m, err
}

// details reads the flags that detail-mode is about.
func (r *reading) details() error {
	switch {
	case r.detail == "" && r.builtin == "" && r.anyOrAll == "" && len(r.flags) == 0:
	case r.detail == "BUILTIN" && r.builtin == "TCP_INITIAL" && r.anyOrAll == "" && len(r.flags) == 0:
		r.m.Flags = []filter.FlagTerm{{Set: syn, Clear: ack}}
	case r.detail == "BUILTIN" && r.builtin == "FRAGMENT" && r.anyOrAll == "" && len(r.flags) == 0 && r.m.Fragments == 0:
		r.m.Fragments = laterStates
	case r.detail == "BUILTIN" && r.builtin == "TCP_ESTABLISHED" && r.anyOrAll == "" && len(r.flags) == 0:
		r.m.Flags = []filter.FlagTerm{{Set: ack}, {Set: rst}}
	case r.detail == "EXPLICIT" && r.anyOrAll == "ALL" && r.builtin == "" && len(r.flags) > 0:
		var all filter.FlagTerm
		for _, f := range r.flags {
			all.Set |= f
		}
		r.m.Flags = []filter.FlagTerm{all}
	case r.detail == "EXPLICIT" && r.anyOrAll == "ANY" && r.builtin == "" && len(r.flags) > 0:
		for _, f := range r.flags {
			r.m.Flags = append(r.m.Flags, filter.FlagTerm{Set: f})
		}
	default:
		return fmt.Errorf("detail-mode %q with %q, %q and %d flags is not understood", r.detail, r.builtin, r.anyOrAll, len(r.flags))
	}
	return nil
}
