package notation

// selector passes `neighbor IP [key value]... [, neighbor ...]` or `peer *|IP|[...]` in front of a verb, and returns the
// verb. It is ignored, with a note: which devices get a rule is configured in sluice.
func (e *exabgp) selector(t token) (token, bool) {
	word := e.lx.text(t)
	if word != "neighbor" && word != "peer" {
		return t, true
	}
	start, end := t.start, t.end
	for {
		t = e.lx.next()
		text := e.lx.text(t)
		if t.kind == 'w' && (text == "announce" || text == "withdraw") {
			break
		}
		if !e.selects(word, t, text) {
			e.in.fail("syntax", start, max(end, start+1), "a selector is followed by announce or withdraw, not by "+quote(text), word+" 192.0.2.1 announce flow route { ... }")
			return t, false
		}
		end = t.end
	}
	e.in.tell(Note, "selector-ignored", start, end, "ignored: which devices get a rule is configured in sluice", "")
	return t, true
}

// selects says whether t can be part of a selector; operands of its keywords are passed.
func (e *exabgp) selects(word string, t token, text string) bool {
	switch {
	case t.kind == ',':
		return true
	case word == "peer" && (t.kind == '[' || t.kind == ']'):
		return true
	case t.kind != 'w':
		return false
	}
	switch text {
	case "neighbor", "peer":
		return true
	case "local-ip", "local-as", "peer-as", "router-id", "family-allowed":
		return e.lx.next().kind == 'w'
	case "*":
		return true
	}
	c := text[0]
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' && indexColon(text) || c == ':'
}

func indexColon(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] == ':' {
			return true
		}
	}
	return false
}
