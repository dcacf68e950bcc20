package dialecttest

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Edits is how a dialect changes filters that are there: with the operations of NETCONF (RFC 6241 §7.2).
type Edits struct {
	// Edit leads from the filters that a device has to those that it should have; nil: there is nothing to do.
	Edit func(have, want []filter.Filter) ([]byte, error)
	// Inner begins an entry in a filter that is told whole.
	Inner string
	// Device returns one that holds nothing and does what edits say, knowing nothing of filters but the keys of their lists; nil: filters are replaced whole.
	Device func() Device
	// Operations is how many operations one entry takes.
	Operations int
	// Objects is how many objects a filter is; nil: itself and its policers.
	Objects func(filter.Filter) int
	// Repairs are changes of another hand to the text of Busy, what stands there and what stands there instead, and whether the filter is told whole to put it right.
	Repairs map[[2]string]bool
	// Ordinary makes of a match with a destination, a protocol and a source port one that the language can say; nil: it can say that.
	Ordinary func(filter.Match) filter.Match
}

// Device takes edits, and fails where one deletes what is not there.
type Device interface {
	Edit(t T, edit []byte)
	// Config is what the device holds, in no order, as Parse reads it.
	Config() []byte
	// Policers is how many the device holds.
	Policers() int
}

var operation = regexp.MustCompile(` nc:operation="[a-z]+"| xmlns:nc="[^"]*"`)

// WithoutOperations is an edit without its operations: the configuration that it is about.
func WithoutOperations(edit []byte) []byte { return operation.ReplaceAll(edit, nil) }

// editFromAndToNothing: from nothing, an edit says what Render says; to nothing, it deletes each object and says no more; to the same, it says nothing.
func (s Suite) editFromAndToNothing(t *testing.T) {
	if s.Edits == nil {
		t.Skip("filters are replaced whole, by other means")
	}
	rapid.Check(t, func(t *rapid.T) {
		f := s.Sayable(t)
		r := s.render(t, s.Dialect, f)
		objects := s.Edits.objects(f)
		add := s.edit(t, nil, []filter.Filter{f})
		if got := WithoutOperations(add); !bytes.Equal(got, r.Payload) || bytes.Count(add, []byte(`"replace"`)) != objects {
			t.Fatalf("got  %s\nwant %s with %d objects replaced", add, r.Payload, objects)
		}
		remove := s.edit(t, []filter.Filter{f}, nil)
		if n := bytes.Count(remove, []byte(`"delete"`)); n != objects || bytes.Contains(remove, []byte(s.Edits.Inner)) {
			t.Fatalf("want %d deletions and nothing else, got %s", objects, remove)
		}
		if same := s.edit(t, []filter.Filter{f}, []filter.Filter{f}); same != nil {
			t.Fatalf("got %s for no change", same)
		}
	})
}

func (e *Edits) objects(f filter.Filter) int {
	if e.Objects != nil {
		return e.Objects(f)
	}
	return 1 + len(f.Policers)
}

// editsLead: a device that does what edits say holds what was wanted, however often it is edited, and no policer that nothing uses.
func (s Suite) editsLead(t *testing.T) {
	if s.Edits == nil || s.Edits.Device == nil {
		t.Skip("filters are replaced whole")
	}
	rapid.Check(t, func(t *rapid.T) {
		d := s.Edits.Device()
		var have []filter.Filter
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			var want []filter.Filter
			if rapid.IntRange(0, 5).Draw(t, "any") > 0 {
				want = append(want, s.Sayable(t))
			}
			edit := s.edit(t, have, want)
			d.Edit(t, edit)
			have = s.holds(t, d, want)
		}
	})
}

// holds fails unless d holds want and its policers, and returns what it holds.
func (s Suite) holds(t T, d Device, want []filter.Filter) []filter.Filter {
	t.Helper()
	have, err := s.Dialect.Parse(d.Config())
	if err != nil {
		t.Fatalf("%v\n%s", err, d.Config())
	}
	if len(have) != len(want) {
		t.Fatalf("the device holds %d filters, want %d", len(have), len(want))
	}
	policers := 0
	for i := range want {
		policers += len(want[i].Policers)
		if err := filter.Same(want[i], have[i], s.Dialect.Semantics()); err != nil {
			t.Fatalf("%v\n%s", err, d.Config())
		}
	}
	if d.Policers() != policers {
		t.Fatalf("the device holds %d policers, want %d", d.Policers(), policers)
	}
	return have
}

