package sros

import (
	"fmt"
	"strings"
)

// node is a node of a configuration that was read, from text or from XML.
type node struct {
	name  string
	words []string // the value of a leaf, the key of an entry of a list; more than one for a list of values
	kids  []*node
	line  int    // of the text, 0 for XML
	flaw  string // an attribute of the element, which sluice does not write
}

// at says where n stands.
func (n *node) at() string {
	if n.line > 0 {
		return fmt.Sprintf("line %d: ", n.line)
	}
	return ""
}

func (n *node) errorf(format string, args ...any) error {
	return fmt.Errorf("%s%s: "+format, append([]any{n.at(), n.name}, args...)...)
}

// foreign is the error for a node that sluice does not write there.
func (n *node) foreign() error { return n.errorf("nothing that sluice writes there") }

// kid returns the first node of that name in n, or nil.
func (n *node) kid(name string) *node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return nil
}

// value returns the one value of a leaf, or the key of a list entry.
func (n *node) value() (string, error) {
	if len(n.words) != 1 || n.words[0] == "" {
		return "", n.errorf("want one value")
	}
	return n.words[0], nil
}

// leaf returns the value of n, which has nothing in it.
func (n *node) leaf() (string, error) {
	if len(n.kids) > 0 {
		return "", n.errorf("want a value")
	}
	return n.value()
}

// empty checks that n has neither a value nor anything in it.
func (n *node) empty() error {
	if len(n.kids) > 0 || len(n.words) > 0 {
		return n.errorf("want no value")
	}
	return nil
}

// container calls do for each node in n, which has no value. No name may come twice.
func (n *node) container(do func(k *node) error) error {
	if len(n.words) > 0 {
		return n.errorf("want no value, and a body")
	}
	return n.body(do)
}

// body calls do for each node in n.
func (n *node) body(do func(k *node) error) error {
	seen := make(map[string]bool, len(n.kids))
	for _, k := range n.kids {
		if keyOf[k.name] == "" && seen[k.name] {
			return k.errorf("it stands there twice")
		}
		seen[k.name] = true
		if err := do(k); err != nil {
			return err
		}
	}
	return nil
}

// strange returns an error for a node in n with an attribute: an operation, an annotation.
func (n *node) strange() error {
	if n.flaw != "" {
		return n.errorf("it has an attribute %s", n.flaw)
	}
	for _, k := range n.kids {
		if err := k.strange(); err != nil {
			return err
		}
	}
	return nil
}

// pattern says whether s may be a name of ours, or a pattern that stands for one: the MD-CLI writes them in angle brackets, in groups.
func pattern(s string) bool { return marked(s) || strings.Contains(s, "<") }
