package iosxepolicy

import (
	"bytes"
	"strconv"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
)

// policyNamespace is the namespace of the model Cisco-IOS-XE-policy.
const policyNamespace = "http://cisco.com/ns/yang/Cisco-IOS-XE-policy"

// inPolicy is what stands in the start tag of a class map and of a policy map.
const inPolicy = ` xmlns="` + policyNamespace + `"`

// edits are the elements of a configuration, each kind in its place.
type edits struct{ lists, classes, policies []byte }

// native returns the element native around e; nil if there is nothing in it.
func native(attributes string, e edits) []byte {
	if len(e.lists)+len(e.classes)+len(e.policies) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString(`<native xmlns="` + iosxe.NativeNamespace + `"` + attributes + `>`)
	if len(e.lists) > 0 {
		b.WriteString("<ip><access-list>")
		b.Write(e.lists)
		b.WriteString("</access-list></ip>")
	}
	if len(e.classes)+len(e.policies) > 0 {
		b.WriteString("<policy>")
		b.Write(e.classes)
		b.Write(e.policies)
		b.WriteString("</policy>")
	}
	b.WriteString("</native>")
	return b.Bytes()
}

func leaf(element, value string) ciscoacl.Statement { return ciscoacl.Leaf(element, "", value) }

func container(element string, body ...ciscoacl.Statement) ciscoacl.Statement {
	return ciscoacl.Statement{Element: element, Body: body}
}

func written(s ciscoacl.Statement, attributes string) []byte {
	var b bytes.Buffer
	s.XML(&b, attributes)
	return b.Bytes()
}

// listsXML writes the access lists of all classes.
func (p policy) listsXML(attributes string) []byte {
	var out []byte
	for _, c := range p.classes {
		out = append(out, c.listXML(attributes)...)
	}
	return out
}

// classesXML writes the class maps.
func (p policy) classesXML(attributes string) []byte {
	var out []byte
	for _, c := range p.classes {
		out = append(out, c.classXML(attributes)...)
	}
	return out
}

// xml writes the policy map. Its list of classes is ordered by the user, so it is written whole.
func (p policy) xml(attributes string) []byte {
	body := []ciscoacl.Statement{leaf("name", p.name)}
	for _, c := range p.classes {
		body = append(body, container("class", append([]ciscoacl.Statement{leaf("name", c.name)}, c.does.statements()...)...))
	}
	return written(container("policy-map", body...), inPolicy+attributes)
}

// listXML writes the access list.
func (c class) listXML(attributes string) []byte {
	l := ciscoacl.List{Name: c.name}
	for i, line := range c.lines {
		l.Lines = append(l.Lines, ciscoacl.Line{Number: uint32(i+1) * linesApart, What: line})
	}
	var b bytes.Buffer
	l.XML(&b, iosxe.ListForm(), attributes)
	return b.Bytes()
}

// classXML writes the class map.
func (c class) classXML(attributes string) []byte {
	match := container("match", container("access-group", leaf("name", c.name)))
	if c.dscp != "" {
		match.Body = append(match.Body, leaf("dscp", c.dscp))
	}
	body := []ciscoacl.Statement{leaf("name", c.name), leaf("prematch", "match-all")}
	if c.quiet {
		body = append(body, leaf("description", quietWord))
	}
	return written(container("class-map", append(body, match)...), inPolicy+attributes)
}

// statements returns the list of actions.
func (a action) statements() []ciscoacl.Statement {
	one := func(kind string, what ...ciscoacl.Statement) ciscoacl.Statement {
		return container("action-list", append([]ciscoacl.Statement{leaf("action-type", kind)}, what...)...)
	}
	if a.drop {
		return []ciscoacl.Statement{one("drop")}
	}
	var out []ciscoacl.Statement
	if a.cir > 0 {
		out = append(out, one("police", container("police-policy-map", container("police",
			leaf("cir", strconv.FormatUint(a.cir, 10)), leaf("bc", strconv.FormatUint(a.bc, 10)),
			container("actions",
				container("conform-transmit", container("conform-action", container("transmit"))),
				container("exceed-"+a.exceed, container("exceed-action", container(a.exceed))))))))
	}
	if a.mark != nil {
		out = append(out, one("set", container("set", container("dscp", leaf("dscp-val", strconv.Itoa(int(*a.mark)))))))
	}
	return out
}
