package notation

import (
	"encoding/json"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a document; sluice's own has five levels.
const maxDepth = 64

// maxKeys bounds the keys of one object; sluice's own have a dozen.
const maxKeys = 128

func readJSON(in *input) {
	p := jsonParser{src: in.src}
	root, err := p.document()
	if err != nil {
		in.fail("syntax", err.at, max(err.end, err.at+1), err.message, err.hint)
		return
	}
	readDocument(in, root)
}

// jsonParser reads JSON (RFC 8259) strictly, keeping places: encoding/json forgets them, and lets the last of two equal keys win.
type jsonParser struct {
	src string
	pos int
}

func (p *jsonParser) document() (*node, *stop) {
	root, err := p.value(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.pos < len(p.src) {
		return nil, stopf(p.pos, p.pos+1, "something follows the document; a file holds one")
	}
	return root, nil
}

func (p *jsonParser) space() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek returns the next octet that is no space, or 0.
func (p *jsonParser) peek() byte {
	p.space()
	if p.pos == len(p.src) {
		return 0
	}
	return p.src[p.pos]
}

func (p *jsonParser) value(depth int) (*node, *stop) {
	if depth > maxDepth {
		return nil, stopf(p.pos, p.pos+1, "nested too deeply")
	}
	switch c := p.peek(); {
	case c == 0:
		return nil, stopf(len(p.src), len(p.src), "the document ends where a value is expected")
	case c == '{':
		return p.mapping(depth)
	case c == '[':
		return p.list(depth)
	case c == '"':
		return p.text()
	case c == '-' || c >= '0' && c <= '9':
		return p.number()
	}
	return p.word()
}

func (p *jsonParser) mapping(depth int) (*node, *stop) {
	n := &node{kind: 'm', start: p.pos}
	p.pos++
	if p.peek() == '}' {
		p.pos++
		n.end = p.pos
		return n, nil
	}
	for {
		if p.peek() != '"' {
			return nil, stopf(p.pos, p.pos+1, "a key in double quotes is expected")
		}
		key, err := p.text()
		if err != nil {
			return nil, err
		}
		if len(n.keys) == maxKeys {
			return nil, stopf(key.start, key.end, "more than %d keys in one object", maxKeys)
		}
		for _, k := range n.keys {
			if k.text == key.text {
				return nil, stopf(key.start, key.end, "the key %s stands twice", quote(key.text))
			}
		}
		if p.peek() != ':' {
			return nil, stopf(p.pos, p.pos+1, "a colon is expected behind the key %s", quote(key.text))
		}
		p.pos++
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.keys, n.values = append(n.keys, key), append(n.values, value)
		switch p.peek() {
		case ',':
			p.pos++
		case '}':
			p.pos++
			n.end = p.pos
			return n, nil
		default:
			return nil, stopf(p.pos, p.pos+1, "a comma or } is expected")
		}
	}
}

func (p *jsonParser) list(depth int) (*node, *stop) {
	n := &node{kind: 'l', start: p.pos}
	p.pos++
	if p.peek() == ']' {
		p.pos++
		n.end = p.pos
		return n, nil
	}
	for {
		value, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, value)
		switch p.peek() {
		case ',':
			p.pos++
		case ']':
			p.pos++
			n.end = p.pos
			return n, nil
		default:
			return nil, stopf(p.pos, p.pos+1, "a comma or ] is expected")
		}
	}
}

// text reads a string. Most hold no escape and are a part of the source; the others go through encoding/json.
func (p *jsonParser) text() (*node, *stop) {
	start := p.pos
	plain := true
	for p.pos++; p.pos < len(p.src); p.pos++ {
		switch c := p.src[p.pos]; {
		case c == '"':
			p.pos++
			n := &node{kind: 's', text: p.src[start+1 : p.pos-1], start: start, end: p.pos}
			if plain && utf8.ValidString(n.text) {
				return n, nil
			}
			if !utf8.ValidString(n.text) {
				return nil, stopf(start, p.pos, "the text is not UTF-8")
			}
			if err := json.Unmarshal([]byte(p.src[start:p.pos]), &n.text); err != nil {
				return nil, stopf(start, p.pos, "an escape in the text is not one of JSON's")
			}
			return n, nil
		case c == '\\':
			plain = false
			p.pos++
		case c < 0x20:
			return nil, stopf(p.pos, p.pos+1, "a control character stands in the text; the quote may not be closed")
		}
	}
	return nil, stopf(start, start+1, "the quote is not closed")
}

func (p *jsonParser) number() (*node, *stop) {
	start := p.pos
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c >= '0' && c <= '9', c == '-', c == '+', c == '.', c == 'e', c == 'E':
			p.pos++
			continue
		}
		break
	}
	n := &node{kind: 'n', text: p.src[start:p.pos], start: start, end: p.pos}
	if !json.Valid([]byte(n.text)) {
		return nil, stopf(start, p.pos, "%s is no number of JSON", quote(n.text))
	}
	return n, nil
}

func (p *jsonParser) word() (*node, *stop) {
	start := p.pos
	for p.pos < len(p.src) && (p.src[p.pos] >= 'a' && p.src[p.pos] <= 'z' || p.src[p.pos] >= 'A' && p.src[p.pos] <= 'Z') {
		p.pos++
	}
	n := &node{kind: 'b', text: p.src[start:p.pos], start: start, end: p.pos}
	switch n.text {
	case "true", "false":
		return n, nil
	case "null":
		n.kind = 'z'
		return n, nil
	}
	return nil, stopf(start, max(p.pos, start+1), "a value is expected; text stands in double quotes")
}
