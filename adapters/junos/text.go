package junos

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// readText calls do for each statement under section in the form that `show configuration` prints. `show configuration firewall` leaves
// that word out; then the words that come first in that section tell.
func readText(s, section string, do func(line) error) error {
	r := textReader{rest: s, line: 1, section: section, do: do}
	if err := r.block(0, nil); err != nil {
		return fmt.Errorf("line %d: %w", r.line, err)
	}
	return nil
}

type textReader struct {
	rest    string
	line    int
	section string
	do      func(line) error
	words   []string // of the blocks that are open, and of the statement so far
	groups  []string // the last top-level apply-groups: of the section when that word is left out, else of the whole configuration
}

// token is one word or one sign. Quoted words are never signs.
type token struct {
	text   string
	quoted bool
}

func (t token) is(sign string) bool { return !t.quoted && t.text == sign }

// next returns the next token; an empty unquoted one is the end.
func (r *textReader) next() (token, error) {
	if err := r.space(); err != nil || r.rest == "" {
		return token{}, err
	}
	switch c := r.rest[0]; {
	case strings.IndexByte("{};[]", c) >= 0:
		r.rest = r.rest[1:]
		return token{text: string(c)}, nil
	case c == '"':
		return r.quoted()
	}
	n := strings.IndexAny(r.rest, " \t\r\n{};[]\"")
	if n < 0 {
		n = len(r.rest)
	}
	t := token{text: r.rest[:n]}
	r.rest = r.rest[n:]
	return t, nil
}

// space skips white space and comments: /* ... */ and # to the end of the line.
func (r *textReader) space() error {
	for r.rest != "" {
		switch {
		case strings.IndexByte(" \t\r\n", r.rest[0]) >= 0:
			r.skip(1)
		case r.rest[0] == '#':
			n := strings.IndexByte(r.rest, '\n')
			if n < 0 {
				n = len(r.rest)
			}
			r.skip(n)
		case strings.HasPrefix(r.rest, "/*"):
			n := strings.Index(r.rest, "*/")
			if n < 0 {
				return errors.New("a comment is not closed")
			}
			r.skip(n + 2)
		default:
			return nil
		}
	}
	return nil
}

func (r *textReader) skip(n int) {
	r.line += strings.Count(r.rest[:n], "\n")
	r.rest = r.rest[n:]
}

// quoted reads a word in quotation marks, in which a backslash takes the sign behind it as it is.
func (r *textReader) quoted() (token, error) {
	var word []byte
	for i := 1; i < len(r.rest); i++ {
		switch c := r.rest[i]; {
		case c == '"':
			r.skip(i + 1)
			return token{text: string(word), quoted: true}, nil
		case c == '\\' && i+1 < len(r.rest):
			i++
		}
		word = append(word, r.rest[i])
	}
	return token{}, errors.New("a quoted word is not closed: the text is cut off")
}

// block reads statements to the closing brace, or to the end at depth 0.
func (r *textReader) block(depth int, flaw error) error {
	if depth > 32 {
		return errors.New("nested too deep")
	}
	for {
		t, err := r.next()
		switch {
		case err != nil:
			return err
		case t.text == "" && !t.quoted:
			if depth > 0 {
				return errors.New("a block is not closed: the text is cut off")
			}
			return nil
		case t.is("}"):
			if depth == 0 {
				return errors.New("a brace closes nothing")
			}
			return nil
		}
		open := len(r.words)
		if err := r.statement(t, depth, flaw); err != nil {
			return err
		}
		r.words = r.words[:open]
	}
}

// markers stand in front of a statement and change what it is.
var markers = map[string]error{
	"inactive:": errDeactivated,
	"protect:":  errors.New("it is protected"),
	"replace:":  errors.New("it is marked to be replaced"),
	"delete:":   errors.New("it is marked to be deleted"),
}

// statement reads one statement, of which t is the first token.
func (r *textReader) statement(t token, depth int, flaw error) error {
	for f := markers[t.text]; f != nil && !t.quoted; f = markers[t.text] {
		flaw = first(flaw, f)
		var err error
		if t, err = r.next(); err != nil {
			return err
		}
	}
	start := len(r.words)
	for {
		switch {
		case t.text == "" && !t.quoted:
			return errors.New("a statement has no end: the text is cut off")
		case len(r.words) == start && strings.Contains("{}[];", t.text) && !t.quoted:
			return fmt.Errorf("%s where a statement should begin", t.text)
		case t.is("}") || t.is("]"):
			return fmt.Errorf("%s in a statement", t.text)
		case t.is(";"):
			return r.emit(flaw)
		case t.is("["):
			return r.list(flaw)
		case t.is("{"):
			return r.nested(depth, flaw)
		}
		r.words = append(r.words, t.text)
		var err error
		if t, err = r.next(); err != nil {
			return err
		}
	}
}

// nested reads the block of a statement. An empty block is a statement by itself.
func (r *textReader) nested(depth int, flaw error) error {
	if err := r.space(); err != nil {
		return err
	}
	if strings.HasPrefix(r.rest, "}") {
		r.rest = r.rest[1:]
		return r.emit(flaw)
	}
	return r.block(depth+1, flaw)
}

// list reads [ a b c ]; each value is a statement.
func (r *textReader) list(flaw error) error {
	for n := 0; ; n++ {
		t, err := r.next()
		if err != nil {
			return err
		}
		if t.is("]") {
			if t, err = r.next(); err != nil {
				return err
			}
			if n == 0 || !t.is(";") {
				return errors.New("a list is empty, or not followed by a semicolon")
			}
			return nil
		}
		if t.text == "" || strings.Contains("{}[;", t.text) && !t.quoted {
			return errors.New("a list is not closed")
		}
		r.words = append(r.words, t.text)
		if err := r.emit(flaw); err != nil {
			return err
		}
		r.words = r.words[:len(r.words)-1]
	}
}

// emit hands on the statement when it is one of the section.
func (r *textReader) emit(flaw error) error {
	switch {
	case r.words[0] == r.section:
		if len(r.words) == 1 {
			return nil
		}
		return r.do(line{words: r.words[1:], flaw: flaw, at: r.line})
	case r.words[0] == "apply-groups":
		r.groups = slices.Clone(r.words)
	case r.section == "firewall" && (r.words[0] == "family" || r.words[0] == "policer" || r.words[0] == "filter"):
		if r.groups != nil {
			return r.do(line{words: r.groups, at: r.line})
		}
		return r.do(line{words: r.words, flaw: flaw, at: r.line})
	}
	return nil
}
