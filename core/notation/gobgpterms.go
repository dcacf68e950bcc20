package notation

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// gobgpTerms reads the values of one condition: `[&][==|=|>|>=|<|<=|!|!=]N` for numbers, `[&][=|!|!=]FLAGS` for bits. Operators and values may stand apart.
type gobgpTerms struct {
	g     *gobgp
	typ   flowspec.Type
	and   bool   // & was read
	op    string // what was read of an operator
	terms []flowspec.Term
}

// read reads one word, which may hold several values.
func (t *gobgpTerms) read(w gobgpWord) bool {
	for text := w.text; text != ""; {
		switch c := text[0]; {
		case c == '&':
			if t.and || t.op != "" {
				return t.g.fail(w, "& stands in front of a comparison", ">=1024&<=65535")
			}
			t.and, text = true, text[1:]
		case strings.IndexByte("=<>!", c) >= 0:
			t.op, text = t.op+text[:1], text[1:]
		default:
			n := strings.IndexAny(text, "&=<>!")
			if n < 0 {
				n = len(text)
			}
			if !t.value(w, text[:n]) {
				return false
			}
			text = text[n:]
		}
	}
	return true
}

// value adds one comparison.
func (t *gobgpTerms) value(w gobgpWord, text string) bool {
	read := t.number
	if t.typ.Bitmask() {
		read = t.bits
	}
	term, message, hint := read(text)
	if message != "" {
		return t.g.r.failSpan("bad-value", w.at, message, hint)
	}
	term.And = t.and && len(t.terms) > 0 // in front of the first GoBGP drops it
	t.terms = append(t.terms, term)
	t.and, t.op = false, ""
	return true
}

var gobgpNumericOps = map[string]flowspec.Op{
	"": flowspec.EQ, "=": flowspec.EQ, "==": flowspec.EQ, ">": flowspec.GT, ">=": flowspec.GE, "<": flowspec.LT, "<=": flowspec.LE,
	"!": flowspec.NE, "!=": flowspec.NE, "=!": flowspec.NE,
}

var gobgpBitOps = map[string]flowspec.Op{
	"": flowspec.AnyBit, "=": flowspec.AllBits, "==": flowspec.AllBits, "!": flowspec.NoBit, "!=": flowspec.NotAll, "=!": flowspec.NotAll,
}

// gobgpProtocols are the protocols that GoBGP names.
var gobgpProtocols = map[string]uint64{
	"unknown": 0, "icmp": 1, "igmp": 2, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "rsvp": 46, "gre": 47, "ospf": 89, "ipip": 94, "pim": 103, "sctp": 132,
}

func (t *gobgpTerms) number(text string) (term flowspec.Term, message, hint string) {
	op, known := gobgpNumericOps[t.op]
	value, isNumber := decimal(text, 1<<63)
	if named, ok := gobgpProtocols[text]; ok && t.typ == flowspec.Protocol {
		value, isNumber = named, true
	}
	lo, hi, dash := strings.Cut(text, "-")
	switch {
	case !known:
		return term, "there is no comparison " + t.op, "==, >, >=, <, <= or !="
	case text == "true" || text == "false":
		return term, "GoBGP sends the opposite of " + text + ": it has the two operators swapped (RFC 8955 §4.2.1.1)", "leave the condition out, or the rule"
	case dash && lo != "" && hi != "":
		return term, "a range is written with two comparisons: GoBGP takes this for " + lo, ">=" + lo + "&<=" + hi
	case !isNumber:
		return term, fmt.Sprintf("%q is no number", text), ""
	case value > uint64(t.typ.Max()):
		return term, fmt.Sprintf("%s is at most %d", kind(t.typ), t.typ.Max()), ""
	}
	return flowspec.Term{Op: op, Value: value, Width: (&expr{typ: t.typ}).width(value)}, "", ""
}

// gobgpFlags are the letters of the flags of TCP, from the least bit.
const gobgpFlags = "FSRPAUEC"

// gobgpFragments are the names of kinds of fragments, from the least bit.
var gobgpFragments = []string{"dont-fragment", "is-fragment", "first-fragment", "last-fragment"}

func (t *gobgpTerms) bits(text string) (term flowspec.Term, message, hint string) {
	op, known := gobgpBitOps[t.op]
	if !known {
		return term, "there is no comparison " + t.op, "=, ! or !="
	}
	term.Op = op
	if t.typ == flowspec.TCPFlags {
		for _, c := range text {
			i := strings.IndexRune(gobgpFlags, c)
			if i < 0 || term.Value&(1<<i) != 0 {
				return term, fmt.Sprintf("%q is not made of flags, each once: they are the letters %s", text, gobgpFlags), "=SA for SYN and ACK"
			}
			term.Value |= 1 << i
		}
		return term, "", ""
	}
	if text == "not-a-fragment" {
		return term, "", "" // the number 0
	}
names:
	for _, name := range strings.Split(text, "+") {
		for i, known := range gobgpFragments {
			if name == known && term.Value&(1<<i) == 0 {
				term.Value |= 1 << i
				continue names
			}
		}
		return term, fmt.Sprintf("%q is no kind of fragment, or is named twice", name), strings.Join(gobgpFragments, ", ")
	}
	return term, "", ""
}
