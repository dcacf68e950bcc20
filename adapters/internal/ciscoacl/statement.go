package ciscoacl

import (
	"bytes"
	"encoding/xml"
	"strings"
)

// Statement is one node of the configuration, the common source of the text and of the XML.
type Statement struct {
	Element string
	Text    string // what a line says of it in front of its body; may be nothing
	Value   string // of a leaf
	Body    []Statement
}

// Leaf is an element that holds value, and that a line spells as text.
func Leaf(element, text, value string) Statement {
	return Statement{Element: element, Text: text, Value: value}
}

// Words returns the statement as a part of a line.
func (s Statement) Words() string {
	var parts []string
	if s.Text != "" {
		parts = append(parts, s.Text)
	}
	for _, k := range s.Body {
		if w := k.Words(); w != "" {
			parts = append(parts, w)
		}
	}
	return strings.Join(parts, " ")
}

// XML writes s as an element. Attributes go into the start tag as they are.
func (s Statement) XML(b *bytes.Buffer, attributes string) {
	b.WriteString("<" + s.Element + attributes)
	if s.Value == "" && len(s.Body) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(s.Value)) // a bytes.Buffer does not fail
	for _, k := range s.Body {
		k.XML(b, "")
	}
	b.WriteString("</" + s.Element + ">")
}

// equal says whether two statements are written alike.
func (s Statement) equal(o Statement) bool {
	if s.Element != o.Element || s.Text != o.Text || s.Value != o.Value || len(s.Body) != len(o.Body) {
		return false
	}
	for i := range s.Body {
		if !s.Body[i].equal(o.Body[i]) {
			return false
		}
	}
	return true
}
