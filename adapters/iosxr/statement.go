package iosxr

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// statement is one node of the configuration, the common source of the text and of the XML.
type statement struct {
	element string
	text    string // what a line says of it in front of its body; may be nothing
	value   string // of a leaf
	body    []statement
}

// leaf is an element that holds value, and that a line spells as text.
func leaf(element, text, value string) statement {
	return statement{element: element, text: text, value: value}
}

// words returns the statement as a part of a line.
func (s statement) words() string {
	var parts []string
	if s.text != "" {
		parts = append(parts, s.text)
	}
	for _, k := range s.body {
		if w := k.words(); w != "" {
			parts = append(parts, w)
		}
	}
	return strings.Join(parts, " ")
}

// xml writes s as an element. Attributes go into the start tag as they are.
func (s statement) xml(b *bytes.Buffer, attributes string) {
	b.WriteString("<" + s.element + attributes)
	if s.value == "" && len(s.body) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(s.value)) // a bytes.Buffer does not fail
	for _, k := range s.body {
		k.xml(b, "")
	}
	b.WriteString("</" + s.element + ">")
}

// equal says whether two statements are written alike.
func (s statement) equal(o statement) bool {
	if s.element != o.element || s.text != o.text || s.value != o.value || len(s.body) != len(o.body) {
		return false
	}
	for i := range s.body {
		if !s.body[i].equal(o.body[i]) {
			return false
		}
	}
	return true
}
