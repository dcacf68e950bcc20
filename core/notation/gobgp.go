package notation

import (
	"encoding/binary"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// gobgp reads commands of GoBGP's command line, one a line, as somebody types them or a script holds them:
//
//	gobgp global rib -a ipv4-flowspec add match destination 203.0.113.10/32 protocol '==udp' then discard
//
// `gobgp global rib` and the verb may be missing; then a line adds a rule, and its prefixes say the family. The grammar is that of GoBGP 3.37 (cmd/gobgp/global.go, pkg/packet/bgp). It joins the
// words of the shell again and passes over whatever it does not understand in between: `80-90` is port 80 to it. All of that is refused here.
type gobgp struct {
	in    *input
	r     route
	words []gobgpWord // of the command
}

// gobgpWord is a word of the shell, without its quotes.
type gobgpWord struct {
	text string
	at   span
}

func readGoBGP(in *input) {
	g := &gobgp{in: in}
	g.r.in = in
	for at := 0; at < len(in.src); {
		end, ok := g.split(at)
		if ok && len(g.words) > 0 {
			g.command()
		}
		at = end
	}
}

// split cuts the command that begins at from into words, as a shell does it, and at the spaces within quotes, where GoBGP cuts as well. It returns the end of the command.
func (g *gobgp) split(from int) (end int, ok bool) {
	g.words = g.words[:0]
	src, at := g.in.src, from
	var text strings.Builder
	begin, open := -1, -1 // of the word, of the quote
	finish := func() {
		if begin >= 0 && text.Len() > 0 {
			g.words = append(g.words, gobgpWord{text.String(), span{begin, at}})
		}
		text.Reset()
		begin = -1
	}
	for ; at < len(src); at++ {
		c := src[at]
		switch {
		case c == '\n':
			finish()
			if open >= 0 {
				g.in.fail("syntax", open, at, "the quote is not closed on its line", "")
			}
			return at + 1, open < 0
		case c == ' ' || c == '\t' || c == '\r':
			finish()
		case open >= 0 && c == src[open]:
			open = -1
		case open < 0 && (c == '\'' || c == '"'):
			if open = at; begin < 0 {
				begin = at
			}
		case open < 0 && c == '#' && begin < 0:
			for at+1 < len(src) && src[at+1] != '\n' {
				at++
			}
		case open < 0 && c == '\\':
			rest := strings.TrimLeft(src[at+1:], " \t\r")
			if !strings.HasPrefix(rest, "\n") {
				g.in.fail("syntax", at, at+1, "a backslash only continues a line here: nothing in a rule needs one", "")
				return g.lineEnd(at), false
			}
			finish()
			at = len(src) - len(rest)
		default:
			if begin < 0 {
				begin = at
			}
			text.WriteByte(c)
		}
	}
	finish()
	if open >= 0 {
		g.in.fail("syntax", open, at, "the quote is not closed on its line", "")
	}
	return at, open < 0
}

func (g *gobgp) lineEnd(at int) int {
	if i := strings.IndexByte(g.in.src[at:], '\n'); i >= 0 {
		return at + i + 1
	}
	return len(g.in.src)
}

// fail reports what is wrong at a word. It returns false.
func (g *gobgp) fail(w gobgpWord, message, hint string) bool {
	return g.r.failSpan("syntax", w.at, message, hint)
}

// command reads one command.
func (g *gobgp) command() {
	first, last := g.words[0], g.words[len(g.words)-1]
	g.r.reset(first.at.start)
	args, ok := g.verb()
	if !ok {
		return
	}
	parts, ok := g.parts(args)
	if !ok || !g.match(parts["match"]) || !g.distinguisher(parts["rd"]) {
		return
	}
	if !g.r.withdraw && (!g.then(parts["then"]) || !g.targets(parts["rt"])) {
		return
	}
	g.r.keep(last.at.end)
}

// gobgpFamilies are the names of families behind -a.
var gobgpFamilies = map[string]flowspec.Family{
	"ipv4-flowspec": flowspec.IPv4, "ipv4-flow": flowspec.IPv4, "flow4": flowspec.IPv4,
	"ipv6-flowspec": flowspec.IPv6, "ipv6-flow": flowspec.IPv6, "flow6": flowspec.IPv6,
	"ipv4-l3vpn-flowspec": flowspec.VPNv4, "ipv4vpn-flowspec": flowspec.VPNv4, "flowvpn4": flowspec.VPNv4,
	"ipv6-l3vpn-flowspec": flowspec.VPNv6, "ipv6vpn-flowspec": flowspec.VPNv6, "flowvpn6": flowspec.VPNv6,
}

// verb reads what stands in front of the rule, and the flags, which may stand anywhere. It returns the words of the rule.
func (g *gobgp) verb() (args []gobgpWord, ok bool) {
	named := false
	for i := 0; i < len(g.words); i++ {
		w := g.words[i]
		if !strings.HasPrefix(w.text, "-") {
			args = append(args, w)
			continue
		}
		flag, value, joined := strings.Cut(w.text, "=")
		if !joined {
			if i++; i == len(g.words) {
				return nil, g.fail(w, w.text+": a value is missing", "-a ipv4-flowspec")
			}
			value = g.words[i].text
		}
		switch flag {
		case "-a", "--address-family":
			f, known := gobgpFamilies[value]
			if !known {
				return nil, g.fail(w, fmt.Sprintf("%q is no family of FlowSpec for IP", value), "ipv4-flowspec, ipv6-flowspec, ipv4-l3vpn-flowspec or ipv6-l3vpn-flowspec")
			}
			g.r.family, g.r.vpn, named = flowspec.IPv4, f.VPN(), true
			if f.Version() == 6 {
				g.r.family = flowspec.IPv6
			}
		case "-u", "--host", "-p", "--port": // which gobgpd is asked
		default:
			return nil, g.fail(w, "this flag is not read here", "")
		}
	}
	if len(args) > 0 && args[0].text == "gobgp" {
		if len(args) < 4 || args[1].text != "global" || args[2].text != "rib" {
			return nil, g.fail(args[0], "not a command about the rules of FlowSpec", "gobgp global rib -a ipv4-flowspec add match ...")
		}
		if !named {
			return nil, g.fail(args[0], "no family: GoBGP takes it for a route of IPv4 unicast", "-a ipv4-flowspec or -a ipv6-flowspec")
		}
		args = args[3:]
		if v := args[0].text; v != "add" && v != "del" {
			return nil, g.fail(args[0], fmt.Sprintf("%q: a rule is added or deleted", v), "add or del")
		}
	}
	if len(args) > 0 && (args[0].text == "add" || args[0].text == "del") {
		g.r.withdraw = args[0].text == "del"
		args = args[1:]
	}
	if len(args) == 0 {
		return nil, g.fail(g.words[0], "no rule", "add match destination 203.0.113.10/32 then discard")
	}
	return args, true
}

// parts cuts the words of a rule at GoBGP's keywords, which may stand in any order.
func (g *gobgp) parts(args []gobgpWord) (map[string][]gobgpWord, bool) {
	out := map[string][]gobgpWord{}
	part := ""
	for _, w := range args {
		switch w.text {
		case "match", "then", "rd", "rt":
			if out[w.text] != nil {
				return nil, g.fail(w, quote(w.text)+" stands twice", "")
			}
			part = w.text
			out[part] = []gobgpWord{}
			continue
		case "color", "prefix", "locator-node-length", "function-length", "behavior":
			return nil, g.fail(w, "segment routing is not read here", "")
		}
		if part == "" {
			return nil, g.fail(w, quote(w.text)+" is nothing that a rule begins with", "match, then, rd or rt")
		}
		out[part] = append(out[part], w)
	}
	if len(out["match"]) == 0 {
		return nil, g.fail(args[0], "no condition", "match destination 203.0.113.10/32")
	}
	return out, true
}

// gobgpTypes are the words of match.
var gobgpTypes = map[string]flowspec.Type{
	"destination": flowspec.DstPrefix, "source": flowspec.SrcPrefix, "protocol": flowspec.Protocol, "port": flowspec.Port,
	"destination-port": flowspec.DstPort, "source-port": flowspec.SrcPort, "icmp-type": flowspec.ICMPType, "icmp-code": flowspec.ICMPCode,
	"tcp-flags": flowspec.TCPFlags, "packet-length": flowspec.PacketLength, "dscp": flowspec.DSCP, "fragment": flowspec.Fragment, "label": flowspec.FlowLabel,
}

// match reads the conditions.
func (g *gobgp) match(words []gobgpWord) bool {
	for from := 0; from < len(words); {
		word := words[from]
		typ, known := gobgpTypes[word.text]
		if !known {
			return g.fail(word, quote(word.text)+" is no condition", likely(word.text))
		}
		if g.r.at[typ].end > 0 {
			return g.fail(word, quote(word.text)+" stands twice: GoBGP keeps only the last one", "the values of both in one list")
		}
		to := from + 1
		for to < len(words) {
			if _, next := gobgpTypes[words[to].text]; next {
				break
			}
			to++
		}
		values := words[from+1 : to]
		if len(values) == 0 {
			return g.fail(word, quote(word.text)+": a value is missing", "")
		}
		g.r.at[typ] = span{word.at.start, values[len(values)-1].at.end}
		if typ == flowspec.FlowLabel {
			g.r.v6Word = word.at
		}
		if !g.condition(word, typ, values) {
			return false
		}
		from = to
	}
	dst, src := g.r.prefixes[flowspec.DstPrefix].Addr, g.r.prefixes[flowspec.SrcPrefix].Addr
	if dst.IsValid() && src.IsValid() && dst.Is4() != src.Is4() {
		return g.fail(words[0], "IPv4 and IPv6 in one rule", "one rule for IPv4 and one for IPv6")
	}
	for _, addr := range []netip.Addr{dst, src} {
		if addr.IsValid() && g.r.family != 0 && addr.Is4() != (g.r.family == flowspec.IPv4) {
			return g.fail(words[0], fmt.Sprintf("%s is not of the family that -a names", addr), "")
		}
	}
	return true
}

// condition reads the values of one condition.
func (g *gobgp) condition(word gobgpWord, typ flowspec.Type, values []gobgpWord) bool {
	if typ.Prefix() {
		return g.prefix(word, typ, values)
	}
	t := gobgpTerms{g: g, typ: typ}
	for _, w := range values {
		if !t.read(w) {
			return false
		}
	}
	if t.op != "" || t.and {
		return g.fail(values[len(values)-1], "a comparison without a value", "")
	}
	g.r.terms[typ] = t.terms
	return true
}

// prefix reads an address or a prefix, and behind it the offset of one of IPv6.
func (g *gobgp) prefix(word gobgpWord, typ flowspec.Type, values []gobgpWord) bool {
	text := values[0].text
	if addr, err := netip.ParseAddr(text); err == nil {
		text = fmt.Sprintf("%s/%d", text, addr.BitLen()) // a bare address is one host
	}
	if len(values) == 2 && strings.Count(text, "/") == 2 {
		return g.fail(values[1], "a second offset", "")
	}
	if _, isOffset := decimal(values[len(values)-1].text, 128); len(values) > 2 || len(values) == 2 && !isOffset {
		return g.fail(values[1], quote(values[1].text)+" is no condition, and "+word.text+" takes one prefix", "one rule for each prefix")
	}
	if len(values) == 2 {
		text += "/" + values[1].text
	}
	g.r.prefixAt(word.text, typ, text, values[0].at)
	return !g.r.bad
}

// then reads the actions.
func (g *gobgp) then(words []gobgpWord) bool {
	for len(words) > 0 {
		w := words[0]
		n := 1
		for n < len(words) && !gobgpActions[words[n].text] {
			n++
		}
		if !gobgpActions[w.text] {
			return g.fail(w, quote(w.text)+" is no action", likely(w.text))
		}
		if !g.action(w, words[1:n]) {
			return false
		}
		words = words[n:]
	}
	return true
}

var gobgpActions = map[string]bool{"accept": true, "discard": true, "rate-limit": true, "redirect": true, "mark": true, "action": true}

// action reads one action with its operands.
func (g *gobgp) action(w gobgpWord, operands []gobgpWord) bool {
	s := w.at
	value := ""
	if n := len(operands); n > 0 {
		s.end, value = operands[n-1].at.end, operands[0].text
	}
	switch most := map[string]int{"accept": 0, "discard": 2, "rate-limit": 3}[w.text]; {
	case w.text == "accept" && len(operands) > 0, w.text != "accept" && w.text != "discard" && len(operands) == 0,
		(w.text == "redirect" || w.text == "mark" || w.text == "action") && len(operands) != 1, len(operands) > max(most, 1):
		return g.r.failSpan("syntax", s, quote(w.text)+" does not take that", map[string]string{
			"accept": "accept", "discard": "discard, or discard as 65000", "rate-limit": "rate-limit 1250000, in bytes/s", "redirect": "redirect 65000:666", "mark": "mark 46", "action": "action sample",
		}[w.text])
	}
	t := token{kind: 'w', start: s.start, end: s.end}
	switch w.text {
	case "accept":
		g.r.accept = s
	case "discard":
		return g.rate(s, "0", operands)
	case "rate-limit":
		return g.rate(s, value, operands[1:])
	case "redirect":
		c, ok := gobgpTarget(value)
		if !ok {
			return g.r.failSpan("syntax", s, fmt.Sprintf("%q is no route target: GoBGP redirects to nothing else", value), "redirect 65000:666")
		}
		g.r.add(c, s)
	case "mark":
		v, ok := decimal(value, 63)
		if !ok {
			return g.r.failSpan("syntax", s, "a DSCP is a number from 0 to 63", dscpHint(value))
		}
		g.r.add(community8(0x8009, 0, 0, 0, 0, 0, byte(v)), s)
	case "action":
		g.r.trafficAction(t, value, s)
	}
	return !g.r.bad
}

// rate reads bytes per second, digits with or without a fraction, and `as N` behind it.
func (g *gobgp) rate(s span, text string, as []gobgpWord) bool {
	whole, fraction, point := strings.Cut(text, ".")
	amount, err := strconv.ParseFloat(text, 32)
	if strings.Trim(whole, "0123456789") != "" || whole == "" || point && (fraction == "" || strings.Trim(fraction, "0123456789") != "") || err != nil {
		return g.r.failSpan("syntax", s, fmt.Sprintf("%q is no rate: GoBGP's are numbers of bytes per second", text), rateHint(text))
	}
	c := rateCommunity(0x8006, float32(amount))
	if len(as) > 0 {
		n, ok := uint64(0), len(as) == 2 && as[0].text == "as"
		if ok {
			n, ok = decimal(as[1].text, math.MaxUint16)
		}
		if !ok {
			return g.fail(as[0], "behind a rate stands nothing but `as` and an AS number of two octets", "as 65000")
		}
		c = c[:2] + flowspec.ExtComm(binary.BigEndian.AppendUint16(nil, uint16(n))) + c[4:]
	}
	if amount > 0 && amount < 9600 {
		g.r.warn(Warning, "low-rate", s, fmt.Sprintf("%v bytes/s is %v bits/s: many routers round so low a rate to their floor or to 0", amount, 8*amount), "")
	}
	g.r.add(c, s)
	return true
}

// gobgpTarget makes the redirect of a route target in one of the forms of GoBGP (RFC 8955 §7.4, RFC 8956 §6.1).
func gobgpTarget(s string) (flowspec.ExtComm, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return "", false
	}
	global, local := s[:i], s[i+1:]
	if addr, err := netip.ParseAddr(global); err == nil && addr.Zone() == "" {
		n, ok := decimal(local, math.MaxUint16)
		if addr.Is4() {
			a := addr.As4()
			return community8(0x8108, a[0], a[1], a[2], a[3], byte(n>>8), byte(n)), ok
		}
		a := addr.As16()
		return flowspec.ExtComm(append(append([]byte{0x00, 0x0d}, a[:]...), byte(n>>8), byte(n))), ok
	}
	if high, low, dotted := strings.Cut(global, "."); dotted { // asdot: four octets, whatever its value
		h, ok := decimal(high, math.MaxUint16)
		l, ok2 := decimal(low, math.MaxUint16)
		n, ok3 := decimal(local, math.MaxUint16)
		return community8(0x8208, byte(h>>8), byte(h), byte(l>>8), byte(l), byte(n>>8), byte(n)), ok && ok2 && ok3
	}
	return routeTarget(global, local)
}

