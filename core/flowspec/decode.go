package flowspec

import "fmt"

// The longest NLRI value that the two-octet length form can announce (RFC 8955 §4.1), and the first that needs it.
const (
	maxLength  = 4095
	longLength = 240
)

// Bits of an operator octet (RFC 8955 §4.2.1).
const (
	endBit = 0x80 // last pair of the list
	andBit = 0x40 // joined to the pair before
)

// SyntaxError says why octets are not an NLRI.
type SyntaxError struct {
	Offset    int    // octet where the trouble is, from the first length octet
	Component Type   // 0 when it is not inside a component
	Reason    string // "component 3 after component 5: types must ascend (RFC 8955 §4.2)"
}

func (e *SyntaxError) Error() string {
	if e.Component == 0 {
		return fmt.Sprintf("octet %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("octet %d, %s: %s", e.Offset, e.Component, e.Reason)
}

// Frame returns the first NLRI of b, its length octets included, and what follows it. It looks at the length only,
// so that one malformed NLRI does not hide the next. The error is a *SyntaxError: framing itself is lost, and with it
// all of b (RFC 7606 §3 (j), §5.3).
func Frame(b []byte) (nlri, rest []byte, err error) {
	head, length, err := readLength(b)
	if err != nil {
		return nil, nil, err
	}
	end := head + length
	if end > len(b) {
		return nil, nil, &SyntaxError{Offset: len(b), Reason: fmt.Sprintf(
			"the NLRI announces %d octets and %d follow (RFC 8955 §4.1)", length, len(b)-head)}
	}
	return b[:end:end], b[end:], nil
}

// readLength decodes the length octets: one below 240, else two of the form 0xfnnn (RFC 8955 §4.1).
func readLength(b []byte) (head, length int, err error) {
	if len(b) == 0 {
		return 0, 0, &SyntaxError{Reason: "no length octet (RFC 8955 §4.1)"}
	}
	if b[0] < longLength {
		return 1, int(b[0]), nil
	}
	if len(b) == 1 {
		return 0, 0, &SyntaxError{Offset: 1, Reason: "the second length octet is missing (RFC 8955 §4.1)"}
	}
	return 2, int(b[0]&0x0f)<<8 | int(b[1]), nil
}

// ParseNLRI decodes exactly one NLRI with its length octets. The Match keeps b: the caller must not change it
// afterwards (Clone copies). It does not allocate when b is canonical. The error is a *SyntaxError.
//
// What RFC 8955 and RFC 8956 tell a receiver to ignore is accepted, and cleared in the canonical form; everything
// else that is not as they say is an error, because a rule of which a part is dropped matches more than was asked.
func ParseNLRI(f Family, b []byte) (Match, error) {
	if !f.known() {
		return Match{}, &SyntaxError{Reason: "not a FlowSpec family"}
	}
	head, length, err := readLength(b)
	if err != nil {
		return Match{}, err
	}
	if length != len(b)-head {
		return Match{}, lengthError(length, head, len(b))
	}
	// RFC 8955 §4.1 only says that lengths below 240 *can* be written in one octet. Two spellings of one
	// rule would be two rules in a table keyed by octets, so the short form is the canonical one.
	canonical := head == 1 || length >= longLength
	body := head
	if f.VPN() {
		body += len(RD{})
	}
	if body >= len(b) {
		return Match{}, emptyError(f, len(b), body)
	}
	s := scan(f.v6(), b, body)
	if s.err != nil {
		return Match{}, s.err
	}
	if s.dirty || !canonical {
		recv := b // b itself stays where it is
		return Match{fam: f, nlri: canonicalise(f, b[head:]), recv: &recv}, nil
	}
	return Match{fam: f, nlri: b}, nil
}

func lengthError(length, head, have int) error {
	if head+length > have {
		return &SyntaxError{Offset: have, Reason: fmt.Sprintf(
			"the NLRI announces %d octets and %d follow (RFC 8955 §4.1)", length, have-head)}
	}
	return &SyntaxError{Offset: head + length, Reason: fmt.Sprintf(
		"%d octets follow the %d that the NLRI announces (RFC 8955 §4.1)", have-head-length, length)}
}

func emptyError(f Family, have, body int) error {
	if f.VPN() && have > 2 {
		if have < body {
			return &SyntaxError{Offset: have, Reason: "the route distinguisher is cut short (RFC 8955 §8)"}
		}
		return &SyntaxError{Offset: have, Reason: "no component after the route distinguisher: the rule would match every packet (RFC 8955 §4.2)"}
	}
	return &SyntaxError{Offset: have, Reason: "no component: the rule would match every packet (RFC 8955 §4.2)"}
}

// operand says what the standards allow in the operator and value octets of one component type.
type operand struct {
	ignored  byte  // operator bits to ignore on receipt: reserved ones
	cleared  byte  // bits of a one-octet value to ignore on receipt
	maxWidth uint8 // octets of a value
}

const (
	numericReserved = 0x08 // RFC 8955 §4.2.1.1
	bitmaskReserved = 0x0c // RFC 8955 §4.2.1.2
)

var operands4 = [16]operand{
	Protocol:     {ignored: numericReserved, maxWidth: 8},
	Port:         {ignored: numericReserved, maxWidth: 8},
	DstPort:      {ignored: numericReserved, maxWidth: 8},
	SrcPort:      {ignored: numericReserved, maxWidth: 8},
	ICMPType:     {ignored: numericReserved, maxWidth: 8},
	ICMPCode:     {ignored: numericReserved, maxWidth: 8},
	TCPFlags:     {ignored: bitmaskReserved, maxWidth: 2}, // "MUST be encoded using 1- or 2-octet bitmask", RFC 8955 §4.2.2.9
	PacketLength: {ignored: numericReserved, maxWidth: 8},
	DSCP:         {ignored: numericReserved, cleared: 0xc0, maxWidth: 1}, // six bits, "all other bits SHOULD be treated as 0", §4.2.2.11
	Fragment:     {ignored: bitmaskReserved, cleared: 0xf0, maxWidth: 1}, // upper four bits are to be ignored, §4.2.2.12
}

var operands6 = withIPv6(operands4)

func withIPv6(o [16]operand) [16]operand {
	o[Fragment].cleared |= 0x01 // no DF in IPv6: "MUST be ignored", RFC 8956 §3.6
	o[FlowLabel] = operand{ignored: numericReserved, maxWidth: 8}
	return o
}

func operandsOf(v6 bool) *[16]operand {
	if v6 {
		return &operands6
	}
	return &operands4
}

// scanned is what scan found: an error, or whether some ignored bit is set.
type scanned struct {
	dirty bool
	err   error
}

// scan checks the components in b from octet i on. It is the whole of the strictness, and the fast path.
func scan(v6 bool, b []byte, i int) scanned {
	var dirty byte
	last := Type(0)
	ops := operandsOf(v6)
	for i < len(b) {
		t := Type(b[i])
		if t <= last || t > FlowLabel || (t == FlowLabel && !v6) {
			return scanned{err: typeError(t, last, i, v6)}
		}
		last = t
		if t <= SrcPrefix {
			size, pad, err := scanPrefix(v6, b, i)
			if err != nil {
				return scanned{err: err}
			}
			i += size
			dirty |= b[i-1] & pad
			continue
		}
		o := &ops[t]
		ignored := o.ignored | andBit // "the AND bit of the first pair MUST be treated as unset", RFC 8955 §4.2.1.1
		for i++; ; {
			if i >= len(b) {
				return scanned{err: &SyntaxError{i, t, "the list has no pair with the end-of-list bit (RFC 8955 §4.2.1)"}}
			}
			op := b[i]
			width := 1 << (op >> 4 & 3)
			if i+width >= len(b) {
				return scanned{err: &SyntaxError{i, t, fmt.Sprintf("the value of %d octets is cut short (RFC 8955 §4.2.1)", width)}}
			}
			if width > int(o.maxWidth) {
				return scanned{err: widthError(t, width, i)}
			}
			dirty |= op&ignored | b[i+1]&o.cleared
			ignored = o.ignored
			i += 1 + width
			if op&endBit != 0 {
				break
			}
		}
	}
	return scanned{dirty: dirty != 0}
}

// scanPrefix checks the prefix component at b[i]. It returns its size and a mask of the padding in its last octet.
func scanPrefix(v6 bool, b []byte, i int) (size int, pad byte, err error) {
	t := Type(b[i])
	head := 2
	if v6 {
		head = 3
	}
	if i+head > len(b) {
		return 0, 0, &SyntaxError{len(b), t, "the prefix is cut short (RFC 8955 §4.2.2.1)"}
	}
	bits := int(b[i+1])
	if !v6 {
		if bits > 32 {
			return 0, 0, &SyntaxError{i + 1, t, fmt.Sprintf("prefix length %d: an IPv4 address has 32 bits (RFC 8955 §4.2.2.1)", bits)}
		}
	} else {
		offset := int(b[i+2])
		if bits > 128 {
			return 0, 0, &SyntaxError{i + 1, t, fmt.Sprintf("prefix length %d: an IPv6 address has 128 bits (RFC 8956 §3.1)", bits)}
		}
		// "If length = 0 and offset = 0, this component matches every address; otherwise, length must be in the range
		// offset < length < 129 or the component is malformed", RFC 8956 §3.1.
		if offset >= bits && bits|offset != 0 {
			return 0, 0, &SyntaxError{i + 2, t, fmt.Sprintf("offset %d with prefix length %d: the offset must be less than the length (RFC 8956 §3.1)", offset, bits)}
		}
		bits -= offset
	}
	size = head + (bits+7)/8
	if i+size > len(b) {
		return 0, 0, &SyntaxError{len(b), t, fmt.Sprintf("the prefix is cut short: %d octets of address are needed (RFC 8955 §4.2.2.1)", size-head)}
	}
	if bits%8 != 0 {
		pad = 0xff >> (bits % 8)
	}
	return size, pad, nil
}

func typeError(t, last Type, at int, v6 bool) error {
	switch {
	case t == FlowLabel && !v6:
		return &SyntaxError{at, t, "component 13 is unknown in IPv4 and its length cannot be known (RFC 8955 §4.2, RFC 8956 §8.1)"}
	case t == 0 || t > FlowLabel:
		return &SyntaxError{at, t, fmt.Sprintf("component type %d is unknown and its length cannot be known (RFC 8955 §4.2)", uint8(t))}
	case t == last:
		return &SyntaxError{at, t, fmt.Sprintf("component type %d stands twice: at most one of each type (RFC 8955 §4.2)", uint8(t))}
	}
	return &SyntaxError{at, t, fmt.Sprintf("component type %d after type %d: types must ascend (RFC 8955 §4.2)", uint8(t), uint8(last))}
}

func widthError(t Type, width, at int) error {
	switch t {
	case TCPFlags:
		return &SyntaxError{at, t, fmt.Sprintf("a bitmask of %d octets: it must have 1 or 2 (RFC 8955 §4.2.2.9)", width)}
	case DSCP:
		return &SyntaxError{at, t, fmt.Sprintf("a value of %d octets: it must have 1 (RFC 8955 §4.2.2.11)", width)}
	}
	return &SyntaxError{at, t, fmt.Sprintf("a bitmask of %d octets: it must have 1 (RFC 8955 §4.2.2.12)", width)}
}

// canonicalise returns the NLRI of value, which scan has accepted, in the short length form and without the bits that
// a receiver ignores.
func canonicalise(f Family, value []byte) []byte {
	b := appendLength(make([]byte, 0, 2+len(value)), len(value))
	i := len(b)
	b = append(b, value...)
	if f.VPN() {
		i += len(RD{})
	}
	for i < len(b) {
		t := Type(b[i])
		if t <= SrcPrefix {
			// Octets that scan has accepted give no error here.
			size, pad, _ := scanPrefix(f.v6(), b, i)
			i += size
			b[i-1] &^= pad
			continue
		}
		i = clearIgnored(b, i, operandsOf(f.v6())[t])
	}
	return b
}

// clearIgnored clears the ignored bits in the list component at b[i] and returns where the next one begins.
func clearIgnored(b []byte, i int, o operand) int {
	ignored := o.ignored | andBit
	for i++; ; {
		b[i] &^= ignored
		ignored = o.ignored
		b[i+1] &^= o.cleared
		op := b[i]
		i += 1 + 1<<(op>>4&3)
		if op&endBit != 0 {
			return i
		}
	}
}

func appendLength(b []byte, n int) []byte {
	if n < longLength {
		return append(b, byte(n))
	}
	return append(b, 0xf0|byte(n>>8), byte(n))
}
