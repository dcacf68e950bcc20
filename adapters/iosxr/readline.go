package iosxr

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readLine is a line as its conditions come in, from text or from XML.
type readLine struct{ ciscoacl.ReadLine }

func newLine(v packet.Version) readLine {
	return readLine{ciscoacl.ReadLine{V: v, Spell: &spelling}}
}

func (l *readLine) length(op string, args []string) (err error) {
	if err := l.Once("packet-length"); err != nil {
		return err
	}
	l.Match.Length, err = ciscoacl.Spans(op, args, nil, 65535)
	return err
}

// fragment reads a condition on fragments: fragments, or a type.
func (l *readLine) fragment(word string) error { return l.Fragment(word, wordsFor(l.V)) }

// kind reads a fragment-type.
func (l *readLine) kind(word string) error {
	if !strings.HasSuffix(word, "-fragment") {
		return fmt.Errorf("%q is no type of fragments", word)
	}
	return l.fragment(word)
}

// offset reads a fragment offset, of which sluice asks for 0 only.
func (l *readLine) offset(op string, args []string) error {
	return l.fragment("fragment-offset " + op + " " + strings.Join(args, " "))
}

func (l *readLine) count(name string) error {
	if err := l.Once("counter"); err != nil {
		return err
	}
	l.Counter = name
	return checkName(name)
}

// nextHop reads the address behind nexthop1.
func (l *readLine) nextHop(version, a string) error {
	if err := l.Once("nexthop1"); err != nil {
		return err
	}
	addr, err := netip.ParseAddr(a)
	if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.Is4() != (l.V == packet.IPv4) || version != family(l.V) {
		return fmt.Errorf("nexthop1 %s %s is no next hop of IPv%d", version, a, l.V)
	}
	if l.Grant != "permit" {
		return errors.New("a line that denies has a next hop")
	}
	form := flowspec.NextHopIETFv4
	if l.V == packet.IPv6 {
		form = flowspec.NextHopIETFv6
	}
	l.Next = &flowspec.Redirect{Form: form, Addr: addr}
	return nil
}
