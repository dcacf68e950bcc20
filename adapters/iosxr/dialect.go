package iosxr

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// namespaces of the models Cisco-IOS-XR-um-ipv4-access-list-cfg and Cisco-IOS-XR-um-ipv6-access-list-cfg.
var namespaces = map[packet.Version]string{
	packet.IPv4: "http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg",
	packet.IPv6: "http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv6-access-list-cfg",
}

// Dialect is the language of IOS XR access lists. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "iosxr", the word that profiles use.
func (Dialect) Name() string { return "iosxr" }

// Semantics returns what an entry of this dialect means. Protocol and fragment offset stand in the entry wherever it looks at a transport header, and
// Render refuses it otherwise; how the lines keep to them is the business of package iosxr. What no line matches is denied.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f as text and as the XML of Cisco's unified model. It refuses a filter that fails Check, and every entry that the language cannot
// say exactly; all of them are named in the error.
func (Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	l, err := ciscoacl.ListOf(language{}, f)
	if err != nil {
		return filter.Rendered{}, err
	}
	r := filter.Rendered{Attach: attach(f), Payload: payload(l, f.Version)}
	var b strings.Builder
	b.WriteString(family(f.Version) + " access-list " + f.Name + "\n")
	texts := make([][]string, len(f.Entries))
	for _, one := range l.Lines {
		b.WriteString(" " + one.Text() + "\n")
		if one.Entry >= 0 {
			texts[one.Entry] = append(texts[one.Entry], one.Text())
		}
	}
	b.WriteString("!\n")
	r.Text = b.String()
	for _, t := range texts {
		r.Entries = append(r.Entries, strings.Join(t, "\n"))
	}
	return r, nil
}

func payload(l ciscoacl.List, v packet.Version) []byte {
	var b bytes.Buffer
	b.WriteString("<" + family(v) + ` xmlns="` + namespaces[v] + `"><access-lists>`)
	l.XML(&b, form, "")
	b.WriteString("</access-lists></" + family(v) + ">")
	return b.Bytes()
}

// Edit returns what stands in the <config> of an <edit-config> that leads from the lists in have to those in want. Of a list that is in both, only the lines are mentioned
// that differ: entries keep their places, and new ones get places between their neighbours. A list that was not understood is replaced whole, one that want no
// longer holds is deleted. It returns nil when there is nothing to do.
func (Dialect) Edit(have, want []filter.Filter) ([]byte, error) {
	var out bytes.Buffer
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		lists, err := ciscoacl.Edit(language{}, form, v, have, want)
		if err != nil {
			return nil, err
		}
		if len(lists) > 0 {
			fmt.Fprintf(&out, `<%s xmlns="%s" xmlns:nc="%s"><access-lists>%s</access-lists></%[1]s>`, family(v), namespaces[v], ciscoacl.NETCONF, lists)
		}
	}
	if out.Len() == 0 {
		return nil, nil
	}
	return out.Bytes(), nil
}

// Commands returns what is typed in a target configuration to lead from the lists in have to those in want, both complete; nil when there is nothing to do. It says what Edit says, line by line: `no
// NUMBER` removes a line, `exit` leads out of a list.
func (Dialect) Commands(have, want []filter.Filter) ([]string, error) {
	var out []string
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		lines, err := ciscoacl.Commands(language{}, ciscoacl.Terminal{Open: family(v) + " access-list", Leave: "exit"}, v, have, want)
		if err != nil {
			return nil, err
		}
		out = append(out, lines...)
	}
	return out, nil
}

// Attachment returns the list of ours that a line of an interface attaches, and in words how otherwise than placement p wants it ("": anyhow).
func (Dialect) Attachment(line string, p filter.Placement) (lists []string, misplaced string) {
	w := strings.Fields(line) // ipv4 access-group [common] sluice-v4 [YOUR-LIST] ingress [hardware-count ...]
	way := slices.IndexFunc(w, func(word string) bool { return word == "ingress" || word == "egress" })
	if way < 3 || w[0] != "ipv4" && w[0] != "ipv6" || w[1] != "access-group" {
		return nil, ""
	}
	names := w[2:way]
	common := names[0] == "common" && len(names) > 1
	if common {
		names = names[1:]
	}
	at := slices.IndexFunc(names, ciscoacl.Marked)
	others := slices.Delete(slices.Clone(names), max(at, 0), max(at, 0)+1)
	switch {
	case at < 0:
		return nil, ""
	case w[way] != "ingress":
		misplaced = "for outgoing packets"
	case p == filter.Alone && len(others) > 0:
		misplaced = "beside " + strings.Join(others, " and ")
	case p == filter.Before && (!common || at > 0):
		misplaced = "not as the common list, which is searched first"
	}
	return names[at : at+1], misplaced
}

// form is how the models spell a list.
var form = ciscoacl.Form{List: "access-list", Name: "access-list-name", Around: "sequences", Line: "sequence", Number: "sequence-number"}

// language is what the access lists of IOS XR have of their own.
type language struct{}

func (language) System() string { return "IOS XR" }

func (language) FragmentWords(v packet.Version) []ciscoacl.FragmentWord { return wordsFor(v) }

func (language) Conditions(m filter.Match, v packet.Version) ([]ciscoacl.Statement, error) {
	return conditions(m, v)
}

func (language) Fragment(word string, v packet.Version) []ciscoacl.Statement {
	return fragment(word, v)
}

func (language) Actions(e filter.Entry, v packet.Version) (string, []ciscoacl.Statement, error) {
	return actions(e, v)
}

func (language) Line(grant string, body []ciscoacl.Statement) ciscoacl.Statement {
	return ciscoacl.Statement{Element: grant, Text: grant, Body: body}
}

func (language) Remark(e filter.Entry) string { return e.Name }

func (language) Entry(e *filter.Entry, remark string) error {
	e.Name = remark
	return checkName(remark)
}

func (language) Check(f filter.Filter) error { return checkName(f.Name) }

func (language) CheckName(name string) error { return checkName(name) }

// checkName holds names to what remarks, counters and lists take in every release: 1 to 64 letters, digits and hyphens, where the model of 25.4.2 gives the name of a list
// 128 characters, that of a counter 64, and forbids spaces only in its description.
func checkName(name string) error { return filter.CheckName(name, false) }

// attach returns what an operator types once. TenGigE0/0/0/0 stands for the interface.
func attach(f filter.Filter) []string {
	group := " " + family(f.Version) + " access-group "
	if f.Placement == filter.Alone {
		return []string{"interface TenGigE0/0/0/0", group + f.Name + " ingress"}
	}
	// "The common/chained ACL is searched first before the interface ACL."
	return []string{"interface TenGigE0/0/0/0", group + "common " + f.Name + " YOUR-LIST ingress"}
}
