package ciscoacl

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Reader sorts lines to the lists that they belong to.
type Reader struct {
	Lang  Reading
	lists []*ReadList
	errs  []error // about objects that are no lists
}

// Reading is what reading needs of a language.
type Reading interface {
	FragmentWords(v packet.Version) []FragmentWord
	// Check says what the system asks of a filter beside its entries.
	Check(f filter.Filter) error
	// Entry completes an entry from the text of its remark.
	Entry(e *filter.Entry, remark string) error
}

// Filters returns the filters that were read, in the order of their names. What was not understood is a *filter.ForeignError that names it.
func (r *Reader) Filters() ([]filter.Filter, error) {
	slices.SortStableFunc(r.lists, func(a, b *ReadList) int {
		return cmp.Or(strings.Compare(a.name, b.name), cmp.Compare(a.V, b.V))
	})
	var out []filter.Filter
	errs := r.errs
	for _, l := range r.lists {
		f, err := l.finish(r.Lang)
		if err != nil {
			errs = append(errs, fmt.Errorf("access list %s: %w", l.name, err))
			f = filter.Filter{Name: l.name, Version: l.V}
		}
		out = append(out, f)
	}
	if len(errs) > 0 {
		return nil, &filter.ForeignError{Filters: out, Err: errors.Join(errs...)}
	}
	return out, nil
}

// Foreign notes an object that bears our mark and is none that sluice makes.
func (r *Reader) Foreign(err error) { r.errs = append(r.errs, err) }

// Marked says whether an object of that name is ours.
func Marked(name string) bool { return strings.HasPrefix(name, filter.Mark) }

// List returns the list of that name, which may have been there.
func (r *Reader) List(name string, v packet.Version) *ReadList {
	for _, l := range r.lists {
		if l.name == name && l.V == v {
			l.Fail(errors.New("it stands there twice"))
			return l
		}
	}
	l := &ReadList{name: strings.Clone(name), V: v}
	r.lists = append(r.lists, l)
	return l
}

// ReadList is an access list as its lines come in.
type ReadList struct {
	V     packet.Version
	name  string
	lines []ReadLine
	err   error // the first thing that was not understood
}

// Fail notes that something in the list was not understood.
func (l *ReadList) Fail(err error) {
	if l.err == nil {
		l.err = err
	}
}

// Add takes one line.
func (l *ReadList) Add(one ReadLine) { l.lines = append(l.lines, one) }

// finish makes the filter.
func (l *ReadList) finish(lang Reading) (filter.Filter, error) {
	if l.err != nil {
		return filter.Filter{}, l.err
	}
	slices.SortStableFunc(l.lines, func(a, b ReadLine) int { return cmp.Compare(a.Number, b.Number) })
	h := halves{list: l, lang: lang}
	for i := range l.lines {
		if i > 0 && l.lines[i].Number == l.lines[i-1].Number {
			return filter.Filter{}, fmt.Errorf("two lines have the number %d", l.lines[i].Number)
		}
		if err := h.line(&l.lines[i]); err != nil {
			return filter.Filter{}, fmt.Errorf("number %d: %w", l.lines[i].Number, err)
		}
	}
	return h.finish()
}

// halves puts the lines of a list together to entries.
type halves struct {
	list   *ReadList
	lang   Reading
	at     [2][]slot // of the part for later fragments, and of the other
	parted bool      // the first part is there
	alone  bool      // the list permits the rest
	empty  bool      // the remark of a list without entries
}

// slot is what stands at one place of one part: a remark and a line.
type slot struct {
	place  uint32
	remark string
	line   *ReadLine
}

// line takes the lines in the order of their numbers.
func (h *halves) line(l *ReadLine) error {
	switch {
	case l.Number == LaterEnd:
		if !l.bare() || l.Word != "fragments" {
			return errors.New("it should permit the rest of the later fragments")
		}
		h.parted = true
		return nil
	case l.Number == ListEnd && l.Grant == "" && l.Remark == emptyRemark:
		h.empty = true
		return nil
	case l.Number == ListEnd:
		if !l.bare() || l.Word != "" {
			return errors.New("it should permit the rest")
		}
		h.alone = true
		return nil
	case l.Number < LaterEnd:
		return h.put(0, l, l.Number)
	case l.Number < firstEnd:
		return h.put(1, l, l.Number-firstBegin)
	}
	return errors.New("sluice writes no line there")
}

