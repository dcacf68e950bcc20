package ciscoacl

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

// ReadLine is a line as its conditions come in, from text or from XML.
type ReadLine struct {
	V       packet.Version
	Number  uint32
	Remark  string
	Grant   string // permit, deny; "" for a remark
	Match   filter.Match
	Word    string // the condition on fragments
	Counter string
	Next    *flowspec.Redirect
	Spell   *Spelling
	seen    []string // conditions that were read
}

// Once notes a condition. A line has each of them once.
func (l *ReadLine) Once(what string) error {
	if l.Has(what) {
		return fmt.Errorf("%s stands there twice", what)
	}
	l.seen = append(l.seen, what)
	return nil
}

// Has says whether a condition was read.
func (l *ReadLine) Has(what string) bool { return slices.Contains(l.seen, what) }

// Protocol reads the first word behind the action.
func (l *ReadLine) Protocol(word string) error {
	if err := l.Once("a protocol"); err != nil {
		return err
	}
	if word == l.Spell.Any[l.V] {
		return nil
	}
	n, err := ReadNumber(word, l.Spell.Protocols, 255)
	if err == nil && (n < l.Spell.MinProtocol || slices.Contains(l.Spell.Reserved[l.V], n)) {
		err = fmt.Errorf("protocol %d is nothing that sluice writes", n)
	}
	l.Match.Proto = packet.NewValues(packet.Span{Lo: n, Hi: n})
	return err
}

// Address reads one side: a prefix, or an address with the mask of what may differ.
func (l *ReadLine) Address(side, a, mask string) error {
	if err := l.Once(side); err != nil {
		return err
	}
	p, err := readPrefix(a, mask, l.V)
	if err != nil {
		return err
	}
	if p.Bits() == 0 {
		return nil
	}
	if side == "source" {
		l.Match.Src = &p
	} else {
		l.Match.Dst = &p
	}
	return nil
}

func readPrefix(a, mask string, v packet.Version) (netip.Prefix, error) {
	addr, err := netip.ParseAddr(a)
	if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.Is4() != (v == packet.IPv4) {
		return netip.Prefix{}, fmt.Errorf("%q is no address of IPv%d", a, v)
	}
	bits, err := strconv.Atoi(mask)
	if strings.Contains(mask, ".") {
		bits, err = wildcard(mask)
	}
	if err != nil || bits < 0 || bits > addr.BitLen() || strings.ContainsAny(mask, "+-") {
		return netip.Prefix{}, fmt.Errorf("%q is neither a length nor the mask of a prefix", mask)
	}
	p := netip.PrefixFrom(addr, bits)
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%s has bits behind its length", p)
	}
	return p, nil
}

// wildcard returns the length of the prefix whose free bits are those of mask: 0.0.0.255 is 24.
func wildcard(mask string) (int, error) {
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return 0, errors.New("no mask")
	}
	b := m.As4()
	free := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	for bits := 32; bits >= 0; bits-- {
		if uint64(free) == 1<<(32-bits)-1 {
			return bits, nil
		}
	}
	return 0, errors.New("its bits do not hang together")
}

// Port reads the port of one side.
func (l *ReadLine) Port(side, op string, args []string) (err error) {
	if err := l.Once(side + " port"); err != nil {
		return err
	}
	to := &l.Match.DstPort
	if side == "source" {
		to = &l.Match.SrcPort
	}
	*to, err = Spans(op, args, l.Spell.Ports, 65535)
	return err
}

// DSCP reads a number without an operator, or with one.
func (l *ReadLine) DSCP(op string, args []string) (err error) {
	if err := l.Once("dscp"); err != nil {
		return err
	}
	l.Match.DSCP, err = Spans(op, args, l.Spell.DSCP, 63)
	return err
}

