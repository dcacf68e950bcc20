package iosxr_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

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
	d := device{}
	first, err := dialect.Edit(nil, []filter.Filter{f})
	if err != nil {
		t.Fatal(err)
	}
	d.Edit(t, first)
	d.Edit(t, edit)
	dialecttest.ReadsBack(t, dialect, want, d.Config())
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

// device is a device that holds access lists and does what edits say, knowing nothing of them but keys: lists by family and name, lines by number.
type device map[string]map[uint32]string

func newDevice() dialecttest.Device { return device{} }

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

func (d device) Edit(t dialecttest.T, b []byte) {
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

// Config is what the device holds, its lines in no order.
func (d device) Config() []byte {
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

// Policers is 0: an access list has none.
func (device) Policers() int { return 0 }
