package notation

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Severities of a Problem.
const (
	Error   = "error"   // no rule was made of it
	Warning = "warning" // a rule was made, and may not be what its writer meant
	Note    = "note"    // a rule was made; something about it is worth knowing
)

// Problem is an error, a warning or a note at a place in an input.
type Problem struct {
	Pos           Position
	Code          string // stable, kebab-case
	Severity      string // "error", "warning", "note"
	Message, Hint string // the reason; what to write instead
	Source        string // the whole source line, for the caret
	Length        int    // characters to underline, at least 1
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: %s", p.Pos, p.Message)
}

// String returns file:line:column, without what is unknown.
func (p Position) String() string {
	s := p.File
	if s == "" || s == "-" {
		s = "standard input"
	}
	if p.Line > 0 {
		s = fmt.Sprintf("%s:%d:%d", s, p.Line, p.Column)
	}
	return s
}

// shown is how many characters of a source line are printed: what is longer is cut around the caret.
const shown = 160

// Render prints p as compilers do: file:line:column, the reason, the line, a caret, and what to write instead.
func (p Problem) Render(w io.Writer, color bool) {
	paint := func(code, s string) string {
		if !color {
			return s
		}
		return "\x1b[" + code + "m" + s + "\x1b[0m"
	}
	tint := map[string]string{Error: "1;31", Warning: "1;33", Note: "1;36"}[p.Severity]
	fmt.Fprintf(w, "%s: %s %s %s\n", paint("1", printable(p.Pos.String())), paint(tint, p.Severity+":"), printable(p.Message), paint("2", "["+p.Code+"]"))
	if p.Source != "" {
		line, column := window(p.Source, p.Pos.Column)
		fmt.Fprintf(w, "    %s\n    %s\n", printable(line), paint(tint, caret(line, column, p.Length)))
	}
	if p.Hint != "" {
		fmt.Fprintf(w, "  %s %s\n", paint("1", "write:"), printable(p.Hint))
	}
}

// caret returns the line that underlines length characters of line from column on. Tabs stay, so that it lines up.
func caret(line string, column, length int) string {
	var b strings.Builder
	n := 0
	for _, r := range line {
		if n++; n >= column {
			break
		}
		if r == '\t' {
			b.WriteRune('\t')
			continue
		}
		b.WriteByte(' ')
	}
	for n++; n < column; n++ {
		b.WriteByte(' ')
	}
	b.WriteByte('^')
	if rest := utf8.RuneCountInString(line) - column; length > 1 && rest > 0 {
		b.WriteString(strings.Repeat("~", min(length-1, rest)))
	}
	return b.String()
}

// window cuts a long line around column and returns the column in what is left.
func window(line string, column int) (string, int) {
	runes := []rune(line)
	if len(runes) <= shown {
		return line, column
	}
	from := min(max(0, column-1-shown/2), len(runes)-shown)
	part, column := string(runes[from:from+shown]), column-from
	if from > 0 {
		part, column = "..."+part, column+3
	}
	if from+shown < len(runes) {
		part += "..."
	}
	return part, column
}

// printable replaces what would command a terminal: an input may come from anybody.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}

// input is one text that is being read, with what was found so far. Readers report through it.
type input struct {
	file   string
	src    string
	opt    Options
	compat map[string]bool

	items    []Item
	problems []Problem
	lines    []int // where each line begins; made when the first place is asked for

	crowd map[crowd]int // how many problems of a kind stand on a line
}

// crowd is the problems of one line that are errors, or that are not.
type crowd struct {
	line int // by index
	err  bool
}

// mostOnLine is how many problems of one line are told apart. A line with more is no text that somebody wrote, and to find the column of each
// takes time that grows with the square of its length.
const mostOnLine = 500

