package junos

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// statement is one configuration statement, the common source of the text and of the XML.
type statement struct {
	word   string   // first word of the line, and the XML element
	name   string   // key of a list entry: the second word, and <name>
	value  string   // of a leaf
	values []string // of a leaf-list
	body   []statement
	form   form
}

// form says how the text differs from the obvious one. The XML is the same for all.
type form uint8

const (
	plain   form = iota
	wrapped      // a list that is shown as a block of its keys: source-address { 192.0.2.0/24; }
	inline       // a container that is shown with the value of its only leaf behind it: next-ip 192.0.2.9/32;
	joined       // a container that is shown on one line with the only one in it: family inet { ... }
)

// text writes s as `show configuration` does, indented by depth steps.
func (s statement) text(b *bytes.Buffer, depth int) {
	indent := strings.Repeat("    ", depth)
	b.WriteString(indent)
	for b.WriteString(s.word); s.form == joined; b.WriteString(" " + s.word) {
		s = s.body[0]
	}
	switch {
	case s.form == wrapped:
		b.WriteString(" {\n" + indent + "    " + s.name + ";\n" + indent + "}\n")
		return
	case s.form == inline:
		b.WriteString(" " + quote(s.body[0].value) + ";\n")
		return
	case s.name != "":
		b.WriteString(" " + quote(s.name))
	case s.value != "":
		b.WriteString(" " + quote(s.value))
	case len(s.values) == 1:
		b.WriteString(" " + quote(s.values[0]))
	case len(s.values) > 1:
		b.WriteString(" [ " + strings.Join(s.values, " ") + " ]")
	}
	if len(s.body) == 0 {
		b.WriteString(";\n")
		return
	}
	// Junos shows a container of one bare leaf on one line: then discard;
	if only := s.body[0]; len(s.body) == 1 && s.word == "then" && only.form == plain && only.body == nil && only.value == "" {
		b.WriteString(" " + only.word + ";\n")
		return
	}
	b.WriteString(" {\n")
	for _, k := range s.body {
		k.text(b, depth+1)
	}
	b.WriteString(indent + "}\n")
}

// quote puts v in quotation marks where the Junos reader would break it up.
func quote(v string) string {
	if strings.ContainsAny(v, " \t&|!()\"{}[];#<>") {
		return `"` + v + `"`
	}
	return v
}

// xml writes s as an element. Attributes go into the start tag as they are.
func (s statement) xml(b *bytes.Buffer, attributes string) {
	if len(s.values) > 0 {
		for _, v := range s.values {
			statement{word: s.word, value: v}.xml(b, attributes)
		}
		return
	}
	b.WriteString("<" + s.word + attributes)
	if s.name == "" && s.value == "" && len(s.body) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	if s.name != "" {
		b.WriteString("<name>")
		escape(b, s.name)
		b.WriteString("</name>")
	}
	escape(b, s.value)
	for _, k := range s.body {
		k.xml(b, "")
	}
	b.WriteString("</" + s.word + ">")
}

// escape writes character data: the & of a tcp-flags expression must not reach the wire as it is.
func escape(b *bytes.Buffer, v string) {
	if strings.ContainsAny(v, `&<>"'`) {
		_ = xml.EscapeText(b, []byte(v)) // a bytes.Buffer does not fail
		return
	}
	b.WriteString(v)
}
