package sdk

import (
	"fmt"
	"math"
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// The decoders refuse whole what they do not understand: a filter with a condition left out is a wider filter.

func decodeTarget(t *pb.Target) (device.Target, error) {
	if t.GetName() == "" {
		return device.Target{}, fmt.Errorf("a target without a name")
	}
	return device.Target{
		Name: t.Name, Address: t.Address, Username: t.Username, Password: device.Secret(t.Password), PrivateKey: device.Secret(t.PrivateKey),
		KnownHosts: t.KnownHosts, HostKey: t.HostKey, InsecureIgnoreHostKey: t.InsecureIgnoreHostKey,
		Placement: filter.Placement(t.Placement), Interfaces: t.Interfaces, Options: t.Options, Timeout: time.Duration(t.TimeoutNanoseconds),
	}, nil
}

func decodeState(s *pb.State) (device.State, error) {
	var out device.State
	for _, f := range s.GetFilters() {
		d, err := decodeFilter(f)
		if err != nil {
			return device.State{}, err
		}
		out.Filters = append(out.Filters, d)
	}
	out.Attached, out.Misplaced = decodePlaces(s.GetAttached()), decodePlaces(s.GetMisplaced())
	return out, nil
}

func decodePlaces(places map[string]*pb.Interfaces) map[string][]string {
	if len(places) == 0 {
		return nil
	}
	out := make(map[string][]string, len(places))
	for name, where := range places {
		out[name] = where.GetNames()
	}
	return out
}

func decodeChange(c *pb.Change) (device.Change, error) {
	var out device.Change
	for i, s := range c.GetSteps() {
		if s.GetOp() < pb.Op_OP_ADD || s.GetOp() > pb.Op_OP_REMOVE {
			return device.Change{}, fmt.Errorf("step %d has the unknown kind %d", i+1, s.GetOp())
		}
		f, err := decodeFilter(s.GetFilter())
		if err != nil {
			return device.Change{}, fmt.Errorf("step %d: %w", i+1, err)
		}
		out.Steps = append(out.Steps, device.Step{Op: device.Op(s.Op), Filter: &f, Why: s.Why})
	}
	var err error
	out.Desired, err = decodeState(c.GetDesired())
	return out, err
}

func decodeCommit(c *pb.Commit) device.Commit {
	out := device.Commit{Token: c.GetToken(), Confirmed: c.GetConfirmed()}
	if n := c.GetDeadlineUnixNanoseconds(); n != 0 {
		out.Deadline = time.Unix(0, n)
	}
	return out
}

func decodeFilter(f *pb.Filter) (filter.Filter, error) {
	if f.GetName() == "" {
		return filter.Filter{}, fmt.Errorf("a filter without a name")
	}
	out := filter.Filter{Name: f.Name, Version: packet.Version(f.Version), Placement: filter.Placement(f.Placement)}
	if f.Version != uint32(packet.IPv4) && f.Version != uint32(packet.IPv6) {
		return filter.Filter{}, fmt.Errorf("filter %s: IP version %d", f.Name, f.Version)
	}
	if len(f.Entries) > 0 {
		out.Entries = make([]filter.Entry, len(f.Entries))
	}
	for i, e := range f.Entries {
		if err := decodeEntry(&out.Entries[i], e); err != nil {
			return filter.Filter{}, fmt.Errorf("filter %s, entry %q: %w", f.Name, e.GetName(), err)
		}
	}
	for _, p := range f.Policers {
		r, err := decodeRate(p.GetRate())
		if err != nil {
			return filter.Filter{}, fmt.Errorf("filter %s, policer %q: %w", f.Name, p.GetName(), err)
		}
		out.Policers = append(out.Policers, filter.Policer{Name: p.GetName(), Rate: r, Burst: p.GetBurst()})
	}
	return out, nil
}

func decodeEntry(out *filter.Entry, e *pb.Entry) (err error) {
	m, do := e.GetMatch(), e.GetDo()
	if m == nil || do == nil {
		return fmt.Errorf("it lacks its match or what it does")
	}
	out.Name, out.Rule, out.Counter = e.Name, flowspec.ID(e.Rule), e.Counter
	if out.Match.Dst, err = decodePrefix(m.Dst); err != nil {
		return err
	}
	if out.Match.Src, err = decodePrefix(m.Src); err != nil {
		return err
	}
	for _, v := range []struct {
		to   *packet.Values
		from *pb.Values
	}{
		{&out.Match.Proto, m.Proto}, {&out.Match.Port, m.Port}, {&out.Match.DstPort, m.DstPort}, {&out.Match.SrcPort, m.SrcPort},
		{&out.Match.ICMPType, m.IcmpType}, {&out.Match.ICMPCode, m.IcmpCode}, {&out.Match.Length, m.Length}, {&out.Match.DSCP, m.Dscp}, {&out.Match.Label, m.Label},
	} {
		if *v.to, err = decodeValues(v.from); err != nil {
			return err
		}
	}
	for _, t := range m.Flags {
		if t.GetSet() > 0xfff || t.GetClear() > 0xfff {
			return fmt.Errorf("TCP flags %#x/%#x do not fit 12 bits", t.GetSet(), t.GetClear())
		}
		out.Match.Flags = append(out.Match.Flags, filter.FlagTerm{Set: uint16(t.Set), Clear: uint16(t.Clear)})
	}
	if m.Fragments > math.MaxUint8 {
		return fmt.Errorf("fragment states %#x do not fit 8 bits", m.Fragments)
	}
	out.Match.Fragments = packet.Frags(m.Fragments)
	return decodeDo(&out.Do, do)
}

func decodeDo(out *filter.Do, do *pb.Do) (err error) {
	out.Discard, out.Policer, out.Sample, out.Continue = do.Discard, do.Policer, do.Sample, do.Continue
	if do.Mark != nil {
		if *do.Mark > 63 {
			return fmt.Errorf("DSCP %d is above 63", *do.Mark)
		}
		mark := uint8(*do.Mark)
		out.Mark = &mark
	}
	out.Redirect, err = decodeRedirect(do.Redirect)
	return err
}

func decodePrefix(s string) (*netip.Prefix, error) {
	if s == "" {
		return nil, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return nil, err
	}
	return &p, nil
}

func decodeValues(v *pb.Values) (packet.Values, error) {
	if v == nil {
		return nil, nil
	}
	out := make(packet.Values, len(v.Spans))
	for i, s := range v.Spans {
		out[i] = packet.Span{Lo: s.GetLo(), Hi: s.GetHi()}
		if out[i].Lo > out[i].Hi || i > 0 && uint64(out[i].Lo) <= uint64(out[i-1].Hi)+1 {
			return nil, fmt.Errorf("span %d-%d is empty, or not above and apart from the one before it", out[i].Lo, out[i].Hi)
		}
	}
	return out, nil
}

func decodeRate(r *pb.Rate) (flowspec.Rate, error) {
	if r.GetUnit() != pb.Unit_UNIT_BYTES && r.GetUnit() != pb.Unit_UNIT_PACKETS {
		return flowspec.Rate{}, fmt.Errorf("a rate in the unknown unit %d", r.GetUnit())
	}
	if a := float64(r.Amount); a < 0 || math.IsNaN(a) || math.IsInf(a, 0) {
		return flowspec.Rate{}, fmt.Errorf("a rate of %v", r.Amount)
	}
	if r.As > math.MaxUint16 {
		return flowspec.Rate{}, fmt.Errorf("a rate with AS %d, which does not fit 16 bits", r.As)
	}
	return flowspec.Rate{Amount: r.Amount, Unit: flowspec.Unit(r.Unit), AS: uint16(r.As)}, nil
}

func decodeRedirect(r *pb.Redirect) (*flowspec.Redirect, error) {
	if r == nil {
		return nil, nil
	}
	if r.Form < pb.RedirectForm_REDIRECT_AS2 || r.Form > pb.RedirectForm_NEXT_HOP_IETF_V6 {
		return nil, fmt.Errorf("a redirect of the unknown form %d", r.Form)
	}
	out := &flowspec.Redirect{Form: flowspec.RedirectForm(r.Form), Global: r.Global, Local: r.Local, Copy: r.Copy}
	if r.Addr != "" {
		a, err := netip.ParseAddr(r.Addr)
		if err != nil {
			return nil, err
		}
		out.Addr = a
	}
	return out, nil
}
