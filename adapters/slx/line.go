package slx

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// protocols are those that the command reference names, by their numbers.
var protocols = map[uint32]string{1: "icmp", 6: "tcp", 17: "udp"}

// lineOf returns what stands behind the number of an entry's line. Each error names a condition or action that cannot be said.
func lineOf(e filter.Entry, v packet.Version) (string, error) {
	w := writer{v: v}
	if err := checkName(e.Name); err != nil {
		w.errs = append(w.errs, err)
	}
	w.conditions(e.Match)
	w.actions(e.Do)
	grant := "permit"
	if e.Do.Discard {
		grant = "deny"
	}
	words := []string{grant, w.protocol(e.Match.Proto), w.address(e.Match.Src), w.address(e.Match.Dst)}
	if e.Counter != "" {
		if want := filter.CounterOf(e.Name); e.Counter != want {
			w.refuse("counter: %q, but SLX-OS counts by line, and those of %s add up to %q", e.Counter, e.Name, want)
		}
		words = append(words, "count")
	}
	return strings.Join(words, " "), errors.Join(w.errs...)
}

// writer collects what stands against an entry.
type writer struct {
	v    packet.Version
	errs []error
}

func (w *writer) refuse(format string, args ...any) {
	w.errs = append(w.errs, fmt.Errorf(format, args...))
}

// conditions refuses what no line of ours asks for.
func (w *writer) conditions(m filter.Match) {
	const noFragments = "and no word keeps it off later fragments for certain: `fragment` and `non-fragment` do not say where the first fragment belongs"
	all := packet.AnyFrags
	if w.v == packet.IPv6 {
		all = 0x0f // no DF in IPv6
	}
	for _, x := range []struct {
		asked     bool
		what, why string
	}{
		{m.Port != nil, "port", "a line has a source port and a destination port, not either of them"},
		{m.SrcPort != nil, "source-port", "what a line with ports does to later fragments is not documented, " + noFragments},
		{m.DstPort != nil, "destination-port", "what a line with ports does to later fragments is not documented, " + noFragments},
		{m.Flags != nil, "tcp-flags", "what a line with flags says of the flags that it does not name is not documented, " + noFragments},
		{m.ICMPType != nil, "icmp-type", "a line has no such condition"},
		{m.ICMPCode != nil, "icmp-code", "a line has no such condition"},
		{m.Length != nil, "packet-length", "a line has no such condition"},
		{m.DSCP != nil, "dscp", "the command has no such condition, although the model has a leaf for it"},
		{m.Label != nil, "flow-label", "a line has no such condition"},
		{m.Fragments != 0 && m.Fragments&all != all, "fragment", "`fragment` and `non-fragment` do not say where the first fragment belongs"},
		{w.v == packet.IPv6 && m.Dst != nil && m.Dst.Bits() > 0, "destination", "the hardware does not look at the destination of IPv6 packets that come in"},
		{w.v == packet.IPv6 && m.Proto != nil, "protocol", "whether it is the next header or, behind extension headers, the upper-layer protocol is not documented"},
	} {
		if x.asked {
			w.refuse("%s: %s", x.what, x.why)
		}
	}
}

// actions refuses what a line does not do.
func (w *writer) actions(do filter.Do) {
	for _, x := range []struct {
		asked     bool
		what, why string
	}{
		{do.Policer != "", "policer", "a list does not police"},
		{do.Mark != nil, "mark", "a list does not mark"},
		{do.Sample, "sample", "copy-sflow hands packets to a collector that may not be there, and what it does to packets that a line denies is not documented"},
		{do.Continue, "continue", "the first line that matches ends the evaluation"},
		{do.Redirect != nil, "redirect", "a list sends packets nowhere; policy-based routing does, by a list of its own"},
	} {
		if x.asked {
			w.refuse("%s: %s", x.what, x.why)
		}
	}
}

// protocol returns the word for one protocol, or for any. 0 is left out: whether it is taken for any protocol is not documented.
func (w *writer) protocol(vs packet.Values) string {
	switch {
	case vs == nil || w.v == packet.IPv6:
		return family(w.v)
	case len(vs) == 0:
		w.refuse("protocol: no number is left, the entry matches nothing")
	case len(vs) > 1 || vs[0].Lo != vs[0].Hi:
		w.refuse("protocol: a line takes one number; write an entry for each")
	case vs[0].Lo == 0:
		w.refuse("protocol: 0 may be taken for any protocol")
	case protocols[vs[0].Lo] != "":
		return protocols[vs[0].Lo]
	default:
		return strconv.FormatUint(uint64(vs[0].Lo), 10)
	}
	return ""
}

// address returns one side of a line: IPv4 with a wildcard mask, IPv6 with a length.
func (w *writer) address(p *netip.Prefix) string {
	switch {
	case p == nil || p.Bits() == 0:
		return "any"
	case p.IsSingleIP():
		return "host " + p.Addr().String()
	case w.v == packet.IPv6:
		return p.String()
	}
	return p.Addr().String() + " " + wildcard(p.Bits())
}

// wildcard returns the mask of a prefix of n bits, the ones where a packet may differ.
func wildcard(n int) string {
	m := uint32(1)<<(32-n) - 1
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)}).String()
}
