package notation

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// expr reads the values of one component: `=80`, `>=76&<=220`, `syn&!ack`. Both ExaBGP's text and sluice's own notation
// spell them so; own adds ranges and more names.
type expr struct {
	typ    flowspec.Type
	v6     bool // which numbers own ICMP names stand for
	own    bool // sluice's own notation: ranges (`1024-65535`), DSCP names, ICMPv6 names, protocol names
	inList bool // inside brackets, where ExaBGP refuses a dangling &

	terms   []flowspec.Term // appended to
	remarks []remark        // appended to; those of severity Error end the reading
	icmp    bool            // a name of ICMP for IPv4 was read
}

// remark is something to say about the octets at..at+n of a word.
type remark struct {
	severity, code string
	at, n          int
	message, hint  string
}

func (e *expr) refuse(at, n int, message, hint string) bool {
	e.remarks = append(e.remarks, remark{Error, "bad-value", at, max(n, 1), message, hint})
	return false
}

func (e *expr) note(severity, code string, at, n int, message, hint string) {
	e.remarks = append(e.remarks, remark{severity, code, at, n, message, hint})
}

// read appends the terms of one word. It returns false when a remark says why the word is no expression.
func (e *expr) read(word string) bool {
	and := false
	for at := 0; ; {
		end := at
		for end < len(word) && word[end] != '&' && word[end] != '|' {
			end++
		}
		if !e.term(word, at, end, and) {
			return false
		}
		if end == len(word) {
			return true
		}
		and, at = word[end] == '&', end+1
		if !and {
			e.note(Note, "extension", end, 1, "| is read as OR; no version of ExaBGP reads it", "[ "+strings.ReplaceAll(word, "|", " ")+" ]")
		}
		if at < len(word) {
			continue
		}
		if !and || e.inList || e.own {
			return e.refuse(end, 1, "nothing follows "+word[end:], "remove it, or write what follows: "+word[:end])
		}
		e.note(Note, "extension", end, 1, "nothing follows &: it is ignored, as ExaBGP does", word[:end])
		return true
	}
}

// term appends the one comparison word[from:to].
func (e *expr) term(word string, from, to int, and bool) bool {
	if from == to {
		if from == 0 && to < len(word) {
			return e.refuse(0, 1, fmt.Sprintf("%c joins what follows to a value in front, and there is none", word[0]), "join the two without a space, as in >=1024&<=65535")
		}
		return e.refuse(max(from-1, 0), 1, "a value is missing", "")
	}
	if e.typ.Bitmask() {
		return e.bits(word, from, to, and)
	}
	op, size := numericOperator(word[from:to])
	if size < 0 {
		return e.refuse(from, 1, "! alone is no comparison of numbers", "!="+strings.TrimLeft(word[from+1:to], "!="))
	}
	text := word[from+size : to]
	switch {
	case text == "":
		return e.refuse(from, to-from, "a comparison without a value: no space may stand between them", word[from:to]+"80")
	case text[0] == '=' || text[0] == '<' || text[0] == '>':
		return e.refuse(from, size+1, "there is no comparison "+word[from:from+size+1], hintOperator(word[from:to]))
	}
	value, ok := e.value(text)
	if !ok {
		return e.interval(word, from, to, text, size, and)
	}
	if limit := uint64(e.typ.Max()); value > limit {
		return e.refuse(from+size, len(text), fmt.Sprintf("%s is at most %d", kind(e.typ), limit), hintLimit(e.typ, value))
	}
	e.warnName(from+size, text, value)
	e.terms = append(e.terms, flowspec.Term{And: and, Op: op, Value: value, Width: e.width(value)})
	return true
}

// interval reads A-B of sluice's own notation, or says what is wrong with a word that is neither number nor name.
func (e *expr) interval(word string, from, to int, text string, size int, and bool) bool {
	lo, hi, dash := strings.Cut(text, "-")
	a, okA := number(lo)
	b, okB := number(hi)
	if !dash || !okA || !okB {
		return e.unknown(from+size, text)
	}
	written := fmt.Sprintf(">=%s&<=%s", lo, hi)
	switch {
	case !e.own:
		return e.refuse(from, to-from, "a range is written with two comparisons", written)
	case size > 0:
		return e.refuse(from, to-from, "a range takes no comparison in front", text)
	case a > b:
		return e.refuse(from, to-from, "the range ends before it begins", hi+"-"+lo)
	case b > uint64(e.typ.Max()):
		return e.refuse(from, to-from, fmt.Sprintf("%s is at most %d", kind(e.typ), e.typ.Max()), "")
	}
	e.terms = append(e.terms,
		flowspec.Term{And: and, Op: flowspec.GE, Value: a, Width: e.width(a)},
		flowspec.Term{And: true, Op: flowspec.LE, Value: b, Width: e.width(b)})
	return true
}

