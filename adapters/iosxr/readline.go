package iosxr

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

// readLine is a line as its conditions come in, from text or from XML.
type readLine struct {
	v       packet.Version
	number  uint32
	remark  string
	grant   string // permit, deny; "" for a remark
	match   filter.Match
	word    string // the condition on fragments
	counter string
	next    *flowspec.Redirect
	seen    []string // conditions that were read
}

// once notes a condition. A line has each of them once.
func (l *readLine) once(what string) error {
	if l.has(what) {
		return fmt.Errorf("%s stands there twice", what)
	}
	l.seen = append(l.seen, what)
	return nil
}

func (l *readLine) has(what string) bool { return slices.Contains(l.seen, what) }

// protocol reads the first word behind the action.
func (l *readLine) protocol(word string) error {
	if err := l.once("a protocol"); err != nil {
		return err
	}
	if word == family(l.v) {
		return nil
	}
	n, err := readNumber(word, protocolWords, 255)
	l.match.Proto = packet.NewValues(packet.Span{Lo: n, Hi: n})
	return err
}

func readNumber(s string, words map[string]uint32, top uint32) (uint32, error) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && n <= uint64(top) {
		return uint32(n), nil
	}
	if n, ok := words[plainWord(s)]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("%q is no number of 0 to %d, and no word that sluice knows", s, top)
}

// operators of ports, lengths and DSCP, and how many numbers each takes.
var operators = map[string]int{"eq": 1, "neq": 1, "gt": 1, "lt": 1, "range": 2}

// spans reads an operator and its numbers.
func spans(op string, args []string, words map[string]uint32, top uint32) (packet.Values, error) {
	if n, ok := operators[op]; !ok || n != len(args) {
		return nil, fmt.Errorf("%s %s is not understood", op, strings.Join(args, " "))
	}
	a, err := readNumber(args[0], words, top)
	if err != nil {
		return nil, err
	}
	b := a
	if len(args) == 2 {
		if b, err = readNumber(args[1], words, top); err != nil {
			return nil, err
		}
	}
	if a > b {
		return nil, errors.New("the range runs backwards")
	}
	vs := packet.NewValues(packet.Span{Lo: a, Hi: b})
	switch op {
	case "neq":
		vs = vs.Not(top)
	case "gt":
		vs = packet.NewValues(packet.Span{Lo: 0, Hi: a}).Not(top)
	case "lt":
		vs = packet.NewValues(packet.Span{Lo: a, Hi: top}).Not(top)
	}
	if len(vs) == 0 {
		return nil, fmt.Errorf("no number is %s %s", op, args[0])
	}
	return vs, nil
}

