package dialecttest

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
)

// T is a testing.TB or a *rapid.T.
type T interface {
	Helper()
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

// anyFilter: whatever the filter, Render refuses it and says which entry and what of it, or what it writes is read back as the same filter.
func (s Suite) anyFilter(t *testing.T) {
	var written atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		f := s.Any(t)
		d := s.configured(t)
		r, err := d.Render(f)
		if err != nil {
			refusal(t, f, err)
			return
		}
		written.Add(int64(len(f.Entries)))
		s.holdsTogether(t, d, f, r)
	})
	if written.Load() == 0 {
		t.Error("nothing was written")
	}
	t.Logf("%d entries were written", written.Load())
}

// refusal fails unless each line of err gives a reason, and one of them says what is refused.
func refusal(t T, f filter.Filter, err error) {
	t.Helper()
	for _, line := range strings.Split(err.Error(), "\n") {
		if !strings.Contains(line, ": ") || strings.HasSuffix(line, ":") {
			t.Fatalf("a refusal without a reason: %q", line)
		}
	}
	placed := f.Placement == filter.Before && strings.Contains(err.Error(), "before another filter")
	if !strings.Contains(err.Error(), "entry r-") && !strings.Contains(err.Error(), "policer sluice-") && !placed {
		t.Fatalf("a refusal that names neither entry nor policer: %v", err)
	}
}

// sayable: what the language can say is not refused.
func (s Suite) sayable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := s.Sayable(t)
		d := s.configured(t)
		s.holdsTogether(t, d, f, s.render(t, d, f))
	})
}

// holdsTogether looks at what d wrote for f: read back it is f, written again it is the same, its parts are all there, and it keeps to the grammar.
func (s Suite) holdsTogether(t T, d filter.Dialect, f filter.Filter, r filter.Rendered) {
	t.Helper()
	s.readsBack(t, f, r)
	if again := s.render(t, d, f); !reflect.DeepEqual(again, r) {
		t.Fatalf("written twice, it differs:\n%s\n%s", r.Text, again.Text)
	}
	if len(r.Entries) != len(f.Entries) {
		t.Fatalf("%d texts for %d entries", len(r.Entries), len(f.Entries))
	}
	for i, e := range f.Entries {
		if !strings.Contains(r.Entries[i], e.Name) {
			t.Fatalf("the text of entry %s is %q", e.Name, r.Entries[i])
		}
	}
	if s.Grammar == nil {
		return
	}
	if err := s.Grammar(f, r.Text); err != nil {
		t.Fatalf("%v\n%s", err, r.Text)
	}
}

// smallChange: where one entry changes in its place, only lines of that entry differ. It looks at filters of a few entries: where there are many, what leads to them may change too.
func (s Suite) smallChange(t *testing.T) {
	s.Many = nil
	var changed atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		f := s.Sayable(t)
		if len(f.Entries) == 0 {
			return
		}
		before := s.render(t, s.Dialect, f)
		i := rapid.IntRange(0, len(f.Entries)-1).Draw(t, "changed")
		g := f
		g.Entries = slices.Clone(f.Entries)
		g.Entries[i].Match.Src = host(f.Version)
		after := s.render(t, s.Dialect, g)
		for _, side := range [][2]filter.Rendered{{before, after}, {after, before}} {
			for _, l := range missing(side[0].Text, side[1].Text) {
				if !isOf(l, f.Entries[i], side[0].Entries[i]) {
					t.Fatalf("more than %s changed: %q\n%s\n%s", f.Entries[i].Name, l, before.Text, after.Text)
				}
				changed.Add(1)
			}
		}
	})
	if changed.Load() == 0 {
		t.Error("nothing changed")
	}
}

// isOf says whether line is one of e, whose text is given: it has its name, or no word that is not there.
func isOf(line string, e filter.Entry, text string) bool {
	if strings.Contains(line, e.Name) {
		return true
	}
	there := strings.FieldsFunc(text, blank)
	for _, word := range strings.FieldsFunc(line, blank) {
		if !slices.Contains(there, word) {
			return false
		}
	}
	return true
}

func blank(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("{};,\"", r) }

// missing returns the lines that a has more often than b.
func missing(a, b string) []string {
	have := map[string]int{}
	for l := range strings.Lines(b) {
		have[l]++
	}
	var out []string
	for l := range strings.Lines(a) {
		if have[l]--; have[l] < 0 {
			out = append(out, l)
		}
	}
	return out
}

func (s Suite) configured(t *rapid.T) filter.Dialect {
	if s.Configured == nil {
		return s.Dialect
	}
	return s.Configured(t)
}

func (s Suite) render(t T, d filter.Dialect, f filter.Filter) filter.Rendered {
	t.Helper()
	r, err := d.Render(f)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return r
}

// readsBack fails unless text and payload are read as f.
func (s Suite) readsBack(t T, f filter.Filter, r filter.Rendered) {
	t.Helper()
	for _, form := range forms(r) {
		ReadsBack(t, s.Dialect, f, form)
	}
}

// forms are text and payload, once where they are the same.
func forms(r filter.Rendered) [][]byte {
	if bytes.Equal(r.Payload, []byte(r.Text)) {
		return [][]byte{r.Payload}
	}
	return [][]byte{[]byte(r.Text), r.Payload}
}

// ReadsBack fails unless d reads b as f, proven, and nothing else. Entries that have places are in them.
func ReadsBack(t T, d filter.Dialect, f filter.Filter, b []byte) {
	t.Helper()
	got, err := d.Parse(b)
	if err != nil {
		t.Fatalf("%v\n%.4000s", err, b)
	}
	if len(got) != 1 {
		t.Fatalf("got %d filters, want 1\n%.4000s", len(got), b)
	}
	if err := filter.Same(f, got[0], d.Semantics()); err != nil {
		t.Fatalf("%v\n%.4000s", err, b)
	}
	placed := allPlaced(f)
	for i, e := range f.Entries {
		if unnamed := e.Rule == "" && strings.HasPrefix(e.Name, "r-"); !unnamed && got[0].Entries[i].Rule != e.Rule {
			t.Fatalf("entry %s: rule %q, want %q", e.Name, got[0].Entries[i].Rule, e.Rule)
		}
		if at := got[0].Entries[i].Place; placed && at != e.Place {
			t.Fatalf("entry %s moved from place %d to %d\n%s", e.Name, e.Place, at, b)
		}
	}
}

// allPlaced says whether the entries of f have places, in their order.
func allPlaced(f filter.Filter) bool {
	last := uint32(0)
	for _, e := range f.Entries {
		if e.Place <= last {
			return false
		}
		last = e.Place
	}
	return true
}
