package iosxe

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readText reads the access lists of a text as `show running-config` prints it: a header at the beginning of a line, and indented lines, up to a line that is not. Whatever
// else there is, is passed over.
func readText(s string, r *ciscoacl.Reader) error {
	var open *ciscoacl.ReadList // the list of ours that the lines belong to
	name := ""
	for n, raw := range strings.Split(s, "\n") {
		at := n + 1
		raw = strings.TrimRight(raw, " \t\r")
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case raw[0] != ' ' && raw[0] != '\t':
			if open = header(r, words, at); open != nil {
				name = words[len(words)-1]
			}
		case open != nil:
			addText(open, words, at)
		}
	}
	if open != nil {
		return fmt.Errorf("access list %s has no ! at its end: the text is cut off", name)
	}
	return nil
}

// header returns the list that words begin; nil where it is none of ours.
func header(r *ciscoacl.Reader, words []string, at int) *ciscoacl.ReadList {
	name := words[len(words)-1]
	switch line := strings.Join(words[:len(words)-1], " "); {
	case !ciscoacl.Marked(name) || !slices.Contains(words, "access-list"):
		return nil
	case line == listWords[packet.IPv4]:
		return r.List(name, packet.IPv4)
	case line == listWords[packet.IPv6]:
		return r.List(name, packet.IPv6)
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
	l := newLine(v)
	number, words, err := sequence(words, v)
	if err != nil {
		return l, err
	}
	l.Number = number
	switch words[0] {
	case "remark":
		l.Remark = strings.Join(words[1:], " ")
		return l, nil
	case "permit", "deny":
		l.Grant = words[0]
	default:
		return l, errors.New("want permit, deny or remark")
	}
	t := &tokens{ciscoacl.Tokens{Rest: words[1:]}}
	if t.Peek() == "icmp" {
		t.Rest = append([]string{strconv.FormatUint(uint64(ciscoacl.ICMP(v)), 10)}, words[2:]...)
	}
	return l, t.Entry(&l.ReadLine, func() error { return t.option(&l) })
}

// sequence returns the number of a line, and its words without it. In IPv6 "sequence 10" stands in front of a line or, in older releases, at its end.
func sequence(words []string, v packet.Version) (uint32, []string, error) {
	rest := words[1:]
	number := words[0]
	if n := len(words); v == packet.IPv6 && n > 2 {
		switch {
		case words[0] == "sequence":
			number, rest = words[1], words[2:]
		case words[n-2] == "sequence":
			number, rest = words[n-1], words[:n-2]
		default:
			number = ""
		}
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || len(rest) == 0 {
		return 0, nil, errors.New("want a number and an entry; classic IOS leaves numbers out of its configuration, and what it holds is not read back from there")
	}
	return uint32(n), rest, nil
}

// tokens is the rest of a line.
type tokens struct{ ciscoacl.Tokens }

// option takes one condition behind the addresses.
func (t *tokens) option(l *readLine) error {
	switch word := t.Next(); {
	case word == "match-all" || word == "match-any":
		if l.V == packet.IPv6 {
			return fmt.Errorf("%s: an IPv6 access list has no such word", word)
		}
		return t.Flags(&l.ReadLine, word)
	case word == "dscp":
		return l.dscp(t.Next())
	case word == "flow-label" && l.V == packet.IPv6:
		return l.label(t.Next())
	case word == "fragments":
		return l.fragments()
	default:
		return t.Message(&l.ReadLine, word)
	}
}
