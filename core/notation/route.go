package notation

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// span is a stretch of the source.
type span struct{ start, end int }

// route is one rule of ExaBGP's text while it is being read. One route is used for all of a file.
type route struct {
	*lexer
	in       *input
	withdraw bool
	flat     bool // `flow route source ... discard`: no braces, no semicolons
	start    int
	expr     expr
	list     []flowspec.Component // used again for every rule

	parts
}

// parts is what has been read of a rule. It is copied to undo a statement.
type parts struct {
	bad      bool            // a problem says that no rule can be made of this
	family   flowspec.Family // what a word fixed, 0 when only the prefixes say
	vpn      bool            // flow-vpn, or rd
	rd       flowspec.RD
	hasRD    bool
	prefixes [3]flowspec.Prefix // by type
	at       [14]span           // where a type was named first
	terms    [14][]flowspec.Term
	v6Word   span // next-header, traffic-class, flow-label
	v6Hint   string
	icmpName span // an ICMP name of IPv4
	actions
}

func (r *route) reset(start int) {
	terms := r.terms
	for i := range terms {
		terms[i] = terms[i][:0]
	}
	ext := r.ext[:0]
	r.parts = parts{terms: terms}
	r.ext = ext
	r.start, r.flat, r.withdraw = start, false, false
}

func (r *route) fail(t token, message, hint string) bool {
	return r.failSpan("syntax", span{t.start, t.end}, message, hint)
}

func (r *route) failSpan(code string, s span, message, hint string) bool {
	r.in.fail(code, s.start, s.end, message, hint)
	r.bad = true
	return false
}

// guard reports a guarded input; true means that it is let through.
func (r *route) guard(code string, s span, message, hint string) bool {
	if r.in.guard(code, s.start, s.end, message, hint) {
		return true
	}
	r.bad = true
	return false
}

func (r *route) warn(severity, code string, s span, message, hint string) {
	if r.withdraw && severity == Warning {
		return // what was announced is being taken away
	}
	r.in.tell(severity, code, s.start, s.end, message, hint)
}

// matchWords are the words of `match { }`.
var matchWords = map[string]flowspec.Type{
	"destination": flowspec.DstPrefix, "destination-ipv4": flowspec.DstPrefix, "destination-ipv6": flowspec.DstPrefix,
	"source": flowspec.SrcPrefix, "source-ipv4": flowspec.SrcPrefix, "source-ipv6": flowspec.SrcPrefix,
	"protocol": flowspec.Protocol, "next-header": flowspec.Protocol, "port": flowspec.Port,
	"destination-port": flowspec.DstPort, "source-port": flowspec.SrcPort, "icmp-type": flowspec.ICMPType,
	"icmp-code": flowspec.ICMPCode, "tcp-flags": flowspec.TCPFlags, "packet-length": flowspec.PacketLength,
	"dscp": flowspec.DSCP, "traffic-class": flowspec.DSCP, "fragment": flowspec.Fragment, "flow-label": flowspec.FlowLabel,
}

// match reads the operand of one word of `match { }`. It returns false when reading cannot go on behind it.
func (r *route) match(word token, text string, typ flowspec.Type) bool {
	if r.at[typ].end == 0 {
		r.at[typ] = span{word.start, word.end}
	}
	if typ.Prefix() {
		return r.prefix(text, typ)
	}
	switch {
	case text == "next-header" && r.v6Word.end == 0:
		r.v6Word, r.v6Hint = span{word.start, word.end}, "protocol"
	case text == "traffic-class" && r.v6Word.end == 0:
		r.v6Word, r.v6Hint = span{word.start, word.end}, "dscp"
	case text == "flow-label":
		r.v6Word, r.v6Hint = span{word.start, word.end}, ""
	}
	return r.operands(word, text, typ)
}

