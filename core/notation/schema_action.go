package notation

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// actionKeys are the keys of action.
var actionKeys = []string{"accept", "discard", "rate", "redirect", "mark", "sample", "continue"}

// action reads action and extended-communities, which may hold actions too.
func (d *document) action(rule *node, f map[string]*node, r *flowspec.Rule) {
	a := ownAction{document: d}
	a.extended(f["extended-communities"])
	n := f["action"]
	switch {
	case n != nil && n.kind == 's' && (n.text == "accept" || n.text == "discard"):
		a.said = true
		if n.text == "discard" {
			a.add(discard)
		}
	case n != nil:
		a.fields(n)
	}
	if !a.said && !d.bad && !d.in.guard("no-action", rule.start, rule.end, "no action: what a router does with such a rule is its own choice", "action: accept, or action: discard") {
		d.bad = true
	}
	var err error
	if r.Action, r.Others, err = flowspec.ParseAction(a.ext, a.nextHop); err != nil {
		d.fail(rule, err.Error(), "")
	}
	if d.bad {
		return
	}
	told := [classes]bool{}
	for _, c := range r.Action.Unknown {
		class := classOf(c)
		switch {
		case told[class]:
		case class != noClass && a.more[class].end > 0:
			if !d.in.guard("conflicting-actions", rule.start, rule.end, "two actions of one kind: which of them a router applies is its own choice (RFC 8955 §7.7)", "keep one of them") {
				d.bad = true
			}
		default:
			d.in.tell(Warning, "unknown-community", rule.start, rule.end, fmt.Sprintf("%s is kept as it is; a rule with an action that is not understood is delivered nowhere", c), "")
		}
		told[class] = true
	}
}

// ownAction collects the communities that an action of sluice's own notation asks for.
type ownAction struct {
	*document
	actions
	said bool
}

func (a *ownAction) add(c flowspec.ExtComm) {
	a.said = a.said || classOf(c) != noClass
	a.actions.add(c, span{0, 1})
}

func (a *ownAction) extended(n *node) {
	if n == nil {
		return
	}
	for _, v := range n.items() {
		c, hint, ok := parseExtendedCommunity(v.text)
		if v.kind != 's' && v.kind != 'n' || !ok {
			a.fail(v, v.what()+" is no extended community that can be read", hint)
			continue
		}
		a.add(c)
	}
}

func (a *ownAction) fields(n *node) {
	if n.kind != 'm' {
		a.fail(n, "an action is accept, discard or a mapping, not "+n.what(), "action: discard, or action: {rate: 10Mbps}")
		return
	}
	f := a.document.fields(n, actionKeys...)
	if a.flag(f["accept"]) {
		a.said = true
		if f["discard"] != nil || f["rate"] != nil {
			a.fail(f["accept"], "accept beside discard or rate", "keep one of them")
		}
	}
	if a.flag(f["discard"]) {
		a.add(discard)
		if f["rate"] != nil {
			a.fail(f["rate"], "rate beside discard", "keep one of them")
		}
	}
	a.rate(f["rate"])
	a.redirect(f["redirect"])
	a.mark(f["mark"])
	var bits byte
	if a.flag(f["continue"]) {
		bits |= 1
	}
	if a.flag(f["sample"]) {
		bits |= 2
	}
	if bits != 0 {
		a.add(community8(0x8007, 0, 0, 0, 0, 0, bits))
	}
}

// flag reads true. false is refused: `discard: false` says nothing about what to do instead.
func (a *ownAction) flag(n *node) bool {
	if n == nil {
		return false
	}
	if n.kind != 'b' || n.text != "true" {
		a.fail(n, "true is expected, not "+n.what(), "true, or no such key")
		return false
	}
	return true
}

