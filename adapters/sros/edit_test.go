package sros_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// An entry that is written twice now is one more.
func TestAnEntryWrittenTwiceIsASmallEdit(t *testing.T) {
	t.Parallel()
	d := newDevice()
	once, twice := busy(), busy()
	once.Entries[1].Match.SrcPort, twice.Entries[1].Match.SrcPort = dns, packet.Values{{Lo: 0, Hi: 123}}
	for _, step := range []struct {
		have, want filter.Filter
		operations int
	}{{once, twice, 2}, {twice, once, 2}} {
		add, err := dialect.Edit(nil, []filter.Filter{step.have})
		if err != nil {
			t.Fatal(err)
		}
		d.Edit(t, add)
		have, err := dialect.Parse(d.Config())
		if err != nil {
			t.Fatal(err)
		}
		edit, err := dialect.Edit(have, []filter.Filter{step.want})
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(edit, []byte("nc:operation=")); n != step.operations {
			t.Errorf("%d operations, want %d: %s", n, step.operations, edit)
		}
		d.Edit(t, edit)
		dialecttest.ReadsBack(t, dialect, step.want, d.Config())
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
	d := newDevice()
	for _, step := range [][2][]filter.Filter{{nil, both}, {both, both[1:]}, {both[1:], nil}} {
		edit, err := dialect.Edit(step[0], step[1])
		if err != nil {
			t.Fatal(err)
		}
		d.Edit(t, edit)
		if want := min(len(step[1]), 1); d.Policers() != want {
			t.Errorf("the device holds %d policers, want %d", d.Policers(), want)
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

// device is a device that holds filters and policers and does what edits say, knowing nothing of them but keys.
type device struct {
	filters  map[string]*held
	policers map[string]string
}

type held struct {
	leaves  string
	entries map[string]string
}

func newDevice() dialecttest.Device {
	return &device{filters: map[string]*held{}, policers: map[string]string{}}
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

func (d *device) Edit(t dialecttest.T, b []byte) {
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
func change(t dialecttest.T, to map[string]string, e element) {
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

// Config is what the device holds, its entries in no order.
func (d *device) Config() []byte {
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

func (d *device) Policers() int { return len(d.policers) }
