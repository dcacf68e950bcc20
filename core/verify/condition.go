package verify

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// condition is what an NLRI or an entry of a filter asks of a packet.
type condition struct {
	packet.Box
	either             packet.Values // source or destination port, where hasEither
	hasEither          bool
	ports, flags, icmp bool // what it looks at behind the IP header
}

// packets returns the packets that pass, on a platform that looks at protocol and fragment offset by itself as checks says.
func (w *condition) packets(checks certificate.Semantics) packet.Set {
	b := w.Box
	only := func(asked bool, protocols ...packet.Span) {
		if asked {
			b.Proto = b.Proto.And(packet.NewValues(protocols...))
		}
	}
	tcp, udp, icmp := packet.Span{Lo: 6, Hi: 6}, packet.Span{Lo: 17, Hi: 17}, packet.Span{Lo: 1, Hi: 1}
	if b.Version == packet.IPv6 {
		icmp = packet.Span{Lo: 58, Hi: 58}
	}
	only(w.ports && checks.PortsCheckProtocol, tcp, udp)
	only(w.flags && checks.FlagsCheckProtocol, tcp)
	only(w.icmp && checks.ICMPChecksProtocol, icmp)
	if checks.TransportChecksOffset && (w.ports || w.flags || w.icmp) {
		b.Frags &= packet.OffsetZero
	}
	if !w.hasEither {
		return packet.Of(b)
	}
	other := b
	b.DstPort, other.SrcPort = b.DstPort.And(w.either), b.SrcPort.And(w.either)
	return packet.Of(b, other)
}

// narrow narrows w to the packets for which the list of a component is true.
func (w *condition) narrow(kind byte, ts []term) {
	switch kind {
	case 9:
		w.Flags, w.flags = fold(ts, packet.FlagsAny(0), packet.Flags{}, term.words, packet.Flags.And, packet.Flags.Or), true
		return
	case 12:
		w.Frags &= fold(ts, 0, packet.AnyFrags, term.states, func(a, b packet.Frags) packet.Frags { return a & b }, func(a, b packet.Frags) packet.Frags { return a | b })
		return
	}
	of := func(t term) packet.Values { return t.numbers(fields[kind].max) }
	w.set(kind, fold(ts, packet.NewValues(), nil, of, packet.Values.And, packet.Values.Or))
}

// set sets the condition on a field that is a number, named by its component type.
func (w *condition) set(kind byte, v packet.Values) {
	switch kind {
	case 3:
		w.Proto = v
	case 4:
		w.either, w.hasEither, w.ports = v, true, true
	case 5:
		w.DstPort, w.ports = v, true
	case 6:
		w.SrcPort, w.ports = v, true
	case 7:
		w.ICMPType, w.icmp = v, true
	case 8:
		w.ICMPCode, w.icmp = v, true
	case 10:
		w.Length = v
	case 11:
		w.DSCP = v
	case 13:
		w.Label = v
	}
}

// fold evaluates a list: AND binds tighter than OR (RFC 8955 §4.2.1.1).
func fold[T any](ts []term, none, every T, of func(term) T, and, or func(T, T) T) T {
	any, all := none, every
	for i, t := range ts {
		if i > 0 && !t.and {
			any, all = or(any, all), every
		}
		all = and(all, of(t))
	}
	return or(any, all)
}

// numbers returns the numbers up to most for which t is true (RFC 8955 §4.2.1.1).
func (t term) numbers(most uint64) packet.Values {
	var out []packet.Span
	if t.op&4 != 0 && t.value > 0 {
		out = append(out, packet.Span{Hi: uint32(min(t.value-1, most))})
	}
	if t.op&2 != 0 && t.value < most {
		out = append(out, packet.Span{Lo: uint32(t.value + 1), Hi: uint32(most)})
	}
	if t.op&1 != 0 && t.value <= most {
		out = append(out, packet.Span{Lo: uint32(t.value), Hi: uint32(t.value)})
	}
	return packet.NewValues(out...)
}

// words returns the TCP flag words for which t is true (RFC 8955 §4.2.1.2): bit 0 of op is "match", bit 1 is "not".
func (t term) words() packet.Flags {
	f := packet.FlagsAny(uint16(t.value))
	if t.op&1 != 0 {
		f = packet.FlagsAll(uint16(t.value))
	}
	if t.op&2 != 0 {
		f = f.Not()
	}
	return f
}

// states returns the fragment states for which t is true (RFC 8955 §4.2.2.12): DF 1, IsF 2, FF 4, LF 8.
func (t term) states() (out packet.Frags) {
	for i := range 8 {
		bits := [...]uint64{packet.Whole: 0, packet.First: 4, packet.Middle: 2, packet.Last: 10}[i%4] | uint64(i/4)
		holds := bits&t.value != 0
		if t.op&1 != 0 {
			holds = bits&t.value == t.value
		}
		if holds != (t.op&2 != 0) {
			out |= 1 << i
		}
	}
	return out
}

// readMatch reads the conditions of an entry of a filter.
func readMatch(m *certificate.Match, v packet.Version, checks certificate.Semantics) (packet.Set, error) {
	w := condition{Box: packet.Everything(v)}
	for i, text := range []string{m.Dst, m.Src} {
		if text == "" {
			continue
		}
		p, err := netip.ParsePrefix(text)
		if err != nil || p != p.Masked() || p.Addr().Is4() != (v == packet.IPv4) {
			return packet.Set{}, fmt.Errorf("%q is no prefix of this IP version", text)
		}
		*[]*packet.Addrs{&w.Dst, &w.Src}[i] = packet.AddrsIn(p)
	}
	for kind, list := range []certificate.Values{3: m.Proto, 4: m.Port, 5: m.DstPort, 6: m.SrcPort, 7: m.ICMPType, 8: m.ICMPCode, 10: m.Length, 11: m.DSCP, 13: m.Label} {
		if list == nil {
			continue
		}
		spans := make([]packet.Span, len(list))
		for i, s := range list {
			if s[0] > s[1] || uint64(s[1]) > fields[kind].max || kind == 13 && v == packet.IPv4 {
				return packet.Set{}, fmt.Errorf("%d-%d is no range of this field", s[0], s[1])
			}
			spans[i] = packet.Span{Lo: s[0], Hi: s[1]}
		}
		w.set(byte(kind), packet.NewValues(spans...))
	}
	if m.Flags != nil {
		w.Flags, w.flags = packet.FlagsAny(0), true
		for _, f := range m.Flags {
			w.Flags = w.Flags.Or(packet.FlagsAll(f.Set).And(packet.FlagsAny(f.Clear).Not()))
		}
	}
	if m.Fragments != nil {
		var states packet.Frags
		for _, word := range m.Fragments {
			i := slices.Index(certificate.FragmentStates[:], word)
			if i < 0 {
				return packet.Set{}, errors.New("no fragment state " + word)
			}
			states |= 1 << i
		}
		w.Frags &= states
	}
	return w.packets(checks), nil
}
