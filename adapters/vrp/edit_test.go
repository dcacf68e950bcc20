package vrp_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// device does what edits say.
type device struct{ dialecttest.Store }

func newDevice() *device {
	return &device{dialecttest.Store{
		Keys: map[string]string{
			"group": "identity", "group6": "identity", "rule-advance": "name", "traffic-classifier": "name", "traffic-behavior": "name", "traffic-policy": "name",
			"policy-node": "classifier-name",
		},
		Limits: "cir",
	}}
}

// holds fails unless d holds want and nothing that want does not need, and returns what it holds.
func (d *device) holds(t dialecttest.T, want []filter.Filter) []filter.Filter {
	t.Helper()
	got, err := dialect.Parse(d.Config())
	if err != nil || len(got) != len(want) {
		t.Fatalf("got %d filters and %v, want %d\n%s", len(got), err, len(want), d.Config())
	}
	classes, limits := len(want), 0
	for i, f := range want {
		if err := filter.Same(f, got[i], dialect.Semantics()); err != nil {
			t.Fatalf("%v\n%s", err, d.Config())
		}
		seen := map[uint32]bool{}
		for _, e := range got[i].Entries {
			seen[e.Place>>16] = true
		}
		classes, limits = classes+len(seen), limits+len(f.Policers)
	}
	if n := strings.Count(string(d.Config()), "<traffic-classifier "); n != classes {
		t.Fatalf("%d classifiers, want %d", n, classes)
	}
	if n := d.Policers(); n != limits {
		t.Fatalf("%d policers, want %d", n, limits)
	}
	return got
}

func edit(t dialecttest.T, have, want []filter.Filter) []byte {
	t.Helper()
	b, err := dialect.Edit(have, want)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return b
}

// A router that does what edits say holds what was wanted, however often it is edited: filters of both versions, that come, change and go.
func TestEditsLeadToWhatIsWanted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newDevice()
		var have []filter.Filter
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			want := changed(t, have)
			d.Edit(t, edit(t, have, want))
			have = d.holds(t, want)
			if again := edit(t, have, want); again != nil {
				t.Fatalf("an edit to where it is: %s", again)
			}
		}
	})
}

// changed draws what is wanted next: other filters, or those that are there with some entries moved, removed and put in.
func changed(t *rapid.T, have []filter.Filter) []filter.Filter {
	var out []filter.Filter
	for _, name := range []string{"sluice-v4", "sluice-v6"} {
		f := suite.Sayable(t)
		if f.Name != name || rapid.IntRange(0, 5).Draw(t, "gone") == 0 {
			continue
		}
		if i := slices.IndexFunc(have, func(h filter.Filter) bool { return h.Name == name }); i >= 0 && rapid.IntRange(0, 3).Draw(t, "kept") > 0 {
			f = mixed(t, have[i], f)
		}
		for i := range f.Policers { // filters have policers of their own
			old := f.Policers[i].Name
			f.Policers[i].Name = "sluice-" + strings.TrimPrefix(strings.TrimPrefix(old, "sluice-"), name[7:]+"x") + "-" + name[7:]
			if strings.HasSuffix(old, "-"+name[7:]) {
				f.Policers[i].Name = old
			}
			for j := range f.Entries {
				if f.Entries[j].Do.Policer == old {
					f.Entries[j].Do.Policer = f.Policers[i].Name
				}
			}
		}
		out = append(out, f)
	}
	return out
}

// mixed is a filter of entries of a and b, those of a in their order now and then.
func mixed(t *rapid.T, a, b filter.Filter) filter.Filter {
	pool := slices.Clone(a.Entries)
	for _, e := range b.Entries {
		e.Name = strings.Replace(e.Name, "r-0", "r-f", 1)
		e.Rule, e.Counter = e.Rule[:0]+"f"+e.Rule[1:], strings.Replace(e.Counter, "r-0", "r-f", 1)
		if at := rapid.IntRange(0, len(pool)).Draw(t, "at"); !slices.ContainsFunc(pool, func(o filter.Entry) bool { return o.Name == e.Name }) && e.Do.Policer == "" {
			pool = slices.Insert(pool, at, e)
		}
	}
	var out []filter.Entry
	for i, e := range pool {
		e.Place = 0
		switch rapid.IntRange(0, 5).Draw(t, "fate") {
		case 0:
			continue
		case 1:
			if e.Do.Policer == "" {
				e.Do = action(t, a, e.Match)
				if e.Do.Policer != "" {
					e.Do = filter.Do{}
				}
			}
		case 2:
			if i > 0 && len(out) > 0 && e.Do.Policer == "" && out[len(out)-1].Do.Policer == "" {
				out = slices.Insert(out, len(out)-1, e)
				continue
			}
		}
		out = append(out, e)
	}
	a.Entries = out
	a.Policers = slices.DeleteFunc(slices.Clone(a.Policers), func(p filter.Policer) bool {
		return !slices.ContainsFunc(out, func(e filter.Entry) bool { return e.Do.Policer == p.Name })
	})
	return a
}

