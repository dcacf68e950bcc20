package slx

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readRule reads what stands behind a number: permit or deny, a protocol, source and destination, and count. Counter is set to something when the line counts.
func readRule(words []string, v packet.Version) (filter.Entry, error) {
	var e filter.Entry
	t := &tokens{rest: words}
	switch grant := t.next(); grant {
	case "permit":
	case "deny":
		e.Do.Discard = true
	default:
		return e, fmt.Errorf("%q: want permit or deny", grant)
	}
	var err error
	if e.Match.Proto, err = readProtocol(t.next(), v); err != nil {
		return e, err
	}
	if e.Match.Src, err = t.address(v); err != nil {
		return e, fmt.Errorf("source: %w", err)
	}
	if e.Match.Dst, err = t.address(v); err != nil {
		return e, fmt.Errorf("destination: %w", err)
	}
	if v == packet.IPv6 && e.Match.Dst != nil {
		return e, errors.New("destination: the hardware does not look at it in IPv6")
	}
	if t.peek() == "count" {
		e.Counter = t.next()
	}
	if w := t.peek(); w != "" {
		return e, fmt.Errorf("%q is nothing that sluice writes there", w)
	}
	return e, nil
}

// readProtocol reads a name or a number; nil is any.
func readProtocol(s string, v packet.Version) (packet.Values, error) {
	if s == family(v) {
		return nil, nil
	}
	if v == packet.IPv6 {
		return nil, fmt.Errorf("protocol: sluice writes %s only, not %q", family(v), s)
	}
	for n, name := range protocols {
		if s == name {
			return packet.Values{{Lo: n, Hi: n}}, nil
		}
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n == 0 {
		return nil, fmt.Errorf("protocol: %q is no name that sluice knows, and no number of 1 to 255", s)
	}
	return packet.Values{{Lo: uint32(n), Hi: uint32(n)}}, nil
}

// tokens is the rest of a line.
type tokens struct{ rest []string }

// peek returns the next word; "" at the end.
func (t *tokens) peek() string {
	if len(t.rest) == 0 {
		return ""
	}
	return t.rest[0]
}

// next takes the next word.
func (t *tokens) next() string {
	w := t.peek()
	t.rest = t.rest[min(1, len(t.rest)):]
	return w
}

// address takes one side of a line: any, which is nil, a host, or an address with its length or, in IPv4, with a wildcard mask.
func (t *tokens) address(v packet.Version) (*netip.Prefix, error) {
	word := t.next()
	switch {
	case word == "any":
		return nil, nil
	case word == "host":
		word = t.next()
		a, err := netip.ParseAddr(word)
		if err != nil || a.Zone() != "" {
			return nil, fmt.Errorf("%q is no address", word)
		}
		return ofVersion(netip.PrefixFrom(a, a.BitLen()), v)
	case strings.Contains(word, "/"):
		p, err := netip.ParsePrefix(word)
		if err != nil {
			return nil, fmt.Errorf("%q is no prefix", word)
		}
		return ofVersion(p, v)
	}
	a, err := netip.ParseAddr(word)
	if err != nil || v == packet.IPv6 {
		return nil, fmt.Errorf("%q: want any, host and an address, or a prefix", word)
	}
	mask := t.next()
	for n := range 33 {
		if mask == wildcard(n) {
			return ofVersion(netip.PrefixFrom(a, n), v)
		}
	}
	return nil, fmt.Errorf("%q is no wildcard mask of a prefix", mask)
}

// ofVersion returns p, or nil where it is every address.
func ofVersion(p netip.Prefix, v packet.Version) (*netip.Prefix, error) {
	switch {
	case p.Addr().Is4In6() || p.Addr().Is4() != (v == packet.IPv4):
		return nil, fmt.Errorf("%s is not of IP version %d", p, v)
	case p != p.Masked():
		return nil, fmt.Errorf("%s has bits behind its length", p)
	case p.Bits() == 0:
		return nil, nil
	}
	return &p, nil
}
