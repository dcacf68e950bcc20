package profile

import (
	"fmt"
	"strings"
	"unicode"
)

// Problem is one thing wrong with a profile file.
type Problem struct {
	File         string `json:"file"`
	Line, Column int    `json:"-"`
	Message      string `json:"message"`
	Text         string `json:"-"` // the line itself
}

// in fills in the file and the line that p is about.
func (p Problem) in(file string, b []byte) Problem {
	p.File = file
	lines := strings.Split(string(b), "\n")
	if p.Line >= 1 && p.Line <= len(lines) {
		p.Text = strings.TrimRight(lines[p.Line-1], "\r")
	}
	return p
}

// String returns `file:line:column: message`.
func (p Problem) String() string {
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Render returns p the way compilers show it: place and reason, the line, a caret below the place.
func (p Problem) Render() string {
	if p.Text == "" {
		return p.String()
	}
	pad := []byte(p.Text[:min(max(p.Column-1, 0), len(p.Text))])
	for i, c := range pad {
		if c != '\t' {
			pad[i] = ' '
		}
	}
	return fmt.Sprintf("%s\n  %s\n  %s^", printable(p.String()), printable(p.Text), pad)
}

// printable replaces what would command a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// Problems is everything wrong with profile files, in the order of the files.
type Problems []Problem

// Error shows every problem with its line.
func (ps Problems) Error() string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Render())
	}
	return strings.Join(out, "\n")
}

// didYouMean suggests the nearest of words, as `: did you mean "dscp"?`, or lists a few, or says nothing.
func didYouMean(s string, words []string) string {
	best, far := "", min(3, len(s))
	for _, w := range words {
		if d := distance(s, w); d < far {
			best, far = w, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %q?", best)
}

// distance is the number of letters to change, add or drop to make b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