// From nothing an edit is what Render writes, with each object replaced; to nothing each object is deleted by its name.
func TestEditFromAndToNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := suite.Sayable(t)
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		add := edit(t, nil, []filter.Filter{f})
		if got := dialecttest.WithoutOperations(add); !bytes.Equal(got, r.Payload) {
			t.Fatalf("got  %s\nwant %s", got, r.Payload)
		}
		remove := edit(t, []filter.Filter{f}, nil)
		if n := bytes.Count(add, []byte(`"replace"`)); n == 0 || bytes.Count(remove, []byte(`"delete"`)) != n || bytes.Contains(remove, []byte("<rule-advance>")) {
			t.Fatalf("want %d deletions and nothing else, got %s", n, remove)
		}
	})
}

// One rule more, less or changed among a thousand is a few lines, wherever it is. One of another kind in the middle of a classifier moves those behind it.
func TestOneRuleIsASmallEdit(t *testing.T) {
	t.Parallel()
	const entries = 1000
	old := large(2 * entries)
	old.Entries = slices.DeleteFunc(old.Entries, func(e filter.Entry) bool { return e.Name[len(e.Name)-1]%2 == 1 }) // every other one
	spare := large(2 * entries).Entries[1001]
	permit, limited := spare, spare
	permit.Do, limited.Do = filter.Do{}, filter.Do{Policer: "sluice-p"}
	for name, c := range map[string]struct {
		most   int // operations
		change func([]filter.Entry) []filter.Entry
	}{
		"one more":    {1, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 500, spare) }},
		"one first":   {1, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 0, spare) }},
		"one at last": {1, func(es []filter.Entry) []filter.Entry { return append(es, spare) }},
		"one less":    {1, func(es []filter.Entry) []filter.Entry { return slices.Delete(es, 500, 501) }},
		"one changed": {1, func(es []filter.Entry) []filter.Entry {
			es[500].Match.DSCP = one(8)
			return es
		}},
		"one moved": {2, func(es []filter.Entry) []filter.Entry {
			return slices.Insert(slices.Delete(slices.Clone(es), 100, 101), 900, es[100])
		}},
		"another kind, between classifiers": {3, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 64*10, permit) }},
		"another kind, inside one":          {64 + 6, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 64*10+5, permit) }},
		"one limited, inside one":           {64 + 7, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 64*10+60, limited) }},
		"sixty in one place": {128, func(es []filter.Entry) []filter.Entry {
			return slices.Insert(es, 500, slices.DeleteFunc(large(120 + 1001).Entries[1001:], func(e filter.Entry) bool { return e.Name[len(e.Name)-1]%2 == 0 })...)
		}},
	} {
		d := newDevice()
		d.Edit(t, edit(t, nil, []filter.Filter{old}))
		have := d.holds(t, []filter.Filter{old})
		want := old
		want.Entries = c.change(slices.Clone(old.Entries))
		if strings.HasPrefix(name, "one limited") {
			want.Policers = []filter.Policer{{Name: "sluice-p", Rate: rate(1250), Burst: 15000}}
		}
		b := edit(t, have, []filter.Filter{want})
		if n := bytes.Count(b, []byte("nc:operation=")); n == 0 || n > c.most {
			t.Errorf("%s: %d operations, want %d at most: %.3000s", name, n, c.most, b)
		}
		d.Edit(t, b)
		d.holds(t, []filter.Filter{want})
	}
}

