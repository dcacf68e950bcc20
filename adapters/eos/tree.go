package eos

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is a line of configuration with the lines inside it.
type node struct {
	words []string
	line  int // of the input, from 1; of the commands, its place
	body  []*node
}

func (n *node) error(err error) error {
	return fmt.Errorf("line %d: %w", n.line, err)
}

// is says whether n begins with words.
func (n *node) is(words ...string) bool {
	if len(n.words) < len(words) {
		return false
	}
	for i, w := range words {
		if n.words[i] != w {
			return false
		}
	}
	return true
}

// String prints the line.
func (n *node) String() string { return strings.Join(n.words, " ") }

// read returns the lines of b as a tree, whichever form it has: commands as a JSON array, or the text of `show running-config`.
func read(b []byte) (*node, error) {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return readCommands(b)
	}
	return readText(string(b))
}

// readText reads text, in which a line stands inside the last one that is indented less. Lines that begin with an exclamation mark are comments.
func readText(s string) (*node, error) {
	root := &node{}
	type open struct {
		indent int
		node   *node
	}
	stack := []open{{-1, root}}
	for i, line := range strings.Split(s, "\n") {
		line = strings.TrimRight(line, " \r")
		content := strings.TrimLeft(line, " ")
		if content == "" || content[0] == '!' {
			continue
		}
		if strings.ContainsAny(line, "\t\v\f\r") {
			return nil, fmt.Errorf("line %d: a control character; EOS indents by blanks", i+1)
		}
		indent := len(line) - len(content)
		for stack[len(stack)-1].indent >= indent {
			stack = stack[:len(stack)-1]
		}
		n := &node{words: strings.Fields(content), line: i + 1}
		parent := stack[len(stack)-1].node
		parent.body = append(parent.body, n)
		stack = append(stack, open{indent, n})
	}
	return root, nil
}

// readCommands reads what payload writes. Which mode a command is of shows in its words.
func readCommands(b []byte) (*node, error) {
	var lines []string
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&lines); err != nil {
		return nil, fmt.Errorf("the commands are no JSON array of strings: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the commands")
	}
	open := []*node{{}} // the modes that are open, by depth
	for i, line := range lines {
		n := &node{words: strings.Fields(line), line: i + 1}
		if len(n.words) == 0 {
			return nil, n.error(errors.New("an empty command"))
		}
		depth := min(depthOf(n), len(open)-1)
		parent := open[depth]
		parent.body = append(parent.body, n)
		open = append(open[:depth+1], n)
	}
	return open[0], nil
}

// depthOf returns how deep n stands, or a large number for a line of the innermost mode.
func depthOf(n *node) int {
	switch {
	case n.is("traffic-policies") && len(n.words) == 1:
		return 0
	case n.is("traffic-policy"):
		return 1
	case n.is("counter"), n.is("match"):
		return 2
	case n.is("count"), n.is("drop"), n.is("police"), n.is("redirect"), n.is("set"):
		return 4
	}
	return 3
}
