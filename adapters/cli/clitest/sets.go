package clitest

import (
	"slices"
	"strings"
)

// words splits a line of Junos or SR OS into words; one in quotation marks stays one, marks and all.
func words(line string) []string {
	var out []string
	var word strings.Builder
	quoted := false
	for _, c := range line {
		if c == '"' {
			quoted = !quoted
		}
		if c == ' ' && !quoted {
			if word.Len() > 0 {
				out = append(out, word.String())
			}
			word.Reset()
			continue
		}
		word.WriteRune(c)
	}
	if word.Len() > 0 {
		out = append(out, word.String())
	}
	return out
}

// readLines reads a configuration from lines that make it.
func readLines(text string, take func(n *node, line string) string) *node {
	root := &node{}
	for line := range strings.Lines(text) {
		take(root, strings.TrimSpace(line))
	}
	return root
}

// set carries out a line that sets or deletes a statement, each word of which is a node, and returns what is answered.
func (n *node) set(line string) string {
	w := words(line)
	switch {
	case len(w) < 2:
		return "unknown command.\n"
	case w[0] == "delete":
		return n.cut(w[1:])
	case w[0] != "set":
		return "unknown command.\n"
	}
	for _, word := range w[1:] {
		n = n.enter(word)
	}
	return ""
}

// cut deletes the statement of these words, and what has nothing in it then.
func (n *node) cut(w []string) string {
	i := n.find(w[0])
	if i < 0 {
		return "warning: statement not found\n"
	}
	if len(w) > 1 {
		if words := n.kids[i].cut(w[1:]); words != "" || len(n.kids[i].kids) > 0 {
			return words
		}
	}
	n.kids = slices.Delete(n.kids, i, i+1)
	return ""
}

// keys are the words that have a name behind them.
var keys = map[string]bool{"filter": true, "term": true, "policer": true, "unit": true, "family": true}

// hierarchy writes everything inside n as `show configuration` does, or nearly so.
func (n *node) hierarchy(b *strings.Builder, depth int) {
	indent := strings.Repeat("    ", depth)
	for _, k := range n.kids {
		switch {
		case keys[k.line] && len(k.kids) > 0:
			for _, name := range k.kids {
				if len(name.kids) == 0 {
					b.WriteString(indent + k.line + " " + name.line + ";\n")
					continue
				}
				b.WriteString(indent + k.line + " " + name.line + " {\n")
				name.hierarchy(b, depth+1)
				b.WriteString(indent + "}\n")
			}
		case len(k.kids) == 0:
			b.WriteString(indent + k.line + ";\n")
		default:
			b.WriteString(indent + k.line + " {\n")
			k.hierarchy(b, depth+1)
			b.WriteString(indent + "}\n")
		}
	}
}

// printJunos is print, as Junos does it.
func (s *store) printJunos(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.running
	if name != "" {
		n = s.find(name).config
	}
	var b strings.Builder
	n.hierarchy(&b, 0)
	return b.String()
}
