package nftables

import (
	"errors"
	"fmt"
	"math"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// actions returns what e does, statement by statement; the last one is the verdict.
func actions(e filter.Entry, v packet.Version) ([]statement, error) {
	do := e.Do
	var errs []error
	if do.Discard && (do.Continue || do.Policer != "" || do.Redirect != nil) {
		errs = append(errs, errors.New("discard: a rule that drops ends there; it does not also continue, limit or redirect"))
	}
	if do.Sample {
		errs = append(errs, errors.New("sample: nft has no sampling; it logs every packet to a group that somebody has to read"))
	}
	var out []statement
	if e.Counter != "" {
		if err := checkName(e.Counter); err != nil {
			errs = append(errs, fmt.Errorf("counter: %w", err))
		}
		out = append(out, statement{verb: count, name: e.Counter})
	}
	if do.Policer != "" {
		out = append(out, statement{verb: police, name: do.Policer})
	}
	if do.Mark != nil {
		if do.Continue {
			errs = append(errs, errors.New("mark: later rules would read the new DSCP, so a mark cannot continue"))
		}
		out = append(out, statement{verb: mark, cond: cond{field: dscpField(v)}, value: uint32(*do.Mark)})
	}
	end, err := ending(do, v)
	return append(out, end...), errors.Join(append(errs, err)...)
}

func dscpField(v packet.Version) string {
	if v == packet.IPv6 {
		return "ip6 dscp"
	}
	return "ip dscp"
}

// ending returns the verdict, and what goes before it to another next hop.
func ending(do filter.Do, v packet.Version) ([]statement, error) {
	switch {
	case do.Redirect != nil:
		return redirect(do, v)
	case do.Discard:
		return []statement{{verb: drop}}, nil
	case do.Continue:
		return []statement{{verb: goOn}}, nil
	}
	return []statement{{verb: accept}}, nil
}

// redirect returns `dup to` the next hop, and drops the packet itself unless a copy is asked for. The kernel sends the duplicate by the route to
// the next hop with the hop limit decremented, as forwarding does (nf_dup_ipv6.c); in IPv4 it sets DF as well (nf_dup_ipv4.c), and packets that the path
// to the next hop would have to fragment are lost.
func redirect(do filter.Do, v packet.Version) ([]statement, error) {
	r := do.Redirect
	switch {
	case !r.NextHop():
		return nil, errors.New("redirect: a rule sends packets to a next hop, and which routing table imports a route target is not known here")
	case !r.Addr.IsValid() || r.Addr.Zone() != "" || r.Addr.Is4() != (v == packet.IPv4) || r.Addr.Is4In6():
		return nil, fmt.Errorf("redirect: next hop %s is not of the filter's IP version", r.Addr)
	case v == packet.IPv4:
		return nil, errors.New("redirect: what nft sends to a next hop in IPv4 has the DF bit set, so it is another packet")
	case do.Continue:
		return nil, errors.New("redirect: it ends the evaluation and cannot continue")
	}
	verdict := drop
	if r.Copy {
		verdict = accept
	}
	return []statement{{verb: dup, name: r.Addr.String()}, {verb: verdict}}, nil
}

// The largest numbers that limits take. The kernel computes the bucket in nanoseconds times octets in 64 bits (nft_limit.c), and the burst has
// 32 bits. Rates in packets are exact to 1 % up to a packet each 100 ns, since the time that one costs is a whole number of nanoseconds.
const (
	mostOctets  = math.MaxUint64 / 1_000_000_000
	mostPackets = 10_000_000
)

// limitOf returns the limit object that p becomes.
func limitOf(p filter.Policer) (limit, error) {
	if err := checkName(p.Name); err != nil {
		return limit{}, err
	}
	rate := float64(p.Rate.Amount)
	if rate != math.Trunc(rate) || rate < 1 {
		return limit{}, fmt.Errorf("rate %v: a limit takes a whole number above 0", p.Rate.Amount)
	}
	l := limit{name: p.Name, bytes: p.Rate.Unit == flowspec.Bytes, over: true, burst: p.Burst}
	most := uint64(mostPackets)
	if l.bytes {
		most = mostOctets
	}
	if rate > float64(most) {
		return limit{}, fmt.Errorf("rate %v: a limit takes no more than %d", p.Rate.Amount, most)
	}
	l.rate = uint64(rate)
	if l.bytes {
		// A bucket of octets holds one second of the rate and the burst.
		if p.Burst < l.rate {
			return limit{}, fmt.Errorf("burst %d: a limit of %d bytes/s lets that many bytes through at once, or more", p.Burst, l.rate)
		}
		if l.burst = p.Burst - l.rate; p.Burst > mostOctets {
			return limit{}, fmt.Errorf("burst %d: a limit takes no more than %d", p.Burst, uint64(mostOctets))
		}
	}
	if l.burst > math.MaxUint32 {
		return limit{}, fmt.Errorf("burst %d: it is too large for a limit", p.Burst)
	}
	return l, nil
}