// operands reads one value, or several in brackets.
func (r *route) operands(word token, text string, typ flowspec.Type) bool {
	first := r.next()
	if first.kind != '[' {
		if !r.operand(word, first) {
			return false
		}
		return r.values(first, typ, false)
	}
	count := 0
	for {
		switch t := r.next(); t.kind {
		case 'w':
			if !r.values(t, typ, true) {
				return false
			}
			count++
		case ',':
			r.warn(Note, "extension", span{t.start, t.end}, "a comma separates values here; no version of ExaBGP reads it", "")
		case ']':
			if count == 0 {
				return r.guard("empty-list", span{word.start, t.end}, "a list without values: ExaBGP drops the condition, which makes the rule wider",
					text+" [ "+example(typ)+" ];")
			}
			return true
		default:
			return r.fail(t, "the list of "+text+" is not closed: ] is missing", "")
		}
	}
}

// operand says whether t can be what follows word.
func (r *route) operand(word, t token) bool {
	if t.kind == 'w' {
		if t.newline {
			return r.fail(word, r.text(word)+": its value must stand on the same line", "")
		}
		if t.open {
			return r.fail(t, "the quote is not closed on its line", "")
		}
		return true
	}
	return r.fail(word, r.text(word)+": a value is missing", "")
}

// values reads one word of values.
func (r *route) values(t token, typ flowspec.Type, inList bool) bool {
	e := &r.expr
	e.typ, e.inList, e.icmp, e.remarks, e.terms = typ, inList, false, e.remarks[:0], r.terms[typ]
	ok := e.read(r.text(t))
	r.terms[typ] = e.terms
	if e.icmp && r.icmpName.end == 0 {
		r.icmpName = span{t.start, t.end}
	}
	for _, m := range e.remarks {
		s := span{t.start + m.at, t.start + m.at + m.n}
		if t.escaped {
			s = span{t.start, t.end}
		}
		if m.severity == Error {
			r.failSpan(m.code, s, m.message, m.hint)
			continue
		}
		r.warn(m.severity, m.code, s, m.message, m.hint)
	}
	return ok
}

// prefix reads the operand of destination and source.
func (r *route) prefix(word string, typ flowspec.Type) bool {
	t := r.next()
	if t.kind == '[' {
		return r.fail(t, word+" takes one prefix, not a list", "one rule for each prefix")
	}
	if !r.operand(token{kind: 'w', start: r.at[typ].start, end: r.at[typ].end}, t) {
		return false
	}
	r.prefixAt(word, typ, r.text(t), span{t.start, t.end})
	return true
}

// prefixAt takes the operand of destination or source, which stands at s.
func (r *route) prefixAt(word string, typ flowspec.Type, text string, s span) {
	p, problem := parsePrefix(text)
	if problem != nil {
		r.failSpan(problem.code, s, problem.message, problem.hint)
		return
	}
	if v4 := strings.HasSuffix(word, "-ipv4"); (v4 || strings.HasSuffix(word, "-ipv6")) && v4 != p.Addr.Is4() {
		r.failSpan("bad-value", s, word+" beside a prefix of the other family", strings.TrimSuffix(strings.TrimSuffix(word, "-ipv4"), "-ipv6")+" "+text)
		return
	}
	if r.prefixes[typ].Addr.IsValid() {
		r.guard("several-prefixes", s, "a second "+typ.String()+": ExaBGP sends the component twice, which is malformed (RFC 8955 §4.2)", "one rule for each prefix")
		return
	}
	if other := r.prefixes[3-typ]; other.Addr.IsValid() && other.Addr.Is4() != p.Addr.Is4() {
		r.guard("mixed-families", s, "IPv4 and IPv6 in one rule: ExaBGP drops this prefix and announces a wider rule", "one rule for IPv4 and one for IPv6")
		return
	}
	if clean := cleanPrefix(p); clean != p {
		if !r.guard("host-bits", s, fmt.Sprintf("%s has bits outside the prefix", text), clean.String()) {
			return
		}
		p = clean
	}
	r.prefixes[typ] = p
}

