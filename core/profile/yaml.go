package profile

import (
	"errors"
	"fmt"
	"strconv"

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

// rawProfile and the types below are the file as it is written: strings with their places. Load turns them into a Profile.
type rawProfile struct {
	Name      word                     `yaml:"name"`
	Extends   word                     `yaml:"extends"`
	Aliases   []word                   `yaml:"aliases"`
	Vendor    word                     `yaml:"vendor"`
	Platform  word                     `yaml:"platform"`
	Releases  word                     `yaml:"releases"`
	Facts     []node[rawFact]          `yaml:"facts"`
	Native    node[rawNative]          `yaml:"native"`
	Filter    node[rawFilter]          `yaml:"filter"`
	Pipeline  node[rawPipeline]        `yaml:"pipeline"`
	Options   dict[node[rawOption]]    `yaml:"options"`
	Behaviour dict[node[rawBehaviour]] `yaml:"behaviour"`
	Warnings  []node[rawWarning]       `yaml:"warnings"`
	Without   []word                   `yaml:"without"`
}

// rawChange is what a value of an option changes in a profile.
type rawChange struct {
	Native    node[rawNative]          `yaml:"native"`
	Filter    node[rawFilter]          `yaml:"filter"`
	Pipeline  node[rawPipeline]        `yaml:"pipeline"`
	Behaviour dict[node[rawBehaviour]] `yaml:"behaviour"`
	Warnings  []node[rawWarning]       `yaml:"warnings"`
	Without   []word                   `yaml:"without"`
}

type rawFact struct {
	ID      word `yaml:"id"`
	Text    word `yaml:"text"`
	Source  word `yaml:"source"`
	Checked word `yaml:"checked"`
	Basis   word `yaml:"basis"`
}

type rawNative struct {
	Cannot     *bool                    `yaml:"cannot"`
	Fact       factRef                  `yaml:"fact"`
	Families   node[rawFamilies]        `yaml:"families"`
	Components dict[node[rawComponent]] `yaml:"components"`
	Exclude    []node[rawExclusion]     `yaml:"exclude"`
	Needs      []node[rawNeed]          `yaml:"needs"`
	Actions    node[rawActions]         `yaml:"actions"`
	Fails      node[rawFails]           `yaml:"redirect-fails"`
	Order      node[rawOrder]           `yaml:"order"`
	OrderV6    node[rawOrder]           `yaml:"order-v6"`
	MaxNLRI    number                   `yaml:"max-nlri"`
	MaxRules   number                   `yaml:"max-rules"`
	Cost       node[rawCost]            `yaml:"cost"`
}

type rawFamilies struct {
	List []word  `yaml:"list"`
	Fact factRef `yaml:"fact"`
}

type rawComponent struct {
	Cannot   bool          `yaml:"cannot"`
	Ops      []word        `yaml:"ops"`
	OpFacts  dict[factRef] `yaml:"op-facts"`
	Values   number        `yaml:"values"`
	MaxPairs number        `yaml:"max-pairs"`
	MinValue number        `yaml:"min-value"`
	MaxValue number        `yaml:"max-value"`
	Bits     number        `yaml:"bits"`
	BitsV6   number        `yaml:"bits-v6"`
	MaxBits  number        `yaml:"max-bits"`
	MaxWidth number        `yaml:"max-width"`
	Offset   bool          `yaml:"offset"`
	Families []word        `yaml:"families"`
	Fact     factRef       `yaml:"fact"`
	FactV6   factRef       `yaml:"fact-v6"`
	Reads    factRef       `yaml:"reads"`
}

type rawExclusion struct {
	Types []word  `yaml:"types"`
	Fact  factRef `yaml:"fact"`
}

type rawNeed struct {
	Of     []word   `yaml:"of"`
	OneOf  []word   `yaml:"one-of"`
	Values []number `yaml:"values"`
	Fact   factRef  `yaml:"fact"`
}

type rawActions struct {
	Accept      node[rawCan]               `yaml:"accept"`
	Discard     node[rawCan]               `yaml:"discard"`
	RateBytes   node[rawRate]              `yaml:"rate-bytes"`
	RatePackets node[rawRate]              `yaml:"rate-packets"`
	Mark        node[rawCan]               `yaml:"mark"`
	Sample      node[rawCan]               `yaml:"sample"`
	Continue    node[rawCan]               `yaml:"continue"`
	Copy        node[rawCan]               `yaml:"copy"`
	Redirects   dict[node[rawCan]]         `yaml:"redirects"`
	Exclude     []node[rawActionExclusion] `yaml:"exclude"`
}

type rawCan struct {
	Cannot   bool    `yaml:"cannot"`
	Families []word  `yaml:"families"`
	Fact     factRef `yaml:"fact"`
}

type rawFails struct {
	To   word    `yaml:"to"`
	Fact factRef `yaml:"fact"`
}

type rawRate struct {
	Cannot     bool    `yaml:"cannot"`
	Unit       word    `yaml:"unit"`
	Step       number  `yaml:"step"`
	Floor      number  `yaml:"floor"`
	BelowFloor word    `yaml:"below-floor"`
	Ceiling    number  `yaml:"ceiling"`
	Fact       factRef `yaml:"fact"`
}

type rawActionExclusion struct {
	Actions []word  `yaml:"actions"`
	Fact    factRef `yaml:"fact"`
}

type rawOrder struct {
	Kind             word    `yaml:"kind"`
	ByReceivedOctets bool    `yaml:"by-received-octets"`
	PrefixLever      bool    `yaml:"prefix-lever"`
	AlwaysFalse      bool    `yaml:"always-false"`
	Fact             factRef `yaml:"fact"`
}

type rawFilter struct {
	Cannot        *bool                    `yaml:"cannot"`
	Dialect       word                     `yaml:"dialect"`
	Fact          factRef                  `yaml:"fact"`
	Semantics     node[rawSemantics]       `yaml:"semantics"`
	Versions      []int                    `yaml:"versions"`
	Components    dict[node[rawComponent]] `yaml:"components"`
	Exclude       []node[rawExclusion]     `yaml:"exclude"`
	Actions       node[rawActions]         `yaml:"actions"`
	SharedPolicer node[rawCan]             `yaml:"shared-policer"`
	Burst         node[rawBurst]           `yaml:"burst"`
	MaxEntries    number                   `yaml:"max-entries"`
	Cost          node[rawCost]            `yaml:"cost"`
}

type rawSemantics struct {
	PortsCheckProtocol    *bool   `yaml:"ports-check-protocol"`
	TransportChecksOffset *bool   `yaml:"transport-checks-offset"`
	FlagsCheckProtocol    *bool   `yaml:"flags-check-protocol"`
	ICMPChecksProtocol    *bool   `yaml:"icmp-checks-protocol"`
	TailDiscards          *bool   `yaml:"tail-discards"`
	Fact                  factRef `yaml:"fact"`
}

type rawBurst struct {
	MS   int     `yaml:"milliseconds"`
	Min  uint64  `yaml:"min-bytes"`
	Max  uint64  `yaml:"max-bytes"`
	Fact factRef `yaml:"fact"`
}

type rawPipeline struct {
	Stages []word  `yaml:"stages"`
	Fact   factRef `yaml:"fact"`
}

type rawOption struct {
	Values []word                `yaml:"values"`
	Text   word                  `yaml:"text"`
	Fact   factRef               `yaml:"fact"`
	Set    dict[node[rawChange]] `yaml:"set"`
}

type rawBehaviour struct {
	Says word    `yaml:"says"`
	Fact factRef `yaml:"fact"`
}

type rawWarning struct {
	Code    word    `yaml:"code"`
	When    word    `yaml:"when"`
	Unless  word    `yaml:"unless"`
	Above   number  `yaml:"above"`
	Text    word    `yaml:"text"`
	Command word    `yaml:"command"`
	Fact    factRef `yaml:"fact"`
}

// node is a part of the file with its place. Unknown keys in it are errors that know theirs.
type node[T any] struct {
	at
	V T
}

// UnmarshalYAML decodes strictly.
func (x *node[T]) UnmarshalYAML(n ast.Node) error {
	x.at = place(n)
	return yaml.NodeToValue(n, &x.V, yaml.Strict())
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
		if err := yaml.NodeToValue(n, &body, yaml.Strict()); err != nil {
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

// plainOnly refuses anchors, aliases and merge keys. Parts of the file are decoded one by one, each for itself, and would not find them; and a
// profile is read by people who look for the limit beside the component.
type plainOnly struct{ err error }

// Visit looks at one node.
func (v *plainOnly) Visit(n ast.Node) ast.Visitor {
	if v.err != nil {
		return nil
	}
	switch n.Type() {
	case ast.AnchorType, ast.AliasType, ast.MergeKeyType:
		v.err = placed(n, "anchors, aliases and merge keys are not read here: write the value out")
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
