package flowspec

import "strconv"

// String prints the components as ExaBGP writes them inside `match { }`, on one line:
// `destination 203.0.113.10/32; protocol =udp; source-port [ =19 =53 ];`. The family is not in it, nor are route
// distinguisher and value widths.
func (m Match) String() string {
	s := make([]byte, 0, 128)
	for c := range m.All() {
		if len(s) > 0 {
			s = append(s, ' ')
		}
		s = append(c.appendText(s, m.fam), ';')
	}
	return string(s)
}

// String prints one component as ExaBGP writes it, without the semicolon. Text does so for a family: in IPv6 two
// components have other names.
func (c Component) String() string { return c.Text(IPv4) }

// Text prints one component as ExaBGP writes it in rules of family f, without the semicolon: a list in brackets,
// values that AND joins in one word. The operators false and true, which no version of ExaBGP reads, print as
// `false` and `true`.
func (c Component) Text(f Family) string { return string(c.appendText(nil, f)) }

func (c Component) appendText(s []byte, f Family) []byte {
	s = append(s, c.Type.Word(f)...)
	s = append(s, ' ')
	if c.Type.Prefix() {
		return c.Prefix.appendText(s)
	}
	list := false
	for i, t := range c.Terms {
		list = list || i > 0 && !t.And
	}
	if list {
		s = append(s, "[ "...)
	}
	for i, t := range c.Terms {
		switch {
		case t.And:
			s = append(s, '&')
		case i > 0:
			s = append(s, ' ')
		}
		s = t.appendText(s, c.Type)
	}
	if list {
		s = append(s, " ]"...)
	}
	return s
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
func (p Prefix) String() string { return string(p.appendText(nil)) }

func (p Prefix) appendText(s []byte) []byte {
	s = append(p.Addr.AppendTo(s), '/')
	s = strconv.AppendUint(s, uint64(p.Len), 10)
	if p.Offset != 0 {
		s = append(s, '/')
		s = strconv.AppendUint(s, uint64(p.Offset), 10)
	}
	return s
}

// The signs that ExaBGP writes for operators, by Op.
var (
	numericSigns = [...]string{EQ: "=", GT: ">", GE: ">=", LT: "<", LE: "<=", NE: "!="}
	bitmaskSigns = [...]string{AnyBit: "", AllBits: "=", NoBit: "!", NotAll: "!="}
)

func (t Term) appendText(s []byte, typ Type) []byte {
	switch {
	case typ == TCPFlags:
		return appendBits(append(s, bitmaskSigns[t.Op&NotAll]...), t.Value, flagNames[:])
	case typ == Fragment:
		return appendBits(append(s, bitmaskSigns[t.Op&NotAll]...), t.Value, fragmentNames[:])
	case t.Op == False:
		return append(s, "false"...)
	case t.Op == True:
		return append(s, "true"...)
	}
	s = append(s, numericSigns[t.Op&True]...)
	if typ == Protocol && t.Value < uint64(len(protocolNames)) && protocolNames[t.Value] != "" {
		return append(s, protocolNames[t.Value]...)
	}
	return strconv.AppendUint(s, t.Value, 10)
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

// appendBits prints a mask as names joined by `+`; bits without a name follow as one hexadecimal number.
func appendBits(s []byte, mask uint64, names []string) []byte {
	start := len(s)
	for bit, name := range names {
		if mask&(1<<bit) == 0 {
			continue
		}
		if len(s) > start {
			s = append(s, '+')
		}
		s = append(s, name...)
	}
	rest := mask >> len(names) << len(names)
	if rest == 0 && mask != 0 {
		return s
	}
	if len(s) > start {
		s = append(s, '+')
	}
	return strconv.AppendUint(append(s, "0x"...), rest, 16)
}
