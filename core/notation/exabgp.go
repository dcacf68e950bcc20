package notation

import (
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// exabgp reads files in ExaBGP's notation: API lines, bare `flow route` lines and configuration files, in any mixture.
type exabgp struct {
	in *input
	lx lexer
	r  route
}

func newExaBGP(in *input) *exabgp {
	e := &exabgp{in: in, lx: lexer{src: in.src, end: len(in.src)}}
	e.r.in = in
	return e
}

func readExaBGP(in *input) {
	e := newExaBGP(in)
	for {
		t := e.lx.next()
		switch t.kind {
		case 0:
			return
		case ';':
		case 'w':
			e.top(t)
		default:
			in.fail("syntax", t.start, t.end, "nothing is open here that "+e.lx.text(t)+" could belong to", "")
		}
	}
}

// readers keeps the buffers of readers of single lines.
var readers = sync.Pool{New: func() any { return new(exabgp) }}

// readLine reads one line of a process.
func readLine(in *input) {
	e := readers.Get().(*exabgp)
	defer readers.Put(e)
	e.in, e.r.in, e.lx = in, in, lexer{src: in.src, end: len(in.src)}
	e.single()
	e.in, e.r.in = nil, nil
}

func (e *exabgp) single() {
	in := e.in
	t := e.lx.next()
	if t.kind != 'w' {
		in.fail("syntax", t.start, max(t.end, t.start+1), "a command is expected", "announce flow route { match { ... } then { ... } }")
		return
	}
	if e.lx.text(t) == "flow" {
		e.bare(t, "flow")
		return
	}
	e.command(t)
}

// top reads what begins with the word t outside of any section.
func (e *exabgp) top(t token) {
	switch text := e.lx.text(t); text {
	case "announce", "withdraw", "ipv4", "ipv6":
		e.line(t)
	case "flow":
		e.bare(t, text)
	case "neighbor", "peer":
		if e.isCommand(t) {
			e.line(t)
			return
		}
		e.section(t)
	case "process", "template", "group":
		e.section(t)
	default:
		e.unknown(t)
	}
}

// isCommand says whether a line that begins with neighbor or peer is a command rather than a section.
func (e *exabgp) isCommand(t token) bool {
	lx := lexer{src: e.lx.src, pos: t.end, end: e.logicalEnd(t.start)}
	for {
		switch w := lx.next(); {
		case w.kind == 0 || w.kind == '{' || w.kind == ';':
			return false
		case w.kind == 'w' && (lx.text(w) == "announce" || lx.text(w) == "withdraw"):
			return true
		}
	}
}

// logicalEnd returns the end of the line that holds from, lines continued with a backslash included.
func (e *exabgp) logicalEnd(from int) int {
	for at := from; ; {
		i := strings.IndexByte(e.lx.src[at:e.lx.end], '\n')
		if i < 0 {
			return e.lx.end
		}
		if !strings.HasSuffix(strings.TrimRight(e.lx.src[from:at+i], " \t\r"), "\\") {
			return at + i
		}
		at += i + 1
	}
}

// line reads the command that begins with t and ends with its line.
func (e *exabgp) line(t token) {
	whole := e.lx
	e.lx.end = e.logicalEnd(t.start)
	e.command(t)
	whole.pos = e.lx.end
	e.lx = whole
}

// unknown refuses a word that begins nothing, and passes what belongs to it: a misspelt rule must not vanish.
func (e *exabgp) unknown(t token) {
	e.in.fail("syntax", t.start, t.end, "neither a rule nor a section begins with "+quote(e.lx.text(t)), "announce flow route { ... }, flow route { ... }, or a section of an ExaBGP configuration file")
	e.lx.pos = t.start
	e.recover(t.start)
}

// command reads [selector] announce|withdraw ... to the end of the line.
func (e *exabgp) command(t token) {
	start := t.start
	t, ok := e.selector(t)
	if !ok {
		e.lx.pos = e.lx.end
		return
	}
	verb := e.lx.text(t)
	if verb == "ipv4" || verb == "ipv6" { // as Text prints an IPv6 rule without a prefix
		verb = "announce"
		e.lx.pos = t.start
	}
	if t.kind != 'w' || verb != "announce" && verb != "withdraw" {
		e.in.fail("not-flowspec", t.start, max(t.end, t.start+1), quote(verb)+" is no command that announces or withdraws a rule", "announce flow route { ... }")
		e.lx.pos = e.lx.end
		return
	}
	e.r.reset(start)
	e.r.lexer = &e.lx
	e.r.withdraw = verb == "withdraw"
	e.family(t)
	e.lx.pos = e.lx.end
}

// family reads what follows announce or withdraw: `flow route ...`, or `ipv4 flow ...` and its kin.
func (e *exabgp) family(verb token) {
	first := e.lx.next()
	second := e.lx.next()
	a, b := e.lx.text(first), e.lx.text(second)
	switch {
	case a == "flow" && b == "route":
		e.body(true)
		return
	case a == "ipv4" && (b == "flow" || b == "flow-vpn"):
		e.r.family = flowspec.IPv4
	case a == "ipv6" && (b == "flow" || b == "flow-vpn"):
		e.r.family = flowspec.IPv6
	default:
		e.in.guard("not-flowspec", first.start, max(first.end, first.start+1), quote(e.lx.text(verb)+" "+a)+" is no FlowSpec rule: it would be lost", "announce flow route { ... }")
		return
	}
	e.r.vpn = b == "flow-vpn"
	if e.r.statements() && e.trailing() {
		e.finish()
	}
}

// bare reads `flow route ...` without announce, or a section `flow { }`.
func (e *exabgp) bare(t token, text string) {
	next := e.lx.peek()
	if text == "flow" && next.kind == '{' {
		e.lx.next()
		e.flowSection(t)
		return
	}
	e.r.reset(t.start)
	e.r.lexer = &e.lx
	if text == "flow" {
		if next.kind != 'w' || e.lx.text(next) != "route" {
			e.unknown(t)
			return
		}
		e.lx.next()
	}
	if !e.body(false) {
		e.recover(t.start)
	}
}

// semicolon wants the flat form that has just been read to end in a semicolon, as statements of a section do: a condition on the
// next line would be lost.
func (e *exabgp) semicolon(t token) bool {
	if e.lx.src[e.lx.pos-1] == ';' {
		return true
	}
	return e.r.failSpan("syntax", span{t.start, t.end}, "the semicolon behind the rule is missing", "")
}

// body reads a rule behind `flow route`: braces with or without a name, or the flat form. A line of a process may lack
// the last brace, as ExaBGP's API allows.
func (e *exabgp) body(line bool) bool {
	if e.braces() {
		if !e.block(line) {
			return false
		}
		if line && !e.trailing() {
			return false
		}
		e.finish()
		return true
	}
	whole := e.lx.end
	e.lx.end = e.logicalEnd(e.r.start) // the flat form ends with its line
	ok := e.r.statements()
	e.lx.end = whole
	if ok && line {
		ok = e.trailing()
	}
	if ok && e.lx.src[e.r.start] == 'r' { // `route ...` of a section, not `flow route ...`
		ok = e.semicolon(token{start: e.r.start, end: e.r.start + len("route")})
	}
	if ok {
		e.finish()
	}
	return ok
}

// braces passes `NAME? {` when the rule has braces.
func (e *exabgp) braces() bool {
	pos := e.lx.pos
	t := e.lx.next()
	if t.kind == 'w' {
		t = e.lx.next()
	}
	if t.kind == '{' {
		return true
	}
	e.lx.pos = pos
	return false
}

// trailing passes what may follow a command: a semicolon, and the words of ExaBGP's API that ask for an answer.
func (e *exabgp) trailing() bool {
	for {
		t := e.lx.next()
		switch {
		case t.kind == 0:
			return true
		case t.kind == ';':
		case t.kind == 'w':
			switch e.lx.text(t) {
			case "sync", "async", "json", "text":
				continue
			}
			return e.r.fail(t, "nothing may follow the rule", "")
		default:
			return e.r.fail(t, "nothing is open here that "+e.lx.text(t)+" could belong to", "")
		}
	}
}

// recover passes the rest of a rule that cannot be read: to the brace that closes it, or to a line that begins another.
func (e *exabgp) recover(start int) {
	e.lx.pos = start
	depth := 0
	for first := true; ; first = false {
		before := e.lx.pos
		t := e.lx.next()
		switch {
		case t.kind == 0:
			return
		case t.newline && !first && (depth == 0 || e.beginsRule(t)):
			e.lx.pos = before
			return
		case t.kind == '{':
			depth++
		case t.kind == '}':
			if depth--; depth <= 0 {
				if depth < 0 {
					e.lx.pos = before
				}
				return
			}
		case t.kind == ';' && depth == 0:
			return
		}
	}
}

// beginsRule says whether a line that begins with t begins a rule of its own.
func (e *exabgp) beginsRule(t token) bool {
	if t.kind != 'w' {
		return false
	}
	text := e.lx.text(t)
	lx := e.lx
	next := lx.next()
	return text == "announce" || text == "withdraw" || text == "flow" && next.kind == 'w' && lx.text(next) == "route"
}

func quote(s string) string { return "\"" + cut(strings.TrimSpace(s), 60) + "\"" }
