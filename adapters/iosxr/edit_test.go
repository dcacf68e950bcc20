package iosxr_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

var operation = regexp.MustCompile(` nc:operation="[a-z]+"| xmlns:nc="[^"]*"`)

// From nothing, Edit says what Render says; to nothing, it deletes the list and says no more; to the same, it says nothing.
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
		if got := operation.ReplaceAll(add, nil); !bytes.Equal(got, r.Payload) || bytes.Count(add, []byte(`"replace"`)) != 1 {
			t.Fatalf("got  %s\nwant %s", add, r.Payload)
		}
		remove, err := dialect.Edit([]filter.Filter{f}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(remove, []byte(`"delete"`)) != 1 || bytes.Contains(remove, []byte("<sequence")) {
			t.Fatalf("want one deletion and nothing else, got %s", remove)
		}
		same, err := dialect.Edit([]filter.Filter{f}, []filter.Filter{f})
		if err != nil || same != nil {
			t.Fatalf("got %s, %v for no change", same, err)
		}
	})
}

// A device that does what an edit says holds what was wanted, however often it is edited; and the lines of entries that stay are not touched.
func TestEditsLeadToWhatIsWanted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		d := router1{}
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
			for i := range want {
				if err := filter.Same(want[i], have[i], dialect.Semantics()); err != nil {
					t.Fatalf("%v\nafter %s", err, edit)
				}
			}
		}
	})
}

// One rule more, less or changed is that rule's lines, and nobody else's.
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
	d := router1{}
	add, err := dialect.Edit(nil, []filter.Filter{old})
	if err != nil {
		t.Fatal(err)
	}
	d.edit(t, add)
	for name, change := range map[string]func([]filter.Entry) []filter.Entry{
		"one more":    func(es []filter.Entry) []filter.Entry { return slices.Insert(es, 250, entry(499)) },
		"one at last": func(es []filter.Entry) []filter.Entry { return append(es, entry(1001)) },
		"one less":    func(es []filter.Entry) []filter.Entry { return slices.Delete(es, 250, 251) },
		"one changed": func(es []filter.Entry) []filter.Entry {
			es[250].Match.SrcPort = packet.Values{{Lo: 123, Hi: 123}}
			return es
		},
		"one moved": func(es []filter.Entry) []filter.Entry {
			return slices.Insert(slices.Delete(slices.Clone(es), 100, 101), 300, es[100])
		},
	} {
		have, err := dialect.Parse(d.config())
		if err != nil {
			t.Fatal(err)
		}
		want := old
		want.Entries = change(slices.Clone(old.Entries))
		edit, err := dialect.Edit(have, []filter.Filter{want})
		if err != nil {
			t.Fatal(err)
		}
		most := 2 // a remark and a line
		if name == "one moved" {
			most = 4
		}
		if n := bytes.Count(edit, []byte("nc:operation=")); n == 0 || n > most {
			t.Errorf("%s: %d lines are touched, want %d at most: %s", name, n, most, edit)
		}
	}
}

// Between two places that are next to each other there is no room: all get new ones, once.
func TestEditMakesRoom(t *testing.T) {
	t.Parallel()
	f := busy()
	for i := range f.Entries {
		f.Entries[i].Place = uint32(i + 1)
	}
	want := busy()
	want.Entries = slices.Insert(want.Entries, 1, filter.Entry{Name: "new", Do: filter.Do{Discard: true}, Match: filter.Match{Proto: tcp}})
	edit, err := dialect.Edit([]filter.Filter{f}, []filter.Filter{want})
	if err != nil {
		t.Fatal(err)
	}
	d := router1{}
	first, err := dialect.Edit(nil, []filter.Filter{f})
	if err != nil {
		t.Fatal(err)
	}
	d.edit(t, first)
	d.edit(t, edit)
	readsBack(t, want, d.config())
}

// What another hand changed and is understood is repaired line by line; what is not understood is replaced whole.
func TestEditRepairsWhatAnotherHandChanged(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for change, whole := range map[[2]string]bool{
		{"eq 53", "eq 54"}:                              false,
		{"10001001 deny", "10001001 permit"}:            false,
		{"8\n", "8 log\n"}:                              true,
		{"10000000 permit ipv4", "10000000 permit udp"}: true,
		{"10003001 deny", "10003005 deny"}:              true,
	} {
		shown := strings.Replace(r.Text, change[0], change[1], 1)
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
		if got := strings.Contains(string(edit), `<access-list nc:operation="replace">`); got != whole || len(edit) == 0 {
			t.Errorf("%s: replaced whole is %v, want %v: %s", change[1], got, whole, edit)
		}
	}
}

// router1 is a device that holds access lists and does what edits say, knowing nothing of them but keys: lists by family and name, lines by number.
type router1 map[string]map[uint32]string

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

func (d router1) edit(t fataler, b []byte) {
	t.Helper()
	var config element
	if err := xml.Unmarshal([]byte("<config>"+string(b)+"</config>"), &config); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	for _, root := range config.Kids {
		for _, list := range root.Kids[0].Kids {
			name := root.XMLName.Local + " " + list.key()
			switch list.operation() {
			case "delete":
				if d[name] == nil {
					t.Fatalf("data-missing: %s", name)
				}
				delete(d, name)
				continue
			case "replace":
				d[name] = map[uint32]string{}
			}
			if d[name] == nil {
				t.Fatalf("%s is edited and not there", name)
			}
			for _, s := range list.Kids[1].Kids {
				n, err := strconv.ParseUint(s.key(), 10, 32)
				if err != nil {
					t.Fatalf("%v", err)
				}
				if _, there := d[name][uint32(n)]; !there && s.operation() == "delete" {
					t.Fatalf("data-missing: %s %d", name, n)
				}
				delete(d[name], uint32(n))
				if s.operation() != "delete" {
					d[name][uint32(n)] = "<sequence>" + s.Inner + "</sequence>"
				}
			}
		}
	}
}

// config is what the device holds, its lines in no order.
func (d router1) config() []byte {
	var b bytes.Buffer
	b.WriteString("<data>")
	for name, lines := range d {
		family, name, _ := strings.Cut(name, " ")
		fmt.Fprintf(&b, "<%s><access-lists><access-list><access-list-name>%s</access-list-name><sequences>", family, name)
		for _, l := range lines {
			b.WriteString(l)
		}
		fmt.Fprintf(&b, "</sequences></access-list></access-lists></%s>", family)
	}
	b.WriteString("</data>")
	return b.Bytes()
}
