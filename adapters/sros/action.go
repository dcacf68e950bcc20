package sros

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// action returns the `action` of an entry: one ending, and what goes with it.
func action(do filter.Do, v packet.Version) (statement, error) {
	var errs []error
	fault := func(text string) { errs = append(errs, errors.New(text)) }
	with := 0 // what else but accept
	for _, asked := range []bool{do.Discard, do.Policer != "", do.Redirect != nil, do.Mark != nil} {
		if asked {
			with++
		}
	}
	if with > 1 {
		fault("action: that an entry discards, limits, redirects or marks at once, two of these together, is not written down")
	}
	if do.Continue {
		fault("continue: an entry that matches ends the evaluation")
	}
	if do.Sample {
		fault("sample: filter-sample depends on how cflowd is set up on the interface")
	}
	out := container("action", leaf("accept", ""))
	switch {
	case do.Discard:
		out = container("action", leaf("drop", ""))
	case do.Redirect != nil:
		forward, err := redirect(*do.Redirect, v)
		if err != nil {
			errs = append(errs, err)
		}
		out = container("action", forward)
	case do.Mark != nil:
		if *do.Mark < 64 {
			out.children = append(out.children, container("remark", leaf("dscp", dscpNames[*do.Mark])))
		}
	case do.Policer != "":
		out.children = append(out.children, container("rate-limit", quotedLeaf("policer", do.Policer)))
	}
	return out, errors.Join(errs...)
}

// redirect sends packets to a next hop. It may be any number of hops away ("Allow next hop to be indirectly reachable"), as that of a FlowSpec rule may.
func redirect(r flowspec.Redirect, v packet.Version) (statement, error) {
	switch {
	case !r.NextHop():
		return statement{}, errors.New("redirect: an entry names a router instance or a service, and which one imports a route target is not known here")
	case r.Copy:
		return statement{}, errors.New("redirect: an entry sends the packet itself to the next hop, not a copy")
	case !r.Addr.IsValid() || r.Addr.Zone() != "" || r.Addr.Is4() != (v == packet.IPv4) || r.Addr.Is4In6():
		return statement{}, fmt.Errorf("redirect: next hop %s is not of the filter's IP version", r.Addr)
	}
	hop := container("nh-ip", leaf("indirect", "true"), leaf("address", r.Addr.String()))
	return container("forward", container("next-hop", hop)), nil
}

// Limits of a policer in nokia-conf-filter of 26.3. A pir of 0 would discard everything.
const (
	bytesPerKilobit = 125 // rates are whole kilobits/s
	highestPIR      = 2_000_000_000
	largestMBS      = 268_435_456 // bytes
)

// policer returns the policer that limits to p: one bucket for all entries of a filter that name it (scope filter, on each forwarding complex by itself).
func policer(p filter.Policer) (statement, error) {
	if len(p.Name) > 32 {
		return statement{}, errors.New("its name has more than 32 characters")
	}
	if p.Rate.Unit != flowspec.Bytes {
		return statement{}, errors.New("it counts packets, and such a policer of SR OS has no burst to set")
	}
	kilobits := math.Round(float64(p.Rate.Amount) / bytesPerKilobit)
	if kilobits < 1 || kilobits > highestPIR || rateOf(kilobits) != p.Rate.Amount {
		return statement{}, fmt.Errorf("rate %v: pir takes whole kilobits/s, 125 bytes/s each, of 1 to %d", p.Rate.Amount, highestPIR)
	}
	if p.Burst > largestMBS {
		return statement{}, fmt.Errorf("burst %d: mbs takes up to %d bytes", p.Burst, largestMBS)
	}
	return item("policer", p.Name, leaf("scope", "filter"),
		leaf("pir", strconv.FormatFloat(kilobits, 'f', 0, 64)), leaf("mbs", strconv.FormatUint(p.Burst, 10))), nil
}

// rateOf returns kilobits as a rule asks for them: the bytes, or the float32 next to them.
func rateOf(kilobits float64) float32 { return float32(kilobits * bytesPerKilobit) }
