package junos

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// line is one statement as `set` would spell it, behind `firewall`: family inet filter sluice-v4 term r-1 from protocol udp.
type line struct {
	words []string // valid during the call only
	flaw  error    // why it does not count as it stands: errDeactivated, an attribute that is not understood
	at    int      // line of the text, 0 when it is not known
}

// errDeactivated is the flaw of what "deactivate" has switched off.
var errDeactivated = errors.New("it is deactivated")

// error says where err is.
func (l line) error(err error) error {
	if l.at == 0 {
		return err
	}
	return fmt.Errorf("line %d: %w", l.at, err)
}

// readXML calls do for each statement under section (`firewall`, say) in b, which is a <configuration>, alone or in a <data> or an
// <rpc-reply>.
func readXML(b []byte, section string, do func(line) error) error {
	r := xmlReader{decoder: xml.NewDecoder(bytes.NewReader(b)), section: section, do: do}
	seen := false
	for {
		t, err := r.decoder.Token()
		if errors.Is(err, io.EOF) && seen {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read XML: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if seen {
				return fmt.Errorf("read XML: a second element %s behind the first", t.Name.Local)
			}
			seen = true
			if err := r.outer(t, nil); err != nil {
				return err
			}
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return errors.New("read XML: text outside of elements")
			}
		case xml.Directive:
			return errors.New("read XML: a document type has no place in NETCONF (RFC 6241 section 3)")
		}
	}
}

type xmlReader struct {
	decoder *xml.Decoder
	section string
	do      func(line) error
	stack   []element
	words   []string
}

// element is an open element of the section, which is one itself.
type element struct {
	name   string
	words  int // how many words it has put on the line: itself, and its key
	flaw   error
	filled bool // has had a child other than its key
}

// outer walks the elements around the section. A configuration that is not there at all is an empty one.
func (r *xmlReader) outer(start xml.StartElement, flaw error) error {
	inside := map[string][]string{"rpc-reply": {"data", "configuration"}, "data": {"configuration"}, "configuration": {}}
	wanted, ok := inside[start.Name.Local]
	if !ok {
		return fmt.Errorf("read XML: element %s, want a configuration", start.Name.Local)
	}
	flaw = first(flaw, deactivated(start))
	for {
		t, err := r.decoder.Token()
		if err != nil {
			return fmt.Errorf("read XML: %w", err)
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			if err := r.child(start.Name.Local, t, wanted, flaw); err != nil {
				return err
			}
		}
	}
}

