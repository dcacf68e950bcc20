package slx

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the access lists that bear our mark, in the order of their names, from what Render writes or `show running-config` prints: a header at the beginning of a line, and
// indented lines. Objects of other names are passed over. Inside ours, everything must be understood, or it is a *filter.ForeignError that names it. An entry that no comment in
// front of its list names is named after its number.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	var r reader
	for n, line := range strings.Split(string(b), "\n") {
		r.line(strings.TrimRight(line, " \t\r"), n+1)
	}
	slices.SortStableFunc(r.lists, func(a, b *list) int { return strings.Compare(a.name, b.name) })
	var out []filter.Filter
	for _, l := range r.lists {
		f, err := l.filter()
		if err != nil {
			r.errs = append(r.errs, fmt.Errorf("access list %s: %w", l.name, err))
			f = filter.Filter{Name: l.name, Version: l.v}
		}
		out = append(out, f)
	}
	if len(r.errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(r.errs...)}
	}
	return out, nil
}

// reader sorts lines to the lists that they belong to.
type reader struct {
	lists []*list
	open  *list             // the list of ours that indented lines belong to
	names map[uint32]string // by number, of the list that comes next
	errs  []error
}

func (r *reader) line(s string, at int) {
	switch words := strings.Fields(s); {
	case s == "":
	case s[0] == ' ' || s[0] == '\t':
		if r.open != nil {
			r.open.line(strings.TrimSpace(s), at)
		}
	case s[0] == '!':
		r.open = nil
		r.name(words)
	default:
		if r.open = r.header(words, at); r.open != nil {
			r.open.names = r.names
		}
		r.names = nil
	}
}

// name takes a comment that names a line; other comments are anybody's.
func (r *reader) name(words []string) {
	if len(words) != 5 || words[1] != "seq" || words[3] != "is" {
		return
	}
	n, err := strconv.ParseUint(words[2], 10, 16)
	if err != nil {
		return
	}
	if r.names == nil {
		r.names = map[uint32]string{}
	}
	// Two names for one line are none: the blank between them is refused.
	r.names[uint32(n)] = strings.TrimSpace(r.names[uint32(n)] + " " + words[4])
}

// header returns the list that words begin; nil where it is none of ours.
func (r *reader) header(words []string, at int) *list {
	if len(words) < 3 || words[1] != "access-list" || !slices.ContainsFunc(words[2:], marked) {
		return nil
	}
	versions := map[string]packet.Version{"ip": packet.IPv4, "ipv6": packet.IPv6}
	v, known := versions[words[0]]
	if !known || len(words) != 4 || words[2] != "extended" {
		r.errs = append(r.errs, fmt.Errorf("line %d: %s: it bears our mark, but sluice makes no such object", at, strings.Join(words, " ")))
		return nil
	}
	l := &list{name: strings.Clone(words[3]), v: v}
	// "An ACL name must be unique among all ACL types".
	if i := slices.IndexFunc(r.lists, func(o *list) bool { return o.name == l.name }); i >= 0 {
		r.lists[i].fail(errors.New("it stands there twice"))
		return r.lists[i]
	}
	r.lists = append(r.lists, l)
	return l
}

func marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

// list is an access list as its lines come in.
type list struct {
	name    string
	v       packet.Version
	entries []filter.Entry    // with places, in no order
	rest    bool              // the last line is there
	names   map[uint32]string // of entries, by number
	err     error             // the first thing that was not understood
}

func (l *list) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// line takes one line.
func (l *list) line(s string, at int) {
	if err := l.take(s); err != nil {
		l.fail(fmt.Errorf("line %d: %s: %w", at, s, err))
	}
}

func (l *list) take(s string) error {
	if s == "!" {
		return nil
	}
	words := strings.Fields(s)
	if len(words) < 3 || words[0] != "seq" {
		return errors.New("want seq, a number and a rule")
	}
	n, err := strconv.ParseUint(words[1], 10, 16)
	if err != nil || n == 0 || n > uint64(places.Last) && n != listEnd {
		return fmt.Errorf("number %s: sluice writes lines of 1 to %d, and %d", words[1], places.Last, listEnd)
	}
	if n == listEnd {
		return l.last(words[2:])
	}
	e, err := readRule(words[2:], l.v)
	if err != nil {
		return err
	}
	e.Place = uint32(n)
	l.add(e)
	return nil
}

// last takes the line that permits the rest.
func (l *list) last(words []string) error {
	switch {
	case strings.Join(words, " ") != rest(l.v):
		return errors.New("the last line does not permit the rest")
	case l.rest:
		return errors.New("it stands there twice")
	}
	l.rest = true
	return nil
}

// add gives e its name.
func (l *list) add(e filter.Entry) {
	if e.Name = l.names[e.Place]; e.Name == "" {
		e.Name = fmt.Sprintf("line-%d", e.Place)
	}
	delete(l.names, e.Place)
	e.Rule = filter.RuleOf(e.Name)
	if e.Counter != "" {
		e.Counter = filter.CounterOf(e.Name)
	}
	l.entries = append(l.entries, e)
}

// filter returns what the lines make.
func (l *list) filter() (filter.Filter, error) {
	if l.err != nil {
		return filter.Filter{}, l.err
	}
	if !l.rest {
		return filter.Filter{}, fmt.Errorf("the line is missing that permits the rest: seq %d %s", listEnd, rest(l.v))
	}
	if len(l.names) > 0 {
		n := slices.Min(slices.Collect(maps.Keys(l.names)))
		return filter.Filter{}, fmt.Errorf("%s names the line %d, which is not there", l.names[n], n)
	}
	slices.SortStableFunc(l.entries, func(a, b filter.Entry) int { return cmp.Compare(a.Place, b.Place) })
	names := map[string]bool{}
	for i, e := range l.entries {
		if i > 0 && e.Place == l.entries[i-1].Place {
			return filter.Filter{}, fmt.Errorf("two lines have the number %d", e.Place)
		}
		if names[e.Name] {
			return filter.Filter{}, fmt.Errorf("two entries are named %s", e.Name)
		}
		if err := checkName(e.Name); err != nil {
			return filter.Filter{}, err
		}
		names[e.Name] = true
	}
	return filter.Filter{Name: l.name, Version: l.v, Placement: filter.Alone, Entries: l.entries}, checkName(l.name)
}
