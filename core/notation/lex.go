package notation

import "strings"

// token is a word or one of ExaBGP's signs, by its place in the source.
type token struct {
	kind       byte // 'w' a word, one of "{};[],", or 0 at the end
	start, end int
	newline    bool // a line ended in front of it, without a backslash
	escaped    bool // the word holds a quote or a backslash
	open       bool // a quote in the word is not closed on its line
}

// lexer cuts ExaBGP's text into tokens as its tokeniser does: signs need no space around them, # begins a comment,
// quotes keep everything, a backslash at the end of a line continues it.
type lexer struct {
	src      string
	pos, end int
}

// what an octet does. Everything else belongs to a word.
var octets = func() (t [256]byte) {
	for _, c := range []byte(" \t\r\v\f") {
		t[c] = ' '
	}
	for _, c := range []byte("\n{};[],#\"'\\") {
		t[c] = c
	}
	return t
}()

func (l *lexer) next() token {
	newline := false
	for l.pos < l.end {
		switch octets[l.src[l.pos]] {
		case ' ':
			l.pos++
		case '\n':
			newline = true
			l.pos++
		case '#':
			l.pos = l.lineEnd()
		case '\\':
			if n := l.continuation(); n > 0 {
				l.pos += n
				continue
			}
			return l.word(newline)
		case 0, '"', '\'':
			return l.word(newline)
		default:
			t := token{kind: l.src[l.pos], start: l.pos, end: l.pos + 1, newline: newline}
			l.pos++
			return t
		}
	}
	return token{start: l.end, end: l.end, newline: newline}
}

// word reads to the next sign or space that is not quoted.
func (l *lexer) word(newline bool) token {
	t := token{kind: 'w', start: l.pos, newline: newline}
	for l.pos < l.end {
		c := octets[l.src[l.pos]]
		if c == 0 {
			l.pos++
			continue
		}
		if c == '\\' && l.continuation() == 0 {
			t.escaped = true
			l.pos = min(l.pos+2, l.end)
			continue
		}
		if c != '"' && c != '\'' {
			break
		}
		t.escaped = true
		if !l.quoted(c) {
			t.open = true
			break
		}
	}
	t.end = l.pos
	return t
}

// quoted passes a quoted part. It stops at the end of the line, and returns false, when the quote is not closed.
func (l *lexer) quoted(quote byte) bool {
	for l.pos++; l.pos < l.end; l.pos++ {
		switch l.src[l.pos] {
		case quote:
			l.pos++
			return true
		case '\n':
			return false
		case '\\':
			if l.pos+1 < l.end && l.src[l.pos+1] != '\n' {
				l.pos++
			}
		}
	}
	return false
}

// continuation returns the length of a backslash that ends a line, the end of line included, or 0.
func (l *lexer) continuation() int {
	for i := l.pos + 1; i < l.end; i++ {
		switch c := l.src[i]; {
		case c == '\n':
			return i + 1 - l.pos
		case octets[c] != ' ':
			return 0
		}
	}
	return 0
}

func (l *lexer) lineEnd() int {
	if i := strings.IndexByte(l.src[l.pos:l.end], '\n'); i >= 0 {
		return l.pos + i
	}
	return l.end
}

// peek returns the next token and leaves it there.
func (l *lexer) peek() token {
	pos := l.pos
	t := l.next()
	l.pos = pos
	return t
}

// text returns the word of t, without quotes and backslashes.
func (l *lexer) text(t token) string {
	s := l.src[t.start:t.end]
	if !t.escaped {
		return s
	}
	var b strings.Builder
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == quote && quote != 0:
			quote = 0
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
