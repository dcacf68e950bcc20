package sros_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

var operation = regexp.MustCompile(` nc:operation="[a-z]+"| xmlns:nc="[^"]*"`)

// From nothing, Edit says what Render says; to nothing, it deletes the objects and says no more; to the same, it says nothing.
func TestEditFromAndToNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable, sayableAction).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		add, err := dialect.Edit(nil, []filter.Filter{f})
		if err != nil {
			t.Fatal(err)
		}
		if got := operation.ReplaceAll(add, nil); !bytes.Equal(got, r.Payload) || bytes.Count(add, []byte(`"replace"`)) != 1+len(f.Policers) {
			t.Fatalf("got  %s\nwant %s", add, r.Payload)
		}
		remove, err := dialect.Edit([]filter.Filter{f}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(remove, []byte(`"delete"`)) != 1+len(f.Policers) || bytes.Contains(remove, []byte("<entry")) {
			t.Fatalf("want deletions and nothing else, got %s", remove)
		}
		same, err := dialect.Edit([]filter.Filter{f}, []filter.Filter{f})
		if err != nil || same != nil {
			t.Fatalf("got %s, %v for no change", same, err)
		}
	})
}

// A device that does what an edit says holds what was wanted, however often it is edited, and no policer that nothing uses.
func TestEditsLeadToWhatIsWanted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := newRouter()
		var have []filter.Filter
		for range rapid.IntRange(1, 6).Draw(t, "changes") {
			var want []filter.Filter
			if rapid.IntRange(0, 5).Draw(t, "any") > 0 {
				want = append(want, filters(sayable, sayableAction).Draw(t, "filter"))
			}
			edit, err := dialect.Edit(have, want)
			if err != nil {
				t.Fatal(err)
			}
			d.edit(t, edit)
			have, err = dialect.Parse(d.config())
			if err != nil {
				t.Fatalf("%v\nafter %s", err, edit)
			}
			if len(have) != len(want) {
				t.Fatalf("the device holds %d filters, want %d", len(have), len(want))
			}
			policers := 0
			for i := range want {
				policers += len(want[i].Policers)
				if err := filter.Same(want[i], have[i], dialect.Semantics()); err != nil {
					t.Fatalf("%v\nafter %s", err, edit)
				}
			}
			if len(d.policers) != policers {
				t.Fatalf("the device holds %d policers, want %d", len(d.policers), policers)
			}
		}
	})
}

// One rule more, less or changed is that rule's entries, and nobody else's.
func TestOneRuleIsASmallChange(t *testing.T) {
	t.Parallel()
	entry := func(i int) filter.Entry {
		dst := netip.PrefixFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 32)
		return filter.Entry{Name: fmt.Sprintf("r-%016x", i), Match: filter.Match{Dst: &dst, Proto: udp, SrcPort: dns, Fragments: packet.OffsetZero}, Do: filter.Do{Discard: true}}
	}
	old := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range 500 {
		old.Entries = append(old.Entries, entry(2*i))
	}
	d := newRouter()
	add, err := dialect.Edit(nil, []filter.Filter{old})
	if err != nil {
		t.Fatal(err)
	}
	d.edit(t, add)
	for name, c := range map[string]struct {
		operations int
		change     func([]filter.Entry) []filter.Entry
	}{
		"one more":    {1, func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 250, entry(499)) }},
		"one at last": {1, func(es []filter.Entry) []filter.Entry { return append(es, entry(1001)) }},
		"one less":    {1, func(es []filter.Entry) []filter.Entry { return slices.Delete(es, 250, 251) }},
		"one changed": {1, func(es []filter.Entry) []filter.Entry {
			es[250].Match.SrcPort = packet.Values{{Lo: 123, Hi: 123}}
			return es
		}},
		"one that is written twice now": {2, func(es []filter.Entry) []filter.Entry {
			es[250].Match.SrcPort = packet.Values{{Lo: 0, Hi: 123}}
			return es
		}},
		"one moved": {2, func(es []filter.Entry) []filter.Entry {
			return slices.Insert(slices.Delete(slices.Clone(es), 100, 101), 300, es[100])
		}},
	} {
		have, err := dialect.Parse(d.config())
		if err != nil {
			t.Fatal(err)
		}
		want := old
		want.Entries = c.change(slices.Clone(old.Entries))
		edit, err := dialect.Edit(have, []filter.Filter{want})
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(edit, []byte("nc:operation=")); n != c.operations {
			t.Errorf("%s: %d entries are touched, want %d: %s", name, n, c.operations, edit)
		}
	}
}