// address reads one side: a prefix, or an address with the mask of what may differ.
func (l *readLine) address(side, a, mask string) error {
	if err := l.once(side); err != nil {
		return err
	}
	p, err := readPrefix(a, mask, l.v)
	if err != nil {
		return err
	}
	if p.Bits() == 0 {
		return nil
	}
	if side == "source" {
		l.match.Src = &p
	} else {
		l.match.Dst = &p
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

// port reads the port of one side.
func (l *readLine) port(side, op string, args []string) (err error) {
	if err := l.once(side + " port"); err != nil {
		return err
	}
	to := &l.match.DstPort
	if side == "source" {
		to = &l.match.SrcPort
	}
	*to, err = spans(op, args, portWords, 65535)
	return err
}

// dscp reads a number without an operator, or with one.
func (l *readLine) dscp(op string, args []string) (err error) {
	if err := l.once("dscp"); err != nil {
		return err
	}
	l.match.DSCP, err = spans(op, args, dscpWords, 63)
	return err
}

func (l *readLine) length(op string, args []string) (err error) {
	if err := l.once("packet-length"); err != nil {
		return err
	}
	l.match.Length, err = spans(op, args, nil, 65535)
	return err
}

// message reads an ICMP type and code, "" where there is no code, or a word for both.
func (l *readLine) message(kind, code string) error {
	if err := l.once("an ICMP type"); err != nil {
		return err
	}
	if m, ok := messageWords[l.v][plainWord(kind)]; ok && code == "" {
		l.match.ICMPType = packet.NewValues(packet.Span{Lo: m.kind, Hi: m.kind})
		if m.code >= 0 {
			l.match.ICMPCode = packet.NewValues(packet.Span{Lo: uint32(m.code), Hi: uint32(m.code)})
		}
		return nil
	}
	n, err := readNumber(kind, nil, 255)
	if err != nil {
		return err
	}
	l.match.ICMPType = packet.NewValues(packet.Span{Lo: n, Hi: n})
	if code == "" {
		return nil
	}
	n, err = readNumber(code, nil, 255)
	l.match.ICMPCode = packet.NewValues(packet.Span{Lo: n, Hi: n})
	return err
}

// flags reads +syn -ack, all of which must hold or any.
func (l *readLine) flags(op string, bits []string) error {
	if err := l.once("tcp-flags"); err != nil {
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
		l.match.Flags = terms
	case op == "match-all" && all.Set&all.Clear == 0:
		l.match.Flags = []filter.FlagTerm{all}
	default:
		return fmt.Errorf("%s %s is not understood", op, strings.Join(bits, " "))
	}
	return nil
}

func literal(s string) (filter.FlagTerm, error) {
	for _, b := range tcpBits {
		switch s {
		case "+" + b.name:
			return filter.FlagTerm{Set: b.bit}, nil
		case "-" + b.name:
			return filter.FlagTerm{Clear: b.bit}, nil
		}
	}
	return filter.FlagTerm{}, fmt.Errorf("%q is no flag with + or -", s)
}

// fragment reads a condition on fragments: fragments, or a type.
func (l *readLine) fragment(word string) error {
	if err := l.once("a condition on fragments"); err != nil {
		return err
	}
	for _, w := range wordsFor(l.v) {
		if w.word == word && word != "" {
			l.word = word
			return nil
		}
	}
	return fmt.Errorf("%q is no condition on fragments that sluice writes", word)
}

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
	if err := l.once("counter"); err != nil {
		return err
	}
	l.counter = name
	return checkName(name)
}

// nextHop reads the address behind nexthop1.
func (l *readLine) nextHop(version, a string) error {
	if err := l.once("nexthop1"); err != nil {
		return err
	}
	addr, err := netip.ParseAddr(a)
	if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.Is4() != (l.v == packet.IPv4) || version != family(l.v) {
		return fmt.Errorf("nexthop1 %s %s is no next hop of IPv%d", version, a, l.v)
	}
	if l.grant != "permit" {
		return errors.New("a line that denies has a next hop")
	}
	form := flowspec.NextHopIETFv4
	if l.v == packet.IPv6 {
		form = flowspec.NextHopIETFv6
	}
	l.next = &flowspec.Redirect{Form: form, Addr: addr}
	return nil
}

// check says what is missing from a line that was read to its end, or stands beside the wrong protocol.
func (l *readLine) check() error {
	m := &l.match
	switch {
	case !l.has("a protocol") || !l.has("source") || !l.has("destination"):
		return errors.New("protocol, source or destination is missing")
	case (m.SrcPort != nil || m.DstPort != nil) && !only(m.Proto, 6, 17):
		return errors.New("ports of another protocol than tcp and udp")
	case m.Flags != nil && !only(m.Proto, 6):
		return errors.New("TCP flags of another protocol than tcp")
	case m.ICMPType != nil && !only(m.Proto, icmp(l.v)):
		return fmt.Errorf("an ICMP type of another protocol than %s", protocolName(icmp(l.v), l.v))
	}
	return nil
}

// does is what the line does.
func (l *readLine) does() filter.Do { return filter.Do{Discard: l.grant == "deny", Redirect: l.next} }

// bare says whether the line permits whatever its condition on fragments lets through.
func (l *readLine) bare() bool {
	m := l.match
	return l.grant == "permit" && l.counter == "" && l.next == nil && m.Proto == nil && m.Src == nil && m.Dst == nil && m.DSCP == nil && m.Length == nil && !m.Transport()
}
