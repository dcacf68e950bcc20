package sros_test

import (
	"encoding/xml"
	"os"
	"strings"
	"testing"
)

// keys are the keys of the lists in a line of the role.
var keys = map[string]string{"profile": "user-profile-name", "entry": "entry-id", "user": "user-name"}

// node is an element made of lines of the MD-CLI.
type node struct {
	name, text string
	inside     []*node
}

func (n *node) child(name, key string) *node {
	for _, c := range n.inside {
		if c.name == name && (key == "" || c.inside[0].text == key) {
			return c
		}
	}
	c := &node{name: name}
	if key != "" {
		c.inside = []*node{{name: keys[name], text: key}}
	}
	n.inside = append(n.inside, c)
	return c
}

func (n *node) write(b *strings.Builder) {
	b.WriteString("<" + n.name)
	if n.name == "configure" {
		b.WriteString(` xmlns="urn:nokia.com:sros:ns:yang:sr:conf"`)
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(n.text))
	for _, c := range n.inside {
		c.write(b)
	}
	b.WriteString("</" + n.name + ">")
}

// TestLeastRole: Nokia's model takes the role of docs/roles.md, and not a word of it that is wrong.
func TestLeastRole(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	page, err := os.ReadFile("../../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	var role string // all blocks of it
	for _, block := range strings.Split(string(page), "```sros\n")[1:] {
		lines, _, _ := strings.Cut(block, "```\n")
		role += lines
	}
	payload := func(role string) []byte {
		root := &node{}
		for line := range strings.Lines(role) {
			line, value, quoted := strings.Cut(strings.TrimSpace(line), ` "`)
			words := strings.Fields(strings.TrimPrefix(line, "/"))
			if quoted { // a key in quotes, and more behind it, or the value
				key, more, _ := strings.Cut(value, `"`)
				words = append(words, key)
				if tail, last, ok := strings.Cut(more, ` "`); ok {
					words = append(append(words, strings.Fields(tail)...), strings.TrimSuffix(last, `"`))
				} else {
					words = append(words, strings.Fields(more)...)
				}
			}
			at := root
			for i := 0; i < len(words)-1; i++ {
				key := ""
				if keys[words[i]] != "" {
					key = words[i+1]
				}
				at = at.child(words[i], key)
				if key != "" {
					i++
				}
			}
			at.text = words[len(words)-1]
		}
		var b strings.Builder
		root.inside[0].write(&b)
		return []byte(b.String())
	}
	if strings.Count(role, "\n") < 10 {
		t.Fatal("docs/roles.md has another form than this test knows")
	}
	if ok, out := lint(t, dir, payload(role)); !ok {
		t.Errorf("the model refuses the role: %s\n%s", out, payload(role))
	}
	for _, wrong := range [][2]string{{"read-only", "read-mostly"}, {"cancel-commit true", "cancel-comit true"}, {"deny-all", "deny"}, {`member "sluice"`, `member "others"`}} {
		if ok, _ := lint(t, dir, payload(strings.Replace(role, wrong[0], wrong[1], 1))); ok {
			t.Errorf("the model takes %s", wrong[1])
		}
	}
}
