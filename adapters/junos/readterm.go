package junos

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readTerm is a term as its lines come in.
type readTerm struct {
	name string
	v    packet.Version
	from int // how many conditions

	instances filter.Instances

	src, dst *netip.Prefix
	numbers  map[string]*numberList // by word, without -except
	flags    []filter.FlagTerm
	later    bool                // is-fragment
	first    bool                // first-fragment
	fragment []filter.FlagTerm   // fragment-flags
	then     map[string][]string // word -> its values
	end      []string            // words of the statement that ends the term: accept, discard, next term, next-ip ADDRESS
}

// numberList is a list of numbers, or of those that are excepted.
type numberList struct {
	spans  []packet.Span
	except bool
}

// field is a numeric condition: the words its numbers may be given as, its largest number, and the IP version that has it (0: both).
type field struct {
	words map[string]uint32
	max   uint32
	only  packet.Version
}

var fields = map[string]field{
	"protocol":         {protocolWords, 255, packet.IPv4},
	"payload-protocol": {protocolWords, 255, packet.IPv6},
	"source-port":      {portWords, 65535, 0},
	"destination-port": {portWords, 65535, 0},
	"port":             {portWords, 65535, 0},
	"icmp-type":        {icmpWords, 255, packet.IPv4},
	"icmp-code":        {nil, 255, packet.IPv4},
	"packet-length":    {nil, 65535, packet.IPv4},
	"dscp":             {dscpWords, 63, packet.IPv4},
	"traffic-class":    {dscpWords, 63, packet.IPv6},
	"fragment-offset":  {nil, 8191, packet.IPv4},
}

// line takes one statement of the term.
func (t *readTerm) line(w []string) error {
	if len(w) == 0 {
		return nil
	}
	err := fmt.Errorf("it is not understood")
	switch {
	case len(w) == 1 && (w[0] == "from" || w[0] == "then"):
		return nil // an empty block
	case w[0] == "from":
		t.from++
		err = t.condition(w[1], w[2:])
	case w[0] == "then":
		err = t.action(w[1], w[2:])
	}
	if err != nil {
		return fmt.Errorf("%s: %w", strings.Join(w, " "), err)
	}
	return nil
}

// condition takes one statement of `from`.
func (t *readTerm) condition(word string, args []string) error {
	base, except := strings.CutSuffix(word, "-except")
	if word == "port-except" {
		return errors.New("sluice writes no such condition, and Junos does not say whether one of the two ports or both must be outside the list")
	}
	if f, ok := fields[base]; ok && (f.only == 0 || f.only == t.v) {
		return t.number(base, f, except, args)
	}
	switch {
	case word == "source-address":
		return t.address(&t.src, args)
	case word == "destination-address":
		return t.address(&t.dst, args)
	case word == "tcp-flags" && t.v == packet.IPv4:
		return t.bits(&t.flags, tcpBits, args)
	case word == "fragment-flags" && t.v == packet.IPv4:
		return t.bits(&t.fragment, fragmentBits, args)
	case word == "is-fragment" && t.v == packet.IPv4 && len(args) == 0:
		t.later = true
		return nil
	case word == "first-fragment" && t.v == packet.IPv4 && len(args) == 0:
		t.first = true
		return nil
	}
	return errors.New("sluice writes no such condition")
}

func (t *readTerm) number(base string, f field, except bool, args []string) error {
	if len(args) != 1 {
		return errors.New("want one value")
	}
	lo, hi, found := strings.Cut(args[0], "-")
	if _, named := f.words[args[0]]; named || !found {
		lo, hi = args[0], args[0]
	}
	a, err := readNumber(lo, f)
	if err != nil {
		return err
	}
	b, err := readNumber(hi, f)
	if err != nil {
		return err
	}
	if a > b {
		return fmt.Errorf("the range runs backwards")
	}
	l := t.numbers[base]
	if l == nil {
		l = &numberList{except: except}
		t.numbers[base] = l
	}
	if l.except != except {
		return errors.New("it stands beside its opposite; the model has one or the other")
	}
	l.spans = append(l.spans, packet.Span{Lo: a, Hi: b})
	return nil
}

func readNumber(s string, f field) (uint32, error) {
	if n, ok := f.words[s]; ok {
		return n, nil
	}
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil || n > uint64(f.max) {
		return 0, fmt.Errorf("%q is no number of 0 to %d, and no word that sluice knows", s, f.max)
	}
	return uint32(n), nil
}

