package notation

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	yamltoken "github.com/goccy/go-yaml/token"
)

func readYAML(in *input) {
	if readPieces(in, yamlPiece) {
		return
	}
	root, err := yamlDocument(in, in.src, 0)
	if err != nil {
		in.fail("syntax", err.at, max(err.end, err.at+1), err.message, err.hint)
		return
	}
	readDocument(in, root)
}

// yamlDocument parses the one document of text, whose lines are moved against those of the input by delta. A panic of the
// parser on odd input is an error about this input and no more.
func yamlDocument(in *input, text string, delta int) (root *node, failure *stop) {
	defer func() {
		if p := recover(); p != nil {
			root, failure = nil, stopf(0, 1, "this cannot be read as YAML: %v", p)
		}
	}()
	if !utf8.ValidString(in.src) {
		return nil, stopf(0, 1, "the file is not UTF-8")
	}
	if deep := tooDeep(text); deep >= 0 {
		return nil, stopf(deep, deep+1, "nested more than %d deep", maxDepth)
	}
	y := yamlReader{in: in, delta: delta}
	file, err := parser.ParseBytes([]byte(text), 0)
	if err != nil {
		return nil, y.failure(err)
	}
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if _, comment := doc.Body.(*ast.CommentGroupNode); comment {
			continue
		}
		if _, directive := doc.Body.(*ast.DirectiveNode); directive {
			continue
		}
		body, failure := y.node(doc.Body, 0)
		switch {
		case failure != nil:
			return nil, failure
		case root != nil:
			return nil, stopf(body.start, body.end, "a second document: a file holds one")
		}
		root = body
	}
	if root == nil {
		return nil, stopf(0, 1, "the file holds no document")
	}
	return root, nil
}

// tooDeep returns the octet where brackets, or the dashes of lists within lists, are nested deeper than maxDepth, or -1: there the library takes time and
// memory that grow with the square of the depth. It does not know quotes; no rule has a text with so many brackets.
func tooDeep(text string) int {
	brackets, dashes := 0, 0
	for i := range len(text) {
		marker := false
		switch text[i] {
		case '[', '{':
			brackets++
		case ']', '}':
			brackets = max(0, brackets-1)
		case ' ', '\t':
			continue // does not end a row of dashes
		case '-', '?', ':':
			marker = i+1 < len(text) && text[i+1] == ' '
		}
		if dashes++; !marker {
			dashes = 0
		}
		if brackets > maxDepth || dashes > maxDepth {
			return i
		}
	}
	return -1
}

// failure takes the place out of an error of the library.
func (y *yamlReader) failure(err error) *stop {
	var bad yaml.Error
	if !errors.As(err, &bad) || bad.GetToken() == nil {
		return stopf(0, 1, "this cannot be read as YAML: %s", firstLine(err.Error()))
	}
	at := y.at(bad.GetToken())
	return stopf(at, at+max(1, len(firstLine(bad.GetToken().Value))), "%s", firstLine(bad.GetMessage()))
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

// yamlReader turns the library's tree into nodes. Anchors, aliases, tags and merge keys are refused: rules need none, and an alias
// can make a small file large.
type yamlReader struct {
	in    *input
	delta int
}

// at returns the octet where a token begins. The library counts lines and columns from 1, columns in characters.
func (y *yamlReader) at(t *yamltoken.Token) int {
	y.in.lineOf(0)
	if t == nil || t.Position == nil || t.Position.Line+y.delta < 1 || t.Position.Line+y.delta > len(y.in.lines) {
		return 0
	}
	at := y.in.lines[t.Position.Line+y.delta-1]
	for n := 1; n < t.Position.Column && at < len(y.in.src) && y.in.src[at] != '\n'; n++ {
		_, size := utf8.DecodeRuneInString(y.in.src[at:])
		at += size
	}
	return at
}

func (y *yamlReader) scalar(kind byte, t *yamltoken.Token) *node {
	n := &node{kind: kind, text: t.Value, start: y.at(t)}
	n.end = n.start + max(1, len(firstLine(t.Value)))
	if t.Type == yamltoken.DoubleQuoteType || t.Type == yamltoken.SingleQuoteType {
		n.end += 2
	}
	return n
}

func (y *yamlReader) node(v ast.Node, depth int) (*node, *stop) {
	if v == nil {
		return &node{kind: 'z'}, nil
	}
	if depth > maxDepth {
		at := y.at(v.GetToken())
		return nil, stopf(at, at+1, "nested too deeply")
	}
	switch v := v.(type) {
	case *ast.StringNode:
		n := y.scalar('s', v.GetToken())
		n.text = v.Value
		return n, nil
	case *ast.LiteralNode:
		n := y.scalar('s', v.GetToken())
		n.text = v.Value.Value
		return n, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return y.scalar('n', v.GetToken()), nil
	case *ast.BoolNode:
		n := y.scalar('b', v.GetToken())
		n.text = fmt.Sprint(v.Value)
		return n, nil
	case *ast.NullNode:
		return y.scalar('z', v.GetToken()), nil
	case *ast.SequenceNode:
		return y.list(v, depth)
	case *ast.MappingNode:
		return y.mapping(v, v.Values, depth)
	case *ast.MappingValueNode:
		return y.mapping(v, []*ast.MappingValueNode{v}, depth)
	}
	at := y.at(v.GetToken())
	s := stopf(at, at+1, "anchors, aliases, tags and merge keys are not read here")
	s.hint = "text that begins with !, &, * or > stands in quotes: \"!ack\", \">=1024\""
	return nil, s
}

func (y *yamlReader) list(v *ast.SequenceNode, depth int) (*node, *stop) {
	n := &node{kind: 'l', start: y.at(v.GetToken())}
	n.end = n.start + 1
	for _, value := range v.Values {
		item, err := y.node(value, depth+1)
		if err != nil {
			return nil, err
		}
		n.values = append(n.values, item)
	}
	return n, nil
}

func (y *yamlReader) mapping(v ast.Node, pairs []*ast.MappingValueNode, depth int) (*node, *stop) {
	n := &node{kind: 'm', start: y.at(v.GetToken())}
	seen := make(map[string]bool, len(pairs))
	for i, pair := range pairs {
		key, err := y.node(pair.Key, depth+1)
		if err != nil {
			return nil, err
		}
		if key.kind == 'm' || key.kind == 'l' {
			return nil, stopf(key.start, key.end, "a key is one word")
		}
		if i == 0 && v.GetToken() != nil && v.GetToken().Type != yamltoken.MappingStartType {
			n.start = key.start
		}
		if seen[key.text] {
			return nil, stopf(key.start, key.end, "the key %s stands twice", quote(key.text))
		}
		seen[key.text] = true
		value, err := y.node(pair.Value, depth+1)
		if err != nil {
			return nil, err
		}
		if value.end == 0 {
			value.start, value.end = key.start, key.end
		}
		n.keys, n.values = append(n.keys, key), append(n.values, value)
	}
	n.end = n.start + 1
	return n, nil
}