// editsRepair: what another hand changed and is understood is put right where it was changed; what is not understood is told whole.
func (s Suite) editsRepair(t *testing.T) {
	if s.Edits == nil || s.Edits.Repairs == nil {
		t.Skip("filters are replaced whole, or a test of the dialect's own says it")
	}
	r := s.render(t, s.Dialect, s.Busy())
	for change, whole := range s.Edits.Repairs {
		shown := strings.Replace(r.Text, change[0], change[1], 1)
		if shown == r.Text {
			t.Errorf("the text has no %q", change[0])
		}
		have, err := s.Dialect.Parse([]byte(shown))
		var foreign *filter.ForeignError
		if errors.As(err, &foreign) {
			have = foreign.Filters
		} else if err != nil {
			t.Fatalf("%q: %v", change[1], err)
		}
		edit := s.edit(t, have, []filter.Filter{s.Busy()})
		if got := bytes.Equal(WithoutOperations(edit), r.Payload); got != whole || len(edit) == 0 {
			t.Errorf("%q: told whole is %v, want %v: %s", change[1], got, whole, edit)
		}
	}
}

// smallEdit: one rule more, less or changed is that rule's entries, and nobody else's. Where no place is left between two entries, all get new ones, once.
func (s Suite) smallEdit(t *testing.T) {
	if s.Edits == nil || s.Edits.Device == nil {
		t.Skip("filters are replaced whole")
	}
	old := filter.Filter{Name: filter.Mark + "v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range 500 {
		old.Entries = append(old.Entries, s.ordinary(2*i))
	}
	for name, c := range map[string]struct {
		entries int
		change  func([]filter.Entry) []filter.Entry
	}{
		"one more":    {1, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 250, s.ordinary(499)) }},
		"one at last": {1, func(es []filter.Entry) []filter.Entry { return append(es, s.ordinary(1001)) }},
		"one less":    {1, func(es []filter.Entry) []filter.Entry { return slices.Delete(es, 250, 251) }},
		"one changed": {1, func(es []filter.Entry) []filter.Entry {
			es[250].Match = s.ordinary(3000).Match
			return es
		}},
		"one moved": {2, func(es []filter.Entry) []filter.Entry {
			return slices.Insert(slices.Delete(slices.Clone(es), 100, 101), 300, es[100])
		}},
		"a hundred in one place": {500, func(es []filter.Entry) []filter.Entry {
			for i := range 100 {
				es = slices.Insert(es, 250, s.ordinary(2001+i))
			}
			return es
		}},
	} {
		d := s.Edits.Device()
		d.Edit(t, s.edit(t, nil, []filter.Filter{old}))
		have := s.holds(t, d, []filter.Filter{old})
		want := old
		want.Entries = c.change(slices.Clone(old.Entries))
		edit := s.edit(t, have, []filter.Filter{want})
		if n := bytes.Count(edit, []byte("nc:operation=")); n == 0 || n > 2*c.entries*s.Edits.Operations || c.entries < 3 && n > c.entries*s.Edits.Operations {
			t.Errorf("%s: %d operations, want %d at most for each of %d entries: %.4000s", name, n, s.Edits.Operations, c.entries, edit)
		}
		d.Edit(t, edit)
		s.holds(t, d, []filter.Filter{want})
	}
}

// ordinary is an entry, another for each i below 65,536.
func (s Suite) ordinary(i int) filter.Entry {
	dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
	m := filter.Match{Dst: &dst, Proto: One(17), SrcPort: One(53)}
	if s.Edits.Ordinary != nil {
		m = s.Edits.Ordinary(m)
	}
	return filter.Entry{Name: fmt.Sprintf("r-%016x", i), Match: filter.Guard(m, packet.IPv4, s.Dialect.Semantics()), Do: filter.Do{Discard: true}}
}

func (s Suite) edit(t T, have, want []filter.Filter) []byte {
	t.Helper()
	edit, err := s.Edits.Edit(have, want)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return edit
}
