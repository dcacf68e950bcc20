package openconfig

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
)

// Namespaces of the modules (openconfig/public, release/models).
const (
	aclModule    = "openconfig-acl"
	aclNamespace = "http://openconfig.net/yang/acl"
)

// namespaces of the modules whose identities are values, by name.
var namespaces = map[string]string{
	aclModule:                       aclNamespace,
	"openconfig-packet-match-types": "http://openconfig.net/yang/packet-match-types",
	"openconfig-icmpv4-types":       "http://openconfig.net/yang/openconfig-icmpv4-types",
}

// ownPrefixes are the prefixes that these modules give themselves: any would do, and some servers know no others.
var ownPrefixes = map[string]string{"openconfig-packet-match-types": "oc-pkt-match-types", "openconfig-icmpv4-types": "oc-icmpv4-types"}

// node is a container, an entry of a list or a leaf, the common source of the JSON and of the XML.
type node struct {
	name   string
	list   bool   // one of several of that name: an array in JSON
	value  string // of a leaf
	quoted bool   // the leaf is a string in JSON, not a number
	module string // of an identity that another module than openconfig-acl defines
	body   []*node
}

func container(name string, body ...*node) *node { return &node{name: name, body: body} }
func entry(name string, body ...*node) *node     { return &node{name: name, list: true, body: body} }
func text(name, value string) *node              { return &node{name: name, value: value, quoted: true} }
func numeral(name, value string) *node           { return &node{name: name, value: value} }

func identity(name, module, value string) *node {
	if module == aclModule {
		module = "" // "the simple form" for an identity of the leaf's own module (RFC 7951 §6.8)
	}
	return &node{name: name, value: value, quoted: true, module: module}
}

// many makes n a value of a leaf-list.
func many(n *node) *node {
	n.list = true
	return n
}

// leaf says whether n has a value.
func (n *node) leaf() bool { return n.value != "" }

// json writes what n holds, without its name.
func (n *node) json(b *bytes.Buffer) {
	switch {
	case n.leaf() && !n.quoted:
		b.WriteString(n.value)
		return
	case n.leaf():
		s := n.value
		if n.module != "" {
			s = n.module + ":" + s
		}
		quoted, err := json.Marshal(s)
		if err != nil {
			panic(err) // a string
		}
		b.Write(quoted)
		return
	}
	b.WriteByte('{')
	for i, k := range n.body {
		again := i > 0 && k.list && n.body[i-1].name == k.name
		switch {
		case again:
			b.WriteByte(',')
		case i > 0:
			b.WriteByte(',')
			fallthrough
		default:
			b.WriteString(`"` + k.name + `":`)
			if k.list {
				b.WriteByte('[')
			}
		}
		k.json(b)
		if k.list && (i+1 == len(n.body) || n.body[i+1].name != k.name) {
			b.WriteByte(']')
		}
	}
	b.WriteByte('}')
}

// xml writes n as an element.
func (n *node) xml(b *bytes.Buffer, attributes string) {
	value := n.value
	if n.module != "" {
		prefix := ownPrefixes[n.module]
		attributes += " xmlns:" + prefix + `="` + namespaces[n.module] + `"`
		value = prefix + ":" + value
	}
	b.WriteString("<" + n.name + attributes)
	if !n.leaf() && len(n.body) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(value)) // a bytes.Buffer does not fail
	for _, k := range n.body {
		k.xml(b, "")
	}
	b.WriteString("</" + n.name + ">")
}

// document is the data tree with the sets, or the interfaces, that body holds.
func document(body ...*node) *node { return container("acl", body...) }

// jsonDocument writes acl as JSON_IETF, indented: names of the top level have the module in front (RFC 7951 §4).
func jsonDocument(acl *node) string {
	top := *acl
	top.name = aclModule + ":" + acl.name
	return indented(container("", &top))
}

func indented(n *node) string {
	var b, out bytes.Buffer
	n.json(&b)
	if err := json.Indent(&out, b.Bytes(), "", "  "); err != nil {
		panic(err) // we wrote it
	}
	return out.String()
}

func xmlDocument(acl *node) []byte {
	var b bytes.Buffer
	acl.xml(&b, ` xmlns="`+aclNamespace+`"`)
	return b.Bytes()
}