// put takes a remark or a line at number, counted from the beginning of its part.
func (h *halves) put(half int, l *ReadLine, number uint32) error {
	place := number / perPlace
	slots := h.at[half]
	switch number % perPlace {
	case 0:
		if l.Grant != "" || place == 0 {
			return errors.New("want a remark there, with the name of the entry behind it")
		}
		h.at[half] = append(slots, slot{place: place, remark: l.Remark})
		return nil
	case 1:
		if l.Grant == "" || len(slots) == 0 || slots[len(slots)-1].place != place {
			return errors.New("want a remark in front of it, and an entry there")
		}
		slots[len(slots)-1].line = l
		return nil
	}
	return errors.New("sluice writes no line there")
}

// finish joins the parts by their places.
func (h *halves) finish() (filter.Filter, error) {
	out := filter.Filter{Name: h.list.name, Version: h.list.V, Placement: filter.Before}
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
	return out, errors.Join(out.Check(), h.lang.Check(out))
}

// entry joins what one entry is in both parts; one of them may be nil.
func (h *halves) entry(a, b *slot) (filter.Entry, error) {
	var states packet.Frags
	var l *ReadLine
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
			return filter.Entry{}, fmt.Errorf("number %d: %w", one.line.Number, err)
		}
		states |= f
		if s != nil && !(s.remark == one.remark && sameButFragments(l, one.line)) {
			return filter.Entry{}, fmt.Errorf("number %d: it is another entry than number %d", one.line.Number, l.Number)
		}
		s, l = one, one.line
	}
	e := filter.Entry{Match: l.Match, Do: l.does(), Counter: strings.Clone(l.Counter), Place: s.place}
	if err := h.lang.Entry(&e, strings.Clone(s.remark)); err != nil {
		return e, fmt.Errorf("place %d: remark: %w", s.place, err)
	}
	if e.Match.Fragments = states; states == packet.AnyFrags {
		e.Match.Fragments = 0
	}
	e.Rule = filter.RuleOf(e.Name)
	return e, nil
}

// states returns the fragment states of the packets that l matches in its half of the list.
func (h *halves) states(half int, l *ReadLine) (packet.Frags, error) {
	var w FragmentWord
	for _, k := range h.lang.FragmentWords(h.list.V) {
		if k.Word == l.Word {
			w = k
		}
	}
	switch {
	case half == 0 && (!w.in(later) || l.Match.Transport()):
		return 0, errors.New("among the lines for later fragments one may match other packets")
	case half == 0:
		return w.States, nil
	case h.parted || l.Match.Transport():
		if !h.parted && (l.Grant != "deny" || h.list.V == packet.IPv6) {
			return 0, errors.New("no line in front of it takes the later fragments, which it may match as well")
		}
		if w.States&packet.OffsetZero == 0 {
			return 0, errors.New("no packet that gets there is a fragment of that kind")
		}
		return w.States & packet.OffsetZero, nil
	}
	return w.States, nil
}

// sameButFragments says whether two lines say the same of everything but fragments.
func sameButFragments(a, b *ReadLine) bool {
	x, y := *a, *b
	x.Number, y.Number, x.Word, y.Word = 0, 0, "", ""
	return sameLine(x, y)
}

func sameLine(a, b ReadLine) bool {
	m, n := a.Match, b.Match
	same := func(x, y packet.Values) bool { return (x == nil) == (y == nil) && slices.Equal(x, y) }
	return a.Grant == b.Grant && a.Counter == b.Counter && equal(a.Next, b.Next) && equal(m.Src, n.Src) && equal(m.Dst, n.Dst) &&
		same(m.Proto, n.Proto) && same(m.DSCP, n.DSCP) && same(m.Length, n.Length) && same(m.SrcPort, n.SrcPort) && same(m.DstPort, n.DstPort) &&
		same(m.ICMPType, n.ICMPType) && same(m.ICMPCode, n.ICMPCode) && slices.Equal(m.Flags, n.Flags)
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
