package sdk

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// The encoders below turn domain values into messages; decode.go is their inverse. Both are total over what the types can hold, nil lists
// and empty lists kept apart, because an absent condition and an impossible one are opposites.

func encodeTarget(t device.Target) *pb.Target {
	return &pb.Target{
		Name: t.Name, Address: t.Address, Username: t.Username, Password: string(t.Password), PrivateKey: string(t.PrivateKey),
		KnownHosts: t.KnownHosts, HostKey: t.HostKey, InsecureIgnoreHostKey: t.InsecureIgnoreHostKey,
		Placement: string(t.Placement), Interfaces: t.Interfaces, Options: t.Options, TimeoutNanoseconds: int64(t.Timeout),
	}
}

func encodeState(s device.State) (*pb.State, error) {
	if len(s.Routes) > 0 {
		return nil, fmt.Errorf("%d FlowSpec routes for a plugin: routes travel by BGP, give a plugin filters only", len(s.Routes))
	}
	out := &pb.State{}
	for _, f := range s.Filters {
		out.Filters = append(out.Filters, encodeFilter(f))
	}
	out.Attached, out.Misplaced = encodePlaces(s.Attached), encodePlaces(s.Misplaced)
	return out, nil
}

func encodePlaces(places map[string][]string) map[string]*pb.Interfaces {
	if len(places) == 0 {
		return nil
	}
	out := make(map[string]*pb.Interfaces, len(places))
	for name, where := range places {
		out[name] = &pb.Interfaces{Names: where}
	}
	return out
}

func encodeChange(c device.Change) (*pb.Change, error) {
	out := &pb.Change{}
	for i, s := range c.Steps {
		if s.Route != nil || s.Filter == nil {
			return nil, fmt.Errorf("step %d (%s) is not about a filter: a plugin delivers filters only", i+1, s.Why)
		}
		out.Steps = append(out.Steps, &pb.Step{Op: pb.Op(s.Op), Filter: encodeFilter(*s.Filter), Why: s.Why})
	}
	var err error
	out.Desired, err = encodeState(c.Desired)
	return out, err
}

func encodeCommit(c device.Commit) *pb.Commit {
	return &pb.Commit{Token: c.Token, DeadlineUnixNanoseconds: nanoseconds(c.Deadline), Confirmed: c.Confirmed}
}

func nanoseconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func encodeFilter(f filter.Filter) *pb.Filter {
	out := &pb.Filter{Name: f.Name, Version: uint32(f.Version), Placement: string(f.Placement)}
	for _, e := range f.Entries {
		out.Entries = append(out.Entries, encodeEntry(e))
	}
	for _, p := range f.Policers {
		out.Policers = append(out.Policers, &pb.Policer{Name: p.Name, Rate: encodeRate(p.Rate), Burst: p.Burst})
	}
	return out
}

func encodeEntry(e filter.Entry) *pb.Entry {
	m := &pb.Match{
		Dst: encodePrefix(e.Match.Dst), Src: encodePrefix(e.Match.Src),
		Proto: encodeValues(e.Match.Proto), Port: encodeValues(e.Match.Port), DstPort: encodeValues(e.Match.DstPort), SrcPort: encodeValues(e.Match.SrcPort),
		IcmpType: encodeValues(e.Match.ICMPType), IcmpCode: encodeValues(e.Match.ICMPCode), Length: encodeValues(e.Match.Length),
		Dscp: encodeValues(e.Match.DSCP), Label: encodeValues(e.Match.Label), Fragments: uint32(e.Match.Fragments),
	}
	for _, t := range e.Match.Flags {
		m.Flags = append(m.Flags, &pb.FlagTerm{Set: uint32(t.Set), Clear: uint32(t.Clear)})
	}
	do := &pb.Do{Discard: e.Do.Discard, Policer: e.Do.Policer, Sample: e.Do.Sample, Continue: e.Do.Continue, Redirect: encodeRedirect(e.Do.Redirect)}
	if e.Do.Mark != nil {
		mark := uint32(*e.Do.Mark)
		do.Mark = &mark
	}
	return &pb.Entry{Name: e.Name, Rule: string(e.Rule), Match: m, Do: do, Counter: e.Counter}
}

func encodePrefix(p *netip.Prefix) string {
	if p == nil {
		return ""
	}
	return p.String()
}

func encodeValues(v packet.Values) *pb.Values {
	if v == nil {
		return nil
	}
	out := &pb.Values{}
	for _, s := range v {
		out.Spans = append(out.Spans, &pb.Span{Lo: s.Lo, Hi: s.Hi})
	}
	return out
}

func encodeRate(r flowspec.Rate) *pb.Rate {
	return &pb.Rate{Amount: r.Amount, Unit: pb.Unit(r.Unit), As: uint32(r.AS)}
}

func encodeRedirect(r *flowspec.Redirect) *pb.Redirect {
	if r == nil {
		return nil
	}
	out := &pb.Redirect{Form: pb.RedirectForm(r.Form), Global: r.Global, Local: r.Local, Copy: r.Copy}
	if r.Addr.IsValid() {
		out.Addr = r.Addr.String()
	}
	return out
}