// Entries that share a policer stay in one classifier, however many they are and wherever new ones come in between.
func TestEntriesThatShareAPolicer(t *testing.T) {
	t.Parallel()
	f := large(300)
	f.Policers = []filter.Policer{{Name: "sluice-p", Rate: rate(1250), Burst: 15000}}
	for i := 50; i < 250; i++ {
		f.Entries[i].Do = filter.Do{Policer: "sluice-p"}
	}
	d := newDevice()
	less := f
	less.Entries = slices.Delete(slices.Clone(f.Entries), 100, 130)
	d.Edit(t, edit(t, nil, []filter.Filter{less}))
	have := d.holds(t, []filter.Filter{less})
	b := edit(t, have, []filter.Filter{f})
	if n := bytes.Count(b, []byte("nc:operation=")); n != 30 {
		t.Errorf("%d operations for 30 entries", n)
	}
	d.Edit(t, b)
	seen := map[uint32]bool{}
	for _, e := range d.holds(t, []filter.Filter{f})[0].Entries[50:250] {
		seen[e.Place>>16] = true
	}
	if len(seen) != 1 {
		t.Errorf("they are in %d classifiers", len(seen))
	}
	f.Entries[100].Do = filter.Do{}
	if _, err := dialect.Render(f); err == nil || !strings.Contains(err.Error(), "policer sluice-p: entries that share it must do the same, stand one behind the other and ask for different packets") {
		t.Errorf("got %v", err)
	}
}

// The limit of one policer is that of one classifier, so the filters of both versions do not share it.
func TestFiltersDoNotShareAPolicer(t *testing.T) {
	t.Parallel()
	var both []filter.Filter
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		both = append(both, filter.Filter{Name: map[packet.Version]string{4: "sluice-v4", 6: "sluice-v6"}[v], Version: v, Placement: filter.Alone,
			Entries: []filter.Entry{{Name: "a", Do: filter.Do{Policer: "sluice-p"}}}, Policers: []filter.Policer{{Name: "sluice-p", Rate: rate(1250), Burst: 15000}}})
	}
	if _, err := dialect.Edit(nil, both); err == nil || err.Error() != "filter sluice-v6: policer sluice-p stands in another filter too, and each would have a bucket of its own" {
		t.Errorf("got %v", err)
	}
}

// What another hand changed is put right: line by line where it is understood, else the policy and all that belongs to it.
func TestEditRepairsWhatAnotherHandChanged(t *testing.T) {
	t.Parallel()
	want := []filter.Filter{busy()}
	for change, whole := range map[[2]string]bool{
		{"<dest-ipaddr>203.0.113.9<", "<dest-ipaddr>203.0.113.99<"}: false,
		{"<remark-value>46", "<remark-value>8"}:                     false,
		{"<cir>10000", "<cir>20000"}:                                false,
		{"<action>permit", "<action>deny"}:                          true,
		{"<share-mode>enable", "<share-mode>disable"}:               true,
		{"<type>advance", "<type>basic"}:                            true,
		{"<priority>16<", "<priority>17<"}:                          true,
		{"<protocol>17<", "<protocol>17</protocol><vpn-any/><ttl-begin>3</ttl-begin><protocol-x>1</protocol-x><ttl-end>4</ttl-end><protocol-y>1<"}: true,
	} {
		r, err := dialect.Render(busy())
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.Replace(string(r.Payload), change[0], change[1], 1)
		if shown == string(r.Payload) {
			t.Errorf("the payload has no %s", change[0])
		}
		if strings.Contains(change[1], "protocol-y") {
			shown = strings.Replace(shown, "</protocol-y></protocol>", "</protocol-y>", 1)
			shown = strings.Replace(shown, "<protocol-y>1</protocol>", "<protocol-y>1</protocol-y>", 1)
		}
		d := newDevice()
		d.Edit(t, []byte(shown))
		have, err := dialect.Parse([]byte(shown))
		var foreign *filter.ForeignError
		if errors.As(err, &foreign) {
			have = foreign.Filters
		} else if err != nil {
			t.Fatalf("%s: %v", change[1], err)
		}
		b := edit(t, have, want)
		if got := bytes.Contains(b, []byte(`<traffic-policy nc:operation="replace">`)); got != whole || len(b) == 0 {
			t.Errorf("%s: replaced whole is %v, want %v: %s", change[1], got, whole, b)
		}
		d.Edit(t, b)
		d.holds(t, want)
	}
}
