package clitest

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// node is a line of configuration with the lines inside it.
type node struct {
	line string
	kids []*node
}

// read reads a configuration as it is printed: a line stands inside the last one that is indented less.
func read(text string) *node {
	root := &node{}
	type open struct {
		indent int
		node   *node
	}
	stack := []open{{-1, root}}
	for line := range strings.Lines(text) {
		content := strings.TrimSpace(line)
		if content == "" || content[0] == '!' || content == "end" {
			continue
		}
		indent := len(line) - len(strings.TrimLeft(line, " "))
		for stack[len(stack)-1].indent >= indent {
			stack = stack[:len(stack)-1]
		}
		n := &node{line: content}
		parent := stack[len(stack)-1].node
		parent.kids = append(parent.kids, n)
		stack = append(stack, open{indent, n})
	}
	return root
}

func (n *node) clone() *node {
	out := &node{line: n.line}
	for _, k := range n.kids {
		out.kids = append(out.kids, k.clone())
	}
	return out
}

// print writes everything inside n, closed by "end".
func (n *node) print() string {
	var b strings.Builder
	b.WriteString("!\n")
	for _, k := range n.kids {
		if k.line == "traffic-policies" && len(k.kids) == 0 {
			continue
		}
		k.write(&b, 0)
		b.WriteString("!\n")
	}
	b.WriteString("end\n")
	return b.String()
}

func (n *node) write(b *strings.Builder, depth int) {
	b.WriteString(strings.Repeat("   ", depth) + n.line + "\n")
	for _, k := range n.kids {
		k.write(b, depth+1)
	}
}

func (n *node) find(line string) int {
	return slices.IndexFunc(n.kids, func(k *node) bool { return k.line == line })
}

// grammar is what a system knows of its configuration: as much as tells modes apart.
type grammar struct {
	modes []*regexp.Regexp          // lines that begin a mode, by the depth at which they stand
	takes map[string]*regexp.Regexp // lines that a mode takes, by the first word of the line that began it
}

var listLines = regexp.MustCompile(`^(?:no )?\d+$|^\d+ (?:permit|deny|remark) .+$|^(?:no )?counters per-entry$`)

var interfaceLines = regexp.MustCompile(`^(?:no )?(?:description|mtu|ip access-group|ipv[46] access-group|ip address|traffic-policy) .+$`)

// grammars are by the name of the system.
var grammars = map[System]grammar{
	EOS: {
		[]*regexp.Regexp{
			regexp.MustCompile(`^(?:ip access-list|ipv6 access-list|interface) \S+$|^traffic-policies$`),
			regexp.MustCompile(`^traffic-policy \S+$`),
			regexp.MustCompile(`^match \S+ ipv[46]$`),
			regexp.MustCompile(`^actions$`),
		},
		map[string]*regexp.Regexp{
			"ip":               listLines,
			"ipv6":             listLines,
			"interface":        interfaceLines,
			"traffic-policies": regexp.MustCompile(`^no traffic-policy \S+$`),
			"traffic-policy":   regexp.MustCompile(`^counter .+$|^no match \S+ ipv[46]$`),
			"match":            regexp.MustCompile(`^(?:protocol|source prefix|destination prefix|dscp|length|fragment|ttl).*$`),
			"actions":          regexp.MustCompile(`^(?:count|drop|police|set|redirect).*$`),
			"":                 regexp.MustCompile(`^no (?:ip access-list|ipv6 access-list) \S+$|^no traffic-policies$`),
		},
	},
	IOSXR: {
		[]*regexp.Regexp{regexp.MustCompile(`^(?:ipv[46] access-list|interface) \S+$`)},
		map[string]*regexp.Regexp{
			"ipv4":      listLines,
			"ipv6":      listLines,
			"interface": interfaceLines,
			"":          regexp.MustCompile(`^no ipv[46] access-list \S+$`),
		},
	},
}

// editor is somebody who types configuration.
type editor struct {
	grammar
	root *node
	path []*node // the modes that are open, inside root
}

// line takes one line, and returns what is answered to it. A line that the innermost mode does not know ends that mode.
func (e *editor) line(line string) string {
	if line == "exit" && len(e.path) > 0 {
		e.path = e.path[:len(e.path)-1]
		return ""
	}
	for depth := len(e.path); depth >= 0; depth-- {
		at := e.root
		if depth > 0 {
			at = e.path[depth-1]
		}
		if depth < len(e.modes) && e.modes[depth].MatchString(line) && e.holds(at, depth) {
			e.path = append(e.path[:depth:depth], at.enter(line))
			return ""
		}
		word, _, _ := strings.Cut(at.line, " ")
		if e.takes[word] != nil && e.takes[word].MatchString(line) {
			e.path = e.path[:depth]
			return at.take(line)
		}
	}
	return "% Invalid input detected at '^' marker.\n"
}

// holds says whether the mode at can have modes inside.
func (*editor) holds(at *node, depth int) bool {
	return depth == 0 || strings.HasPrefix(at.line, "traffic-polic") || strings.HasPrefix(at.line, "match ")
}

// enter returns the block of that name inside n, made if it is not there.
func (n *node) enter(line string) *node {
	if i := n.find(line); i >= 0 {
		return n.kids[i]
	}
	k := &node{line: line}
	n.kids = append(n.kids, k)
	return k
}

// take does what line says inside n.
func (n *node) take(line string) string {
	if what, no := strings.CutPrefix(line, "no "); no {
		return n.remove(what)
	}
	number, numbered := numberOf(line)
	if !numbered {
		if n.find(line) < 0 {
			n.kids = append(n.kids, &node{line: line})
		}
		return ""
	}
	i, there := n.at(number)
	switch {
	case there && n.kids[i].line == line:
	case there:
		return "% Error: Duplicate sequence number\n"
	default:
		n.kids = slices.Insert(n.kids, i, &node{line: line})
	}
	return ""
}

// at returns where the line of that number stands, or would.
func (n *node) at(number uint64) (int, bool) {
	return slices.BinarySearchFunc(n.kids, number, func(k *node, number uint64) int {
		other, _ := numberOf(k.line)
		return cmp.Compare(other, number)
	})
}

func numberOf(line string) (uint64, bool) {
	word, _, _ := strings.Cut(line, " ")
	v, err := strconv.ParseUint(word, 10, 32)
	return v, err == nil
}

func (n *node) remove(what string) string {
	i := -1
	if number, ok := numberOf(what); !ok {
		i = n.find(what)
	} else if at, there := n.at(number); there {
		i = at
	}
	if i < 0 {
		return "% Error: " + what + " is not there\n"
	}
	n.kids = slices.Delete(n.kids, i, i+1)
	return ""
}
