package sros

import (
	"errors"
	"fmt"
	"strings"
)

// readText reads a configuration as `info` and `admin show configuration` print it: a node a line, with what is in it in braces. Comments begin with #.
func readText(s string) (*node, error) {
	root := &node{}
	open := []*node{root}
	var list *node // one whose values stand on lines of their own
	for i, raw := range strings.Split(s, "\n") {
		words, err := split(raw)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		top := open[len(open)-1]
		switch last := len(words) - 1; {
		case last < 0:
		case list != nil && words[0].is("]"):
			list = nil
		case list != nil:
			list.words = append(list.words, texts(words)...)
		case words[0].is("}") && last == 0:
			if len(open) == 1 {
				return nil, fmt.Errorf("line %d: a } too many", i+1)
			}
			open = open[:len(open)-1]
		case words[0].is("}") || words[0].is("{") || words[0].is("[") || words[0].quoted:
			return nil, fmt.Errorf("line %d: %s is not understood", i+1, strings.TrimSpace(raw))
		default:
			n := &node{name: words[0].text, line: i + 1}
			top.kids = append(top.kids, n)
			switch {
			case words[last].is("{"):
				open = append(open, n)
				words = words[:last]
			case words[last].is("["):
				list = n
				words = words[:last]
			}
			n.words = texts(words[1:])
		}
	}
	if len(open) > 1 || list != nil {
		return nil, errors.New("the text is cut off: a brace is open at its end")
	}
	return root, nil
}

// word is a word of a line. One in quotation marks is never a brace.
type word struct {
	text   string
	quoted bool
}

func (w word) is(s string) bool { return w.text == s && !w.quoted }

// texts returns the values among words, without the brackets of a list.
func texts(words []word) []string {
	var out []string
	for _, w := range words {
		if !w.is("[") && !w.is("]") {
			out = append(out, strings.Clone(w.text))
		}
	}
	return out
}

// split returns the words of a line. Brackets are words of their own.
func split(line string) ([]word, error) {
	var out []word
	for i := 0; i < len(line); {
		switch c := line[i]; c {
		case ' ', '\t', '\r':
			i++
		case '#':
			return out, nil
		case '[', ']':
			out = append(out, word{text: line[i : i+1]})
			i++
		case '"':
			w, n, err := quotation(line[i:])
			if err != nil {
				return nil, err
			}
			out = append(out, w)
			i += n
		default:
			end := i
			for end < len(line) && !strings.ContainsRune(" \t\r[]\"", rune(line[end])) {
				end++
			}
			out = append(out, word{text: line[i:end]})
			i = end
		}
	}
	return out, nil
}

// quotation reads a string in quotation marks at the beginning of s, and returns how many octets it takes.
func quotation(s string) (word, int, error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '"':
			return word{text: b.String(), quoted: true}, i + 1, nil
		case s[i] == '\\' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return word{}, 0, errors.New("a quotation mark is open at the end of the line")
}
