package eos

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// actions returns what stands under `actions` for e. A match without any lets its packets pass.
func (w *writer) actions(e filter.Entry, owner string) ([]statement, error) {
	do := e.Do
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	var out []statement
	if e.Counter != "" {
		if err := checkName(e.Counter); err != nil {
			refuse("counter: %w", err)
		}
		out = append(out, say("count", e.Counter))
	}
	if do.Continue {
		refuse("continue: the first match that takes a packet decides; EosSdk knows a goto action, but no source says how it is written")
	}
	if do.Sample {
		refuse("sample: EosSdk knows such an action, but no source says how it is written")
	}
	if do.Discard {
		// "It is illegal to set both nexthop and ... drop operations" (EosSdk, policy_map.h); the others would do nothing.
		if do.Policer != "" || do.Redirect != nil || do.Mark != nil {
			refuse("discard: a match that drops does not also limit, redirect or mark")
		}
		return append(out, say("drop")), errors.Join(errs...)
	}
	if do.Policer != "" {
		s, err := w.police(do.Policer, owner)
		if err != nil {
			refuse("policer %s: %w", do.Policer, err)
		}
		out = append(out, s)
	}
	if do.Redirect != nil {
		s, err := redirect(*do.Redirect, w.v)
		if err != nil {
			refuse("redirect: %w", err)
		}
		out = append(out, s)
	}
	if do.Mark != nil {
		out = append(out, say("set", "dscp", strconv.Itoa(int(*do.Mark))))
	}
	return out, errors.Join(errs...)
}

// police returns the action that limits to the policer called name. It is an action of one match (EosSdk, traffic_policy_action_t: rate and
// burst, no name), so entries cannot share it, and its name is that of the entry.
func (w *writer) police(name, owner string) (statement, error) {
	p := w.policers[name]
	switch {
	case w.users[name] > 1:
		return statement{}, errors.New("several entries share it: police is an action of one match, and each would have a bucket of its own")
	case name != filter.Mark+owner:
		return statement{}, fmt.Errorf("want the name %s%s: police has no name, and is known by its entry", filter.Mark, owner)
	case p.Rate.Unit != flowspec.Bytes:
		return statement{}, errors.New("police counts bits, not packets")
	}
	rate := float64(p.Rate.Amount) * 8
	if rate != math.Trunc(rate) || rate < 1 || rate >= 1<<64 {
		return statement{}, fmt.Errorf("rate %v: police takes a whole number of bits/s", p.Rate.Amount)
	}
	return say("police", "rate", strconv.FormatUint(uint64(rate), 10), "bps", "burst-size", strconv.FormatUint(p.Burst, 10), "bytes"), nil
}

// redirect returns the action that sends packets to a next hop (Arista AVD, traffic_policies: redirect next_hop).
func redirect(r flowspec.Redirect, v packet.Version) (statement, error) {
	switch {
	case !r.NextHop():
		return statement{}, errors.New("a match names a VRF, and which one imports a route target is not known here")
	case r.Copy:
		return statement{}, errors.New("a match sends the packet itself to the next hop, not a copy")
	case !r.Addr.IsValid() || r.Addr.Zone() != "" || r.Addr.Is4() != (v == packet.IPv4):
		return statement{}, fmt.Errorf("next hop %s is not of the filter's IP version", r.Addr)
	}
	return say("redirect", "next-hop", r.Addr.String()), nil
}
