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

// actions is what has been read of `then { }` and `scope { }`.
type actions struct {
	ext         []flowspec.ExtComm
	nextHop     netip.Addr // of redirect and copy
	viaNextHop  netip.Addr // of the next-hop statement
	viaSpan     span
	communities []uint32
	large       [][3]uint32
	accept      span
	toNextHop   span // redirect-to-nexthop, which needs the next-hop statement
	first, more [classes]span
}

// The classes of actions: a rule has at most one of each (RFC 8955 §7.7).
const (
	noClass = iota
	rateClass
	redirectClass
	trafficClass
	markClass
	classes
)

// classOf says which kind of action a community asks for, if any.
func classOf(c flowspec.ExtComm) int {
	if len(c) < 2 {
		return noClass
	}
	kind := uint16(c[0])<<8 | uint16(c[1])
	if len(c) == 20 {
		if kind == 0x000c || kind == 0x000d {
			return redirectClass
		}
		return noClass
	}
	switch kind {
	case 0x8006, 0x800c:
		return rateClass
	case 0x8007:
		return trafficClass
	case 0x8009:
		return markClass
	case 0x8008, 0x8108, 0x8208, 0x0800, 0x010c:
		return redirectClass
	}
	return noClass
}

func (a *actions) add(c flowspec.ExtComm, s span) {
	class := classOf(c)
	if a.first[class].end == 0 {
		a.first[class] = s
	} else {
		a.more[class] = s
	}
	a.ext = append(a.ext, c)
}

// community8 makes a community of eight octets.
func community8(kind uint16, value ...byte) flowspec.ExtComm {
	var b [8]byte
	binary.BigEndian.PutUint16(b[:], kind)
	copy(b[2:], value)
	return flowspec.ExtComm(b[:])
}

var discard = community8(0x8006)

// rateCommunity is AS 0 and an IEEE float (RFC 8955 §7.1, §7.2).
func rateCommunity(kind uint16, amount float32) flowspec.ExtComm {
	var v [6]byte
	binary.BigEndian.PutUint32(v[2:], math.Float32bits(amount))
	return community8(kind, v[:]...)
}

// thenWords are the words of `then { }`; interface-set may stand among them in the flat form.
var thenWords = map[string]bool{
	"accept": true, "discard": true, "rate-limit": true, "redirect": true, "redirect-to-nexthop": true,
	"redirect-to-nexthop-ietf": true, "copy": true, "mark": true, "action": true, "community": true,
	"large-community": true, "extended-community": true, "attribute": true,
}

// then reads the operands of one word of `then { }`. It returns false when reading cannot go on behind it.
func (r *route) then(word token, text string) bool {
	s := span{word.start, word.end}
	switch text {
	case "accept":
		r.accept = s
		return true
	case "discard":
		r.add(discard, s)
		return true
	case "redirect-to-nexthop":
		r.toNextHop = s
		r.add(community8(0x0800), s)
		return true
	case "community", "large-community", "extended-community":
		return r.communityList(word, text)
	case "attribute":
		return r.attribute(word)
	}
	t := r.next()
	if !r.operand(word, t) {
		return false
	}
	s.end = t.end
	switch value := r.text(t); text {
	case "rate-limit":
		r.rateLimit(t, value, s)
	case "redirect":
		r.redirect(t, value, s)
	case "redirect-to-nexthop-ietf":
		r.redirectIETF(t, value, s)
	case "copy":
		if addr, ok := r.address(t, value); ok {
			r.nextHop = addr
			r.add(community8(0x0800, 0, 0, 0, 0, 0, 1), s)
		}
	case "mark":
		v, ok := decimal(value, 63)
		if !ok {
			r.fail(t, "a DSCP is a number from 0 to 63", dscpHint(value))
			break
		}
		r.add(community8(0x8009, 0, 0, 0, 0, 0, byte(v)), s)
	case "action":
		r.trafficAction(t, value, s)
	}
	return true
}

func dscpHint(value string) string {
	if v, ok := find(dscps, canonical(value)); ok {
		return fmt.Sprintf("mark %d", v)
	}
	return ""
}

