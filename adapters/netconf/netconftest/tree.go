package netconftest

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Node is one element of a configuration. Attributes are kept, except namespaces and operations.
type Node struct {
	Space, Name string
	Inactive    bool
	Text        string
	Kids        []*Node

	op string // of an edit: merge, create, replace, delete, remove or ""
}

// keys are the leaves that tell the entries of a list apart where it is not <name>: those of nokia-conf, of Cisco-IOS-XE-acl and Cisco-IOS-XE-policy, and of huawei-acl and huawei-qos.
var keys = map[string]string{
	"ip-filter": "filter-name", "ipv6-filter": "filter-name", "entry": "entry-id", "policer": "policer-name", "access-list-seq-rule": "sequence", "action-list": "action-type",
	"group": "identity", "group6": "identity", "policy-node": "classifier-name",
}

// key is what tells entries of a list apart: the text of <name>, or of the leaf in keys. Elements without one have the key "".
func (n *Node) key() string {
	for _, leaf := range []string{"name", keys[n.Name]} {
		if k := n.Kid(leaf); k != nil {
			return k.Text
		}
	}
	return ""
}

// Kid returns the first child of that name, or nil.
func (n *Node) Kid(name string) *Node {
	for _, k := range n.Kids {
		if k.Name == name {
			return k
		}
	}
	return nil
}

// Find follows a way of names from n; a step "list=key" picks the entry of a list. It returns nil where there is none.
func (n *Node) Find(path ...string) *Node {
	for _, step := range path {
		name, key, keyed := strings.Cut(step, "=")
		var next *Node
		for _, k := range n.Kids {
			if k.Name == name && (!keyed || k.key() == key) {
				next = k
				break
			}
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}

// Remove takes a child out.
func (n *Node) Remove(kid *Node) {
	for i, k := range n.Kids {
		if k == kid {
			n.Kids = append(n.Kids[:i:i], n.Kids[i+1:]...)
			return
		}
	}
}

func (n *Node) clone() *Node {
	c := *n
	c.Kids = make([]*Node, len(n.Kids))
	for i, k := range n.Kids {
		c.Kids[i] = k.clone()
	}
	return &c
}

// equal compares two trees, order included: the order of a filter's terms is its meaning.
func (n *Node) equal(o *Node) bool {
	if n.Name != o.Name || n.Text != o.Text || n.Inactive != o.Inactive || len(n.Kids) != len(o.Kids) {
		return false
	}
	for i := range n.Kids {
		if !n.Kids[i].equal(o.Kids[i]) {
			return false
		}
	}
	return true
}

const netconfSpace = "urn:ietf:params:xml:ns:netconf:base:1.0"

// parse reads one element with everything in it.
func parse(b []byte) (*Node, error) {
	dec := xml.NewDecoder(bytes.NewReader(b))
	var stack []*Node
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil, errors.New("no element")
		}
		if err != nil {
			return nil, err
		}
		switch el := tok.(type) {
		case xml.StartElement:
			n := &Node{Space: el.Name.Space, Name: el.Name.Local}
			for _, a := range el.Attr {
				switch {
				case a.Name.Local == "operation":
					n.op = a.Value
				case a.Name.Local == "inactive":
					n.Inactive = true
				case a.Name.Space == "" && a.Name.Local == "message-id" && len(stack) == 0:
					n.Text = a.Value
				}
			}
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.Kids = append(top.Kids, n)
			}
			stack = append(stack, n)
		case xml.CharData:
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.Text += strings.TrimSpace(string(el))
			}
		case xml.EndElement:
			n := stack[len(stack)-1]
			if stack = stack[:len(stack)-1]; len(stack) == 0 {
				return n, nil
			}
		}
	}
}

// write prints n. Namespaces are written where they change.
func (n *Node) write(b *bytes.Buffer, outer string) {
	b.WriteString("<" + n.Name)
	if n.Space != outer && n.Space != "" {
		b.WriteString(` xmlns="` + n.Space + `"`)
		outer = n.Space
	}
	if n.Inactive {
		b.WriteString(` inactive="inactive"`)
	}
	if n.Text == "" && len(n.Kids) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(n.Text)) // a Buffer does not fail
	for _, k := range n.Kids {
		k.write(b, outer)
	}
	b.WriteString("</" + n.Name + ">")
}