// unknown refuses a word that is neither number nor name, with the likeliest correction.
func (e *expr) unknown(at int, text string) bool {
	name := canonical(text)
	hint := ""
	switch {
	case name == "true" || name == "false":
		return e.refuse(at, len(text), name+" needs a value and therefore cannot be said; ExaBGP refuses it too", "leave the condition out, or write one that matches")
	case strings.Contains(text[1:], "+"):
		return e.refuse(at, len(text), "+ adds bits of flags; numbers are not added", "[ "+strings.ReplaceAll(text, "+", " ")+" ]")
	case text[0] == '-' || text[0] == '+':
		return e.refuse(at, len(text), "a number without sign is expected", strings.TrimLeft(text, "+-"))
	case e.typ == flowspec.Protocol && strings.HasSuffix(name, "icmp6"), e.typ == flowspec.Protocol && (name == "icmpv6" || name == "ipv6-icmp"):
		hint = "58"
	case e.typ == flowspec.Protocol && name == "ipip":
		hint = "4, IP in IP as routers make it, or 94"
	case e.typ == flowspec.Port || e.typ == flowspec.DstPort || e.typ == flowspec.SrcPort:
		known := map[string]string{"dns": "domain", "www": "http", "cldap": "389", "memcache": "11211", "memcached": "11211", "ntpd": "ntp"}
		hint = known[name]
	case e.typ == flowspec.DSCP:
		if v, ok := find(dscps, name); ok {
			hint = fmt.Sprint(v)
		}
	}
	return e.refuse(at, len(text), fmt.Sprintf("%q is neither a number nor a %s that is known by name", text, kind(e.typ)), hint)
}

// hintLimit corrects a whole traffic class where its upper six bits are meant (RFC 8956 §3).
func hintLimit(t flowspec.Type, value uint64) string {
	if t == flowspec.DSCP && value <= 0xff {
		return fmt.Sprintf("%d, if %d is the whole octet: the DSCP is its upper six bits", value>>2, value)
	}
	return ""
}

// bits appends the one bitmask comparison word[from:to].
func (e *expr) bits(word string, from, to int, and bool) bool {
	op, size := bitOperator(word[from:to])
	names := word[from+size : to]
	if names == "" {
		return e.refuse(from, to-from, "a comparison without a name: no space may stand between them", "")
	}
	var mask uint64
	for at, rest, more := from+size, names, true; more; {
		var name string
		name, rest, more = strings.Cut(rest, "+")
		bit, ok := e.bit(name, at)
		switch {
		case !ok:
			return false
		case mask&bit != 0:
			return e.refuse(at, len(name), "the same bit stands twice; ExaBGP adds the numbers and gets another bit", "")
		}
		mask |= bit
		at += len(name) + 1
	}
	if limit := uint64(e.typ.Max()); mask > limit {
		return e.refuse(from, to-from, fmt.Sprintf("%s is at most %#x", kind(e.typ), limit), "")
	}
	if mask == 0 {
		e.zeroMask(from, to, op)
	}
	e.terms = append(e.terms, flowspec.Term{And: and, Op: op, Value: mask})
	return true
}

// zeroMask warns of a mask without bits, such as ExaBGP's not-a-fragment.
func (e *expr) zeroMask(from, to int, op flowspec.Op) {
	message := "a mask of 0 matches no packet"
	if op == flowspec.AllBits || op == flowspec.NoBit {
		message = "a mask of 0 matches every packet"
	}
	hint := ""
	if e.typ == flowspec.Fragment {
		hint = "!is-fragment+first-fragment"
	}
	e.note(Warning, "zero-bitmask", from, to-from, message+" (RFC 8955 §4.2.1.2)", hint)
}

