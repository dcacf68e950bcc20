package nftables

import (
	"errors"
	"fmt"
	"strings"
)

// token is a word, a quoted word or a sign. A line break is the sign "\n"; the last token is the empty sign.
type token struct {
	text   string
	quoted bool
	line   int
}

// is says whether t is the word or sign s, and not a quoted word.
func (t token) is(s string) bool { return !t.quoted && t.text == s }

// end says whether t ends a statement of a chain.
func (t token) end() bool { return t.is("\n") || t.is(";") || t.is("}") || t.is("") }

func (t token) String() string {
	switch {
	case t.is("\n"):
		return "the end of the line"
	case t.is(""):
		return "the end"
	}
	return fmt.Sprintf("%q", t.text)
}

// signs stand for themselves, the longer ones first.
var signs = []string{"==", "!=", "<=", ">=", "{", "}", ";", ",", "=", "!", "&", "|", "(", ")", "<", ">"}

// lex cuts a script, or what nft lists, into tokens. Comments (# to the end of the line, such as those with handles) are left out.
func lex(s string) ([]token, error) {
	var out []token
	line := 1
	for s != "" {
		n := 1
		switch c := s[0]; {
		case c == ' ' || c == '\t' || c == '\r':
		case c == '\n':
			out = append(out, token{text: "\n", line: line})
			line++
		case c == '\\' && strings.HasPrefix(s, "\\\n"):
			n = 2
			line++
		case c == '#':
			if n = strings.IndexByte(s, '\n'); n < 0 {
				n = len(s)
			}
		case c == '"':
			end := strings.IndexByte(s[1:], '"')
			if end < 0 || strings.IndexByte(s[1:1+end], '\n') >= 0 {
				return nil, fmt.Errorf("line %d: a quoted word is not closed: the text is cut off", line)
			}
			out, n = append(out, token{text: s[1 : 1+end], quoted: true, line: line}), end+2
		default:
			if n = signLength(s); n == 0 {
				n = wordLength(s)
			}
			out = append(out, token{text: s[:n], line: line})
		}
		s = s[n:]
	}
	return append(out, token{line: line}), nil
}

func signLength(s string) int {
	for _, sign := range signs {
		if strings.HasPrefix(s, sign) {
			return len(sign)
		}
	}
	return 0
}

// wordLength returns the length of the word that s begins with. The numbers of a raw field, @th,96,16, are part of the word.
func wordLength(s string) int {
	stop := " \t\r\n\"{};,=!&|()<>"
	if raw := strings.HasPrefix(s, "@th,") || strings.HasPrefix(s, "@nh,") || strings.HasPrefix(s, "@ll,"); raw {
		stop = " \t\r\n\"{};=!&|()<>"
	}
	if n := strings.IndexAny(s, stop); n >= 0 {
		return n
	}
	return len(s)
}

// cursor walks over tokens.
type cursor struct {
	tokens []token
	at     int
}

func (c *cursor) peek() token { return c.tokens[c.at] }

// next takes a token. The last one, the end, can be taken again and again.
func (c *cursor) next() token {
	t := c.tokens[c.at]
	if c.at < len(c.tokens)-1 {
		c.at++
	}
	return t
}

// take takes the next token when it is the word or sign s.
func (c *cursor) take(s string) bool {
	if !c.peek().is(s) {
		return false
	}
	c.next()
	return true
}

// takeAll takes words when they are all there, in this order.
func (c *cursor) takeAll(words ...string) bool {
	for i, w := range words {
		if c.at+i >= len(c.tokens) || !c.tokens[c.at+i].is(w) {
			return false
		}
	}
	for range words {
		c.next()
	}
	return true
}

// want takes the word or sign s, or says what stands there instead.
func (c *cursor) want(s string) error {
	if c.take(s) {
		return nil
	}
	return fmt.Errorf("%s where %q should stand", c.peek(), s)
}

// word takes a name or a value.
func (c *cursor) word() (string, error) {
	t := c.peek()
	if !t.quoted && (t.text == "" || t.text == "\n" || signLength(t.text) > 0) {
		return "", fmt.Errorf("%s where a word should stand", t)
	}
	return c.next().text, nil
}

// blank skips line breaks and semicolons.
func (c *cursor) blank() {
	for c.peek().is("\n") || c.peek().is(";") {
		c.next()
	}
}

// skipBlock takes everything to the brace that closes the block behind the next opening one.
func (c *cursor) skipBlock() error {
	depth := 0
	for {
		switch t := c.next(); {
		case t.is(""):
			return errors.New("a block is not closed: the text is cut off")
		case t.is("{"):
			depth++
		case t.is("}"):
			if depth--; depth == 0 {
				return nil
			}
		}
	}
}
