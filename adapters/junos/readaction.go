package junos

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// action takes one statement of `then`.
func (t *readTerm) action(word string, args []string) error {
	switch {
	case (word == "accept" || word == "discard") && len(args) == 0,
		word == "next" && len(args) == 1 && args[0] == "term":
		return t.ending(word)
	case word == "next-ip" && t.v == packet.IPv4, word == "next-ip6" && t.v == packet.IPv6:
		return t.towards(word, "address", args)
	case word == "routing-instance":
		return t.towards(word, "routing-instance-name", args)
	case word == "sample" && len(args) == 0,
		(word == "policer" || word == "count") && len(args) == 1,
		word == "dscp" && t.v == packet.IPv4 && len(args) == 1,
		word == "traffic-class" && t.v == packet.IPv6 && len(args) == 1:
		if _, twice := t.then[word]; twice {
			return errors.New("it stands there twice")
		}
		if t.then == nil {
			t.then = map[string][]string{}
		}
		t.then[word] = slices.Clone(args)
		return nil
	}
	return errors.New("sluice writes no such action")
}

// towards takes a redirect to one place. The XML names the leaf, the text does not.
func (t *readTerm) towards(word, leaf string, args []string) error {
	if len(args) == 2 && args[0] == leaf {
		args = args[1:]
	}
	if len(args) != 1 {
		return fmt.Errorf("want one %s and nothing else", leaf)
	}
	return t.ending(word, strings.Clone(args[0]))
}

func (t *readTerm) ending(words ...string) error {
	if t.end != nil {
		return fmt.Errorf("the term ends by %s already", t.end[0])
	}
	t.end = words
	return nil
}

// does reads the actions. "A term without then accepts", and so does one that only counts or polices.
func (t *readTerm) does() (filter.Do, string, error) {
	var do filter.Do
	counter := ""
	for word, args := range t.then {
		switch word {
		case "policer":
			do.Policer = args[0]
		case "count":
			counter = args[0]
		case "sample":
			do.Sample = true
		default: // dscp, traffic-class
			n, err := readNumber(args[0], fields[word])
			if err != nil {
				return do, "", err
			}
			mark := uint8(n)
			do.Mark = &mark
		}
	}
	if do.Policer != "" && !marked(do.Policer) {
		return do, "", fmt.Errorf("policer %s is not one of ours", do.Policer)
	}
	if len(t.end) == 0 {
		return do, counter, nil
	}
	switch t.end[0] {
	case "discard":
		do.Discard = true
	case "next":
		do.Continue = true
	case "next-ip", "next-ip6":
		r, err := nextHop(t.end[1], t.v)
		if err != nil {
			return do, "", err
		}
		do.Redirect = r
	case "routing-instance":
		r, ok := t.instances.Target(t.end[1])
		if !ok {
			return do, "", fmt.Errorf("which route target the routing instance %s imports is not said", t.end[1])
		}
		do.Redirect = &r
	}
	return do, counter, nil
}

// nextHop reads the address of next-ip: a host prefix, or a bare address.
func nextHop(s string, v packet.Version) (*flowspec.Redirect, error) {
	host, length, found := strings.Cut(s, "/")
	a, err := netip.ParseAddr(host)
	if err != nil || a.Zone() != "" || a.Is4() != (v == packet.IPv4) || found && length != strconv.Itoa(a.BitLen()) {
		return nil, fmt.Errorf("%q is no next hop of IPv%d", s, v)
	}
	form := flowspec.NextHopIETFv4
	if v == packet.IPv6 {
		form = flowspec.NextHopIETFv6
	}
	return &flowspec.Redirect{Form: form, Addr: a}, nil
}
