package iosxepolicy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/core/packet"
)

// text reads objects as `show running-config` prints them: a header at the beginning of a line, and indented lines, up to a line that is not. Whatever else there is, is passed over.
func (r *reader) text(s string) error {
	var open func(words []string) error // takes a line of the object that is open
	var last string
	for i, raw := range strings.Split(s, "\n") {
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case raw[0] != ' ' && raw[0] != '\t':
			open, last = r.header(words), strings.Join(words, " ")
		case open != nil:
			if err := open(words); err != nil {
				return fmt.Errorf("line %d: %s: %w", i+1, strings.Join(words, " "), err)
			}
		}
	}
	if open != nil {
		return fmt.Errorf("%s has no ! at its end: the text is cut off", last)
	}
	return nil
}

// header begins the object of ours that words name, and returns what takes its lines; nil for another's. What is not understood is noted in the object.
func (r *reader) header(words []string) func([]string) error {
	name := words[len(words)-1]
	if !ciscoacl.Marked(name) {
		return nil
	}
	noted := func(t *trouble, take func([]string) error) func([]string) error {
		return func(words []string) error {
			if err := take(words); err != nil {
				t.fail(fmt.Errorf("%s: %w", strings.Join(words, " "), err))
			}
			return nil
		}
	}
	switch {
	case len(words) == 4 && strings.HasPrefix(strings.Join(words, " "), "ip access-list extended "):
		l := r.list(name)
		return noted(&l.trouble, l.words)
	case len(words) == 3 && words[0] == "class-map":
		c := r.class(name, words[1])
		return noted(&c.trouble, c.words)
	case words[0] == "policy-map":
		p := r.policy(name)
		if len(words) > 2 {
			p.fail(fmt.Errorf("%s bears our mark, but sluice makes no such object", strings.Join(words, " ")))
		}
		return noted(&p.trouble, p.words)
	}
	return nil
}

func (l *readList) words(words []string) error {
	one, err := iosxe.ReadWords(words)
	if err != nil {
		return err
	}
	l.lines = append(l.lines, one)
	return nil
}

func (c *readClass) words(words []string) error {
	switch text := strings.Join(words, " "); {
	case text == "description "+quietWord:
		c.quiet = true
	case len(words) == 4 && strings.HasPrefix(text, "match access-group name "):
		return c.accessGroup(words[3])
	case len(words) == 3 && strings.HasPrefix(text, "match dscp "):
		return c.codepoint(words[2])
	default:
		return errors.New("sluice writes no such line in a class map")
	}
	return nil
}

// codepoint reads the DSCP that packets must have.
func (c *readClass) codepoint(word string) error {
	n, err := iosxe.ReadDSCP(word)
	if err == nil && c.dscp != nil {
		err = errors.New("it has two DSCPs")
	}
	c.dscp = packet.Values{{Lo: n, Hi: n}}
	return err
}

// words takes a class, an action, or what becomes of packets that conform to a rate or exceed it. Older releases show a policer in one line.
func (p *readPolicy) words(words []string) error {
	if len(words) == 2 && words[0] == "class" {
		p.order = append(p.order, &readUse{class: words[1]})
		return nil
	}
	if len(p.order) == 0 {
		return errors.New("want a class in front of it")
	}
	u := p.order[len(p.order)-1]
	t := ciscoacl.Tokens{Rest: words}
	switch word := t.Next(); {
	case word == "drop" && t.Peek() == "" && !u.does.drop:
		u.does.drop = true
		return nil
	case word == "set" && t.Next() == "dscp" && !u.set:
		return u.marks(t.Rest)
	case word == "police" && !u.police:
		u.police = true
		if err := u.rates(&t); err != nil {
			return err
		}
	case u.police && (word == "conform-action" || word == "exceed-action"):
		t.Rest = words
	default:
		return errors.New("sluice writes no such line in a policy map")
	}
	for t.Peek() != "" {
		if err := u.becomes(t.Next(), t.Next()); err != nil {
			return err
		}
	}
	return nil
}

// marks reads the DSCP that a class sets.
func (u *readUse) marks(words []string) error {
	if len(words) != 1 {
		return errors.New("want one DSCP")
	}
	n, err := iosxe.ReadDSCP(words[0])
	mark := uint8(n)
	u.set, u.does.mark = true, &mark
	return err
}

// rates reads the numbers of a policer.
func (u *readUse) rates(t *ciscoacl.Tokens) error {
	if t.Next() != "cir" {
		return errors.New("want cir and bc")
	}
	cir := t.Next()
	if t.Next() != "bc" {
		return errors.New("want cir and bc")
	}
	return errors.Join(number(&u.does.cir, cir), number(&u.does.bc, t.Next()))
}

// number reads a number above 0 that was not there yet.
func number(to *uint64, text string) error {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n == 0 || *to != 0 {
		return fmt.Errorf("%q: want one number", text)
	}
	*to = n
	return nil
}

// becomes reads what becomes of packets that conform to the rate, or exceed it.
func (u *readUse) becomes(which, what string) error {
	to := &u.does.exceed
	switch which {
	case "conform-action":
		to = &u.conform
	case "exceed-action":
	default:
		return fmt.Errorf("%s: want conform-action or exceed-action", which)
	}
	if *to != "" || what != "transmit" && what != "drop" {
		return fmt.Errorf("%s %s: want transmit or drop, once", which, what)
	}
	*to = what
	return nil
}
