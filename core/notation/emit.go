package notation

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// pair is a key of sluice's own notation with its value: a string, an int, a bool, a list of these, or pairs.
type pair struct {
	key   string
	value any
}

// writeTree prints rules in sluice's own notation, as YAML or JSON, and reads all of it back.
func writeTree(out *bytes.Buffer, f Format, rules []flowspec.Rule) error {
	trees := make([][]pair, 0, len(rules))
	err := each(rules, func(r flowspec.Rule) error {
		tree, err := ownRule(r)
		trees = append(trees, tree)
		return err
	})
	if err != nil {
		return err
	}
	emit := emitYAML
	if f == JSON {
		emit = emitJSON
	}
	emit(out, trees)
	return nil
}

// ownRule finds the plainest way to say a rule that reads back as the same.
func ownRule(r flowspec.Rule) ([]pair, error) {
	var last error
	for _, plain := range []struct{ match, action bool }{{true, true}, {true, false}, {false, true}, {false, false}} {
		tree := ownTree(r, plain.match, plain.action)
		var b bytes.Buffer
		emitJSON(&b, [][]pair{tree})
		in := newInput("", b.String(), Options{Format: JSON})
		readJSON(in)
		if last = compare(r, in); last == nil && in.items[0].Rule.Note != r.Note {
			last = fmt.Errorf("its note is no text that JSON can say")
		}
		if last == nil {
			return tree, nil
		}
	}
	return nil, last
}

// ownTree says a rule. Without plainMatch the match is its NLRI in hexadecimal; without plainAction the actions are the
// extended communities.
func ownTree(r flowspec.Rule, plainMatch, plainAction bool) []pair {
	var tree []pair
	if plainMatch {
		match := ownMatch(r.Match)
		if !hasPrefix(r.Match) {
			tree = append(tree, pair{"family", r.Match.Family().String()})
		}
		tree = append(tree, pair{"match", match})
	} else {
		tree = append(tree, pair{"family", r.Match.Family().String()}, pair{"nlri", hex.EncodeToString(r.Match.NLRI())})
	}
	action, ext := ownActionTree(r.Action, plainAction)
	tree = append(tree, pair{"action", action})
	lists := []struct {
		key    string
		values []string
	}{{"communities", communityTexts(r.Communities)}, {"large-communities", largeTexts(r.LargeCommunities)}, {"extended-communities", ext}}
	for _, c := range r.Others {
		lists[2].values = append(lists[2].values, c.String())
	}
	for _, l := range lists {
		if len(l.values) > 0 {
			tree = append(tree, pair{l.key, l.values})
		}
	}
	if !r.Expires.IsZero() {
		tree = append(tree, pair{"expires", r.Expires.Format(time.RFC3339Nano)})
	}
	if r.Note != "" {
		tree = append(tree, pair{"note", r.Note})
	}
	return tree
}

func ownMatch(m flowspec.Match) []pair {
	var tree []pair
	if m.Family().VPN() {
		tree = append(tree, pair{"rd", rdText(m.RD())})
	}
	for c := range m.All() {
		if c.Type.Prefix() {
			tree = append(tree, pair{c.Type.String(), c.Prefix.String()})
			continue
		}
		values := ownValues(c)
		if len(values) == 1 {
			tree = append(tree, pair{c.Type.String(), values[0]})
			continue
		}
		tree = append(tree, pair{c.Type.String(), values})
	}
	return tree
}

// ownValues says the terms of a component: a number for `=80`, else ExaBGP's spelling.
func ownValues(c flowspec.Component) (values []any) {
	for from := 0; from < len(c.Terms); {
		to := from + 1
		for to < len(c.Terms) && c.Terms[to].And {
			to++
		}
		group := c.Terms[from:to]
		from = to
		if len(group) == 1 && group[0].Op == flowspec.EQ && !c.Type.Bitmask() {
			if name, ok := nameOf(protocols, group[0].Value); ok && c.Type == flowspec.Protocol && name != "ipip" {
				values = append(values, name)
				continue
			}
			values = append(values, int(min(group[0].Value, 1<<40)))
			continue
		}
		one := flowspec.Component{Type: c.Type, Terms: group}.String()
		values = append(values, strings.TrimPrefix(one, c.Type.String()+" "))
	}
	return values
}

