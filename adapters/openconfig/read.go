package openconfig

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// element is a part of a document as it comes in, JSON or XML. Entries of lists stand as elements of one name.
type element struct {
	name  string // without the name of our module
	value string // of a leaf; an identity has the name of its module in front, unless it came without
	leaf  bool
	body  []*element
}

// deepest bounds how deep documents go: the model's own depth is 8, replies wrap it in a few.
const deepest = 64

// read returns every container acl of the model in b.
func read(b []byte) ([]*element, error) {
	trimmed := bytes.TrimSpace(b)
	switch {
	case len(trimmed) == 0:
		return nil, nil
	case trimmed[0] == '<':
		return readXML(trimmed)
	}
	return readJSON(trimmed)
}

// readJSON reads a JSON object whose member acl is of the model.
func readJSON(b []byte) ([]*element, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	root := &element{}
	t, err := d.Token()
	if err == nil {
		err = readValue(d, root, t, 0)
	}
	if err != nil {
		return nil, fmt.Errorf("octet %d: %w", d.InputOffset(), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the JSON object")
	}
	if root.leaf {
		return nil, errors.New("want a JSON object")
	}
	var out []*element
	for _, k := range root.body {
		if k.name == "acl" {
			out = append(out, k)
		}
	}
	return out, nil
}

// readValue reads the JSON value that begins with t into e. An object with one name twice is an error: which of the two counts is anybody's guess.
func readValue(d *json.Decoder, e *element, t json.Token, depth int) error {
	if depth > deepest {
		return errors.New("nested too deep")
	}
	switch t := t.(type) {
	case json.Delim:
		if t != '{' {
			return fmt.Errorf("%s: a list where none belongs", e.name)
		}
		return readObject(d, e, depth)
	case string:
		e.value, e.leaf = t, true
	case json.Number:
		e.value, e.leaf = t.String(), true
	case bool:
		e.value, e.leaf = fmt.Sprint(t), true
	default:
		return fmt.Errorf("%s: null where a value belongs", e.name)
	}
	return nil
}

// readObject reads the members of an object behind its brace.
func readObject(d *json.Decoder, e *element, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(t.(string), aclModule+":")
		if seen[name] {
			return fmt.Errorf("%s: it is there twice", name)
		}
		seen[name] = true
		if err := readMember(d, e, name, depth+1); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// readMember appends what stands behind a name to e: a value, or each of a list of them.
func readMember(d *json.Decoder, e *element, name string, depth int) error {
	t, err := d.Token()
	if err != nil {
		return err
	}
	if t != json.Delim('[') {
		k := &element{name: name}
		e.body = append(e.body, k)
		return readValue(d, k, t, depth)
	}
	for d.More() {
		if t, err = d.Token(); err != nil {
			return err
		}
		k := &element{name: name}
		e.body = append(e.body, k)
		if err := readValue(d, k, t, depth); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}

// readXML reads the containers acl of our namespace, or of none, wherever replies and edits put them.
func readXML(b []byte) ([]*element, error) {
	d := xml.NewDecoder(bytes.NewReader(b))
	var out []*element
	for depth := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if t.Name.Local == "acl" && (t.Name.Space == aclNamespace || t.Name.Space == "") {
				e, err := readElement(d, t, prefixes{}, 0)
				if err != nil {
					return nil, fmt.Errorf("octet %d: %w", d.InputOffset(), err)
				}
				out = append(out, e)
				continue
			}
			if depth++; depth > deepest {
				return nil, errors.New("nested too deep")
			}
		case xml.EndElement:
			depth--
		}
	}
}

// prefixes are the namespaces that are declared, by prefix.
type prefixes map[string]string

// with returns p with what start declares. Any other attribute is an error: it may take the element back, or put it off.
func (p prefixes) with(start xml.StartElement) (prefixes, error) {
	out := prefixes{}
	for k, v := range p {
		out[k] = v
	}
	for _, a := range start.Attr {
		switch {
		case a.Name.Space == "xmlns":
			out[a.Name.Local] = a.Value
		case a.Name.Space == "" && a.Name.Local == "xmlns":
		default:
			return nil, fmt.Errorf("%s: its attribute %s is not understood", start.Name.Local, a.Name.Local)
		}
	}
	return out, nil
}

// value puts the module's name in front of an identity in place of a prefix. One that is not declared is taken for the module's own: netconfd
// 2.13 answers so where an identity is a member of a union.
func (p prefixes) value(s string) string {
	prefix, name, found := strings.Cut(s, ":")
	if !found || prefix == "" {
		return s
	}
	space, declared := p[prefix]
	for module, its := range namespaces {
		if declared && its == space || !declared && prefix == ownPrefixes[module] {
			return module + ":" + name
		}
	}
	return s
}

// readElement reads what stands inside start, up to its end.
func readElement(d *xml.Decoder, start xml.StartElement, outer prefixes, depth int) (*element, error) {
	p, err := outer.with(start)
	if err != nil {
		return nil, err
	}
	if depth > deepest {
		return nil, errors.New("nested too deep")
	}
	e := &element{name: start.Name.Local}
	if space := start.Name.Space; space != aclNamespace && space != "" {
		e.name = space + " " + e.name // no name of the model
	}
	var words strings.Builder
	for {
		t, err := d.Token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			k, err := readElement(d, t, p, depth+1)
			if err != nil {
				return nil, err
			}
			e.body = append(e.body, k)
		case xml.CharData:
			words.Write(t)
		case xml.EndElement:
			e.value = p.value(strings.TrimSpace(words.String()))
			if e.leaf = e.value != ""; e.leaf && len(e.body) > 0 {
				return nil, fmt.Errorf("%s: text between its elements", e.name)
			}
			return e, nil
		}
	}
}
