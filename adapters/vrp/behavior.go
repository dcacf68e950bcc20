package vrp

import (
	"errors"
	"fmt"
	"math"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Limits of a CAR in huawei-qos of 8.22.
const (
	bytesPerKilobit = 125 // cir is in kilobits/s
	highestCIR      = math.MaxUint32
	largestCBS      = math.MaxUint32 // bytes
)

// behave returns the behavior of entries that do do, limited by p if they are limited; its name is the affair of the caller.
func behave(do filter.Do, p filter.Policer, v packet.Version) (behavior, error) {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	a := behavior{deny: do.Discard, dscp: -1}
	if do.Discard && (do.Policer != "" || do.Redirect != nil || do.Mark != nil) {
		refuse("discard: deny is exclusive of other actions")
	}
	if do.Continue {
		refuse("continue: the first classifier that takes a packet decides")
	}
	if do.Sample {
		refuse("sample: a policy whose limits are shared by interfaces does not sample")
	}
	if do.Mark != nil {
		a.dscp, a.v = int(*do.Mark), v
	}
	if do.Redirect != nil {
		if err := checkRedirect(*do.Redirect, v); err != nil {
			refuse("redirect: %w", err)
		}
		a.next, a.v = do.Redirect.Addr, v
	}
	if do.Policer != "" {
		var err error
		if a.cir, a.cbs, err = limit(p); err != nil {
			refuse("policer %s: %w", p.Name, err)
		}
	}
	return a, errors.Join(errs...)
}

func checkRedirect(r flowspec.Redirect, v packet.Version) error {
	switch {
	case !r.NextHop():
		return errors.New("a behavior names a VPN instance, and which one imports a route target is not known here")
	case r.Copy:
		return errors.New("a behavior sends the packet itself to the next hop, not a copy")
	case !r.Addr.IsValid() || r.Addr.Zone() != "" || r.Addr.Is4() != (v == packet.IPv4) || r.Addr.Is4In6():
		return fmt.Errorf("next hop %s is not of the filter's IP version", r.Addr)
	}
	return nil
}

// limit returns the kilobits/s and the bytes of burst of p.
func limit(p filter.Policer) (cir, cbs uint64, err error) {
	if p.Rate.Unit != flowspec.Bytes {
		return 0, 0, errors.New("car counts bits; what its other unit, pps, makes of the burst is not written down")
	}
	kilobits := math.Round(float64(p.Rate.Amount) / bytesPerKilobit)
	if kilobits < 1 || kilobits > highestCIR || rateOf(kilobits) != p.Rate.Amount {
		return 0, 0, fmt.Errorf("rate %v: car takes whole kilobits/s, 125 bytes/s each, of 1 to %d", p.Rate.Amount, uint64(highestCIR))
	}
	if p.Burst > largestCBS {
		return 0, 0, fmt.Errorf("burst %d: cbs takes up to %d bytes", p.Burst, uint64(largestCBS))
	}
	return uint64(kilobits), p.Burst, nil
}

// rateOf returns kilobits as a rule asks for them: the bytes, or the float32 next to them.
func rateOf(kilobits float64) float32 { return float32(kilobits * bytesPerKilobit) }

// does returns what entries with behavior a do, and their policer, nil where they are not limited.
func (a behavior) does(v packet.Version) (filter.Do, *filter.Policer, error) {
	do := filter.Do{Discard: a.deny}
	if a.deny && (a.cir > 0 || a.dscp >= 0 || a.next.IsValid()) {
		return do, nil, errors.New("deny beside other actions")
	}
	if a.dscp >= 0 {
		if a.v != v {
			return do, nil, fmt.Errorf("it marks packets of IPv%d, and its classifier takes IPv%d", a.v, v)
		}
		mark := uint8(a.dscp)
		do.Mark = &mark
	}
	if a.next.IsValid() {
		form := flowspec.NextHopIETFv4
		if v == packet.IPv6 {
			form = flowspec.NextHopIETFv6
		}
		do.Redirect = &flowspec.Redirect{Form: form, Addr: a.next}
		if err := checkRedirect(*do.Redirect, v); err != nil {
			return do, nil, err
		}
	}
	if a.cir == 0 {
		return do, nil, nil
	}
	do.Policer = a.name
	return do, &filter.Policer{Name: a.name, Rate: flowspec.Rate{Amount: rateOf(float64(a.cir)), Unit: flowspec.Bytes}, Burst: a.cbs}, nil
}
