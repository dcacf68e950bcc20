package profile

import (
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// at is a place in a profile file: line and column, from 1, and the file where it is known.
type at struct {
	line, col int
	Src       *source
}

// source is a file that places are in: a profile that extends another one has places in two.
type source struct {
	file string
	text []byte
}

// node is a part of the file with its place. Unknown keys in it are errors that know theirs.
type node[T any] struct {
	at
	V T
}

// UnmarshalYAML decodes strictly.
func (x *node[T]) UnmarshalYAML(n ast.Node) error {
	x.at = place(n)
	return known(yaml.NodeToValue(n, &x.V, yaml.Strict()), reflect.TypeFor[T]())
}

// known returns err with the keys that there are, where it is about one that t does not have.
func known(err error, t reflect.Type) error {
	var unknown *yaml.UnknownFieldError
	if !errors.As(err, &unknown) || t.Kind() != reflect.Struct {
		return err
	}
	return &placedError{tokenAt(unknown.GetToken()), unknown.GetMessage() + ": write one of " + strings.Join(keysOf(t), ", ")}
}

// keysOf returns the keys of a mapping that is decoded into t.
func keysOf(t reflect.Type) []string {
	var keys []string
	for i := range t.NumField() {
		if key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ","); key != "" && key != "-" {
			keys = append(keys, key)
		}
	}
	return keys
}

// written says whether x was in the file at all.
func (x node[T]) written() bool { return x.line != 0 }

// word is a scalar with its place.
type word struct {
	at
	s string
}

// UnmarshalYAML reads any scalar as it is written, so that `checked: 2026-11` stays text.
func (w *word) UnmarshalYAML(n ast.Node) error {
	if s, ok := n.(*ast.LiteralNode); ok { // a block: `command: |`
		w.at, w.s = place(n), s.Value.Value
		return nil
	}
	s, ok := n.(ast.ScalarNode)
	if !ok {
		return placed(n, "one word or sentence is expected here, not a list or a mapping")
	}
	w.at, w.s = place(n), s.GetToken().Value
	return nil
}

// factRef is `fact: ID`, or a fact written in place.
type factRef struct {
	at
	id     string
	Inline *node[rawFact]
}

// UnmarshalYAML reads either form.
func (f *factRef) UnmarshalYAML(n ast.Node) error {
	f.at = place(n)
	if isMapping(n) {
		f.Inline = new(node[rawFact])
		return f.Inline.UnmarshalYAML(n)
	}
	var w word
	err := w.UnmarshalYAML(n)
	f.id = w.s
	return err
}

// number is a limit: a number, `unknown`, `unlimited` (a count), `none` (of a rate: there is none), or a mapping {value, soft, fact}. The zero number was not written.
type number struct {
	at
	is   float64
	word string // "unknown", "unlimited", "none", "" for a number
	set  bool
	soft bool
	Fact factRef
}

// UnmarshalYAML reads any of the forms.
func (l *number) UnmarshalYAML(n ast.Node) error {
	l.at, l.set = place(n), true
	if isMapping(n) {
		var body struct {
			Value number  `yaml:"value"`
			Soft  bool    `yaml:"soft"`
			Fact  factRef `yaml:"fact"`
		}
		if err := known(yaml.NodeToValue(n, &body, yaml.Strict()), reflect.TypeOf(body)); err != nil {
			return err
		}
		if !body.Value.set {
			return placed(n, "a limit with a fact of its own needs `value`")
		}
		l.is, l.word, l.soft, l.Fact = body.Value.is, body.Value.word, body.Soft, body.Fact
		return nil
	}
	var w word
	if err := w.UnmarshalYAML(n); err != nil {
		return err
	}
	switch w.s {
	case "unknown", "unlimited", "none":
		l.word = w.s
		return nil
	}
	if i, err := strconv.ParseInt(w.s, 0, 64); err == nil {
		l.is = float64(i)
		return nil
	}
	f, err := strconv.ParseFloat(w.s, 64)
	if err != nil {
		return placed(n, fmt.Sprintf("%q is not a limit: write a number, unknown, unlimited or none", w.s))
	}
	l.is = f
	return nil
}