// child handles one element within one of the outer elements.
func (r *xmlReader) child(parent string, t xml.StartElement, wanted []string, flaw error) error {
	name := t.Name.Local
	switch {
	case parent != "configuration" && strings.HasSuffix(name, "error"): // rpc-error, and Junos's own xnm:error
		return fmt.Errorf("read XML: the reply is an error (%s), not a configuration", name)
	case parent == "configuration" && name == r.section:
		r.stack, r.words = r.stack[:0], r.words[:0]
		return r.inner(t, flaw)
	case contains(wanted, name):
		return r.outer(t, flaw)
	}
	if err := r.decoder.Skip(); err != nil {
		return fmt.Errorf("read XML: %w", err)
	}
	return nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// inner reads the element of the section and what is in it.
func (r *xmlReader) inner(start xml.StartElement, flaw error) error {
	r.stack = append(r.stack, element{name: r.section, flaw: first(flaw, deactivated(start))})
	var text []byte
	for len(r.stack) > 0 {
		t, err := r.decoder.Token()
		if err != nil {
			return fmt.Errorf("read XML: %w", err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if len(bytes.TrimSpace(text)) > 0 {
				return fmt.Errorf("read XML: %s has both text and elements", r.top().name)
			}
			text = text[:0]
			if err := r.open(t); err != nil {
				return err
			}
		case xml.CharData:
			text = append(text, t...)
		case xml.EndElement:
			if err := r.close(string(bytes.TrimSpace(text))); err != nil {
				return err
			}
			text = text[:0]
		}
	}
	return nil
}

func (r *xmlReader) top() *element { return &r.stack[len(r.stack)-1] }

// open puts an element on the line, or reads the key of the one that is open.
func (r *xmlReader) open(t xml.StartElement) error {
	parent := r.top()
	if t.Name.Local == "name" {
		return r.key(parent, t)
	}
	if r.keyed() && parent.words < 2 {
		return fmt.Errorf("read XML: %s begins with %s, not with its name (RFC 7950 section 7.8.5)", parent.name, t.Name.Local)
	}
	if len(r.stack) > 32 {
		return errors.New("read XML: nested too deep")
	}
	parent.filled = true
	r.words = append(r.words, t.Name.Local)
	r.stack = append(r.stack, element{name: t.Name.Local, words: 1, flaw: first(parent.flaw, flawOf(t))})
	return nil
}

// key reads <name>, which comes first in an entry of a list.
func (r *xmlReader) key(parent *element, t xml.StartElement) error {
	if parent.filled || parent.words != 1 {
		return fmt.Errorf("read XML: the name of %s does not come first", parent.name)
	}
	parent.flaw = first(parent.flaw, flawOf(t))
	var key []byte
	for {
		t, err := r.decoder.Token()
		if err != nil {
			return fmt.Errorf("read XML: %w", err)
		}
		switch t := t.(type) {
		case xml.CharData:
			key = append(key, t...)
		case xml.StartElement:
			return fmt.Errorf("read XML: the name of %s holds an element", parent.name)
		case xml.EndElement:
			name := string(bytes.TrimSpace(key))
			if name == "" {
				return fmt.Errorf("read XML: %s has an empty name", parent.name)
			}
			parent.words = 2
			r.words = append(r.words, name)
			return nil
		}
	}
}

// close ends the open element: one without children is a line.
func (r *xmlReader) close(text string) error {
	e := *r.top()
	if e.words == 1 && !e.filled && r.keyed() {
		return fmt.Errorf("read XML: a %s has no name", e.name)
	}
	if !e.filled && e.words > 0 {
		l := line{words: r.words, flaw: e.flaw}
		if text != "" {
			l.words = append(l.words, text)
		}
		if err := r.do(l); err != nil {
			return err
		}
	} else if text != "" {
		return fmt.Errorf("read XML: %s has both text and elements", e.name)
	}
	r.words = r.words[:len(r.words)-e.words]
	r.stack = r.stack[:len(r.stack)-1]
	return nil
}

// keyed says whether the open element is an entry of one of the lists that our objects consist of. Without its key, its first child
// would be taken for it.
func (r *xmlReader) keyed() bool {
	e := r.top()
	if r.section != "firewall" {
		return e.name == "interface" && len(r.stack) == 2 || e.name == "unit" && len(r.stack) == 3
	}
	switch e.name {
	case "policer":
		return len(r.stack) == 2 // firewall policer; further in, it is a leaf
	case "filter":
		return len(r.stack) == 4 // firewall family inet filter
	case "term":
		return len(r.stack) == 5
	case "source-address", "destination-address":
		return len(r.stack) == 7
	}
	return false
}

// deactivated says whether an element is marked inactive.
func deactivated(t xml.StartElement) error {
	for _, a := range t.Attr {
		if a.Name.Local == "inactive" {
			return errDeactivated
		}
	}
	return nil
}

// flawOf says what is the matter with an element by its attributes. Junos adds notes of its own (junos:changed-seconds and others).
func flawOf(t xml.StartElement) error {
	if err := deactivated(t); err != nil {
		return err
	}
	for _, a := range t.Attr {
		note := a.Name.Space == "xmlns" || a.Name.Local == "xmlns" || a.Name.Space == "junos" || strings.HasPrefix(a.Name.Space, "http://xml.juniper.net/")
		if !note {
			return fmt.Errorf("it has an attribute %s", a.Name.Local)
		}
	}
	return nil
}

// first returns the outer of two flaws; that something is deactivated goes before any other, for it is not to be undone.
func first(a, b error) error {
	if a != nil && !errors.Is(b, errDeactivated) {
		return a
	}
	return b
}
