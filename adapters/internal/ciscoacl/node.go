package ciscoacl

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
)

// Node is an element with everything in it.
type Node struct {
	xml.StartElement
	Text string
	Kids []Node
}

// Name returns the name of the element, without its namespace.
func (n *Node) Name() string { return n.StartElement.Name.Local }

// fill reads what is in n, to its end.
func (n *Node) fill(d *xml.Decoder, depth int) error {
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
			n.Text += string(bytes.TrimSpace(t))
		case xml.StartElement:
			n.Kids = append(n.Kids, Node{StartElement: t.Copy()})
			if err := n.Kids[len(n.Kids)-1].fill(d, depth+1); err != nil {
				return err
			}
		}
	}
}

// Leaf returns the text of an element without any in it.
func (n *Node) Leaf() (string, error) {
	if len(n.Kids) > 0 || n.Text == "" {
		return "", fmt.Errorf("%s: want a value", n.Name())
	}
	return n.Text, nil
}

// Each calls do for the elements in n, which is to hold nothing else.
func (n *Node) Each(do func(k *Node) error) error {
	if n.Text != "" {
		return fmt.Errorf("%s has text in it", n.Name())
	}
	for i := range n.Kids {
		if err := do(&n.Kids[i]); err != nil {
			return err
		}
	}
	return nil
}

// Strange returns an error for an attribute in n that is no declaration of a namespace: an operation, an annotation.
func (n *Node) Strange() error {
	for _, a := range n.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			return fmt.Errorf("%s has an attribute %s", n.Name(), a.Name.Local)
		}
	}
	for i := range n.Kids {
		if err := n.Kids[i].Strange(); err != nil {
			return err
		}
	}
	return nil
}

// ReadRoot reads the one element of a document.
func ReadRoot(d *xml.Decoder) (*Node, error) {
	var root *Node
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
			root = &Node{StartElement: t.Copy()}
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

// WithLeaf hands the text of n, an element without any in it, to do.
func WithLeaf(n *Node, do func(string) error) error {
	text, err := n.Leaf()
	if err != nil {
		return err
	}
	if err := do(text); err != nil {
		return fmt.Errorf("%s: %w", n.Name(), err)
	}
	return nil
}
