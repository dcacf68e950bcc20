package notation

import (
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// block reads the content of `route { }` behind its opening brace. With line, the closing brace may be missing.
func (e *exabgp) block(line bool) bool {
	r := &e.r
	for {
		t := e.lx.next()
		switch {
		case t.kind == '}':
			return true
		case t.kind == ';':
		case t.kind == 0 && line:
			return true
		case t.kind == 0:
			return r.fail(t, "the rule is not closed: } is missing", "")
		case t.kind != 'w':
			return r.fail(t, "match, then, scope, rd or next-hop is expected", "")
		case t.newline && e.beginsRule(t):
			return r.fail(t, "another rule begins before this one is closed: } is missing", "")
		default:
			if !e.item(t) {
				return false
			}
		}
	}
}

// item reads one block or statement of a route.
func (e *exabgp) item(t token) bool {
	r := &e.r
	text := e.lx.text(t)
	switch text {
	case "rd", "route-distinguisher", "next-hop":
		before := r.snapshot()
		ok := false
		if text == "next-hop" {
			ok = r.nextHopStatement(t)
		} else {
			ok = r.routeDistinguisher(t)
		}
		return ok && r.endStatement(t, text, before)
	case "match", "then", "scope":
		if brace := e.lx.next(); brace.kind != '{' {
			return r.fail(t, text+" is a block", text+" { ... }")
		}
		if text == "then" && r.withdraw {
			return e.skipBlock(t)
		}
		return e.inside(t, text)
	}
	if _, isMatch := matchWords[text]; isMatch {
		return r.fail(t, quote(text)+" belongs inside match { }", "match { "+text+" ...; }")
	}
	if thenWords[text] {
		return r.fail(t, quote(text)+" belongs inside then { }", "then { "+text+" ...; }")
	}
	return r.fail(t, quote(text)+" is nothing a flow route can hold", "match { }, then { }, scope { }, rd or next-hop")
}

// inside reads the statements of match, then or scope to the closing brace.
func (e *exabgp) inside(block token, name string) bool {
	r := &e.r
	for {
		t := e.lx.next()
		switch {
		case t.kind == '}':
			return true
		case t.kind == ';':
			continue
		case t.kind == 0:
			return r.fail(block, name+" is not closed: } is missing", "")
		case t.kind != 'w':
			return r.fail(t, "a statement is expected", "")
		case t.newline && e.beginsRule(t):
			return r.fail(block, name+" is not closed: } is missing", "")
		}
		before := r.snapshot()
		text := e.lx.text(t)
		if !e.statement(t, text, name) || !r.endStatement(t, text, before) {
			return false
		}
	}
}

func (e *exabgp) statement(t token, text, name string) bool {
	r := &e.r
	typ, isMatch := matchWords[text]
	switch {
	case name == "match" && isMatch:
		return r.match(t, text, typ)
	case name == "then" && thenWords[text]:
		return r.then(t, text)
	case text == "interface-set" && name != "match":
		return r.interfaceSet(t)
	case isMatch:
		return r.fail(t, quote(text)+" belongs inside match { }", "")
	case thenWords[text]:
		return r.fail(t, quote(text)+" belongs inside then { }", "")
	}
	return r.fail(t, quote(text)+" is not known here", likely(text))
}

// likely corrects words that people write for ExaBGP's.
func likely(text string) string {
	switch strings.ToLower(strings.ReplaceAll(text, "_", "-")) {
	case "redirect-next-hop", "redirect-to-next-hop", "redirect-nexthop":
		return "redirect-to-nexthop, with next-hop ADDRESS; in front of match"
	case "drop", "deny", "block":
		return "discard"
	case "permit", "allow":
		return "accept"
	case "dst", "dst-prefix", "destination-prefix", "destination-address":
		return "destination"
	case "src", "src-prefix", "source-prefix", "source-address":
		return "source"
	case "dst-port", "dport":
		return "destination-port"
	case "src-port", "sport":
		return "source-port"
	case "length", "packet-len":
		return "packet-length"
	case "police", "rate", "ratelimit":
		return "rate-limit"
	case "flags", "tcp-flag":
		return "tcp-flags"
	}
	lower := strings.ToLower(text)
	if _, ok := matchWords[lower]; ok || thenWords[lower] {
		return lower // ExaBGP's keywords are in lower case
	}
	return ""
}

// snapshot keeps what has been read in front of a statement, when a statement may have to be undone.
func (r *route) snapshot() *parts {
	if !r.in.compat["missing-semicolon"] {
		return nil
	}
	p := r.parts
	return &p
}

// endStatement wants the semicolon behind a statement. before is the snapshot in front of it.
func (r *route) endStatement(word token, text string, before *parts) bool {
	pos := r.pos
	t := r.next()
	if t.kind == ';' {
		return true
	}
	statement := span{word.start, pos}
	fixed := strings.TrimSpace(r.src[word.start:pos]) + ";"
	if t.kind == '}' || t.kind == 0 || t.newline {
		r.pos = pos
		if !r.guard("missing-semicolon", statement, "the semicolon is missing: ExaBGP drops this statement and announces the rest", fixed) {
			return true
		}
		bad := r.bad
		r.parts = *before
		r.bad = bad
		return true
	}
	return r.surplus(word, text, t, pos)
}

// surplus reports words between a statement and its semicolon: ExaBGP ignores them.
func (r *route) surplus(word token, text string, t token, from int) bool {
	rest := span{t.start, t.end}
	for t.kind == 'w' && !t.newline || t.kind == '[' || t.kind == ']' || t.kind == ',' {
		rest.end = t.end
		t = r.next()
	}
	if t.kind != ';' {
		return r.fail(t, "the semicolon behind "+text+" is missing", strings.TrimSpace(r.src[word.start:rest.end])+";")
	}
	fixed := strings.TrimSpace(r.src[word.start:from]) + ";"
	if begins, _, _ := strings.Cut(r.src[rest.start:rest.end], " "); isStatement(begins) {
		missed := strings.TrimSpace(r.src[rest.start:rest.end])
		r.guard("ignored-words", rest, "the semicolon before "+quote(begins)+" is missing: ExaBGP ignores what stands here", fixed+" "+missed+";")
		return true
	}
	typ, isMatch := matchWords[text]
	if isMatch && !typ.Prefix() {
		values := strings.TrimSpace(r.src[word.end:rest.end])
		values = strings.NewReplacer("[", "", "]", "", ",", "").Replace(values)
		r.guard("values-without-brackets", rest, "several values without brackets: ExaBGP keeps only the first",
			text+" [ "+strings.Join(strings.Fields(values), " ")+" ];")
		return true
	}
	r.guard("ignored-words", rest, "ExaBGP ignores what stands here", fixed)
	return true
}

// isStatement says whether a word begins a condition or an action.
func isStatement(word string) bool {
	_, isMatch := matchWords[word]
	return isMatch || thenWords[word]
}

// skipBlock passes a block whose content does not count.
func (e *exabgp) skipBlock(block token) bool {
	for depth := 1; depth > 0; {
		switch t := e.lx.next(); {
		case t.kind == 0, t.newline && e.beginsRule(t):
			return e.r.fail(block, "the block is not closed: } is missing", "")
		case t.kind == '{':
			depth++
		case t.kind == '}':
			depth--
		}
	}
	return true
}

// statements reads the flat form to the end of its line or a semicolon.
func (r *route) statements() bool {
	r.flat = true
	for {
		t := r.next()
		if t.kind == 0 || t.kind == ';' {
			return true
		}
		if t.kind != 'w' {
			return r.fail(t, "a condition or an action is expected", "")
		}
		if !r.flatStatement(t, r.text(t)) {
			return false
		}
	}
}

func (r *route) flatStatement(t token, text string) bool {
	typ, isMatch := matchWords[text]
	switch {
	case isMatch:
		return r.match(t, text, typ)
	case thenWords[text]:
		return r.then(t, text)
	}
	switch text {
	case "interface-set":
		return r.interfaceSet(t)
	case "rd", "route-distinguisher":
		return r.routeDistinguisher(t)
	case "next-hop":
		return r.nextHopStatement(t)
	case "sync", "async", "json", "text": // how ExaBGP's API is to answer
		return true
	case "match", "then", "scope":
		return r.fail(t, quote(text)+" is a block, and the rule has no braces around it", "flow route { match { ... } then { ... } }")
	}
	hint := likely(text)
	if hint == "" {
		hint = "several values stand in brackets: [ =80 =443 ]"
	}
	return r.fail(t, quote(text)+" is neither a condition nor an action", hint)
}

// finish judges the rule that has been read, and keeps it when it is good.
func (e *exabgp) finish() { e.r.keep(min(e.lx.pos, len(e.in.src))) }

// keep judges the rule that stands in the source up to end, and keeps it when it is good.
func (r *route) keep(end int) {
	text := strings.TrimSpace(r.in.src[r.start:end])
	whole := span{r.start, r.start + len(text)}
	match, ok := r.settleMatch(whole)
	rule := flowspec.Rule{Match: match}
	if !r.withdraw {
		rule.Action, rule.Others = r.settleActions()
		if !r.hasAction() && !r.bad {
			r.guard("no-action", whole, "no action: what a router does with such a rule is its own choice", "accept; or discard; inside then { }")
		}
		rule.Communities, rule.LargeCommunities = r.communities, r.large
	}
	if !ok || r.bad {
		return
	}
	r.in.items = append(r.in.items, Item{Rule: rule, Withdraw: r.withdraw, Pos: r.in.position(r.start), Text: shorten(text)})
}