func (a *ownAction) rate(n *node) {
	if n == nil {
		return
	}
	text, ok := n.scalar()
	if !ok {
		a.fail(n, "a rate is expected, not "+n.what(), "10Mbps, 1.25MB/s or 500pps")
		return
	}
	r, err := ParseRate(text)
	if err != nil {
		message, hint, _ := strings.Cut(err.Error(), ": write ")
		a.fail(n, message, hint)
		return
	}
	kind := uint16(0x8006)
	if r.Unit == flowspec.Packets {
		kind = 0x800c
	}
	a.add(rateCommunity(kind, r.Amount))
}

func (a *ownAction) mark(n *node) {
	if n == nil {
		return
	}
	v, ok := decimal(n.text, 63)
	if _, isScalar := n.scalar(); !ok && isScalar {
		v, ok = find(dscps, canonical(n.text))
	}
	if !ok {
		a.fail(n, "a DSCP is a number from 0 to 63 or a name, not "+n.what(), "46 or ef")
		return
	}
	a.add(community8(0x8009, 0, 0, 0, 0, 0, byte(v)))
}

// redirect reads a route target or a next hop as text, or a mapping that says how it travels.
func (a *ownAction) redirect(n *node) {
	switch {
	case n == nil:
	case n.kind == 's':
		a.target(n, n.text)
	case n.kind == 'm':
		a.redirectFields(n)
	default:
		a.fail(n, "a route target or an address is expected, not "+n.what(), "\"65000:666\", in quotes, or 192.0.2.99")
	}
}

// target reads AS:N, IPv4:N, [IPv6]:N or an address, which travels as draft-simpson has it.
func (a *ownAction) target(n *node, text string) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		a.nextHop = addr
		a.add(community8(0x0800))
		return
	}
	c, ok := ownTarget(text)
	if !ok {
		a.fail(n, quote(text)+" is no route target and no address", "\"65000:666\", \"192.0.2.1:666\", \"[2001:db8::1]:666\" or 192.0.2.99")
		return
	}
	a.add(c)
}

// ownTarget reads a route target in any form.
func ownTarget(text string) (flowspec.ExtComm, bool) {
	r, err := flowspec.ParseTarget(text)
	if err != nil {
		return "", false
	}
	list, _ := flowspec.Action{Redirect: &r}.Communities()
	return list[0], true
}

// redirectFields reads {route-target: ...}, or {next-hop: ..., encoding: ..., copy: true}.
func (a *ownAction) redirectFields(n *node) {
	f := a.document.fields(n, "route-target", "next-hop", "encoding", "copy")
	target, hop, encoding := f["route-target"], f["next-hop"], f["encoding"]
	copied := a.flag(f["copy"])
	switch {
	case (target == nil) == (hop == nil):
		a.fail(n, "a redirect has either a route target or a next hop", "{route-target: \"65000:666\"} or {next-hop: 192.0.2.99}")
	case target != nil && (encoding != nil || copied):
		a.fail(n, "encoding and copy belong to a next hop", "{next-hop: 192.0.2.99, encoding: ietf, copy: true}")
	case target != nil:
		c, ok := ownTarget(target.text)
		if !ok || target.kind != 's' {
			a.fail(target, target.what()+" is no route target", "\"65000:666\", in quotes")
			return
		}
		a.add(c)
	default:
		a.toNextHop(hop, encoding, copied)
	}
}

// toNextHop adds a redirect to an address in one of its two encodings.
func (a *ownAction) toNextHop(hop, encoding *node, copied bool) {
	addr, ok := a.address(hop)
	if !ok {
		return
	}
	if encoding == nil || encoding.kind == 's' && encoding.text == "simpson" {
		var flag byte
		if copied {
			flag = 1
		}
		a.nextHop = addr
		a.add(community8(0x0800, 0, 0, 0, 0, 0, flag))
		return
	}
	if encoding.kind != 's' || encoding.text != "ietf" {
		a.fail(encoding, encoding.what()+" is no encoding", "simpson (0x0800, the address in the next hop) or ietf (0x010c, 0x000c)")
		return
	}
	a.add(nextHopIETF(addr, copied))
}