func (r *route) trafficAction(t token, value string, s span) {
	bits, ok := map[string]byte{"sample": 2, "terminal": 1, "sample-terminal": 3, "terminal-sample": 3}[value]
	if !ok {
		r.fail(t, fmt.Sprintf("%q is no traffic action", value), "sample, terminal or sample-terminal")
		return
	}
	if bits&1 != 0 {
		// ExaBGP's terminal sets the T bit of RFC 8955 §7.3: "When this bit is set, the traffic filtering engine will
		// evaluate any subsequent filtering rules"; unset, it stops.
		r.warn(Warning, "terminal-continues", s, "terminal sets the T bit, which lets routers go on to later rules (RFC 8955 §7.3): the reverse of its name", "")
	}
	r.add(community8(0x8007, 0, 0, 0, 0, 0, bits), s)
}

// rateLimit reads `rate-limit N [bytes|packets]`.
func (r *route) rateLimit(t token, value string, s span) {
	kind := uint16(0x8006)
	if unit := r.peek(); unit.kind == 'w' && !unit.newline {
		if u := r.text(unit); u == "packets" || u == "bytes" {
			r.next()
			s.end = unit.end
			if u == "packets" {
				kind = 0x800c
				r.warn(Warning, "rate-in-packets", s, "packets per second here, as in ExaBGP's main branch; ExaBGP up to 5.0 ignores the word and sends bytes per second", "")
			}
		}
	}
	digits, negative := strings.CutPrefix(value, "-")
	n, err := strconv.ParseUint(digits, 10, 64)
	const most = 1_000_000_000_000
	switch {
	case err != nil && strings.Trim(digits, "0123456789") == "" && digits != "":
		n = math.MaxUint64 // more than 64 bits
	case err != nil:
		r.fail(t, fmt.Sprintf("%q is no rate: ExaBGP's rates are whole numbers of bytes per second", value), rateHint(value))
		return
	}
	switch {
	case negative && n > 0:
		if !r.guard("negative-rate", s, "a negative rate: receivers treat it as 0, which is discard (RFC 8955 §7.1)", "discard, or rate-limit "+digits) {
			return
		}
		n = 0
	case n > most:
		if !r.guard("huge-rate", s, "a rate above 10^12 bytes/s: ExaBGP sends 10^12 and says so only in its log", "rate-limit 1000000000000") {
			return
		}
		n = most
	case n > 0 && n < 9600 && kind == 0x8006:
		r.warn(Warning, "low-rate", s, fmt.Sprintf("%d bytes/s is %d bits/s: many routers round so low a rate to their floor or to 0", n, 8*n), "")
	}
	r.add(rateCommunity(kind, float32(n)), s)
}

// rateHint corrects a rate with a unit.
func rateHint(value string) string {
	rate, err := ParseRate(value)
	switch {
	case err != nil:
		return ""
	case rate.Unit == flowspec.Packets:
		return fmt.Sprintf("rate-limit %.0f packets", rate.Amount)
	}
	return fmt.Sprintf("rate-limit %.0f", rate.Amount)
}

// redirect reads ASN:N, or an address as draft-simpson sends it: 0x0800, the address in the next hop.
func (r *route) redirect(t token, value string, s span) {
	global, local, colon := strings.Cut(value, ":")
	if !colon || strings.Contains(local, ":") {
		if addr, ok := r.address(t, value); ok {
			r.nextHop = addr
			r.add(community8(0x0800), s)
		}
		return
	}
	if addr, err := netip.ParseAddr(global); err == nil && addr.Is4() {
		hint := ""
		if n, ok := decimal(local, 0xffff); ok {
			a := addr.As4()
			hint = "extended-community " + community8(0x8108, a[0], a[1], a[2], a[3], byte(n>>8), byte(n)).String()
		}
		r.fail(t, "a route target with an address: ExaBGP refuses it in this place", hint)
		return
	}
	c, ok := routeTarget(global, local)
	if !ok {
		r.fail(t, fmt.Sprintf("%q is no route target and no address", value), "AS:NUMBER with an AS up to 65535 and a number of 32 bits, or an AS of 32 bits and a number up to 65535")
		return
	}
	r.add(c, s)
}

// routeTarget makes the redirect of ASN:N: 0x8008, or 0x8208 when the AS number needs four octets (RFC 8955 §7.4).
func routeTarget(global, local string) (flowspec.ExtComm, bool) {
	as, ok := decimal(global, 1<<32-1)
	n, okN := decimal(local, 1<<32-1)
	switch {
	case !ok || !okN || as > 0xffff && n > 0xffff:
		return "", false
	case as > 0xffff:
		return community8(0x8208, byte(as>>24), byte(as>>16), byte(as>>8), byte(as), byte(n>>8), byte(n)), true
	}
	return community8(0x8008, byte(as>>8), byte(as), byte(n>>24), byte(n>>16), byte(n>>8), byte(n)), true
}