// parsePrefix reads A.B.C.D/LEN, or IPv6/LEN[/OFFSET].
func parsePrefix(s string) (flowspec.Prefix, *remark) {
	address, rest, slash := strings.Cut(s, "/")
	addr, err := netip.ParseAddr(address)
	switch {
	case err != nil || addr.Zone() != "":
		return flowspec.Prefix{}, &remark{code: "bad-value", message: fmt.Sprintf("%q is no IPv4 or IPv6 prefix", s), hint: "192.0.2.0/24 or 2001:db8::/32"}
	case !slash:
		return flowspec.Prefix{}, &remark{code: "bad-value", message: "a prefix length is missing", hint: fmt.Sprintf("%s/%d", address, addr.BitLen())}
	}
	length, offset, hasOffset := strings.Cut(rest, "/")
	n, ok := small(length)
	o, okOffset := 0, true
	if hasOffset {
		o, okOffset = small(offset)
	}
	switch {
	case !ok || !okOffset:
		return flowspec.Prefix{}, &remark{code: "bad-value", message: fmt.Sprintf("%q is no prefix length", rest), hint: fmt.Sprintf("%s/%d", address, addr.BitLen())}
	case hasOffset && addr.Is4():
		return flowspec.Prefix{}, &remark{code: "prefix-length", message: "only IPv6 prefixes have an offset (RFC 8956 §3.1)", hint: address + "/" + length}
	case n > addr.BitLen():
		return flowspec.Prefix{}, &remark{code: "prefix-length", message: fmt.Sprintf("%s has %d bits, not %d; ExaBGP 4.2 and 5.0 send a malformed NLRI", address, addr.BitLen(), n),
			hint: fmt.Sprintf("%s/%d", address, addr.BitLen())}
	case o >= n && o != 0:
		return flowspec.Prefix{}, &remark{code: "prefix-length", message: "the offset must be less than the prefix length (RFC 8956 §3.1)", hint: address + "/LENGTH/OFFSET"}
	}
	return flowspec.Prefix{Addr: addr, Len: uint8(n), Offset: uint8(o)}, nil
}

// small reads a number of at most three digits.
func small(s string) (int, bool) {
	if len(s) == 0 || len(s) > 3 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

// cleanPrefix clears the bits outside Offset..Len-1.
func cleanPrefix(p flowspec.Prefix) flowspec.Prefix {
	if p.Offset == 0 {
		p.Addr = netip.PrefixFrom(p.Addr, int(p.Len)).Masked().Addr()
		return p
	}
	a := netip.PrefixFrom(p.Addr, int(p.Len)).Masked().Addr().As16()
	for bit := range int(p.Offset) {
		a[bit/8] &^= 0x80 >> (bit % 8)
	}
	p.Addr = netip.AddrFrom16(a)
	return p
}

// parseRD reads a route distinguisher: AS:N, IPv4:N or four-octet AS:N (RFC 4364 §4.2).
func parseRD(s string) (rd flowspec.RD, ok bool) {
	admin, assigned, colon := strings.Cut(s, ":")
	n, isNumber := number(assigned)
	if !colon || !isNumber || strings.HasPrefix(assigned, "0x") {
		return rd, false
	}
	if addr, err := netip.ParseAddr(admin); err == nil && addr.Is4() && n <= 0xffff {
		a := addr.As4()
		return flowspec.RD{0, 1, a[0], a[1], a[2], a[3], byte(n >> 8), byte(n)}, true
	}
	as, isNumber := decimal(admin, 1<<32-1)
	switch {
	case !isNumber:
		return rd, false
	case as <= 0xffff:
		if v, fits := decimal(assigned, 1<<32-1); fits {
			return flowspec.RD{0, 0, byte(as >> 8), byte(as), byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}, true
		}
	case n <= 0xffff:
		return flowspec.RD{0, 2, byte(as >> 24), byte(as >> 16), byte(as >> 8), byte(as), byte(n >> 8), byte(n)}, true
	}
	return rd, false
}

// decimal reads a decimal number up to limit.
func decimal(s string, limit uint64) (uint64, bool) {
	if s == "" || len(s) > 20 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	v, err := strconv.ParseUint(s, 10, 64)
	return v, err == nil && v <= limit
}