// bit reads the name or number of one bit, or of several as a number.
func (e *expr) bit(name string, at int) (uint64, bool) {
	if name == "" {
		return 0, e.refuse(at, 1, "a name is missing beside +", "")
	}
	if v, ok := number(name); ok {
		return v, true
	}
	list := tcpFlags
	if e.typ == flowspec.Fragment {
		list = fragments
	}
	word := canonical(name)
	v, ok := find(list, word)
	if !ok {
		hint := "fin syn rst push ack urg ece cwr ns"
		if e.typ == flowspec.Fragment {
			hint = "dont-fragment is-fragment first-fragment last-fragment"
		}
		return 0, e.refuse(at, len(name), fmt.Sprintf("%q is neither a number nor a %s that is known by name", name, kind(e.typ)), hint)
	}
	if word == "psh" && !e.own {
		e.note(Note, "extension", at, len(name), "psh is read as push; ExaBGP does not know it", "push")
	}
	return v, true
}

// width is that of ExaBGP: the shortest of 1, 2 and 4 octets. RFC 8956 §3.7 asks for 4 octets in flow labels without
// forbidding others; two spellings of one rule would be two rules, so every text notation sends the same.
func (e *expr) width(value uint64) uint8 {
	switch {
	case e.typ != flowspec.FlowLabel:
		return 0
	case value < 1<<8:
		return 1
	case value < 1<<16:
		return 2
	}
	return 4
}

// value reads a number or a name of the component.
func (e *expr) value(text string) (uint64, bool) {
	if c := text[0]; c >= '0' && c <= '9' {
		if v, ok := number(text); ok {
			return v, true
		}
	}
	switch e.typ {
	case flowspec.Protocol:
		return e.protocol(canonical(text))
	case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
		return port(canonical(text))
	case flowspec.ICMPType:
		if e.own && e.v6 {
			return find(icmp6Types, canonical(text))
		}
		v, ok := find(icmpTypes, canonical(text))
		e.icmp = e.icmp || ok
		return v, ok
	case flowspec.ICMPCode:
		if e.own && e.v6 {
			return 0, false
		}
		v, ok := find(icmpCodes, canonical(text))
		e.icmp = e.icmp || ok
		return v, ok
	case flowspec.DSCP:
		if e.own {
			return find(dscps, canonical(text))
		}
	}
	return 0, false
}

func (e *expr) protocol(name string) (uint64, bool) {
	if e.own {
		switch name {
		case "icmpv6", "icmp6", "ipv6-icmp":
			return 58, true
		case "ipip": // 4 to most people, 94 to ExaBGP and IANA: ask
			return 0, false
		}
	}
	return find(protocols, name)
}

// warnName warns of a name that means another number to many people.
func (e *expr) warnName(at int, text string, value uint64) {
	if e.typ == flowspec.Protocol && value == 94 && text[0]|0x20 == 'i' {
		e.note(Warning, "ipip-is-94", at, len(text), "ipip is protocol 94 to ExaBGP; IP in IP as routers make it is protocol 4", "=4 or =94")
	}
}

// numericOperator returns the comparison that s begins with and its length; -1 for a lone !.
func numericOperator(s string) (flowspec.Op, int) {
	switch s[0] {
	case '=':
		return flowspec.EQ, 1
	case '>':
		if len(s) > 1 && s[1] == '=' {
			return flowspec.GE, 2
		}
		return flowspec.GT, 1
	case '<':
		if len(s) > 1 && s[1] == '=' {
			return flowspec.LE, 2
		}
		return flowspec.LT, 1
	case '!':
		if len(s) > 1 && s[1] == '=' {
			return flowspec.NE, 2
		}
		return 0, -1
	}
	return flowspec.EQ, 0
}

// hintOperator corrects the comparisons of other languages.
func hintOperator(s string) string {
	switch value := strings.TrimLeft(s, "=<>!"); s[:len(s)-len(value)] {
	case "==":
		return "=" + value
	case "=>":
		return ">=" + value
	case "=<":
		return "<=" + value
	case "<>":
		return "!=" + value
	}
	return ""
}

func bitOperator(s string) (flowspec.Op, int) {
	switch {
	case s[0] == '=':
		return flowspec.AllBits, 1
	case s[0] == '!' && len(s) > 1 && s[1] == '=':
		return flowspec.NotAll, 2
	case s[0] == '!':
		return flowspec.NoBit, 1
	}
	return flowspec.AnyBit, 0
}