// Two filters may name one policer, as long as they mean the same one.
func TestEditOfFiltersWithOnePolicer(t *testing.T) {
	t.Parallel()
	limited := func(name string, v packet.Version, rate float32) filter.Filter {
		return filter.Filter{Name: name, Version: v, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Do: filter.Do{Policer: "sluice-p"}}},
			Policers: []filter.Policer{{Name: "sluice-p", Rate: flowspec.Rate{Amount: rate, Unit: flowspec.Bytes}, Burst: 15000}}}
	}
	both := []filter.Filter{limited("sluice-v4", packet.IPv4, 1250), limited("sluice-v6", packet.IPv6, 1250)}
	d := newRouter()
	for _, step := range [][2][]filter.Filter{{nil, both}, {both, both[1:]}, {both[1:], nil}} {
		edit, err := dialect.Edit(step[0], step[1])
		if err != nil {
			t.Fatal(err)
		}
		d.edit(t, edit)
		if want := min(len(step[1]), 1); len(d.policers) != want {
			t.Errorf("the device holds %d policers, want %d", len(d.policers), want)
		}
	}
	_, err := dialect.Edit(nil, []filter.Filter{both[0], limited("sluice-v6", packet.IPv6, 2500)})
	if err == nil || err.Error() != "filter sluice-v6: policer sluice-p is another one in another filter" {
		t.Errorf("got %v", err)
	}
}

// What another hand changed is put right: entry by entry where it is understood, else the filter whole.
func TestEditRepairsWhatAnotherHandChanged(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for change, whole := range map[[2]string]bool{
		{"eq 53", "eq 54"}:                               false,
		{"drop", "accept"}:                               false,
		{"pir 10000", "pir 20000"}:                       false,
		{"scope template", "scope embedded"}:             true,
		{"default-action accept", "default-action drop"}: true,
		{"entry 3001", "entry 3005"}:                     true,
		{"eq 53", "port-list \"web\""}:                   true,
		{"drop", "drop\nfc ef"}:                          true,
	} {
		shown := strings.Replace(r.Text, change[0], change[1], 1)
		if shown == r.Text {
			t.Errorf("the text has no %s", change[0])
		}
		have, err := dialect.Parse([]byte(shown))
		var foreign *filter.ForeignError
		if errors.As(err, &foreign) {
			have = foreign.Filters
		} else if err != nil {
			t.Fatalf("%s: %v", change[1], err)
		}
		edit, err := dialect.Edit(have, []filter.Filter{busy()})
		if err != nil {
			t.Errorf("%s: %v", change[1], err)
		}
		if got := strings.Contains(string(edit), `<ip-filter nc:operation="replace">`); got != whole || len(edit) == 0 {
			t.Errorf("%s: replaced whole is %v, want %v: %s", change[1], got, whole, edit)
		}
	}
}

// router1 is a device that holds filters and policers and does what edits say, knowing nothing of them but keys.
type router1 struct {
	filters  map[string]*held
	policers map[string]string
}

type held struct {
	leaves  string
	entries map[string]string
}

func newRouter() *router1 {
	return &router1{filters: map[string]*held{}, policers: map[string]string{}}
}

type element struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Inner   string     `xml:",innerxml"`
	Kids    []element  `xml:",any"`
}

func (e element) operation() string {
	for _, a := range e.Attrs {
		if a.Name.Local == "operation" {
			return a.Value
		}
	}
	return "merge"
}

func (e element) key() string { return e.Kids[0].Text }

func (e element) String() string {
	return "<" + e.XMLName.Local + ">" + e.Inner + "</" + e.XMLName.Local + ">"
}

func (d *router1) edit(t fataler, b []byte) {
	t.Helper()
	if b == nil {
		return
	}
	var config element
	if err := xml.Unmarshal(b, &config); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	for _, object := range config.Kids[0].Kids {
		if object.XMLName.Local == "policer" {
			change(t, d.policers, object)
			continue
		}
		name := object.XMLName.Local + " " + object.key()
		switch object.operation() {
		case "delete":
			if d.filters[name] == nil {
				t.Fatalf("data-missing: %s", name)
			}
			delete(d.filters, name)
			continue
		case "replace":
			d.filters[name] = &held{entries: map[string]string{}}
		}
		f := d.filters[name]
		if f == nil {
			t.Fatalf("%s is edited and not there", name)
		}
		for _, k := range object.Kids[1:] {
			if k.XMLName.Local == "entry" {
				change(t, f.entries, k)
			} else {
				f.leaves += k.String()
			}
		}
	}
}

// change does what an edit says of one entry of a list.
func change(t fataler, to map[string]string, e element) {
	t.Helper()
	_, there := to[e.key()]
	if !there && e.operation() == "delete" {
		t.Fatalf("data-missing: %s", e.key())
	}
	delete(to, e.key())
	if e.operation() != "delete" {
		to[e.key()] = e.String()
	}
}

// config is what the device holds, its entries in no order.
func (d *router1) config() []byte {
	var b bytes.Buffer
	b.WriteString("<data><configure><filter>")
	for name, f := range d.filters {
		list, name, _ := strings.Cut(name, " ")
		fmt.Fprintf(&b, "<%s>", list)
		for _, e := range f.entries {
			b.WriteString(e)
		}
		fmt.Fprintf(&b, "<filter-name>%s</filter-name>%s</%s>", name, f.leaves, list)
	}
	for _, p := range d.policers {
		b.WriteString(p)
	}
	b.WriteString("</filter></configure></data>")
	return b.Bytes()
}
