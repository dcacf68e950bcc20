package iosxr

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the access lists that bear our mark, in the order of their names: from the XML of Render or of a reply to <get-config>, or from the text of
// `show running-config` or a part of it. Objects of other names are passed over. Inside ours, everything must be understood and stand where Render puts it:
// a line at another number, without its remark, or with a condition that is not understood is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := reader{}
	var err error
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		err = readXML(trimmed, &r)
	} else {
		err = readText(string(b), &r)
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.lists, func(a, b *readList) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.v, b.v))
	})
	var out []filter.Filter
	errs := r.errs
	for _, l := range r.lists {
		f, err := l.finish()
		if err != nil {
			errs = append(errs, fmt.Errorf("access list %s: %w", l.name, err))
			f = filter.Filter{Name: l.name, Version: l.v}
		}
		out = append(out, f)
	}
	if len(errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(errs...)}
	}
	return out, nil
}

func marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

// reader sorts lines to the lists that they belong to.
type reader struct {
	lists []*readList
	errs  []error // about objects that are no lists
}

// list returns the list of that name, which may have been there.
func (r *reader) list(name string, v packet.Version) *readList {
	for _, l := range r.lists {
		if l.name == name && l.v == v {
			l.fail(errors.New("it stands there twice"))
			return l
		}
	}
	l := &readList{name: strings.Clone(name), v: v}
	r.lists = append(r.lists, l)
	return l
}

// readList is an access list as its lines come in.
type readList struct {
	name  string
	v     packet.Version
	lines []readLine
	err   error // the first thing that was not understood
}

func (l *readList) fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

func (l *readList) add(one readLine) { l.lines = append(l.lines, one) }

// finish makes the filter.
func (l *readList) finish() (filter.Filter, error) {
	if l.err != nil {
		return filter.Filter{}, l.err
	}
	slices.SortStableFunc(l.lines, func(a, b readLine) int { return cmp.Compare(a.number, b.number) })
	h := halves{list: l}
	for i := range l.lines {
		if i > 0 && l.lines[i].number == l.lines[i-1].number {
			return filter.Filter{}, fmt.Errorf("two lines have the number %d", l.lines[i].number)
		}
		if err := h.line(&l.lines[i]); err != nil {
			return filter.Filter{}, fmt.Errorf("number %d: %w", l.lines[i].number, err)
		}
	}
	return h.finish()
}

// halves puts the lines of a list together to entries.
type halves struct {
	list   *readList
	at     [2][]slot // of the part for later fragments, and of the other
	parted bool      // the first part is there
	alone  bool      // the list permits the rest
	empty  bool      // the remark of a list without entries
}

// slot is what stands at one place of one part: a remark and a line.
type slot struct {
	place  uint32
	remark string
	line   *readLine
}

// line takes the lines in the order of their numbers.
func (h *halves) line(l *readLine) error {
	switch {
	case l.number == laterEnd:
		if !l.bare() || l.word != "fragments" {
			return errors.New("it should permit the rest of the later fragments")
		}
		h.parted = true
		return nil
	case l.number == listEnd && l.grant == "" && l.remark == emptyRemark:
		h.empty = true
		return nil
	case l.number == listEnd:
		if !l.bare() || l.word != "" {
			return errors.New("it should permit the rest")
		}
		h.alone = true
		return nil
	case l.number < laterEnd:
		return h.put(0, l, l.number)
	case l.number < firstEnd:
		return h.put(1, l, l.number-firstBegin)
	}
	return errors.New("sluice writes no line there")
}

// put takes a remark or a line at number, counted from the beginning of its part.
func (h *halves) put(half int, l *readLine, number uint32) error {
	place := number / perPlace
	slots := h.at[half]
	switch number % perPlace {
	case 0:
		if l.grant != "" || place == 0 {
			return errors.New("want a remark there, with the name of the entry behind it")
		}
		h.at[half] = append(slots, slot{place: place, remark: l.remark})
		return nil
	case 1:
		if l.grant == "" || len(slots) == 0 || slots[len(slots)-1].place != place {
			return errors.New("want a remark in front of it, and an entry there")
		}
		slots[len(slots)-1].line = l
		return nil
	}
	return errors.New("sluice writes no line there")
}

