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
	var open *textList // the list of ours that the lines belong to
	for n, raw := range strings.Split(s, "\n") {
		at := n + 1
		raw = strings.TrimRight(raw, " \t\r")
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case raw[0] != ' ' && raw[0] != '\t':
			open.close()
			open = header(r, words, at)
		case open != nil:
			open.add(words, at)
		}
	}
	if open != nil {
		return fmt.Errorf("access list %s has no ! at its end: the text is cut off", open.name)
	}
	return nil
}

// textList is an access list as its lines come in.
type textList struct {
	*ciscoacl.ReadList
	name               string
	numbered, unmarked int // lines with a number, and without
}

// add takes one line.
func (l *textList) add(words []string, at int) {
	one, err := readWords(words, l.V)
	if err != nil {
		l.Fail(fmt.Errorf("line %d: %s: %w", at, strings.Join(words, " "), err))
		return
	}
	if one.Number == 0 {
		l.unmarked++
	} else {
		l.numbered++
	}
	l.Add(one.ReadLine)
}

// close takes the end of a list, which may be nil. Classic IOS shows lists without numbers ("sequence numbers are not nvgened", IP Access List Entry Sequence Numbering); a list with
// some has been changed by another hand.
func (l *textList) close() {
	switch {
	case l == nil || l.unmarked == 0:
	case l.numbered > 0:
		l.Fail(errors.New("some lines have numbers, and some have none"))
	default:
		l.Renumber()
	}
}

// header returns the list that words begin; nil where it is none of ours.
func header(r *ciscoacl.Reader, words []string, at int) *textList {
	name := words[len(words)-1]
	switch line := strings.Join(words[:len(words)-1], " "); {
	case words[0] == "no" || !ciscoacl.Marked(name) || !slices.Contains(words, "access-list"):
		return nil
	case line == listWords[packet.IPv4]:
		return &textList{ReadList: r.List(name, packet.IPv4), name: name}
	case line == listWords[packet.IPv6]:
		return &textList{ReadList: r.List(name, packet.IPv6), name: name}
	}
	r.Foreign(fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
	return nil
}

// readWords reads a line; its number is 0 if it has none.
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

// sequence returns the number of a line, or 0, and its words without it. In IPv6 "sequence 10" stands in front of a line or, in older releases, at its end.
func sequence(words []string, v packet.Version) (uint32, []string, error) {
	number, rest := words[0], words[1:]
	switch n := len(words); {
	case v == packet.IPv6 && n > 2 && words[0] == "sequence":
		number, rest = words[1], words[2:]
	case v == packet.IPv6 && n > 2 && words[n-2] == "sequence":
		number, rest = words[n-1], words[:n-2]
	case slices.Contains([]string{"permit", "deny", "remark"}, words[0]):
		return 0, words, nil
	case v == packet.IPv6:
		number = ""
	}
	n, err := strconv.ParseUint(number, 10, 32)
	if err != nil || n == 0 || len(rest) == 0 {
		return 0, nil, errors.New("want a number and an entry")
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
