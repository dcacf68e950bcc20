package vrp

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// readNumber reads a number of 0 to top, or one of words.
func readNumber(s string, words map[string]uint32, top uint32) (uint32, error) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && n <= uint64(top) {
		return uint32(n), nil
	}
	if n, ok := words[s]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("%q is no number of 0 to %d, and no word that sluice knows", s, top)
}

// readPrefix reads an address and what stands behind it: the bits that may differ, 0 for none, or in IPv6 a length. The prefix of all addresses is the zero one.
func readPrefix(a, mask string, v packet.Version) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(a)
	if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.Is4() != (v == packet.IPv4) {
		return netip.Prefix{}, fmt.Errorf("%q is no address of IPv%d", a, v)
	}
	var bits int
	if v == packet.IPv4 {
		bits, err = openBits(mask)
	} else {
		var n uint32
		n, err = readNumber(mask, nil, 128)
		bits = int(n)
	}
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q behind %s: %w", mask, a, err)
	}
	p := netip.PrefixFrom(addr, bits)
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits behind its length", p)
	}
	return open(&p), nil
}

// openBits returns the length of the prefix that leaves the bits of mask open: 0.0.0.255 is 24.
func openBits(mask string) (int, error) {
	if mask == "0" {
		return 32, nil
	}
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return 0, errors.New("want 0, or a mask of the bits that may differ")
	}
	for bits := range 33 {
		if wildcard(netip.PrefixFrom(netip.IPv4Unspecified(), bits)) == m {
			return bits, nil
		}
	}
	return 0, errors.New("its bits do not hang together")
}

// readSpan reads an operator and its numbers.
func readSpan(w []string, words map[string]uint32) (span, error) {
	if want := operators[w[0]]; want == 0 || len(w) != want+1 {
		return span{}, fmt.Errorf("%q is not understood", strings.Join(w, " "))
	}
	a, err := readNumber(w[1], words, top)
	b, err2 := readNumber(w[len(w)-1], words, top)
	if err := errors.Join(err, err2); err != nil {
		return span{}, err
	}
	switch w[0] {
	case "gt":
		a, b = a+1, top
	case "lt":
		if b == 0 {
			return span{}, errors.New("no number is below 0")
		}
		a, b = 0, b-1
	}
	if a > b || a == 0 && b == top {
		return span{}, fmt.Errorf("%q is no range that sluice writes", strings.Join(w, " "))
	}
	return span{a, b, true}, nil
}

// operators, and how many numbers each takes. `neq` would be two ranges.
var operators = map[string]int{"eq": 1, "gt": 1, "lt": 1, "range": 2}

// of notes which IP version an action of a is about: one for all.
func (a *behavior) of(v packet.Version) error {
	if a.v != 0 && a.v != v {
		return errors.New("actions of both IP versions")
	}
	a.v = v
	return nil
}

func (a *behavior) car(cir, cbs string) error {
	rate, err := strconv.ParseUint(cir, 10, 32)
	burst, err2 := strconv.ParseUint(cbs, 10, 32)
	if err != nil || err2 != nil || rate == 0 || burst == 0 {
		return fmt.Errorf("car: cir %q and cbs %q, want numbers above 0", cir, cbs)
	}
	a.cir, a.cbs = rate, burst
	return nil
}

func (a *behavior) redirect(to string) error {
	addr, err := netip.ParseAddr(to)
	if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.Is4() != (a.v == packet.IPv4) {
		return fmt.Errorf("redirect: want a next hop of IPv%d, not %q", a.v, to)
	}
	a.next = addr
	return nil
}