// dict is a mapping that keeps the places of its keys and their order.
type dict[T any] []entry[T]

type entry[T any] struct {
	Key word
	Val T
}

// UnmarshalYAML reads the keys in order.
func (d *dict[T]) UnmarshalYAML(n ast.Node) error {
	for _, v := range pairs(n) {
		var e entry[T]
		if err := e.Key.UnmarshalYAML(v.Key.(ast.Node)); err != nil {
			return err
		}
		if err := yaml.NodeToValue(v.Value, &e.Val, yaml.Strict()); err != nil {
			return err
		}
		*d = append(*d, e)
	}
	if !isMapping(n) {
		return placed(n, "a mapping is expected here")
	}
	return nil
}

func isMapping(n ast.Node) bool {
	switch n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		return true
	}
	return false
}

func pairs(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// place is where n begins. The token of a mapping is its first colon, so the first key is looked at instead.
func place(n ast.Node) at {
	t := n.GetToken()
	if m, ok := n.(*ast.MappingNode); ok && m.IsFlowStyle {
		return tokenAt(m.Start)
	}
	if p := pairs(n); len(p) > 0 {
		t = p[0].Key.GetToken()
	}
	return tokenAt(t)
}

func tokenAt(t *token.Token) at {
	if t == nil || t.Position == nil {
		return at{line: 1, col: 1}
	}
	return at{line: t.Position.Line, col: t.Position.Column}
}

// placedError is an error at a place.
type placedError struct {
	at
	msg string
}

func (e *placedError) Error() string { return e.msg }

func placed(n ast.Node, msg string) error { return &placedError{place(n), msg} }

// read decodes one file. It refuses a second document, which the library would silently leave out.
func read(b []byte) (*node[rawProfile], error) {
	f, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, err
	}
	var docs []*ast.DocumentNode
	for _, d := range f.Docs {
		if d.Body != nil {
			docs = append(docs, d)
		}
	}
	if len(docs) == 0 {
		return nil, &placedError{at{line: 1, col: 1}, "the file is empty"}
	}
	if len(docs) > 1 {
		return nil, placed(docs[1].Body, "a second document: one file holds one profile")
	}
	if !isMapping(docs[0].Body) {
		return nil, placed(docs[0].Body, "a mapping is expected here, beginning with `name:`")
	}
	var v plainOnly
	if ast.Walk(&v, docs[0].Body); v.err != nil {
		return nil, v.err
	}
	raw := new(node[rawProfile])
	if err := raw.UnmarshalYAML(docs[0].Body); err != nil {
		return nil, err
	}
	return raw, nil
}

// plainOnly refuses anchors, aliases, merge keys and tags. Parts of the file are decoded one by one, each for itself, and would not find the first three; and a
// profile is read by people who look for the limit beside the component. A tag means nothing here, and the decoder of the library falls over one on a list.
type plainOnly struct{ err error }

// Visit looks at one node.
func (v *plainOnly) Visit(n ast.Node) ast.Visitor {
	if v.err != nil {
		return nil
	}
	switch n.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType, ast.TagType:
		v.err = placed(n, "anchors, aliases, merge keys and tags are not read here: write the value out")
	}
	return v
}

// problemOf turns an error of read into a Problem.
func problemOf(err error) Problem {
	var p *placedError
	if errors.As(err, &p) {
		return Problem{Line: p.line, Column: p.col, Message: p.msg}
	}
	var y yaml.Error
	if errors.As(err, &y) {
		a := tokenAt(y.GetToken())
		return Problem{Line: a.line, Column: a.col, Message: y.GetMessage()}
	}
	return Problem{Line: 1, Column: 1, Message: err.Error()}
}