// Message reads an ICMP type and code, "" where there is no code, or a word for both.
func (l *ReadLine) Message(kind, code string) error {
	if err := l.Once("an ICMP type"); err != nil {
		return err
	}
	if m, ok := l.Spell.Messages[l.V][PlainWord(kind)]; ok && code == "" {
		l.Match.ICMPType = packet.NewValues(packet.Span{Lo: uint32(m[0]), Hi: uint32(m[0])})
		if m[1] >= 0 {
			l.Match.ICMPCode = packet.NewValues(packet.Span{Lo: uint32(m[1]), Hi: uint32(m[1])})
		}
		return nil
	}
	n, err := ReadNumber(kind, nil, 255)
	if err != nil {
		return err
	}
	l.Match.ICMPType = packet.NewValues(packet.Span{Lo: n, Hi: n})
	if code == "" {
		return nil
	}
	n, err = ReadNumber(code, nil, 255)
	l.Match.ICMPCode = packet.NewValues(packet.Span{Lo: n, Hi: n})
	return err
}

// Flags reads +syn -ack, all of which must hold or any.
func (l *ReadLine) Flags(op string, bits []string) error {
	if err := l.Once("tcp-flags"); err != nil {
		return err
	}
	var all filter.FlagTerm
	var terms []filter.FlagTerm
	for _, s := range bits {
		t, err := literal(s)
		if err != nil {
			return err
		}
		all.Set, all.Clear = all.Set|t.Set, all.Clear|t.Clear
		terms = append(terms, t)
	}
	switch {
	case len(terms) == 0:
		return fmt.Errorf("%s without flags", op)
	case op == "match-any":
		l.Match.Flags = terms
	case op == "match-all" && all.Set&all.Clear == 0:
		l.Match.Flags = []filter.FlagTerm{all}
	default:
		return fmt.Errorf("%s %s is not understood", op, strings.Join(bits, " "))
	}
	return nil
}

func literal(s string) (filter.FlagTerm, error) {
	for _, b := range TCPBits {
		switch s {
		case "+" + b.Name:
			return filter.FlagTerm{Set: b.Bit}, nil
		case "-" + b.Name:
			return filter.FlagTerm{Clear: b.Bit}, nil
		}
	}
	return filter.FlagTerm{}, fmt.Errorf("%q is no flag with + or -", s)
}

// Fragment reads a condition on fragments, one of words.
func (l *ReadLine) Fragment(word string, words []FragmentWord) error {
	if err := l.Once("a condition on fragments"); err != nil {
		return err
	}
	for _, w := range words {
		if w.Word == word && word != "" {
			l.Word = word
			return nil
		}
	}
	return fmt.Errorf("%q is no condition on fragments that sluice writes", word)
}

// Check says what is missing from a line that was read to its end, or stands beside the wrong protocol.
func (l *ReadLine) Check() error {
	m := &l.Match
	switch {
	case !l.Has("a protocol") || !l.Has("source") || !l.Has("destination"):
		return errors.New("protocol, source or destination is missing")
	case (m.SrcPort != nil || m.DstPort != nil) && !Only(m.Proto, 6, 17):
		return errors.New("ports of another protocol than tcp and udp")
	case m.Flags != nil && !Only(m.Proto, 6):
		return errors.New("TCP flags of another protocol than tcp")
	case m.ICMPType != nil && !Only(m.Proto, ICMP(l.V)):
		return fmt.Errorf("an ICMP type of another protocol than %s", l.Spell.ICMP[l.V])
	}
	return nil
}

// does is what the line does.
func (l *ReadLine) does() filter.Do { return filter.Do{Discard: l.Grant == "deny", Redirect: l.Next} }

// bare says whether the line permits whatever its condition on fragments lets through.
func (l *ReadLine) bare() bool {
	m := l.Match
	return l.Grant == "permit" && l.Counter == "" && l.Next == nil && m.Proto == nil && m.Src == nil && m.Dst == nil && m.DSCP == nil && m.Length == nil && m.Label == nil && !m.Transport()
}
