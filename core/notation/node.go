package notation

import "fmt"

// node is one value of a YAML or JSON document, by its place in the source.
type node struct {
	kind   byte // 's' text, 'n' a number as written, 'b' true or false, 'z' null, 'l' a list, 'm' a mapping
	text   string
	start  int
	end    int
	keys   []*node
	values []*node // of a mapping beside keys, of a list alone
}

// scalar says whether n is one value, and returns how it is written.
func (n *node) scalar() (string, bool) {
	return n.text, n.kind == 's' || n.kind == 'n'
}

// what names a kind of value in a message.
func (n *node) what() string {
	switch n.kind {
	case 'l':
		return "a list"
	case 'm':
		return "a mapping"
	case 'z':
		return "nothing"
	case 'b':
		return n.text
	case 'n':
		return "the number " + n.text
	}
	return quote(n.text)
}

// items returns the values of a list, or n itself: one value may stand without brackets.
func (n *node) items() []*node {
	if n.kind == 'l' {
		return n.values
	}
	return []*node{n}
}

// stop is how a document that cannot be read at all ends its reader.
type stop struct {
	at, end       int
	message, hint string
}

func (s *stop) Error() string { return s.message }

func stopf(at, end int, format string, args ...any) *stop {
	return &stop{at: at, end: end, message: fmt.Sprintf(format, args...)}
}
