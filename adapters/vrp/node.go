package vrp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// found is an element of XML that was read, with everything in it.
type found struct {
	xml.Name
	flaw string // an attribute other than a declaration of a namespace
	text string
	kids []*found
}

// readElements reads the elements of b, several roots allowed: the two models of ours have one each.
func readElements(b []byte) (*found, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	root := &found{}
	open := []*found{root}
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return root, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read XML: %w", err)
		}
		at := open[len(open)-1]
		switch t := t.(type) {
		case xml.StartElement:
			if len(open) > 32 {
				return nil, errors.New("read XML: nested too deep")
			}
			e := &found{Name: t.Name}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					e.flaw = a.Name.Local
				}
			}
			at.kids = append(at.kids, e)
			open = append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			at.text += string(bytes.TrimSpace(t))
			if at == root && at.text != "" {
				return nil, errors.New("read XML: text outside of elements")
			}
		case xml.Directive:
			return nil, errors.New("read XML: a document type has no place in NETCONF (RFC 6241 section 3)")
		}
	}
}

// strange returns an error for an element in e with an attribute: an operation, an annotation.
func (e *found) strange() error {
	if e.flaw != "" {
		return fmt.Errorf("%s has an attribute %s", e.Local, e.flaw)
	}
	for _, k := range e.kids {
		if err := k.strange(); err != nil {
			return err
		}
	}
	return nil
}

// value returns the text of the element called name in e; "" where there is none.
func (e *found) value(name string) string {
	for _, k := range e.kids {
		if k.Local == name {
			return k.text
		}
	}
	return ""
}

// leaves is the leaves of an element as they are taken, each once.
type leaves struct {
	of   *found
	left map[string]string
	err  error
}

// split sorts what is in e: leaves, and the containers that bear one of the names. Anything else is an error, and so is one of a name twice.
func (e *found) split(containers ...string) (*leaves, map[string]*found, error) {
	out := &leaves{of: e, left: map[string]string{}}
	inner := map[string]*found{}
	if e.text != "" {
		return nil, nil, fmt.Errorf("%s has text in it", e.Local)
	}
	for _, k := range e.kids {
		_, twice := out.left[k.Local]
		if twice || inner[k.Local] != nil {
			return nil, nil, fmt.Errorf("%s stands there twice", k.Local)
		}
		container := false
		for _, name := range containers {
			container = container || k.Local == name
		}
		switch {
		case container:
			inner[k.Local] = k
		case len(k.kids) > 0:
			return nil, nil, fmt.Errorf("%s is nothing that sluice writes there", k.Local)
		default:
			out.left[k.Local] = k.text
		}
	}
	return out, inner, nil
}

// take returns a leaf and whether it is there.
func (l *leaves) take(name string) (string, bool) {
	s, ok := l.left[name]
	delete(l.left, name)
	return strings.Clone(s), ok
}

// want takes a leaf that has to have that value.
func (l *leaves) want(name, value string) {
	if got, ok := l.take(name); (!ok || got != value) && l.err == nil {
		l.err = fmt.Errorf("%s: %s is %q, want %q", l.of.Local, name, got, value)
	}
}

// may takes a leaf that, if it is there, has to have the value that it has by default.
func (l *leaves) may(name, value string) {
	if got, ok := l.take(name); ok && got != value && l.err == nil {
		l.err = fmt.Errorf("%s: %s is %q, which sluice does not write", l.of.Local, name, got)
	}
}

// number takes a number of 0 to top; -1 where it is not there.
func (l *leaves) number(name string, top uint32) int {
	s, ok := l.take(name)
	if !ok {
		return -1
	}
	n, err := readNumber(s, nil, top)
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("%s: %w", name, err)
	}
	return int(n)
}

// end returns the first fault, or an error for a leaf that was not taken.
func (l *leaves) end() error {
	if l.err != nil {
		return l.err
	}
	if len(l.left) > 0 {
		return fmt.Errorf("%s: %s is nothing that sluice writes there", l.of.Local, slices.Min(slices.Collect(maps.Keys(l.left))))
	}
	return nil
}
