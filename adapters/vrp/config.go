package vrp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// config is the objects of ours on a router, the common source of the text and of the XML, and what both are read into.
type config struct {
	lists     []list
	classes   []classifier
	behaviors []behavior
	policies  []policy
}

// list is an advanced access list. Its rules are in the order of their numbers, and all of them permit: what becomes of a packet is said by a behavior.
type list struct {
	name  string
	v     packet.Version
	rules []rule
}

// rule is a line of an access list. What it does not say is zero, or -1. Two of them are the same line when they are equal.
type rule struct {
	id            uint32
	name          string // also the key of the line in the model
	uncounted     bool   // nobody asked for its counter, which it has all the same
	proto         int
	src, dst      netip.Prefix
	sport, dport  span
	length        span
	kind, code    int // of an ICMP message
	dscp          int
	flags, masked uint8 // of the bits of masked those of flags are set, the others clear; masked 0: no condition
	fragment      string
}

// blank is a rule that says nothing.
var blank = rule{proto: -1, kind: -1, code: -1, dscp: -1}

// span is a range of numbers, if it is set.
type span struct {
	lo, hi uint32
	set    bool
}

// classifier takes the packets of an access list of its own name, or all of one IP version.
type classifier struct {
	name string
	v    packet.Version
	all  bool
}

// behavior is what is done to packets. One that neither denies nor does anything else lets them pass.
type behavior struct {
	name     string
	deny     bool
	cir, cbs uint64 // kilobits/s and bytes; cir 0: no limit
	dscp     int    // -1: as it was
	v        packet.Version
	next     netip.Addr // zero: as they are routed
}

// policy says which behavior the packets of each classifier meet, in the order of the precedences.
type policy struct {
	name  string
	nodes []node
}

type node struct {
	class, behavior string
	precedence      uint32
}

// text writes c as `display current-configuration` shows it.
func (c config) text() string {
	var b strings.Builder
	section := func(head string, lines ...string) {
		b.WriteString("#\n" + head + "\n")
		for _, l := range lines {
			b.WriteString(" " + l + "\n")
		}
	}
	for _, l := range c.lists {
		var lines []string
		for _, r := range l.rules {
			lines = append(lines, r.lines(l.v)...)
		}
		section("acl "+family(l.v)+"name "+l.name+" advance", lines...)
	}
	for _, k := range c.classes {
		section("traffic classifier "+k.name+" operator or", k.line())
	}
	for _, a := range c.behaviors {
		section("traffic behavior "+a.name, a.lines()...)
	}
	for _, p := range c.policies {
		lines := []string{"share-mode", "statistics enable"}
		for _, n := range p.nodes {
			lines = append(lines, n.line())
		}
		section("traffic policy "+p.name, lines...)
	}
	return b.String() + "#\n"
}

// family is the word that tells objects for IPv6 from those for IPv4, with the blank behind it.
func family(v packet.Version) string {
	if v == packet.IPv6 {
		return "ipv6 "
	}
	return ""
}

func (k classifier) line() string {
	if k.all {
		return "if-match " + family(k.v) + "any"
	}
	return "if-match " + family(k.v) + "acl name " + k.name
}

func (n node) line() string {
	return fmt.Sprintf("classifier %s behavior %s precedence %d", n.class, n.behavior, n.precedence)
}

// lines are the actions of a; one that has none says `permit`, which is the default.
func (a behavior) lines() []string {
	var out []string
	if a.deny {
		out = append(out, "deny")
	}
	if a.cir > 0 {
		out = append(out, fmt.Sprintf("car cir %d cbs %d green pass red discard", a.cir, a.cbs))
	}
	if a.dscp >= 0 {
		out = append(out, fmt.Sprintf("remark %sdscp %d", family(a.v), a.dscp))
	}
	if a.next.IsValid() {
		out = append(out, "redirect "+redirectWords[a.v]+" "+a.next.String())
	}
	if len(out) == 0 {
		return []string{"permit"}
	}
	return out
}

var redirectWords = map[packet.Version]string{packet.IPv4: "ip-nexthop", packet.IPv6: "ipv6-nexthop"}

// lines are the line of r, and a second one where it has a description.
func (r rule) lines(v packet.Version) []string {
	w := []string{"rule", strconv.FormatUint(uint64(r.id), 10), "name", r.name, "permit", protocolWord(r.proto, v)}
	add := func(words ...string) { w = append(w, words...) }
	if r.src.IsValid() {
		add("source", address(r.src))
	}
	if r.sport.set {
		add("source-port", r.sport.words())
	}
	if r.dst.IsValid() {
		add("destination", address(r.dst))
	}
	if r.dport.set {
		add("destination-port", r.dport.words())
	}
	if r.masked != 0 {
		add("tcp-flag", strconv.Itoa(int(r.flags)), "mask", strconv.Itoa(int(r.masked)))
	}
	if r.kind >= 0 {
		add("icmp-type", strconv.Itoa(r.kind))
	}
	if r.code >= 0 {
		add(strconv.Itoa(r.code))
	}
	if r.dscp >= 0 {
		add("dscp", strconv.Itoa(r.dscp))
	}
	if r.length.set {
		add("packet-length", r.length.words())
	}
	switch {
	case r.fragment == "":
	case v == packet.IPv6:
		add(r.fragment)
	default:
		add("fragment-type", r.fragment)
	}
	out := []string{strings.Join(w, " ")}
	if r.uncounted {
		out = append(out, fmt.Sprintf("rule %d description %s", r.id, uncounted))
	}
	return out
}

// uncounted is the description of a rule whose counter nobody asked for. A policy counts all of its rules or none.
const uncounted = "not counted"

// address is a prefix with the bits that may differ in IPv4, where 0 stands for none, or with its length in IPv6.
func address(p netip.Prefix) string {
	switch {
	case p.Addr().Is6():
		return p.String()
	case p.Bits() == 32:
		return p.Addr().String() + " 0"
	}
	return p.Addr().String() + " " + wildcard(p).String()
}

// wildcard has the bits set that p leaves open.
func wildcard(p netip.Prefix) netip.Addr {
	open := uint32(1)<<(32-p.Bits()) - 1
	return netip.AddrFrom4([4]byte{byte(open >> 24), byte(open >> 16), byte(open >> 8), byte(open)})
}

// top is the largest port and the largest length.
const top = 65535

// words are an operator and its numbers.
func (s span) words() string {
	switch {
	case s.lo == s.hi:
		return fmt.Sprintf("eq %d", s.lo)
	case s.hi == top:
		return fmt.Sprintf("gt %d", s.lo-1)
	case s.lo == 0:
		return fmt.Sprintf("lt %d", s.hi+1)
	}
	return fmt.Sprintf("range %d %d", s.lo, s.hi)
}
