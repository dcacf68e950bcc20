package trace

import (
	"cmp"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/table"
)

// nearest is how many lines are listed that miss by their destination alone, where none is about the packet's destination.
const nearest = 3

// line is one line of a table on its way to becoming a Step: a rule or a route, or an entry of a filter.
type line struct {
	rule      flowspec.ID
	match     flowspec.Match
	from      *flowspec.Rule // a rule; its text is made when it is shown
	route     *device.Route
	entry     *filter.Entry
	semantics filter.Semantics // of entry
	do        table.Outcome
	bucket    string
	continues bool
	odd       flowspec.ExtComm
}

// ruleLine returns what r asks for.
func ruleLine(r *flowspec.Rule) line {
	l := line{rule: r.ID, match: r.Match, do: table.Want(*r), continues: r.Action.Continue, bucket: string(r.ID), from: r}
	if len(r.Action.Unknown) > 0 {
		l.odd = r.Action.Unknown[0]
	}
	return l
}

// destined says whether l is about the destination of h: it names one that holds it, or none.
func (l *line) destined(h *packet.Header) bool {
	if l.entry != nil {
		return l.entry.Match.Dst == nil || l.entry.Match.Dst.Contains(h.Dst)
	}
	c, ok := l.match.Component(flowspec.DstPrefix)
	return !ok || holds(c.Prefix, h.Dst)
}

// holds says whether a is in p. Bits in front of the offset are free (RFC 8956 §3.1).
func holds(p flowspec.Prefix, a netip.Addr) bool {
	if p.Offset == 0 {
		return netip.PrefixFrom(p.Addr, int(p.Len)).Contains(a)
	}
	want, got := p.Addr.As16(), a.As16()
	for bit := int(p.Offset); bit < int(p.Len); bit++ {
		if (want[bit/8]^got[bit/8])>>(7-bit%8)&1 != 0 {
			return false
		}
	}
	return true
}

// misses returns why l does not match h; nothing where it does.
func (l *line) misses(h *packet.Header) []Miss {
	if l.entry != nil {
		return entryMisses(l.entry.Match, l.semantics, h)
	}
	return ruleMisses(l.match, h)
}

// passed is a line that does not match.
type passed struct {
	at     int
	misses []Miss
}

// walk sends h down lines.
func (o Options) walk(lines []line, h packet.Header) Walk {
	w := Walk{Entries: len(lines), Met: []Step{}, Skipped: []Step{}, Unreached: []Step{}, Does: []string{}, Policers: []string{}}
	var near, far []passed
	for i := range lines {
		l := &lines[i]
		here := l.destined(&h)
		if w.Decided {
			if here && len(l.misses(&h)) == 0 {
				w.unreached(o.step(l, i, nil), o.Listed)
			}
			continue
		}
		misses := l.misses(&h)
		switch {
		case len(misses) == 0:
			w.meet(o.step(l, i, []Miss{}), l)
		case here:
			near = append(near, passed{i, misses})
		default:
			w.Elsewhere++
			if len(misses) == 1 {
				far = append(far, passed{i, misses})
			}
		}
	}
	if len(near) == 0 && len(w.Met) == 0 {
		near = nearby(far, lines, h.Dst, min(nearest, o.Listed))
		w.Elsewhere -= len(near)
	}
	for _, p := range closest(near, o.Listed) {
		w.Skipped = append(w.Skipped, o.step(&lines[p.at], p.at, p.misses))
	}
	w.SkippedMore = len(near) - len(w.Skipped)
	for _, d := range w.done {
		w.Does = append(w.Does, o.words(d))
	}
	return w
}

// meet adds a line that matches.
func (w *Walk) meet(s Step, l *line) {
	w.Met = append(w.Met, s)
	w.Decided = !l.continues
	d := done{rule: l.rule, do: l.do, odd: l.odd}
	if l.do.Policer != "" {
		w.Policers = append(w.Policers, l.bucket)
	}
	if d.do != (table.Outcome{}) || d.odd != "" {
		w.done = append(w.done, d)
	}
}

func (w *Walk) unreached(s Step, most int) {
	if len(w.Unreached) == most {
		w.UnreachedMore++
		return
	}
	s.Misses = []Miss{}
	w.Unreached = append(w.Unreached, s)
}

// closest returns at most most of list: those that miss least, and of equals the last ones; in the order of list.
func closest(list []passed, most int) []passed {
	if len(list) <= most {
		return list
	}
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b passed) int { return cmp.Or(len(a.misses)-len(b.misses), b.at-a.at) })
	out = out[:most]
	slices.SortFunc(out, func(a, b passed) int { return a.at - b.at })
	return out
}

// nearby returns at most most of list, whose lines miss by their destination alone: those whose destinations share the most leading bits with dst.
func nearby(list []passed, lines []line, dst netip.Addr, most int) []passed {
	if len(list) <= most {
		return list
	}
	shared := make(map[int]int, len(list))
	for _, p := range list {
		shared[p.at] = leading(lines[p.at].destination(), dst)
	}
	slices.SortStableFunc(list, func(a, b passed) int { return shared[b.at] - shared[a.at] })
	list = list[:most]
	slices.SortFunc(list, func(a, b passed) int { return a.at - b.at })
	return list
}

// destination returns the address of the destination prefix of l, which has one.
func (l *line) destination() netip.Addr {
	if l.entry != nil {
		return l.entry.Match.Dst.Addr()
	}
	c, _ := l.match.Component(flowspec.DstPrefix)
	return c.Prefix.Addr
}

// leading returns how many leading bits a and b share.
func leading(a, b netip.Addr) int {
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 128
}

// step shows l, which is number i of its table, from 0.
func (o Options) step(l *line, i int, misses []Miss) Step {
	at := o.place(l.rule)
	do := l.do
	do.Policer = "" // it is the rule's own
	s := Step{ID: l.rule, File: at.File, Line: at.Line, At: i + 1, Does: o.words(done{do: do, odd: l.odd}), Continue: l.continues, Misses: misses}
	switch {
	case l.entry != nil:
		s.Entry, s.Text = l.entry.Name, l.entry.Name
		if o.Lines != nil {
			s.Text = o.Lines(l.entry.Name)
		}
	case l.from != nil:
		s.Text = notation.Text(*l.from)
	case l.route != nil:
		s.Text = notation.Text(flowspec.Rule{Match: l.route.Match, Action: l.route.Action, Communities: l.route.Communities,
			LargeCommunities: l.route.LargeCommunities, Others: l.route.Others})
	}
	s.Text = strings.TrimSpace(s.Text)
	return s
}

// words says what a line does. A policer is named by its rule.
func (o Options) words(d done) string {
	do := d.do
	if do.Policer != "" {
		do.Policer = "of " + name(d.rule, o.place(d.rule))
	}
	s := do.String()
	switch {
	case d.odd != "" && do == (table.Outcome{}):
		return "an action that is not understood (" + d.odd.String() + ")"
	case d.odd != "":
		return s + ", and an action that is not understood (" + d.odd.String() + ")"
	}
	return s
}
