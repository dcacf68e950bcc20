package iosxr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readText reads the access lists of a text as `show running-config` prints it: a header at the beginning of a line, indented lines, and a line of "!" behind them.
// Whatever else there is, is passed over.
func readText(s string, r *ciscoacl.Reader) error {
	name, open := "", (*ciscoacl.ReadList)(nil) // the list of ours that the lines belong to
	for n, raw := range strings.Split(s, "\n") {
		at := n + 1
		raw = strings.TrimRight(raw, " \t\r")
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case raw[0] == ' ' || raw[0] == '\t':
			if open != nil {
				addText(open, words, at)
			}
		case words[0] == "!":
			open = nil
		case open != nil:
			return fmt.Errorf("line %d: %s: the list above has no ! at its end", at, raw)
		default:
			if open = header(r, words, at); open != nil {
				name = words[2]
			}
		}
	}
	if open != nil {
		return fmt.Errorf("access list %s has no ! at its end: the text is cut off", name)
	}
	return nil
}

// header returns the list that words begin; nil where it is none of ours.
func header(r *ciscoacl.Reader, words []string, at int) *ciscoacl.ReadList {
	if len(words) != 3 || words[1] != "access-list" || !ciscoacl.Marked(words[2]) {
		if len(words) > 2 && ciscoacl.Marked(words[2]) && strings.HasSuffix(words[1], "-list") {
			r.Foreign(fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
		}
		return nil
	}
	switch words[0] {
	case "ipv4":
		return r.List(words[2], packet.IPv4)
	case "ipv6":
		return r.List(words[2], packet.IPv6)
	}
	r.Foreign(fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
	return nil
}

// addText takes one line.
func addText(l *ciscoacl.ReadList, words []string, at int) {
	one, err := readWords(words, l.V)
	if err != nil {
		l.Fail(fmt.Errorf("line %d: %s: %w", at, strings.Join(words, " "), err))
		return
	}
	l.Add(one.ReadLine)
}

// readWords reads a numbered line.
func readWords(words []string, v packet.Version) (readLine, error) {
	n, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil || len(words) < 2 {
		return readLine{}, errors.New("want a number and an entry behind it")
	}
	l := newLine(v)
	l.Number = uint32(n)
	if words[1] == "remark" {
		l.Remark = strings.Join(words[2:], " ")
		return l, nil
	}
	if words[1] != "permit" && words[1] != "deny" {
		return l, errors.New("want permit, deny or remark")
	}
	l.Grant = words[1]
	t := &tokens{ciscoacl.Tokens{Rest: words[2:]}}
	return l, t.Entry(&l.ReadLine, func() error { return t.option(&l) })
}

// tokens is the rest of a line.
type tokens struct{ ciscoacl.Tokens }

// option takes one condition or action behind the addresses.
func (t *tokens) option(l *readLine) error {
	switch word := t.Next(); word {
	case "match-all", "match-any":
		return t.Flags(&l.ReadLine, word)
	case "dscp":
		if !t.AtOperator() {
			return l.DSCP("eq", []string{t.Next()})
		}
		op, args := t.Operator()
		return l.DSCP(op, args)
	case "packet-length":
		op, args := t.Operator()
		return l.length(op, args)
	case "fragments":
		return l.fragment(word)
	case "fragment-type":
		kind := t.Next()
		if kind == "dont-fragment" && strings.HasSuffix(t.Peek(), "-fragment") {
			kind += " " + t.Next()
		}
		return l.kind(kind)
	case "fragment-offset":
		op, args := t.Operator()
		return l.offset(op, args)
	case "counter":
		return l.count(t.Next())
	case "nexthop1":
		version := t.Next()
		return l.nextHop(version, t.Next())
	default:
		return t.Message(&l.ReadLine, word)
	}
}
