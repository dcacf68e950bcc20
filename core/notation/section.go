package notation

import "github.com/sluice-gateway/sluice/core/flowspec"

// sections are the parts of an ExaBGP configuration file that hold no FlowSpec rules, in any version that is known. They are passed
// over; every other section is warned of, since a rule in it would be lost.
var sections = map[string]bool{
	"process": true, "static": true, "l2vpn": true, "vpls": true, "capability": true, "family": true, "api": true,
	"operational": true, "nexthop": true, "next-hop": true, "add-path": true, "send": true, "receive": true, "rate-limit": true,
}

// section reads `neighbor X { }`, `template { }` and what is in them, and passes `process NAME { }`.
func (e *exabgp) section(t token) {
	name := e.lx.text(t)
	for {
		switch next := e.lx.next(); next.kind {
		case '{':
			if name == "process" {
				e.pass(t)
				return
			}
			e.content(t)
			return
		case 'w', '[', ']', ',':
			if next.newline && e.beginsRule(next) {
				e.lx.pos = next.start
				e.in.fail("syntax", t.start, t.end, quote(name)+" begins a section, and no { follows", name+" ... { ... }")
				return
			}
		default:
			e.in.fail("syntax", t.start, t.end, quote(name)+" begins a section, and no { follows", name+" ... { ... }")
			return
		}
	}
}

// content reads a section that may hold rules, to its closing brace.
func (e *exabgp) content(section token) {
	for {
		t := e.lx.next()
		switch t.kind {
		case '}':
			return
		case ';':
		case 0:
			e.in.fail("syntax", section.start, section.end, quote(e.lx.text(section))+" is not closed: } is missing", "")
			return
		case 'w':
			switch text := e.lx.text(t); text {
			case "neighbor", "template", "group":
				e.section(t)
			case "flow":
				e.flowKeyword(t)
			case "announce":
				e.announceKeyword(t)
			default:
				e.other(t, text)
			}
		default:
			e.in.fail("syntax", t.start, t.end, "a statement is expected", "")
		}
	}
}

func (e *exabgp) flowKeyword(t token) {
	if next := e.lx.next(); next.kind != '{' {
		e.in.fail("syntax", t.start, t.end, "flow is a section here", "flow { route NAME { ... } }")
		e.lx.pos = t.start
		e.recover(t.start)
		return
	}
	e.flowSection(t)
}

// other passes a statement or a section without rules.
func (e *exabgp) other(t token, text string) {
	for {
		switch next := e.lx.next(); next.kind {
		case ';':
			return
		case '{':
			known := sections[text]
			rules := e.pass(t)
			switch {
			case rules && !known:
				e.in.fail("skipped-section", t.start, t.end, "the section "+quote(text)+" is not known, and seems to hold rules: they would be lost", "flow { route NAME { ... } }")
			case !known:
				e.in.tell(Warning, "skipped-section", t.start, t.end, "the section "+quote(text)+" is not known and is skipped", "")
			}
			return
		case '}', 0:
			e.in.fail("syntax", t.start, t.end, "the semicolon behind "+quote(text)+" is missing", "")
			e.lx.pos = next.start
			return
		default:
			if next.open {
				e.in.fail("syntax", next.start, next.end, "the quote is not closed on its line", "")
			}
		}
	}
}

// pass goes behind the brace that closes what was just opened. It returns whether a word on the way belongs to FlowSpec rules.
func (e *exabgp) pass(t token) (rules bool) {
	for depth := 1; depth > 0; {
		next := e.lx.next()
		switch {
		case next.kind == 0:
			e.in.fail("syntax", t.start, t.end, quote(e.lx.text(t))+" is not closed: } is missing", "")
			return rules
		case next.kind == '{':
			depth++
		case next.kind == '}':
			depth--
		case next.open:
			e.in.fail("syntax", next.start, next.end, "the quote is not closed on its line", "")
		case next.kind == 'w' && !next.escaped:
			text := e.lx.text(next)
			rules = rules || text == "match" || text == "flow"
		}
	}
	return rules
}

// flowSection reads the rules of `flow { }` behind its opening brace.
func (e *exabgp) flowSection(section token) {
	for {
		t := e.lx.next()
		switch {
		case t.kind == '}':
			return
		case t.kind == ';':
		case t.kind == 0:
			e.in.fail("syntax", section.start, section.end, "flow is not closed: } is missing", "")
			return
		case t.kind == 'w' && e.lx.text(t) == "route":
			e.bare(t, "route")
		default:
			e.in.fail("syntax", t.start, t.end, "a section flow holds routes", "route NAME { match { ... } then { ... } }")
			if t.kind == 'w' {
				e.recover(t.start)
			}
		}
	}
}

// announceKeyword reads `announce { ipv4 { flow ...; } ipv6 { flow ...; } }`.
func (e *exabgp) announceKeyword(section token) {
	if next := e.lx.next(); next.kind != '{' {
		e.in.fail("syntax", section.start, section.end, "announce is a section here", "announce { ipv4 { flow ...; } }")
		e.recover(section.start)
		return
	}
	for {
		t := e.lx.next()
		text := e.lx.text(t)
		switch {
		case t.kind == '}':
			return
		case t.kind == ';':
		case t.kind == 0:
			e.in.fail("syntax", section.start, section.end, "announce is not closed: } is missing", "")
			return
		case text == "ipv4" || text == "ipv6":
			if next := e.lx.next(); next.kind != '{' {
				e.in.fail("syntax", t.start, t.end, text+" is a section here", text+" { flow ...; }")
				e.recover(t.start)
				continue
			}
			e.familySection(t, text)
		default:
			e.other(t, text)
		}
	}
}

// familySection reads the flow statements of `ipv4 { }` or `ipv6 { }`; routes of other kinds are passed.
func (e *exabgp) familySection(section token, family string) {
	for {
		t := e.lx.next()
		text := e.lx.text(t)
		switch {
		case t.kind == '}':
			return
		case t.kind == ';':
		case t.kind == 0:
			e.in.fail("syntax", section.start, section.end, family+" is not closed: } is missing", "")
			return
		case text == "flow" || text == "flow-vpn":
			e.familyStatement(t, text, family)
		case text == "unicast" || text == "multicast" || text == "nlri-mpls" || text == "mpls-vpn" || text == "mcast-vpn" || text == "mup" || text == "rtc":
			e.other(t, text)
		default:
			e.in.fail("syntax", t.start, t.end, quote(text)+" is not known here", "flow or flow-vpn")
			e.recover(t.start)
		}
	}
}

func (e *exabgp) familyStatement(t token, text, family string) {
	e.r.reset(t.start)
	e.r.lexer = &e.lx
	e.r.vpn = text == "flow-vpn"
	e.r.family = flowspec.IPv4
	if family == "ipv6" {
		e.r.family = flowspec.IPv6
	}
	whole := e.lx.end
	e.lx.end = e.logicalEnd(t.start)
	ok := e.r.statements() && e.semicolon(t)
	e.lx.end = whole
	if !ok {
		e.recover(t.start)
		return
	}
	e.finish()
}
