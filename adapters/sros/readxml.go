package sros

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// readXML reads an XML document.
func readXML(b []byte) (*node, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	root := &node{}
	open := []*node{root}
	other := 0 // depth below a <configure> of another model
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		top := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if other > 0 || t.Name.Local == "configure" && t.Name.Space != "" && t.Name.Space != namespace && t.Name.Space != netconfNamespace {
				other++
				continue
			}
			n := &node{name: t.Name.Local, flaw: attribute(t.Attr)}
			top.kids = append(top.kids, n)
			open = append(open, n)
		case xml.EndElement:
			if other > 0 {
				other--
				continue
			}
			if err := top.close(); err != nil {
				return nil, fmt.Errorf("read XML: %w", err)
			}
			open = open[:len(open)-1]
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" && other == 0 {
				if len(open) == 1 {
					return nil, errors.New("read XML: text outside of elements")
				}
				top.words = append(top.words, text)
			}
		}
	}
	if len(root.kids) > 1 {
		return nil, fmt.Errorf("read XML: a second element %s behind the first", root.kids[1].name)
	}
	return root, nil
}

// attribute returns the name of the first attribute that is no declaration of a namespace.
func attribute(attrs []xml.Attr) string {
	for _, a := range attrs {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			return a.Name.Local
		}
	}
	return ""
}

// close makes n what it would be in text: the key of a list entry stands beside its name, and not in it.
func (n *node) close() error {
	if len(n.words) > 0 && len(n.kids) > 0 {
		return fmt.Errorf("%s has text and elements in it", n.name)
	}
	if len(n.words) > 1 { // pieces around a comment
		n.words = []string{strings.Join(n.words, "")}
	}
	key, rest := keyOf[n.name], n.kids[:0]
	for _, k := range n.kids {
		if k.name == key && len(k.kids) == 0 {
			n.words = append(n.words, k.words...)
			if k.flaw != "" {
				n.flaw = k.flaw
			}
			continue
		}
		rest = append(rest, k)
	}
	n.kids = rest
	return nil
}
