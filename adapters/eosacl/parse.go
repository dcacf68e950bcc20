package eosacl

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the access lists that bear our mark, in the order of their names: from the commands of Render, or from the text of `show running-config` or a part of
// it. Objects of other names are passed over. Inside ours, everything must be understood and stand where Render puts it: a line at another number, without its remark, or
// with a condition that is not understood is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := reader{Reader: ciscoacl.Reader{Lang: language{}}}
	var err error
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("[")) {
		err = r.commands(trimmed)
	} else {
		r.text(string(b))
	}
	if err != nil {
		return nil, err
	}
	r.close()
	return r.Filters()
}

// reader takes one line after the other.
type reader struct {
	ciscoacl.Reader
	open    *ciscoacl.ReadList // the list of ours that the lines belong to
	counted bool               // its lines count
}

// text reads lines that stand inside the last one that is not indented. Lines that begin with an exclamation mark are comments.
func (r *reader) text(s string) {
	for i, raw := range strings.Split(s, "\n") {
		words := strings.Fields(raw)
		switch {
		case len(words) == 0 || words[0][0] == '!':
		case raw[0] != ' ' && raw[0] != '\t':
			r.header(words, i+1)
		default:
			r.line(words, i+1)
		}
	}
}

// commands reads what Render writes for a device: the first word says whether a command begins a list.
func (r *reader) commands(b []byte) error {
	var lines []string
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&lines); err != nil {
		return fmt.Errorf("the commands are no JSON array of strings: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something stands behind the commands")
	}
	for i, line := range lines {
		words := strings.Fields(line)
		switch {
		case len(words) == 0:
			return fmt.Errorf("line %d: an empty command", i+1)
		case words[0] == "ip" || words[0] == "ipv6":
			r.header(words, i+1)
		default:
			r.line(words, i+1)
		}
	}
	return nil
}

// header ends the list that is open, and begins the one that words name if that is ours.
func (r *reader) header(words []string, at int) {
	r.close()
	name := words[len(words)-1]
	if !ciscoacl.Marked(name) || !slices.Contains(words, "access-list") {
		return
	}
	switch strings.Join(words[:len(words)-1], " ") {
	case listWords[packet.IPv4]:
		r.open = r.List(name, packet.IPv4)
	case listWords[packet.IPv6]:
		r.open = r.List(name, packet.IPv6)
	default:
		r.Foreign(fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
	}
}

// close ends the list that is open.
func (r *reader) close() {
	if r.open != nil && !r.counted {
		r.open.Fail(fmt.Errorf("%s is missing, so that its lines count nothing", countersWord))
	}
	r.open, r.counted = nil, false
}

// line takes one line of the list that is open. The grammar of EOS in batfish (Legacy_acl.g4) has "statistics per-entry" as another spelling of the counters.
func (r *reader) line(words []string, at int) {
	text := strings.Join(words, " ")
	switch {
	case r.open == nil:
	case text == countersWord || text == "statistics per-entry":
		r.counted = true
	default:
		l, err := readLine(words, r.open.V)
		if err != nil {
			r.open.Fail(fmt.Errorf("line %d: %s: %w", at, text, err))
			return
		}
		r.open.Add(l)
	}
}

// readLine reads a numbered line.
func readLine(words []string, v packet.Version) (ciscoacl.ReadLine, error) {
	l := ciscoacl.ReadLine{V: v, Spell: &spelling}
	n, err := strconv.ParseUint(words[0], 10, 32)
	if err != nil || len(words) < 2 {
		return l, errors.New("want a number and an entry behind it")
	}
	l.Number = uint32(n)
	switch words[1] {
	case "remark":
		l.Remark = strings.Join(words[2:], " ")
		return l, nil
	case "permit", "deny":
		l.Grant = words[1]
	default:
		return l, errors.New("want permit, deny or remark")
	}
	t := &ciscoacl.Tokens{Rest: words[2:]}
	if v == packet.IPv6 && t.Peek() != spelling.Any[v] {
		return l, fmt.Errorf("%q is no protocol of IPv6 that sluice writes", t.Peek())
	}
	return l, t.Entry(&l, func() error {
		switch word := t.Next(); {
		case word == "dscp" && v == packet.IPv4:
			return l.DSCP("eq", []string{t.Next()})
		case word == "fragments":
			return l.Fragment(word, language{}.FragmentWords(v))
		default:
			return t.Message(&l, word)
		}
	})
}