// distinguisher reads the route distinguisher, which VPN rules have and others have not.
func (g *gobgp) distinguisher(words []gobgpWord) bool {
	switch {
	case words == nil:
		return true
	case len(words) != 1:
		return g.fail(g.words[0], "rd takes one route distinguisher", "rd 65000:1")
	case g.r.family != 0 && !g.r.vpn:
		return g.fail(words[0], "a route distinguisher in a rule of the global table", "-a ipv4-l3vpn-flowspec or -a ipv6-l3vpn-flowspec")
	}
	rd, ok := parseRD(words[0].text)
	if !ok {
		return g.fail(words[0], fmt.Sprintf("%q is no route distinguisher", words[0].text), "65000:1, 192.0.2.1:1 or 4200000000:1")
	}
	g.r.rd, g.r.hasRD, g.r.vpn = rd, true, true
	return true
}

// targets reads the route targets of a VPN rule.
func (g *gobgp) targets(words []gobgpWord) bool {
	if len(words) > 0 && !g.r.vpn {
		return g.fail(words[0], "a route target of a rule of the global table", "")
	}
	for _, w := range words {
		c, ok := gobgpTarget(w.text)
		if !ok || len(c) != 8 {
			return g.fail(w, fmt.Sprintf("%q is no route target", w.text), "65000:1")
		}
		kind := map[flowspec.ExtComm]flowspec.ExtComm{"\x80\x08": "\x00\x02", "\x81\x08": "\x01\x02", "\x82\x08": "\x02\x02"}[c[:2]]
		g.r.add(kind+c[2:], w.at)
	}
	return true
}
