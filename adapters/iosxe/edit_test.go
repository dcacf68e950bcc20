package iosxe_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// What another hand changed and is understood is repaired line by line; what is not understood is replaced whole.
func TestEditRepairsWhatAnotherHandChanged(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for change, whole := range map[[2]string]bool{
		{"eq 53", "eq 54"}:                                             false,
		{"10001001 deny", "10001001 permit"}:                           false,
		{"8 0\n", "8 0 log\n"}:                                         true,
		{"10000000 permit ip", "10000000 permit udp"}:                  true,
		{"10003001 deny", "10003005 deny"}:                             true,
		{" 2147483640 permit ip any any\n", ""}:                        true,
		{" 10000000 permit ip any any fragments\n", ""}:                true,
		{"10001000 remark r-0000000000000001", "10001000 remark ours"}: false,
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
		if got := strings.Contains(string(edit), `acl" nc:operation="replace"><name>`); got != whole || len(edit) == 0 {
			t.Errorf("%s: replaced whole is %v, want %v: %s", change[1], got, whole, edit)
		}
	}
}

// device holds access lists and does what edits say, knowing nothing of them but keys: lists by family and name, lines by number.
type device map[string]map[uint32]string

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
	for _, native := range config.Kids {
		for _, family := range native.Kids {
			for _, list := range family.Kids[0].Kids {
				d.list(t, family.XMLName.Local+" "+list.XMLName.Local+" "+list.key(), list)
			}
		}
	}
}

func (d device) list(t dialecttest.T, name string, list element) {
	t.Helper()
	switch list.operation() {
	case "delete":
		if d[name] == nil {
			t.Fatalf("data-missing: %s", name)
		}
		delete(d, name)
		return
	case "replace":
		d[name] = map[uint32]string{}
	}
	if d[name] == nil {
		t.Fatalf("%s is edited and not there", name)
	}
	for _, s := range list.Kids[1:] {
		n, err := strconv.ParseUint(s.key(), 10, 32)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if _, there := d[name][uint32(n)]; !there && s.operation() == "delete" {
			t.Fatalf("data-missing: %s %d", name, n)
		}
		delete(d[name], uint32(n))
		if s.operation() != "delete" {
			d[name][uint32(n)] = "<access-list-seq-rule>" + s.Inner + "</access-list-seq-rule>"
		}
	}
}

// Config is what the device holds, its lines in no order.
func (d device) Config() []byte {
	var b bytes.Buffer
	b.WriteString("<data><native>")
	for name, lines := range d {
		w := strings.Fields(name)
		fmt.Fprintf(&b, "<%s><access-list><%s><name>%s</name>", w[0], w[1], w[2])
		for _, l := range lines {
			b.WriteString(l)
		}
		fmt.Fprintf(&b, "</%s></access-list></%s>", w[1], w[0])
	}
	b.WriteString("</native></data>")
	return b.Bytes()
}

func (d device) Policers() int { return 0 }