// redirectIETF reads the newer form, which carries its address itself: 0x010c, or IPv6-specific 0x000c.
func (r *route) redirectIETF(t token, value string, s span) {
	addr, ok := r.address(t, value)
	if !ok {
		return
	}
	r.add(nextHopIETF(addr, false), s)
}

func nextHopIETF(addr netip.Addr, copied bool) flowspec.ExtComm {
	var flag byte
	if copied {
		flag = 1
	}
	if addr.Is4() {
		a := addr.As4()
		return community8(0x010c, a[0], a[1], a[2], a[3], 0, flag)
	}
	a := addr.As16()
	return flowspec.ExtComm(append(append([]byte{0x00, 0x0c}, a[:]...), 0, flag))
}

func (r *route) address(t token, value string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(value)
	if err != nil || addr.Zone() != "" {
		return addr, r.fail(t, fmt.Sprintf("%q is no address", value), "192.0.2.1 or 2001:db8::1")
	}
	return addr, true
}

// nextHopStatement reads `next-hop ADDRESS`.
func (r *route) nextHopStatement(word token) bool {
	t := r.next()
	if !r.operand(word, t) {
		return false
	}
	r.viaSpan = span{word.start, t.end}
	if value := r.text(t); !strings.EqualFold(value, "self") {
		r.viaNextHop, _ = r.address(t, value)
	}
	return true
}

// routeDistinguisher reads `rd A:B`.
func (r *route) routeDistinguisher(word token) bool {
	t := r.next()
	if !r.operand(word, t) {
		return false
	}
	rd, ok := parseRD(r.text(t))
	switch {
	case !ok:
		r.fail(t, fmt.Sprintf("%q is no route distinguisher", r.text(t)), "65000:1, 192.0.2.1:1 or 4200000000:1")
	case r.hasRD:
		r.fail(t, "a second route distinguisher", "")
	}
	r.rd, r.hasRD, r.vpn = rd, true, true
	return true
}

// settleActions turns what was read into an Action. It reports what contradicts itself.
func (r *route) settleActions() (flowspec.Action, []flowspec.ExtComm) {
	nextHop := r.nextHop
	if r.viaSpan.end > 0 {
		switch {
		case r.first[redirectClass].end > 0 && !nextHop.IsValid():
			nextHop = r.viaNextHop
		case r.viaNextHop != nextHop:
			r.warn(Note, "unused-next-hop", r.viaSpan, "FlowSpec has no next hop (RFC 8955 §4): this is ignored", "")
		}
	}
	if r.toNextHop.end > 0 && !nextHop.IsValid() {
		r.failSpan("syntax", r.toNextHop, "redirect-to-nexthop takes its address from a next-hop statement, and there is none", "redirect 192.0.2.1")
		return flowspec.Action{}, nil
	}
	action, others, err := flowspec.ParseAction(r.ext, nextHop)
	if err != nil {
		r.failSpan("bad-action", r.first[rateClass], err.Error(), "")
		return flowspec.Action{}, nil
	}
	r.unknownActions(action)
	return action, others
}

// unknownActions reports contradictions, which ParseAction keeps as unknown, and communities that nobody understands.
func (r *route) unknownActions(action flowspec.Action) {
	told := [classes]bool{}
	for _, c := range action.Unknown {
		class := classOf(c)
		switch {
		case told[class]:
			continue
		case class != noClass && r.more[class].end > 0:
			r.guard("conflicting-actions", r.more[class], "a second action of one kind: which of the two a router applies is its own choice (RFC 8955 §7.7)", "keep one of them")
		default:
			r.warn(Warning, "unknown-community", r.first[class], fmt.Sprintf("%s is kept as it is; a rule with an action that is not understood is delivered nowhere", c), "")
		}
		told[class] = true
	}
	if r.accept.end > 0 && action.Discard() {
		r.guard("conflicting-actions", r.accept, "accept beside discard: ExaBGP drops the accept", "keep one of them")
	}
}

// hasAction says whether some word of the rule is an action.
func (r *route) hasAction() bool {
	if r.accept.end > 0 {
		return true
	}
	for class := noClass + 1; class < classes; class++ {
		if r.first[class].end > 0 {
			return true
		}
	}
	return false
}
