package ciscoacl

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// emptyRemark is the only line of a list that stands before another and has no entries: an attached list must stay, and one of remarks alone denies nothing.
const emptyRemark = "no entries"

// Language is what the access lists of one system have of their own.
type Language interface {
	// System is the name of the system, for people.
	System() string
	// FragmentWords are the conditions on fragments of version v, the shorter first.
	FragmentWords(v packet.Version) []FragmentWord
	// Conditions returns what a line says of m, but for fragments. Each error names the condition that cannot be said.
	Conditions(m filter.Match, v packet.Version) ([]Statement, error)
	// Fragment returns the statement for a condition on fragments.
	Fragment(word string, v packet.Version) []Statement
	// Actions returns permit or deny, and what stands at the end of the line.
	Actions(e filter.Entry, v packet.Version) (grant string, tail []Statement, err error)
	// Line returns the statement of a line that permits or denies.
	Line(grant string, body []Statement) Statement
	// Remark returns the text of the remark that stands above the lines of e.
	Remark(e filter.Entry) string
	// Check says what the system asks of a filter beside its entries: of its name, of its placement.
	Check(f filter.Filter) error
	// CheckName holds the name of an entry to what the system takes.
	CheckName(name string) error
}

// Form is how the XML of a system spells a list of one IP version.
type Form struct {
	List, Attributes string // the element of a list, and what stands in its start tag
	Name             string // the leaf of its name
	Around           string // an element around all lines; "": none
	Line, Number     string // the element of a line, and the leaf of its number
}

// List is an access list as it is written.
type List struct {
	Name  string
	Lines []Line // in the order of their numbers
}

// Line is a numbered line: a remark, or what permits or denies.
type Line struct {
	Number uint32
	What   Statement
	Entry  int // of the filter; -1: of none
}

// Text returns the line in the words of a terminal.
func (l Line) Text() string { return strconv.FormatUint(uint64(l.Number), 10) + " " + l.What.Words() }

// statement is the line in XML.
func (l Line) statement(form Form) Statement {
	return Statement{Element: form.Line, Body: []Statement{Leaf(form.Number, "", strconv.FormatUint(uint64(l.Number), 10)), l.What}}
}

// XML writes the list whole, with further attributes in its start tag.
func (l List) XML(b *bytes.Buffer, form Form, attributes string) {
	body := make([]Statement, 0, len(l.Lines))
	for _, one := range l.Lines {
		body = append(body, one.statement(form))
	}
	if form.Around != "" {
		body = []Statement{{Element: form.Around, Body: body}}
	}
	Statement{Element: form.List, Body: append([]Statement{Leaf(form.Name, "", l.Name)}, body...)}.XML(b, form.Attributes+attributes)
}

// ListOf returns the lines that f becomes. It refuses a filter that fails Check, and every entry that the language cannot say exactly; all of them are named in the error.
func ListOf(lang Language, f filter.Filter) (List, error) {
	if err := f.Check(); err != nil {
		return List{}, err
	}
	var errs []error
	fault := func(err error) { errs = append(errs, err) }
	if err := lang.Check(f); err != nil {
		fault(fmt.Errorf("filter %s: %w", f.Name, err))
	}
	for _, p := range f.Policers {
		fault(fmt.Errorf("filter %s, policer %s: an access list does not police", f.Name, p.Name))
	}
	at, err := places.Of(f)
	if err != nil {
		return List{}, fmt.Errorf("filter %s: %w", f.Name, err)
	}
	l := List{Name: f.Name}
	parts := []part{whole}
	if inParts(f, lang.FragmentWords(f.Version)) {
		parts = []part{later, first}
	}
	for n, p := range parts {
		for i, e := range f.Entries {
			what, err := entryLine(lang, e, p, f)
			if err != nil && n == 0 {
				fault(fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
			}
			if what != nil {
				number := p.begin() + at[i]*perPlace
				l.Lines = append(l.Lines, Line{number, remark(lang.Remark(e)), i}, Line{number + 1, *what, i})
			}
		}
		switch {
		case p == later:
			l.Lines = append(l.Lines, Line{LaterEnd, rest(lang, "fragments", f.Version), -1})
		case f.Placement == filter.Alone:
			l.Lines = append(l.Lines, Line{ListEnd, rest(lang, "", f.Version), -1})
		case len(f.Entries) == 0:
			l.Lines = append(l.Lines, Line{ListEnd, remark(emptyRemark), -1})
		}
	}
	return l, errors.Join(errs...)
}

func remark(text string) Statement { return Leaf("remark", "remark "+text, text) }

// rest permits all packets, or all later fragments.
func rest(lang Language, word string, v packet.Version) Statement {
	all, _ := lang.Conditions(filter.Match{}, v) // no condition cannot fail
	return lang.Line("permit", append(all, lang.Fragment(word, v)...))
}

// entryLine returns what e has to say in p; nil where it matches no packet that gets there.
func entryLine(lang Language, e filter.Entry, p part, f filter.Filter) (*Statement, error) {
	body, err := lang.Conditions(e.Match, f.Version)
	grant, tail, err2 := lang.Actions(e, f.Version)
	word, matches, err3 := fragmentOf(lang, e, p, f.Version)
	if err := errors.Join(lang.CheckName(e.Name), err, err2, err3); err != nil {
		return nil, err
	}
	if !matches {
		return nil, nil
	}
	what := lang.Line(grant, append(append(body, lang.Fragment(word, f.Version)...), tail...))
	return &what, nil
}

// fragmentOf returns the condition on fragments of e's line in p, and whether e matches any packet there. A set of states that one part cannot say is refused in both.
func fragmentOf(lang Language, e filter.Entry, p part, v packet.Version) (word string, matches bool, err error) {
	states, words := StatesOf(e.Match, v), lang.FragmentWords(v)
	if states == 0 {
		return "", false, errors.New("fragment: IPv6 has no don't-fragment, the entry matches nothing")
	}
	if p == whole {
		if !plain(e.Match, e.Do, v, words) {
			return "", false, errBefore(lang, e, v)
		}
		if e.Match.Transport() {
			p = first // a deny leaves later fragments to the lines below
		}
		word, _ = wordIn(p, states&p.reach(), words)
		return word, true, nil
	}
	_, apart := wordIn(later, LaterFragments, words) // else the list has no end of its first part
	for _, q := range []part{later, first} {
		s := states & q.reach()
		if _, ok := wordIn(q, s, words); !apart || s != 0 && !ok {
			return "", false, fmt.Errorf("fragment: no condition of %s says just this; write its states in entries of their own, as far as it has words for them", lang.System())
		}
	}
	states &= p.reach()
	word, _ = wordIn(p, states, words)
	return word, states != 0, nil
}

// errBefore says why e cannot stand in a list of one part.
func errBefore(lang Language, e filter.Entry, v packet.Version) error {
	if e.Match.Transport() && v == packet.IPv6 {
		return errors.New("fragment: in front of another list nothing keeps a line with ports, flags or ICMP off later fragments; that a deny leaves them alone is documented for IPv4 only")
	}
	return fmt.Errorf("fragment: no condition of %s says just this in front of another list", lang.System())
}
