package junos

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// actions returns the `then` of the term for e: what it does on the way, and last how it ends.
func (d Dialect) actions(e filter.Entry, v packet.Version) ([]statement, error) {
	do := e.Do
	var errs []error
	if do.Discard && (do.Continue || do.Policer != "" || do.Redirect != nil) {
		errs = append(errs, errors.New("discard: a term that discards ends there; it does not also continue, limit or redirect"))
	}
	var out []statement
	if do.Policer != "" {
		out = append(out, statement{word: "policer", value: do.Policer})
	}
	if e.Counter != "" {
		if err := checkName(e.Counter); err != nil {
			errs = append(errs, fmt.Errorf("counter: %w", err))
		}
		out = append(out, statement{word: "count", value: e.Counter})
	}
	if do.Sample {
		out = append(out, statement{word: "sample"})
	}
	if do.Mark != nil {
		word := "dscp"
		if v == packet.IPv6 {
			word = "traffic-class"
		}
		out = append(out, statement{word: word, value: strconv.Itoa(int(*do.Mark))})
	}
	end, err := d.ending(do, v)
	if err != nil {
		errs = append(errs, err)
	}
	return append(out, end), errors.Join(errs...)
}

// ending returns the one statement of a term that decides what comes next: the model allows one of them.
func (d Dialect) ending(do filter.Do, v packet.Version) (statement, error) {
	switch {
	case do.Redirect != nil && !do.Redirect.NextHop():
		return d.instance(do)
	case do.Redirect != nil:
		return redirect(do, v)
	case do.Discard:
		return statement{word: "discard"}, nil
	case do.Continue:
		return statement{word: "next", value: "term"}, nil
	}
	return statement{word: "accept"}, nil
}

// instance returns routing-instance. The evaluation ends there.
func (d Dialect) instance(do filter.Do) (statement, error) {
	name, named := d.instances[*do.Redirect]
	switch {
	case !named:
		return statement{}, fmt.Errorf("redirect: a term names a routing instance, and which one imports %s is not said", do.Redirect.Target())
	case do.Continue:
		return statement{}, errors.New("redirect: routing-instance ends the evaluation and cannot continue")
	}
	return statement{word: "routing-instance", form: inline, body: []statement{{word: "routing-instance-name", value: name}}}, nil
}

// redirect returns next-ip or next-ip6. The evaluation ends there.
func redirect(do filter.Do, v packet.Version) (statement, error) {
	r := do.Redirect
	switch {
	case r.Copy:
		return statement{}, errors.New("redirect: a term sends the packet itself to the next hop, not a copy")
	case do.Continue:
		return statement{}, errors.New("redirect: next-ip ends the evaluation and cannot continue")
	case !r.Addr.IsValid() || r.Addr.Zone() != "" || r.Addr.Is4() != (v == packet.IPv4):
		return statement{}, fmt.Errorf("redirect: next hop %s is not of the filter's IP version", r.Addr)
	}
	word := "next-ip"
	if v == packet.IPv6 {
		word = "next-ip6"
	}
	host := netip.PrefixFrom(r.Addr, r.Addr.BitLen())
	return statement{word: word, form: inline, body: []statement{{word: "address", value: host.String()}}}, nil
}

// policer returns the policer that limits to p. It is filter-specific: by default Junos makes one bucket for each term ("Filter-Specific
// Policer Overview"), and entries of one rule share one.
func policer(p filter.Policer) (statement, error) {
	if err := checkName(p.Name); err != nil {
		return statement{}, err
	}
	rate := float64(p.Rate.Amount)
	limit := statement{word: "if-exceeding-pps"}
	words := [2]string{"pps-limit", "packet-burst"}
	if p.Rate.Unit == flowspec.Bytes {
		// bandwidth-limit counts bits, burst-size-limit counts bytes ("Policer Bandwidth and Burst-Size Limits").
		limit.word, words, rate = "if-exceeding", [2]string{"bandwidth-limit", "burst-size-limit"}, rate*8
	}
	if rate != math.Trunc(rate) || rate < 1 || rate >= 1<<64 {
		return statement{}, fmt.Errorf("rate %v: %s takes a whole number", p.Rate.Amount, words[0])
	}
	limit.body = []statement{
		{word: words[0], value: strconv.FormatUint(uint64(rate), 10)},
		{word: words[1], value: strconv.FormatUint(p.Burst, 10)},
	}
	return statement{word: "policer", name: p.Name, body: []statement{
		{word: "filter-specific"}, limit, {word: "then", body: []statement{{word: "discard"}}},
	}}, nil
}
