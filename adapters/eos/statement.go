package eos

import (
	"bytes"
	"encoding/json"
	"strings"
)

// statement is one line of configuration with what stands inside it, the common source of the text and of the commands.
type statement struct {
	line string
	body []statement
}

func say(words ...string) statement { return statement{line: strings.Join(words, " ")} }

// text writes s as `show running-config` does, indented by depth steps of three blanks. A match ends with an exclamation mark, and so do its
// conditions where actions follow; EOS reads both as comments.
func (s statement) text(b *bytes.Buffer, depth int) {
	indent := strings.Repeat("   ", depth)
	b.WriteString(indent + s.line + "\n")
	for i, k := range s.body {
		if k.line == "actions" && i > 0 {
			b.WriteString(indent + "   !\n")
		}
		k.text(b, depth+1)
	}
	if strings.HasPrefix(s.line, "match ") || strings.HasPrefix(s.line, "traffic-polic") {
		b.WriteString(indent + "!\n")
	}
}

// commands appends the lines of s, as they are typed: a command that the mode before it does not know ends that mode.
func (s statement) commands(to []string) []string {
	to = append(to, s.line)
	for _, k := range s.body {
		to = k.commands(to)
	}
	return to
}

func text(s statement, depth int) string {
	var b bytes.Buffer
	s.text(&b, depth)
	return b.String()
}

// payload is the commands as a JSON array: what eAPI takes as "cmds" in a configuration session, and, line by line, what gNMI takes as the
// value of an update of origin "cli".
func payload(s statement) []byte {
	b, err := json.Marshal(s.commands(nil))
	if err != nil {
		panic(err) // strings
	}
	return b
}
