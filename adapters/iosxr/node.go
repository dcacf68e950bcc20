package iosxr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// node is an element with everything in it.
type node struct {
	xml.StartElement
	text string
	kids []node
}

func (n *node) name() string { return n.Name.Local }

// fill reads what is in n, to its end.
func (n *node) fill(d *xml.Decoder, depth int) error {
	if depth > 32 {
		return errors.New("nested too deep")
	}
	for {
		t, err := d.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			n.text += string(bytes.TrimSpace(t))
		case xml.StartElement:
			n.kids = append(n.kids, node{StartElement: t.Copy()})
			if err := n.kids[len(n.kids)-1].fill(d, depth+1); err != nil {
				return err
			}
		}
	}
}

// leaf returns the text of an element without any in it.
func (n *node) leaf() (string, error) {
	if len(n.kids) > 0 || n.text == "" {
		return "", fmt.Errorf("%s: want a value", n.name())
	}
	return n.text, nil
}

// each calls do for the elements in n, which is to hold nothing else.
func (n *node) each(do func(k *node) error) error {
	if n.text != "" {
		return fmt.Errorf("%s has text in it", n.name())
	}
	for i := range n.kids {
		if err := do(&n.kids[i]); err != nil {
			return err
		}
	}
	return nil
}

// strange returns an error for an attribute in n that is no declaration of a namespace: an operation, an annotation.
func (n *node) strange() error {
	for _, a := range n.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			return fmt.Errorf("%s has an attribute %s", n.name(), a.Name.Local)
		}
	}
	for i := range n.kids {
		if err := n.kids[i].strange(); err != nil {
			return err
		}
	}
	return nil
}

// readRoot reads the one element of a document.
func readRoot(d *xml.Decoder) (*node, error) {
	var root *node
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) && root != nil {
			return root, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if root != nil {
				return nil, fmt.Errorf("a second element %s behind the first", t.Name.Local)
			}
			root = &node{StartElement: t.Copy()}
			if err := root.fill(d, 0); err != nil {
				return nil, err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return nil, errors.New("text outside of elements")
			}
		case xml.Directive:
			return nil, errors.New("a document type has no place in NETCONF (RFC 6241 section 3)")
		}
	}
}

func withLeaf(n *node, do func(string) error) error {
	text, err := n.leaf()
	if err != nil {
		return err
	}
	if err := do(text); err != nil {
		return fmt.Errorf("%s: %w", n.name(), err)
	}
	return nil
}

// only returns the name of the only element in n, and the only one in that, if there is one.
func (n *node) only() (string, *node, error) {
	if len(n.kids) != 1 || n.text != "" {
		return "", nil, fmt.Errorf("%s: want one element in it", n.name())
	}
	k := &n.kids[0]
	if len(k.kids) == 1 && k.text == "" && k.kids[0].name() == "tcp-bits" {
		return k.name(), &k.kids[0], nil
	}
	return k.name(), nil, nil
}

// operator reads <eq>, <gt>, <lt>, <neq> or <range>.
func (n *node) operator(do func(op string, args []string) error) error {
	if len(n.kids) != 1 || n.text != "" {
		return fmt.Errorf("%s: want one operator", n.name())
	}
	k := &n.kids[0]
	var args []string
	if k.name() == "range" {
		ends := map[string]string{}
		if err := k.each(func(e *node) error {
			text, err := e.leaf()
			if _, twice := ends[e.name()]; twice {
				err = fmt.Errorf("%s stands there twice", e.name())
			}
			ends[e.name()] = text
			return err
		}); err != nil {
			return err
		}
		if len(ends) != 2 || ends["start-value"] == "" || ends["end-value"] == "" {
			return fmt.Errorf("%s: want a start-value and an end-value", n.name())
		}
		args = []string{ends["start-value"], ends["end-value"]}
	} else {
		text, err := k.leaf()
		if err != nil {
			return err
		}
		args = []string{text}
	}
	if err := do(k.name(), args); err != nil {
		return fmt.Errorf("%s: %w", n.name(), err)
	}
	return nil
}