// finish joins the parts by their places.
func (h *halves) finish() (filter.Filter, error) {
	out := filter.Filter{Name: h.list.name, Version: h.list.v, Placement: filter.Before}
	if h.alone {
		out.Placement = filter.Alone
	}
	a, b := h.at[0], h.at[1]
	if h.empty && (len(a)+len(b) > 0 || h.parted) {
		return out, errors.New("it has entries, and a remark that there are none")
	}
	if len(a) > 0 && !h.parted || h.parted && !h.alone {
		return out, errors.New("one of the lines is missing that permit the rest of the later fragments, and of all packets")
	}
	for len(a)+len(b) > 0 {
		var fromA, fromB *slot
		if len(b) == 0 || len(a) > 0 && a[0].place <= b[0].place {
			fromA = &a[0]
		}
		if len(a) == 0 || len(b) > 0 && b[0].place <= a[0].place {
			fromB = &b[0]
		}
		if fromA != nil {
			a = a[1:]
		}
		if fromB != nil {
			b = b[1:]
		}
		e, err := h.entry(fromA, fromB)
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, e)
	}
	if len(out.Entries) == 0 && !h.alone && !h.empty {
		return out, errors.New("it has no lines")
	}
	return out, out.Check()
}

// ruleName is how the planner names entries: "r-", the ID of the rule, and a number for its second entry and later ones.
var ruleName = regexp.MustCompile(`^r-([0-9a-f]{16})(-[0-9]+)?$`)

// entry joins what one entry is in both parts; one of them may be nil.
func (h *halves) entry(a, b *slot) (filter.Entry, error) {
	var states packet.Frags
	var l *readLine
	var s *slot
	for half, one := range []*slot{a, b} {
		if one == nil {
			continue
		}
		if one.line == nil {
			return filter.Entry{}, fmt.Errorf("place %d: a remark has no entry behind it", one.place)
		}
		f, err := h.states(half, one.line)
		if err != nil {
			return filter.Entry{}, fmt.Errorf("number %d: %w", one.line.number, err)
		}
		states |= f
		if s != nil && !(s.remark == one.remark && sameButFragments(l, one.line)) {
			return filter.Entry{}, fmt.Errorf("number %d: it is another entry than number %d", one.line.number, l.number)
		}
		s, l = one, one.line
	}
	e := filter.Entry{Name: strings.Clone(s.remark), Match: l.match, Do: l.does(), Counter: strings.Clone(l.counter), Place: s.place}
	if err := checkName(e.Name); err != nil {
		return e, fmt.Errorf("place %d: remark: %w", s.place, err)
	}
	if e.Match.Fragments = states; states == packet.AnyFrags {
		e.Match.Fragments = 0
	}
	if name := ruleName.FindStringSubmatch(e.Name); name != nil {
		e.Rule = flowspec.ID(name[1])
	}
	return e, nil
}

// states returns the fragment states of the packets that l matches in its half of the list.
func (h *halves) states(half int, l *readLine) (packet.Frags, error) {
	var w fragmentWord
	for _, k := range wordsFor(h.list.v) {
		if k.word == l.word {
			w = k
		}
	}
	switch {
	case half == 0 && (!w.in(later) || l.match.Transport()):
		return 0, errors.New("among the lines for later fragments one may match other packets")
	case half == 0:
		return w.states, nil
	case h.parted || l.match.Transport():
		if !h.parted && (l.grant != "deny" || h.list.v == packet.IPv6) {
			return 0, errors.New("no line in front of it takes the later fragments, which it may match as well")
		}
		if w.states&packet.OffsetZero == 0 {
			return 0, errors.New("no packet that gets there is a fragment of that kind")
		}
		return w.states & packet.OffsetZero, nil
	}
	return w.states, nil
}

// sameButFragments says whether two lines say the same of everything but fragments.
func sameButFragments(a, b *readLine) bool {
	x, y := *a, *b
	x.number, y.number, x.word, y.word = 0, 0, "", ""
	return sameLine(x, y)
}

func sameLine(a, b readLine) bool {
	m, n := a.match, b.match
	same := func(x, y packet.Values) bool { return (x == nil) == (y == nil) && slices.Equal(x, y) }
	return a.grant == b.grant && a.counter == b.counter && equal(a.next, b.next) && equal(m.Src, n.Src) && equal(m.Dst, n.Dst) &&
		same(m.Proto, n.Proto) && same(m.DSCP, n.DSCP) && same(m.Length, n.Length) && same(m.SrcPort, n.SrcPort) && same(m.DstPort, n.DstPort) &&
		same(m.ICMPType, n.ICMPType) && same(m.ICMPCode, n.ICMPCode) && slices.Equal(m.Flags, n.Flags)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