// crowded counts a problem at the octet start, and says whether its line has more than are told apart. The first beyond them is told as what it is.
func (in *input) crowded(severity string, start int) bool {
	line, from := in.lineOf(min(start, len(in.src)))
	key := crowd{line, severity == Error}
	if in.crowd == nil {
		in.crowd = map[crowd]int{}
	}
	in.crowd[key]++
	if in.crowd[key] == mostOnLine+1 {
		in.report(Problem{
			Pos: Position{File: in.file, Line: line + 1, Column: 1}, Code: "crowded-line", Severity: severity, Source: cut(in.src[from:], 2*shown), Length: 1,
			Message: fmt.Sprintf("more than %d problems on this line: the others are not told", mostOnLine), Hint: "mend these first, or write one rule a line",
		})
	}
	return in.crowd[key] > mostOnLine
}

// tell reports a problem about the octets start..end.
func (in *input) tell(severity, code string, start, end int, message, hint string) {
	if !in.crowded(severity, start) {
		in.report(in.problem(severity, code, start, end, message, hint))
	}
}

func newInput(file, src string, opt Options) *input {
	in := &input{file: file, src: src, opt: opt}
	if len(opt.Compat) > 0 {
		in.compat = make(map[string]bool, len(opt.Compat))
		for _, c := range opt.Compat {
			in.compat[c] = true
		}
	}
	return in
}

func (in *input) report(p Problem) { in.problems = append(in.problems, p) }

// sorted returns the problems in order of place.
func (in *input) sorted() []Problem {
	slices.SortStableFunc(in.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Column, b.Pos.Column))
	})
	return in.problems
}

// lineOf returns the index of the line that holds the octet at, and where that line begins.
func (in *input) lineOf(at int) (index, from int) {
	if in.lines == nil {
		in.lines = append(make([]int, 0, 1+strings.Count(in.src, "\n")), 0)
		for i := 0; ; {
			n := strings.IndexByte(in.src[i:], '\n')
			if n < 0 {
				break
			}
			i += n + 1
			in.lines = append(in.lines, i)
		}
	}
	index, found := slices.BinarySearch(in.lines, at)
	if !found {
		index--
	}
	return index, in.lines[index]
}

// position returns the place of the octet at.
func (in *input) position(at int) Position {
	at = min(at, len(in.src))
	if at == 0 {
		return Position{File: in.file, Line: 1, Column: 1}
	}
	line, from := in.lineOf(at)
	return Position{File: in.file, Line: line + 1, Column: 1 + utf8.RuneCountInString(in.src[from:at])}
}

// place turns a span of octets into a position, the source line and the characters that the span covers on it.
func (in *input) place(start, end int) (pos Position, line string, length int) {
	start = min(start, len(in.src))
	end = min(max(end, start), len(in.src))
	_, from := in.lineOf(start)
	to := len(in.src)
	if i := strings.IndexByte(in.src[start:], '\n'); i >= 0 {
		to = start + i
	}
	line = strings.TrimRight(in.src[from:to], "\r")
	return in.position(start), line, max(1, utf8.RuneCountInString(in.src[start:min(end, to)]))
}

// problem makes a Problem about the octets start..end.
func (in *input) problem(severity, code string, start, end int, message, hint string) Problem {
	pos, line, length := in.place(start, end)
	return Problem{Pos: pos, Code: code, Severity: severity, Message: message, Hint: hint, Source: line, Length: length}
}

// fail reports an error about the octets start..end.
func (in *input) fail(code string, start, end int, message, hint string) {
	in.tell(Error, code, start, end, message, hint)
}

// guard reports an input that ExaBGP turns into something else. It is an error, or, when the code is let through, a
// warning; then guard returns true and the caller does what ExaBGP does.
func (in *input) guard(code string, start, end int, message, hint string) bool {
	g := guards[code]
	if g.Compat == "" || !in.compat[code] {
		in.fail(code, start, end, message, hint)
		return false
	}
	in.tell(Warning, code, start, end, message+"; let through: "+g.Compat, hint)
	return true
}

// shorten cuts the source text of an item.
func shorten(s string) string { return cut(s, 200) }

// cut keeps at most so many octets of s, whole characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "..."
}
