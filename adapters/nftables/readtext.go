package nftables

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// readText reads the tables that bear our mark from a script that sluice wrote, or from what `nft list table` and `nft list ruleset` print. Other tables
// are passed over. What is not understood inside a table of ours is noted with it.
func readText(s string) ([]*table, error) {
	tokens, err := lex(s)
	if err != nil {
		return nil, err
	}
	r := textReader{cursor: cursor{tokens: tokens}}
	for r.blank(); !r.peek().is(""); r.blank() {
		if err := r.top(); err != nil {
			return nil, fmt.Errorf("line %d: %w", r.peek().line, err)
		}
	}
	return r.tables, nil
}

type textReader struct {
	cursor
	tables []*table
}

// top reads one command: a table with its contents, or the two lines in front of it in a script of ours.
func (r *textReader) top() error {
	remove := r.take("delete")
	if !r.take("table") {
		return fmt.Errorf("%s where a table should begin", r.peek())
	}
	family, err := r.word()
	if err != nil {
		return err
	}
	t := &table{family: family}
	if t.name, err = r.word(); err != nil {
		return err
	}
	if remove || r.peek().end() {
		if !r.peek().end() {
			return fmt.Errorf("%s behind the name of a table", r.peek())
		}
		if remove && slices.ContainsFunc(r.tables, func(have *table) bool { return have.family == t.family && have.name == t.name }) {
			return fmt.Errorf("table %s is deleted after it was filled", t.name)
		}
		return nil
	}
	if !strings.HasPrefix(t.name, filter.Mark) {
		return r.skipBlock()
	}
	r.tables = append(r.tables, t)
	start := r.at
	if err := r.table(t); err != nil {
		t.err = fmt.Errorf("line %d: %w", r.peek().line, err)
		r.at = start
		return r.skipBlock()
	}
	return nil
}

func (r *textReader) table(t *table) error {
	if err := r.want("{"); err != nil {
		return err
	}
	for r.blank(); !r.take("}"); r.blank() {
		if err := r.object(t); err != nil {
			return err
		}
	}
	return nil
}

// object reads one object of a table, or one of its flags.
func (r *textReader) object(t *table) error {
	kind, err := r.word()
	if err != nil {
		return err
	}
	if kind == "flags" && r.take("dormant") {
		t.dormant = true
		return nil
	}
	name, err := r.word()
	if err != nil {
		return err
	}
	if err := r.want("{"); err != nil {
		return err
	}
	switch kind {
	case "counter":
		t.counters = append(t.counters, name)
		err = r.counter()
	case "limit":
		err = r.limit(t, name)
	case "set":
		err = r.set(t, name)
	case "map":
		err = r.verdictMap(t, name)
	case "chain":
		err = r.chain(t, name)
	default:
		err = errors.New("sluice makes no such object")
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind, name, err)
	}
	return nil
}

// counter reads what a counter has counted, which means nothing here.
func (r *textReader) counter() error {
	r.blank()
	if r.take("packets") {
		r.next()
		if err := r.want("bytes"); err != nil {
			return err
		}
		r.next()
	}
	r.blank()
	return r.want("}")
}

// limit reads `rate over 1000 kbytes/second burst 2 kbytes`.
func (r *textReader) limit(t *table, name string) error {
	r.blank()
	if err := r.want("rate"); err != nil {
		return err
	}
	l := limit{name: name, over: r.take("over")}
	words := []string{}
	for !r.peek().end() {
		words = append(words, r.next().text)
	}
	if err := l.amounts(words); err != nil {
		return err
	}
	t.limits = append(t.limits, l)
	r.blank()
	return r.want("}")
}

func (r *textReader) set(t *table, name string) error {
	s := &set{name: name}
	for r.blank(); !r.take("}"); r.blank() {
		switch word := r.next(); {
		case word.is("type") || word.is("typeof"):
			words := []string{word.text}
			for !r.peek().end() {
				words = append(words, r.next().text)
			}
			s.typ = strings.Join(words, " ")
		case word.is("flags") && r.take("interval"):
			s.interval = true
		case word.is("elements"):
			if err := r.elements(func() error {
				e, err := r.element()
				s.elements = append(s.elements, e)
				return err
			}); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is not as sluice writes it", word)
		}
	}
	t.sets = append(t.sets, s)
	return nil
}

// elements reads `= { a, b, }`, and calls one for each.
func (r *textReader) elements(one func() error) error {
	if err := errors.Join(r.want("="), r.want("{")); err != nil {
		return err
	}
	for r.blank(); !r.take("}"); r.blank() {
		if err := one(); err != nil {
			return err
		}
		r.blank()
		if !r.take(",") && !r.peek().is("}") {
			return fmt.Errorf("%s behind an element", r.peek())
		}
	}
	return nil
}

// element reads a value or range; flags may be joined by |.
func (r *textReader) element() (element, error) {
	word, err := r.word()
	if err != nil {
		return element{}, err
	}
	for r.take("|") {
		more, err := r.word()
		if err != nil {
			return element{}, err
		}
		word += " | " + more
	}
	return rangeOf(word), nil
}

// rangeOf cuts 80-443 and 0x03-0x07 in two. Words such as echo-reply have hyphens too, but no digit in front.
func rangeOf(word string) element {
	if lo, hi, found := strings.Cut(word, "-"); found && digit(lo) && digit(hi) {
		return element{lo, hi}
	}
	return element{word, word}
}

func digit(s string) bool { return s != "" && s[0] >= '0' && s[0] <= '9' }

func (r *textReader) verdictMap(t *table, name string) error {
	m := &verdictMap{name: name}
	for r.blank(); !r.take("}"); r.blank() {
		switch word := r.next(); {
		case word.is("type"):
			typ, err := r.word()
			if err != nil {
				return err
			}
			if m.typ = typ; !r.takeAll(":", "verdict") {
				return errors.New("it leads to no verdicts")
			}
		case word.is("elements"):
			if err := r.elements(func() error {
				key, err := r.word()
				if err != nil {
					return err
				}
				if !r.takeAll(":", "jump") {
					return fmt.Errorf("element %s does not jump", key)
				}
				to, err := r.word()
				m.elements = append(m.elements, jump{key, to})
				return err
			}); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is not as sluice writes it", word)
		}
	}
	t.maps = append(t.maps, m)
	return nil
}

func (r *textReader) chain(t *table, name string) error {
	c := &chain{name: name}
	for r.blank(); !r.take("}"); r.blank() {
		if len(c.rules) == 0 && c.base == "" && r.peek().is("type") {
			c.base = r.hook()
			continue
		}
		one, err := r.rule()
		if err != nil {
			return err
		}
		c.rules = append(c.rules, one)
	}
	t.chains = append(t.chains, c)
	return nil
}

// hook reads where a base chain stands, in the words of sluice. The name that a version of nft may show for the priority is taken for its number.
func (r *textReader) hook() string {
	var words []string
	for !r.peek().end() {
		words = append(words, r.next().text)
	}
	s := strings.Join(words, " ") + ";"
	s = strings.ReplaceAll(s, "priority raw - 150;", "priority -450;")
	if r.take(";") && r.take("policy") {
		s += " policy " + r.next().text + ";"
	}
	return s
}
