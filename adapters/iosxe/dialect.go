package iosxe

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// namespaces of the models Cisco-IOS-XE-native and Cisco-IOS-XE-acl.
const (
	nativeNamespace = "http://cisco.com/ns/yang/Cisco-IOS-XE-native"
	aclNamespace    = "http://cisco.com/ns/yang/Cisco-IOS-XE-acl"
)

// Dialect is the language of IOS XE access lists. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "iosxe", the word that profiles use.
func (Dialect) Name() string { return "iosxe" }

// Semantics returns what an entry of this dialect means. Protocol and fragment offset stand in the entry wherever it looks at a transport header, and
// Render refuses it otherwise; how the lines keep to them is the business of package ciscoacl. What no line matches is denied.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f as text and as the XML of Cisco's native model. It refuses a filter that fails Check, and every entry that the language cannot
// say exactly; all of them are named in the error.
func (Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	l, err := ciscoacl.ListOf(language{}, f)
	if err != nil {
		return filter.Rendered{}, err
	}
	r := filter.Rendered{Attach: attach(f), Payload: payload(l, f.Version)}
	var b strings.Builder
	b.WriteString(listWords[f.Version] + " " + f.Name + "\n")
	texts := make([][]string, len(f.Entries))
	for _, one := range l.Lines {
		text := sequenceWord[f.Version] + one.Text()
		b.WriteString(" " + text + "\n")
		if one.Entry >= 0 {
			texts[one.Entry] = append(texts[one.Entry], text)
		}
	}
	b.WriteString("!\n")
	r.Text = b.String()
	for _, t := range texts {
		r.Entries = append(r.Entries, strings.Join(t, "\n"))
	}
	return r, nil
}

// Words of the text: in front of the name of a list, and of a line's number.
var (
	listWords    = map[packet.Version]string{packet.IPv4: "ip access-list extended", packet.IPv6: "ipv6 access-list"}
	sequenceWord = map[packet.Version]string{packet.IPv6: "sequence "}
)

// Elements of the XML: around the lists of an IP version, and of a list.
var (
	families = map[packet.Version]string{packet.IPv4: "ip", packet.IPv6: "ipv6"}
	forms    = map[packet.Version]ciscoacl.Form{packet.IPv4: form("extended"), packet.IPv6: form("named-acl")}
)

func form(list string) ciscoacl.Form {
	return ciscoacl.Form{List: list, Attributes: ` xmlns="` + aclNamespace + `"`, Name: "name", Line: "access-list-seq-rule", Number: "sequence"}
}

func payload(l ciscoacl.List, v packet.Version) []byte {
	var b bytes.Buffer
	b.WriteString(`<native xmlns="` + nativeNamespace + `"><` + families[v] + "><access-list>")
	l.XML(&b, forms[v], "")
	b.WriteString("</access-list></" + families[v] + "></native>")
	return b.Bytes()
}

// Edit returns what stands in the <config> of an <edit-config> that leads from the lists in have to those in want. Of a list that is in both, only the lines are mentioned
// that differ: entries keep their places, and new ones get places between their neighbours. A list that was not understood is replaced whole, one that want no
// longer holds is deleted. It returns nil when there is nothing to do.
func (Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	var out bytes.Buffer
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		lists, err := ciscoacl.Edit(language{}, forms[v], v, have, want)
		if err != nil {
			return nil, err
		}
		if len(lists) > 0 {
			fmt.Fprintf(&out, "<%s><access-list>%s</access-list></%[1]s>", families[v], lists)
		}
	}
	if out.Len() == 0 {
		return nil, nil
	}
	return fmt.Appendf(nil, `<native xmlns="%s" xmlns:nc="%s">%s</native>`, nativeNamespace, ciscoacl.NETCONF, out.Bytes()), nil
}

// checkName holds names to what remarks and lists take in every release: 1 to 64 letters, digits and hyphens, where the model of 17.18.1 gives a remark 100 characters
// and has the name of a list begin with a letter, as ours do.
func checkName(name string) error { return filter.CheckName(name, false) }

// attach returns what an operator types once. GigabitEthernet0/0/0 stands for the interface.
func attach(f filter.Filter) []string {
	group := map[packet.Version]string{packet.IPv4: "ip access-group ", packet.IPv6: "ipv6 traffic-filter "}[f.Version]
	return []string{"interface GigabitEthernet0/0/0", " " + group + f.Name + " in"}
}
