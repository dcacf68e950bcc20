package flowspec

import (
	"fmt"
	"strconv"
	"strings"
)

// String prints the components as ExaBGP writes them inside `match { }`, on one line:
// `destination 203.0.113.10/32; protocol =udp; source-port [ =19 =53 ];`. The family is not in it, nor are route
// distinguisher and value widths.
func (m Match) String() string {
	var s strings.Builder
	for c := range m.All() {
		if s.Len() > 0 {
			s.WriteByte(' ')
		}
		s.WriteString(c.Text(m.fam))
		s.WriteByte(';')
	}
	return s.String()
}

// String prints one component as ExaBGP writes it, without the semicolon. Text does so for a family: in IPv6 two
// components have other names.
func (c Component) String() string { return c.Text(IPv4) }

// Text prints one component as ExaBGP writes it in rules of family f, without the semicolon: a list in brackets,
// values that AND joins in one word. The operators false and true, which no version of ExaBGP reads, print as
// `false` and `true`.
func (c Component) Text(f Family) string {
	word := c.Type.Word(f)
	if c.Type.Prefix() {
		return word + " " + c.Prefix.String()
	}
	var s strings.Builder
	alternatives := 0
	for i, t := range c.Terms {
		switch {
		case t.And:
			s.WriteByte('&')
		case i > 0:
			s.WriteByte(' ')
		}
		if !t.And {
			alternatives++
		}
		s.WriteString(t.text(c.Type))
	}
	if alternatives == 1 {
		return word + " " + s.String()
	}
	return word + " [ " + s.String() + " ]"
}

// Word returns the word for t in rules of family f. It differs from String where ExaBGP has a word of its own for
// IPv6: "next-header" for type 3, "traffic-class" for type 11.
func (t Type) Word(f Family) string {
	if f.v6() {
		switch t {
		case Protocol:
			return "next-header"
		case DSCP:
			return "traffic-class"
		}
	}
	return t.String()
}

// String prints p as `192.0.2.0/24`, or with an offset as `::1234:5678:9a00:0/104/64` (address, length, offset), which is how
// ExaBGP writes it.
func (p Prefix) String() string {
	if p.Offset == 0 {
		return fmt.Sprintf("%s/%d", p.Addr, p.Len)
	}
	return fmt.Sprintf("%s/%d/%d", p.Addr, p.Len, p.Offset)
}

// The signs that ExaBGP writes for operators, by Op.
var (
	numericSigns = [...]string{EQ: "=", GT: ">", GE: ">=", LT: "<", LE: "<=", NE: "!="}
	bitmaskSigns = [...]string{AnyBit: "", AllBits: "=", NoBit: "!", NotAll: "!="}
)

func (t Term) text(typ Type) string {
	switch {
	case typ == TCPFlags:
		return bitmaskSigns[t.Op&NotAll] + bitNames(t.Value, flagNames[:])
	case typ == Fragment:
		return bitmaskSigns[t.Op&NotAll] + bitNames(t.Value, fragmentNames[:])
	case t.Op == False:
		return "false"
	case t.Op == True:
		return "true"
	}
	value := strconv.FormatUint(t.Value, 10)
	if typ == Protocol && t.Value < uint64(len(protocolNames)) && protocolNames[t.Value] != "" {
		value = protocolNames[t.Value]
	}
	return numericSigns[t.Op&True] + value
}

// protocolNames are the protocols that ExaBGP knows by name, no more. (Its ipip is 94, not 4.)
var protocolNames = [...]string{
	1: "icmp", 2: "igmp", 6: "tcp", 8: "egp", 17: "udp", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah", 89: "ospf",
	94: "ipip", 103: "pim", 132: "sctp",
}

// The names of bits in ExaBGP, lowest bit first.
var (
	flagNames     = [...]string{"fin", "syn", "rst", "push", "ack", "urg", "ece", "cwr", "ns"}
	fragmentNames = [...]string{"dont-fragment", "is-fragment", "first-fragment", "last-fragment"}
)

// bitNames prints a mask as names joined by `+`; bits without a name follow as one hexadecimal number.
func bitNames(mask uint64, names []string) string {
	var words []string
	for bit, name := range names {
		if mask&(1<<bit) != 0 {
			words = append(words, name)
		}
	}
	if rest := mask >> len(names) << len(names); rest != 0 || mask == 0 {
		words = append(words, fmt.Sprintf("%#x", rest))
	}
	return strings.Join(words, "+")
}