// String prints n as XML.
func (n *Node) String() string {
	var b bytes.Buffer
	n.write(&b, "")
	return b.String()
}

// editError is why an edit is refused: an error-tag of RFC 6241 appendix A, and words.
type editError struct{ tag, words string }

func (e *editError) Error() string { return e.words }

// edit carries edits into config, as RFC 6241 section 7.2 says. Both are the same element. inherited is the operation that holds for what names none.
func edit(config, edits *Node, inherited string) error {
	for _, e := range edits.Kids {
		op := e.op
		if op == "" {
			op = inherited
		}
		old := match(config, e)
		switch op {
		case "merge":
			if err := merge(config, old, e); err != nil {
				return err
			}
		case "none":
			if old == nil {
				return &editError{"data-missing", "there is no " + describe(e)}
			}
			if err := edit(old, e, op); err != nil {
				return err
			}
		case "create", "replace":
			if old != nil && op == "create" {
				return &editError{"data-exists", describe(e) + " exists already"}
			}
			put(config, old, e)
		case "delete", "remove":
			if old == nil && op == "delete" {
				return &editError{"data-missing", "statement not found: " + describe(e)}
			}
			config.Remove(old)
		default:
			return &editError{"bad-attribute", fmt.Sprintf("operation %q", op)}
		}
	}
	prune(config)
	return nil
}

// merge brings e into config, where old is what stands for it now.
func merge(config, old, e *Node) error {
	if old == nil && !e.operates() {
		put(config, nil, e) // all of it is new: nothing to compare, and lists of leaves come as they are
		return nil
	}
	if old == nil {
		fresh := &Node{Space: e.Space, Name: e.Name, Text: e.Text, Inactive: e.Inactive}
		config.Kids = append(config.Kids, fresh)
		return edit(fresh, e, "merge")
	}
	if len(e.Kids) == 0 {
		old.Text = e.Text
	}
	return edit(old, e, "merge")
}

// operates says whether something inside n names an operation.
func (n *Node) operates() bool {
	for _, k := range n.Kids {
		if k.op != "" || k.operates() {
			return true
		}
	}
	return false
}

// put replaces old with e, in its place; a new one comes last.
func put(config, old, e *Node) {
	fresh := e.clone()
	strip(fresh)
	for i, k := range config.Kids {
		if k == old {
			config.Kids[i] = fresh
			return
		}
	}
	config.Kids = append(config.Kids, fresh)
}

func strip(n *Node) {
	n.op = ""
	for _, k := range n.Kids {
		strip(k)
	}
}

// match returns the child of config that e is about: of the same name, and the same key if it is an entry of a list.
func match(config, e *Node) *Node {
	key := e.key()
	for _, k := range config.Kids {
		if k.Name == e.Name && k.key() == key {
			return k
		}
	}
	return nil
}

// prune takes out containers that an edit has emptied. A container without a presence statement exists only while it holds something.
func prune(n *Node) {
	kept := n.Kids[:0:0]
	for _, k := range n.Kids {
		if containers[k.Name] && len(k.Kids) == 0 {
			continue
		}
		kept = append(kept, k)
	}
	n.Kids = kept
}

// containers are the elements that hold lists of named objects.
var containers = map[string]bool{"firewall": true, "family": true, "inet": true, "inet6": true, "interfaces": true}

func describe(n *Node) string {
	if k := n.key(); k != "" {
		return n.Name + " " + k
	}
	return n.Name
}

// selected returns what a subtree filter selects of n (RFC 6241 section 6): nil for nothing. sel and n are the same element.
func selected(n, sel *Node) *Node {
	out := &Node{Space: n.Space, Name: n.Name, Inactive: n.Inactive, Text: n.Text}
	if len(sel.Kids) == 0 {
		return n.clone()
	}
	// Content match nodes decide whether n is meant at all; they do not narrow what is returned beside them.
	only := true
	for _, s := range sel.Kids {
		if s.Text == "" {
			only = false
			continue
		}
		if k := n.Kid(s.Name); k == nil || k.Text != s.Text {
			return nil
		}
	}
	if only {
		return n.clone()
	}
	for _, k := range n.Kids {
		for _, s := range sel.Kids {
			if s.Name != k.Name {
				continue
			}
			if got := selected(k, s); got != nil {
				out.Kids = append(out.Kids, got)
			}
			break
		}
	}
	if len(out.Kids) == 0 {
		return nil
	}
	return out
}