// address reads a prefix. Junos takes several, joined by OR and with exceptions; sluice writes one.
func (t *readTerm) address(to **netip.Prefix, args []string) error {
	if len(args) != 1 {
		return errors.New("want one prefix and nothing behind it")
	}
	if *to != nil {
		return errors.New("a second prefix; sluice writes one for each term")
	}
	text := args[0]
	if a, err := netip.ParseAddr(text); err == nil {
		text += "/" + strconv.Itoa(a.BitLen())
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p != p.Masked() || p.Addr().Is4() != (t.v == packet.IPv4) || p.Addr().Is4In6() {
		return fmt.Errorf("want a prefix of IPv%d without bits behind its length", t.v)
	}
	*to = &p
	return nil
}

func (t *readTerm) bits(to *[]filter.FlagTerm, names []bit, args []string) error {
	if len(args) != 1 || *to != nil {
		return errors.New("want one expression")
	}
	terms, err := parseBits(args[0], names)
	if err != nil {
		return err
	}
	if len(terms) == 0 {
		return errors.New("no flags satisfy it")
	}
	*to = terms
	return nil
}

// entry makes the entry that the term says.
func (t *readTerm) entry() (filter.Entry, error) {
	m, do, counter, err := t.meaning()
	e := filter.Entry{Name: t.name, Match: m, Do: do, Counter: counter}
	e.Rule = filter.RuleOf(t.name)
	return e, err
}

// meaning puts the term together.
func (t *readTerm) meaning() (filter.Match, filter.Do, string, error) {
	m := filter.Match{
		Src: t.src, Dst: t.dst, Flags: t.flags,
		Proto: t.values("protocol"), Port: t.values("port"), DstPort: t.values("destination-port"), SrcPort: t.values("source-port"),
		ICMPType: t.values("icmp-type"), ICMPCode: t.values("icmp-code"), Length: t.values("packet-length"), DSCP: t.values("dscp"),
	}
	if t.v == packet.IPv6 {
		m.Proto, m.DSCP = t.values("payload-protocol"), t.values("traffic-class")
	}
	var err error
	if m.Fragments, err = t.fragments(); err != nil {
		return m, filter.Do{}, "", err
	}
	if m.Port != nil && (m.DstPort != nil || m.SrcPort != nil) {
		return m, filter.Do{}, "", errors.New("port stands beside source-port or destination-port, which Junos does not take")
	}
	do, counter, err := t.does()
	return m, do, counter, err
}

// values returns the numbers of a condition; nil when it is not there.
func (t *readTerm) values(word string) packet.Values {
	l := t.numbers[word]
	if l == nil {
		return nil
	}
	vs := packet.NewValues(l.spans...)
	if !l.except {
		return vs
	}
	return vs.Not(fields[word].max)
}

// fragments returns the states that offset and flags leave; 0 when the term has no such condition.
func (t *readTerm) fragments() (packet.Frags, error) {
	zero, later := true, true
	if t.later {
		zero = false
	}
	if l := t.numbers["fragment-offset"]; l != nil {
		if vs := packet.NewValues(l.spans...); !slices.Equal(vs, packet.Values{{Lo: 0, Hi: 0}}) {
			return 0, errors.New("fragment-offset other than 0 is not understood")
		}
		if zero = zero && !l.except; !l.except {
			later = false
		}
	}
	flags := t.fragment
	if flags == nil {
		flags = []filter.FlagTerm{{}}
	}
	states := fragmentStates(flags) // at offset zero
	if t.first {
		// "First fragment" is fragment-offset 0 by one page, so that an unfragmented packet matches too, and not by another.
		if onlyMore := fragmentStates([]filter.FlagTerm{{Set: moreFragments}}); states&^onlyMore != 0 {
			return 0, errors.New("first-fragment without fragment-flags \"more-fragments\" may match unfragmented packets")
		}
		later = false
	}
	var f packet.Frags
	if zero {
		f |= states
	}
	if later {
		f |= zeroAsLater(states)
	}
	switch f {
	case 0:
		return 0, errors.New("no packet has the fragment offset and flags asked for")
	case packet.AnyFrags:
		return 0, nil
	}
	return f, nil
}

// zeroAsLater moves Whole to Last and First to Middle: the same flags at a later offset.
func zeroAsLater(zero packet.Frags) packet.Frags {
	var f packet.Frags
	for _, df := range []int{0, 4} {
		f |= zero >> (df + int(packet.Whole)) & 1 << (df + int(packet.Last))
		f |= zero >> (df + int(packet.First)) & 1 << (df + int(packet.Middle))
	}
	return f
}
