package notation

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Write prints rules in a notation. It prints all of them or nothing: what the notation cannot say is an error that names the rule
// and the reason. Every rule is read back and compared, octet by octet, before anything is printed.
func Write(w io.Writer, f Format, rules []flowspec.Rule) error {
	var out bytes.Buffer
	var err error
	switch f {
	case ExaBGP:
		err = each(rules, func(r flowspec.Rule) error { return writeExaBGP(&out, r) })
	case GoBGP:
		err = each(rules, func(r flowspec.Rule) error { return writeGoBGP(&out, r) })
	case HexLines:
		err = each(rules, func(r flowspec.Rule) error { return writeHex(&out, r) })
	case YAML, JSON:
		err = writeTree(&out, f, rules)
	default:
		err = fmt.Errorf("unknown notation %q: one of exabgp, gobgp, hex, json, yaml", f)
	}
	if err != nil {
		return err
	}
	b := bufio.NewWriter(w)
	if _, err := out.WriteTo(b); err != nil {
		return err
	}
	return b.Flush()
}

// each writes the rules one after the other and joins what cannot be said.
func each(rules []flowspec.Rule, write func(flowspec.Rule) error) error {
	var errs []error
	for i, r := range rules {
		if !r.Match.Valid() {
			errs = append(errs, fmt.Errorf("rule %d has no match", i+1))
			continue
		}
		if err := write(r); err != nil {
			errs = append(errs, fmt.Errorf("rule %d, %s: %w", i+1, Text(r), err))
		}
	}
	return errors.Join(errs...)
}

func writeHex(out *bytes.Buffer, r flowspec.Rule) error {
	if !r.Expires.IsZero() {
		return fmt.Errorf("it expires, and the hex notation knows no lifetime: remove the ttl, or write yaml or json")
	}
	text := Hex(r)
	in := newInput("", text, Options{})
	readHex(in)
	if err := compare(r, in); err != nil {
		return err
	}
	out.WriteString(text)
	out.WriteByte('\n')
	return nil
}

func writeExaBGP(out *bytes.Buffer, r flowspec.Rule) error {
	if err := sayable(r); err != nil {
		return err
	}
	head, words := exactAction(r.Action)
	if v6 := r.Match.Family().Version() == 6; head != "" && v6 && !hasPrefix(r.Match) {
		return fmt.Errorf("ExaBGP's text has no place for the next hop of an IPv6 rule without a prefix; write hex, yaml or json")
	}
	text := "announce " + line(r, head, words)
	in := newInput("", text, Options{})
	readLine(in)
	if err := compare(r, in); err != nil {
		return err
	}
	out.WriteString(text)
	out.WriteByte('\n')
	return nil
}

// sayable says what ExaBGP's text cannot say of r, where there is more to tell than that it reads back as something else.
func sayable(r flowspec.Rule) error {
	if !r.Expires.IsZero() {
		return fmt.Errorf("it expires, and ExaBGP's text knows no lifetime: remove the ttl, or write yaml or json")
	}
	for c := range r.Match.All() {
		if c.Prefix.Offset != 0 {
			return fmt.Errorf("%s has an offset: ExaBGP sends all octets of such a prefix, which is not what RFC 8956 §3.1 asks for; write hex, yaml or json", c.Type)
		}
		for _, t := range c.Terms {
			if !c.Type.Bitmask() && (t.Op == flowspec.True || t.Op == flowspec.False) {
				return fmt.Errorf("%s holds the operator that is always %t, which ExaBGP's text cannot say; write hex, yaml or json", c.Type, t.Op == flowspec.True)
			}
			if t.Width > 1 && t.Value < 1<<(4*uint(t.Width)) {
				return fmt.Errorf("%s: the value %d has %d octets, and ExaBGP sends the fewest that hold it, which is another NLRI; write hex, yaml or json", c.Type, t.Value, t.Width)
			}
		}
	}
	ext, _ := r.Action.Communities()
	for _, c := range slices.Concat(ext, r.Others) {
		if ietf := r.Action.Redirect; len(c) == 20 && (ietf == nil || ietf.Form != flowspec.NextHopIETFv6 || ietf.Copy || classOf(c) != redirectClass) {
			return fmt.Errorf("ExaBGP's text cannot say the IPv6-specific community %s; write hex, yaml or json", c)
		}
	}
	return nil
}

// compare says how what was read back differs from r.
func compare(r flowspec.Rule, in *input) error {
	for _, p := range in.problems {
		if p.Severity == Error {
			return fmt.Errorf("the notation cannot say it: %s; write hex, yaml or json", p.Message)
		}
	}
	if len(in.items) != 1 || in.items[0].Withdraw {
		return fmt.Errorf("the notation cannot say it: it reads back as %d rules", len(in.items))
	}
	return same(r, in.items[0].Rule)
}

// same compares everything that BGP carries of two rules.
func same(want, got flowspec.Rule) error {
	wantExt, wantHop := want.Action.Communities()
	gotExt, gotHop := got.Action.Communities()
	sorted := func(list []flowspec.ExtComm) []flowspec.ExtComm { return slices.Sorted(slices.Values(list)) }
	switch {
	case !want.Match.Equal(got.Match):
		return fmt.Errorf("the notation cannot say it: it reads back as another NLRI, %x; write hex, yaml or json", got.Match.NLRI())
	case !slices.Equal(sorted(wantExt), sorted(gotExt)), wantHop != gotHop, !slices.Equal(sorted(want.Others), sorted(got.Others)):
		return fmt.Errorf("the notation cannot say its actions: they read back as %s; write hex, yaml or json", got.Action)
	case !slices.Equal(want.Communities, got.Communities), !slices.Equal(want.LargeCommunities, got.LargeCommunities):
		return fmt.Errorf("the notation cannot say its communities")
	case !want.Expires.Equal(got.Expires):
		return fmt.Errorf("the notation cannot say its lifetime")
	}
	return nil
}
