package iosxr

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// namespaces of the models Cisco-IOS-XR-um-ipv4-access-list-cfg and Cisco-IOS-XR-um-ipv6-access-list-cfg.
var namespaces = map[packet.Version]string{
	packet.IPv4: "http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg",
	packet.IPv6: "http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv6-access-list-cfg",
}

// emptyRemark is the only line of a list that stands before another and has no entries: an attached list must stay, and one of remarks alone denies nothing.
const emptyRemark = "no entries"

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
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	l, err := d.list(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	r := filter.Rendered{Attach: attach(f), Payload: l.payload()}
	var b strings.Builder
	b.WriteString(family(f.Version) + " access-list " + f.Name + "\n")
	texts := make([][]string, len(f.Entries))
	for _, one := range l.lines {
		b.WriteString(" " + one.text() + "\n")
		if one.entry >= 0 {
			texts[one.entry] = append(texts[one.entry], one.text())
		}
	}
	b.WriteString("!\n")
	r.Text = b.String()
	for _, t := range texts {
		r.Entries = append(r.Entries, strings.Join(t, "\n"))
	}
	return r, nil
}

// list is an access list as it is written.
type list struct {
	name  string
	v     packet.Version
	lines []line // in the order of their numbers
}

// line is a numbered line: a remark, or what permits or denies.
type line struct {
	number uint32
	what   statement
	entry  int // -1: of no entry
}

func (l line) text() string { return strconv.FormatUint(uint64(l.number), 10) + " " + l.what.words() }

// sequence is the line in XML.
func (l line) sequence() statement {
	return statement{element: "sequence", body: []statement{leaf("sequence-number", "", strconv.FormatUint(uint64(l.number), 10)), l.what}}
}

func (l list) payload() []byte {
	var b bytes.Buffer
	b.WriteString("<" + family(l.v) + ` xmlns="` + namespaces[l.v] + `"><access-lists>`)
	l.xml(&b, "")
	b.WriteString("</access-lists></" + family(l.v) + ">")
	return b.Bytes()
}

// xml writes the list whole.
func (l list) xml(b *bytes.Buffer, attributes string) {
	sequences := statement{element: "sequences"}
	for _, one := range l.lines {
		sequences.body = append(sequences.body, one.sequence())
	}
	statement{element: "access-list", body: []statement{leaf("access-list-name", "", l.name), sequences}}.xml(b, attributes)
}

// list returns the lines that f becomes.
func (Dialect) list(f filter.Filter) (list, error) {
	if err := f.Check(); err != nil {
		return list{}, err
	}
	var errs []error
	fault := func(err error) { errs = append(errs, err) }
	if err := checkName(f.Name); err != nil {
		fault(fmt.Errorf("filter %s: %w", f.Name, err))
	}
	for _, p := range f.Policers {
		fault(fmt.Errorf("filter %s, policer %s: an access list does not police", f.Name, p.Name))
	}
	at, err := places.Of(f)
	if err != nil {
		return list{}, fmt.Errorf("filter %s: %w", f.Name, err)
	}
	l := list{name: f.Name, v: f.Version}
	parts := []part{whole}
	if inParts(f) {
		parts = []part{later, first}
	}
	for n, p := range parts {
		for i, e := range f.Entries {
			what, err := entryLine(e, p, f)
			if err != nil && n == 0 {
				fault(fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
			}
			if what != nil {
				number := p.begin() + at[i]*perPlace
				l.lines = append(l.lines, line{number, remark(e.Name), i}, line{number + 1, *what, i})
			}
		}
		switch {
		case p == later:
			l.lines = append(l.lines, line{laterEnd, rest("fragments", f.Version), -1})
		case f.Placement == filter.Alone:
			l.lines = append(l.lines, line{listEnd, rest("", f.Version), -1})
		case len(f.Entries) == 0:
			l.lines = append(l.lines, line{listEnd, remark(emptyRemark), -1})
		}
	}
	return l, errors.Join(errs...)
}

func remark(text string) statement { return leaf("remark", "remark "+text, text) }

// rest permits all packets, or all later fragments.
func rest(word string, v packet.Version) statement {
	var w writer
	w.v = v
	w.protocol(nil)
	w.end("source", nil, nil)
	w.end("destination", nil, nil)
	return statement{element: "permit", text: "permit", body: append(w.out, fragment(word, v)...)}
}

// entryLine returns what e has to say in p; nil where it matches no packet that gets there.
func entryLine(e filter.Entry, p part, f filter.Filter) (*statement, error) {
	body, err := conditions(e.Match, f.Version)
	grant, tail, err2 := actions(e, f.Version)
	word, matches, err3 := fragmentOf(e, p, f.Version)
	if err := errors.Join(checkName(e.Name), err, err2, err3); err != nil {
		return nil, err
	}
	if !matches {
		return nil, nil
	}
	body = append(append(body, fragment(word, f.Version)...), tail...)
	return &statement{element: grant, text: grant, body: body}, nil
}

// fragmentOf returns the condition on fragments of e's line in p, and whether e matches any packet there. A set of states that one part cannot say is refused in both.
func fragmentOf(e filter.Entry, p part, v packet.Version) (word string, matches bool, err error) {
	states := statesOf(e.Match, v)
	if p == whole {
		if !plain(e.Match, e.Do, v) {
			return "", false, errBefore(e, v)
		}
		if e.Match.Transport() {
			p = first // a deny leaves later fragments to the lines below
		}
		word, _ = wordIn(p, states&p.reach(), v)
		return word, true, nil
	}
	for _, q := range []part{later, first} {
		if s := states & q.reach(); s != 0 {
			if _, ok := wordIn(q, s, v); !ok {
				return "", false, errors.New("fragment: no condition of IOS XR says just this; write its states in entries of their own, as far as it has words for them")
			}
		}
	}
	states &= p.reach()
	word, _ = wordIn(p, states, v)
	return word, states != 0, nil
}

// errBefore says why e cannot stand in a list of one part.
func errBefore(e filter.Entry, v packet.Version) error {
	if e.Match.Transport() && v == packet.IPv6 {
		return errors.New("fragment: in front of another list nothing keeps a line with ports, flags or ICMP off later fragments; that a deny leaves them alone is documented for IPv4 only")
	}
	return errors.New("fragment: no condition of IOS XR says just this in front of another list")
}

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
