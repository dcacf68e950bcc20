package dialecttest

import (
	"encoding/xml"
	"slices"
)

// Store is a Device that holds a tree and merges, replaces and deletes its nodes as RFC 6241 section 7.2 says, knowing nothing of filters but what tells the nodes in one place apart.
type Store struct {
	// Keys are the leaves by which entries of lists are told apart, by the element of the list.
	Keys map[string]string
	// Limits is the element that a policer has; "": there are none.
	Limits string

	root node
}

// node is an element. known is what tells it apart, once it was asked for.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []*node    `xml:",any"`
	known   string
}

func (n *node) operation() string {
	for _, a := range n.Attrs {
		if a.Name.Local == "operation" {
			return a.Value
		}
	}
	return "merge"
}

// id tells the nodes in one place apart: by the name of a container, and by the key of an entry of a list.
func (s *Store) id(n *node) string {
	if n.known != "" {
		return n.known
	}
	n.known = n.XMLName.Local
	key, list := s.Keys[n.XMLName.Local]
	for _, k := range n.Kids {
		if list && k.XMLName.Local == key {
			n.known += " " + k.Text
		}
	}
	return n.known
}

// Edit does what an edit says.
func (s *Store) Edit(t T, edit []byte) {
	t.Helper()
	var config node
	if err := xml.Unmarshal(slices.Concat([]byte("<config>"), edit, []byte("</config>")), &config); err != nil {
		t.Fatalf("%v: %s", err, edit)
	}
	for _, k := range config.Kids {
		s.merge(t, &s.root, k)
	}
}

// merge does what n says of a node in to.
func (s *Store) merge(t T, to, n *node) {
	t.Helper()
	i := slices.IndexFunc(to.Kids, func(k *node) bool { return s.id(k) == s.id(n) })
	switch op := n.operation(); {
	case op == "delete" && i < 0:
		t.Fatalf("data-missing: %s", s.id(n))
	case op == "delete":
		to.Kids = slices.Delete(to.Kids, i, i+1)
		return
	case i < 0:
		to.Kids = append(to.Kids, &node{XMLName: n.XMLName, known: s.id(n)})
		i = len(to.Kids) - 1
	case op == "replace":
		to.Kids[i] = &node{XMLName: n.XMLName, known: s.id(n)}
	}
	to.Kids[i].Text = n.Text
	for _, k := range n.Kids {
		s.merge(t, to.Kids[i], k)
	}
}

// Config is what the store holds; lines that came later stand behind those that were there, whatever their numbers.
func (s *Store) Config() []byte {
	s.root.XMLName.Local = "data"
	b, err := xml.Marshal(&s.root)
	if err != nil {
		panic(err)
	}
	return b
}

// Policers is how many the store holds.
func (s *Store) Policers() int { return s.limits(&s.root) }

func (s *Store) limits(n *node) int {
	sum := 0
	if n.XMLName.Local == s.Limits {
		sum++
	}
	for _, k := range n.Kids {
		sum += s.limits(k)
	}
	return sum
}
