package iosxr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// readText reads the access lists of a text as `show running-config` prints it: a header at the beginning of a line, indented lines, and a line of "!" behind them.
// Whatever else there is, is passed over.
func readText(s string, r *reader) error {
	var open *readList // the list of ours that the lines belong to
	for n, raw := range strings.Split(s, "\n") {
		at := n + 1
		raw = strings.TrimRight(raw, " \t\r")
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case raw[0] == ' ' || raw[0] == '\t':
			if open != nil {
				open.text(words, at)
			}
		case words[0] == "!":
			open = nil
		case open != nil:
			return fmt.Errorf("line %d: %s: the list above has no ! at its end", at, raw)
		default:
			open = r.header(words, at)
		}
	}
	if open != nil {
		return fmt.Errorf("access list %s has no ! at its end: the text is cut off", open.name)
	}
	return nil
}

// header returns the list that words begin; nil where it is none of ours.
func (r *reader) header(words []string, at int) *readList {
	if len(words) != 3 || words[1] != "access-list" || !marked(words[2]) {
		if len(words) > 2 && marked(words[2]) && strings.HasSuffix(words[1], "-list") {
			r.errs = append(r.errs, fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
		}
		return nil
	}
	switch words[0] {
	case "ipv4":
		return r.list(words[2], packet.IPv4)
	case "ipv6":
		return r.list(words[2], packet.IPv6)
	}
	r.errs = append(r.errs, fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
	return nil
}

// text takes one line.
func (l *readList) text(words []string, at int) {
	one, err := readWords(words, l.v)
	if err != nil {
		l.fail(fmt.Errorf("line %d: %s: %w", at, strings.Join(words, " "), err))
		return
	}
	l.add(one)
}

// readWords reads a numbered line.
func readWords(words []string, v packet.Version) (readLine, error) {
	n, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil || len(words) < 2 {
		return readLine{}, errors.New("want a number and an entry behind it")
	}
	l := readLine{v: v, number: uint32(n)}
	if words[1] == "remark" {
		l.remark = strings.Join(words[2:], " ")
		return l, nil
	}
	if words[1] != "permit" && words[1] != "deny" {
		return l, errors.New("want permit, deny or remark")
	}
	l.grant = words[1]
	t := &tokens{rest: words[2:]}
	if err := t.entry(&l); err != nil {
		return l, err
	}
	return l, l.check()
}

// tokens is the rest of a line.
type tokens struct{ rest []string }

// next takes a word; "" at the end.
func (t *tokens) next() string {
	if len(t.rest) == 0 {
		return ""
	}
	w := t.rest[0]
	t.rest = t.rest[1:]
	return w
}

func (t *tokens) peek() string {
	if len(t.rest) == 0 {
		return ""
	}
	return t.rest[0]
}

// operator takes an operator and its numbers.
func (t *tokens) operator() (op string, args []string) {
	op = t.next()
	for range operators[op] {
		args = append(args, t.next())
	}
	return op, args
}

func (t *tokens) entry(l *readLine) error {
	if err := l.protocol(t.next()); err != nil {
		return err
	}
	for _, side := range []string{"source", "destination"} {
		if err := t.end(l, side); err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
	}
	for len(t.rest) > 0 {
		if err := t.option(l); err != nil {
			return err
		}
	}
	return nil
}

// end takes the address of one side, and its port.
func (t *tokens) end(l *readLine, side string) error {
	a, mask := t.next(), ""
	full := "32"
	if l.v == packet.IPv6 {
		full = "128"
	}
	switch addr, bits, found := strings.Cut(a, "/"); {
	case a == "any":
		a, mask = "0.0.0.0", "0"
		if l.v == packet.IPv6 {
			a = "::"
		}
	case a == "host":
		a, mask = t.next(), full
	case found:
		a, mask = addr, bits
	default:
		mask = t.next() // the bits that may differ
		if !strings.Contains(mask, ".") {
			return fmt.Errorf("%s: want any, host, a prefix, or an address and a mask", a)
		}
	}
	if err := l.address(side, a, mask); err != nil {
		return err
	}
	if operators[t.peek()] == 0 {
		return nil
	}
	op, args := t.operator()
	return l.port(side, op, args)
}

// option takes one condition or action behind the addresses.
func (t *tokens) option(l *readLine) error {
	switch word := t.next(); word {
	case "match-all", "match-any":
		var bits []string
		for strings.HasPrefix(t.peek(), "+") || strings.HasPrefix(t.peek(), "-") {
			bits = append(bits, t.next())
		}
		return l.flags(word, bits)
	case "dscp":
		if operators[t.peek()] == 0 {
			return l.dscp("eq", []string{t.next()})
		}
		op, args := t.operator()
		return l.dscp(op, args)
	case "packet-length":
		op, args := t.operator()
		return l.length(op, args)
	case "fragments":
		return l.fragment(word)
	case "fragment-type":
		kind := t.next()
		if kind == "dont-fragment" && strings.HasSuffix(t.peek(), "-fragment") {
			kind += " " + t.next()
		}
		return l.kind(kind)
	case "fragment-offset":
		op, args := t.operator()
		return l.offset(op, args)
	case "counter":
		return l.count(t.next())
	case "nexthop1":
		version := t.next()
		return l.nextHop(version, t.next())
	default:
		return t.message(l, word)
	}
}

// message takes an ICMP type, and a code behind it.
func (t *tokens) message(l *readLine, kind string) error {
	if !only(l.match.Proto, icmp(l.v)) {
		return fmt.Errorf("%q is nothing that sluice writes there", kind)
	}
	code := ""
	if _, err := strconv.ParseUint(t.peek(), 10, 8); err == nil {
		code = t.next()
	}
	return l.message(kind, code)
}
