package sros

import (
	"bytes"
	"encoding/xml"
	"slices"
	"strings"
)

// statement is one node of the configuration, the common source of the text and of the XML.
type statement struct { // a leaf, unless it has a body
	name     string
	key      string // of an entry of a list; keyOf has the name of its leaf
	value    string // of a leaf
	quoted   bool   // the key or the value is a string, which the MD-CLI shows in quotation marks
	hasBody  bool   // a container or an entry of a list
	children []statement
}

// keyOf is the key of each list that sluice writes or looks into.
var keyOf = map[string]string{"ip-filter": "filter-name", "ipv6-filter": "filter-name", "entry": "entry-id", "policer": "policer-name", "group": "name"}

// leaf holds value; one that is empty says something by being there.
func leaf(name, value string) statement { return statement{name: name, value: value} }

func quotedLeaf(name, value string) statement {
	return statement{name: name, value: value, quoted: true}
}

func container(name string, children ...statement) statement {
	return statement{name: name, hasBody: true, children: children}
}

// item is an entry of a list.
func item(name, key string, children ...statement) statement {
	return statement{name: name, key: key, quoted: name != "entry", hasBody: true, children: children}
}

// head is what stands in front of the body, or all of a leaf.
func (s statement) head() string {
	word := s.key + s.value
	switch {
	case word == "":
		return s.name
	case s.quoted:
		return s.name + ` "` + word + `"`
	}
	return s.name + " " + word
}

// text writes s as `info` shows it.
func (s statement) text(b *bytes.Buffer, depth int) {
	indent := strings.Repeat("    ", depth)
	b.WriteString(indent + s.head())
	if !s.hasBody {
		b.WriteString("\n")
		return
	}
	b.WriteString(" {\n")
	for _, c := range s.children {
		c.text(b, depth+1)
	}
	b.WriteString(indent + "}\n")
}

// inline returns s on one line.
func (s statement) inline() string {
	if !s.hasBody {
		return s.head()
	}
	words := []string{s.head(), "{"}
	for _, c := range s.children {
		words = append(words, c.inline())
	}
	return strings.Join(append(words, "}"), " ")
}

// xml writes s as an element. Attributes go into the start tag as they are.
func (s statement) xml(b *bytes.Buffer, attributes string) {
	b.WriteString("<" + s.name + attributes)
	if s.key == "" && s.value == "" && len(s.children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	if s.key != "" {
		leaf(keyOf[s.name], s.key).xml(b, "")
	}
	_ = xml.EscapeText(b, []byte(s.value)) // a bytes.Buffer does not fail
	for _, c := range s.children {
		c.xml(b, "")
	}
	b.WriteString("</" + s.name + ">")
}

// equal says whether two statements are written alike.
func (s statement) equal(o statement) bool {
	return s.name == o.name && s.key == o.key && s.value == o.value && s.hasBody == o.hasBody && slices.EqualFunc(s.children, o.children, statement.equal)
}