// ownActionTree says an action, and what of it has no word of its own.
func ownActionTree(a flowspec.Action, plain bool) (action any, ext []string) {
	all, _ := a.Communities()
	if !plain && (a.Redirect == nil || a.Redirect.Form != flowspec.NextHopSimpson) {
		for _, c := range all {
			ext = append(ext, c.String())
		}
		return "accept", ext
	}
	var tree []pair
	if r := a.Rate; r != nil {
		switch {
		case !plain || r.AS != 0 || r.Amount == 0 && r.Unit != flowspec.Bytes:
			rate, _ := flowspec.Action{Rate: r}.Communities()
			ext = append(ext, rate[0].String())
		case r.Amount == 0:
			tree = append(tree, pair{"discard", true})
		default:
			tree = append(tree, pair{"rate", FormatRate(*r)})
		}
	}
	if a.Redirect != nil {
		tree = append(tree, pair{"redirect", ownRedirect(*a.Redirect)})
	}
	if a.Mark != nil {
		tree = append(tree, pair{"mark", int(*a.Mark)})
	}
	if a.Sample {
		tree = append(tree, pair{"sample", true})
	}
	if a.Continue {
		tree = append(tree, pair{"continue", true})
	}
	for _, c := range a.Unknown {
		ext = append(ext, c.String())
	}
	switch {
	case len(tree) == 0:
		return "accept", ext
	case len(tree) == 1 && tree[0].key == "discard":
		return "discard", ext
	}
	return tree, ext
}

func ownRedirect(r flowspec.Redirect) any {
	if !r.NextHop() {
		return r.Target()
	}
	tree := []pair{{"next-hop", r.Addr.String()}}
	if r.Form != flowspec.NextHopSimpson {
		tree = append(tree, pair{"encoding", "ietf"})
	}
	if r.Copy {
		tree = append(tree, pair{"copy", true})
	}
	return tree
}

// emitJSON prints one rule a line.
func emitJSON(out *bytes.Buffer, trees [][]pair) {
	out.WriteString("{\"rules\": [")
	for i, tree := range trees {
		if i > 0 {
			out.WriteByte(',')
		}
		out.WriteString("\n  ")
		flow(out, tree)
	}
	out.WriteString("\n]}\n")
}

// flow prints a value in JSON, which is also YAML's flow form.
func flow(out *bytes.Buffer, v any) {
	switch v := v.(type) {
	case []pair:
		out.WriteByte('{')
		for i, p := range v {
			if i > 0 {
				out.WriteString(", ")
			}
			out.WriteString(strconv.Quote(p.key) + ": ")
			flow(out, p.value)
		}
		out.WriteByte('}')
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		flow(out, list)
	case []any:
		out.WriteByte('[')
		for i := range v {
			if i > 0 {
				out.WriteString(", ")
			}
			flow(out, v[i])
		}
		out.WriteByte(']')
	case string:
		e := json.NewEncoder(out)
		e.SetEscapeHTML(false)
		_ = e.Encode(v)             // a string marshals always
		out.Truncate(out.Len() - 1) // the line end
	default:
		fmt.Fprint(out, v)
	}
}

// emitYAML prints a rule as a block, lists in brackets.
func emitYAML(out *bytes.Buffer, trees [][]pair) {
	if len(trees) == 0 {
		out.WriteString("rules: []\n")
		return
	}
	out.WriteString("rules:\n")
	for _, tree := range trees {
		for i, p := range tree {
			lead := "    "
			if i == 0 {
				lead = "  - "
			}
			block(out, lead, "    ", p)
		}
	}
}

func block(out *bytes.Buffer, lead, indent string, p pair) {
	out.WriteString(lead + p.key + ":")
	inner, nested := p.value.([]pair)
	if !nested {
		out.WriteByte(' ')
		plain(out, p.value)
		out.WriteByte('\n')
		return
	}
	out.WriteByte('\n')
	for _, q := range inner {
		block(out, indent+"  ", indent+"  ", q)
	}
}

// plain prints a scalar without quotes where YAML takes it for text in every version, and everything else as JSON.
func plain(out *bytes.Buffer, v any) {
	switch v := v.(type) {
	case string:
		if plainText(v) {
			out.WriteString(v)
			return
		}
	case []string:
		list := make([]any, len(v))
		for i := range v {
			list[i] = v[i]
		}
		plain(out, list)
		return
	case []any:
		out.WriteByte('[')
		for i := range v {
			if i > 0 {
				out.WriteString(", ")
			}
			plain(out, v[i])
		}
		out.WriteByte(']')
		return
	}
	flow(out, v)
}

// plainText says whether s is a word such as discard, an IPv4 address or prefix, or a rate: no version of YAML takes these for
// anything but text.
func plainText(s string) bool {
	switch s {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	if strings.Trim(s, "abcdefghijklmnopqrstuvwxyz-") == "" {
		return s[0] != '-'
	}
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return prefix.Addr().Is4()
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return addr.Is4()
	}
	_, err := ParseRate(s)
	return err == nil && !strings.Contains(s, " ")
}
