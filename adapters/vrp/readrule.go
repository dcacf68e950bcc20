package vrp

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// textRule reads what stands behind the number of a rule.
func textRule(w []string, v packet.Version) (rule, error) {
	r := blank
	if len(w) < 4 || w[0] != "name" || w[2] != "permit" {
		return r, errors.New("want a name and permit")
	}
	r.name = strings.Clone(w[1])
	if err := r.protocol(w[3], v); err != nil {
		return r, err
	}
	seen := map[string]bool{}
	for rest := w[4:]; len(rest) > 0; {
		word := rest[0]
		if seen[word] {
			return r, fmt.Errorf("%s stands there twice", word)
		}
		seen[word] = true
		n, err := r.condition(word, rest[1:], v)
		if err != nil {
			return r, fmt.Errorf("%s: %w", word, err)
		}
		rest = rest[1+n:]
	}
	return r, nil
}

func (r *rule) protocol(word string, v packet.Version) error {
	if word == protocolWord(-1, v) {
		return nil
	}
	words := map[string]uint32{}
	for name, n := range protocolWords {
		words[name] = uint32(n)
	}
	n, err := readNumber(word, words, 255)
	if err == nil && n == 0 {
		err = errors.New("protocol 0 is not understood")
	}
	r.proto = int(n)
	return err
}

var errCutOff = errors.New("something is missing behind it")

// condition reads a condition, and returns how many words it takes behind its own.
func (r *rule) condition(word string, w []string, v packet.Version) (int, error) {
	if word == "fragment" && v == packet.IPv6 {
		r.fragment = word
		return 0, nil
	}
	if len(w) == 0 {
		return 0, errCutOff
	}
	var err error
	switch word {
	case "source":
		return r.address(&r.src, w, v)
	case "destination":
		return r.address(&r.dst, w, v)
	case "source-port":
		return operator(&r.sport, w, portWords)
	case "destination-port":
		return operator(&r.dport, w, portWords)
	case "packet-length":
		return operator(&r.length, w, nil)
	case "dscp":
		r.dscp, err = readInt(w[0], dscpWords, 63)
		return 1, err
	case "fragment-type":
		r.fragment = strings.Clone(w[0])
		return 1, nil
	case "icmp-type":
		if r.kind, err = readInt(w[0], nil, 255); err != nil || len(w) == 1 {
			return 1, err
		}
		if code, err := readInt(w[1], nil, 255); err == nil {
			r.code = code
			return 2, nil
		}
		return 1, nil
	case "tcp-flag":
		return r.tcpFlag(w)
	}
	return 0, errors.New("sluice writes no such condition")
}

func readInt(s string, words map[string]uint32, top uint32) (int, error) {
	n, err := readNumber(s, words, top)
	return int(n), err
}

// address reads `any`, or an address and what stands behind it.
func (r *rule) address(to *netip.Prefix, w []string, v packet.Version) (int, error) {
	if w[0] == "any" {
		return 1, nil
	}
	a, mask, whole := strings.Cut(w[0], "/")
	taken := 1
	if !whole || v == packet.IPv4 {
		if len(w) < 2 {
			return 0, errCutOff
		}
		a, mask, taken = w[0], w[1], 2
	}
	p, err := readPrefix(a, mask, v)
	*to = p
	return taken, err
}

// operator reads an operator and its numbers.
func operator(to *span, w []string, words map[string]uint32) (int, error) {
	n := operators[w[0]] + 1
	if len(w) < n {
		return 0, errCutOff
	}
	s, err := readSpan(w[:n], words)
	*to = s
	return n, err
}

// tcpFlag reads a value and its mask. Words for flags are not read: what they say of the other flags is not written down.
func (r *rule) tcpFlag(w []string) (int, error) {
	value, err := readNumber(w[0], nil, 63)
	mask, taken := uint32(63), 1
	if err == nil && len(w) > 2 && w[1] == "mask" {
		mask, err = readNumber(w[2], nil, 63)
		taken = 3
	}
	r.flags, r.masked = uint8(value), uint8(mask)
	return taken, err
}
