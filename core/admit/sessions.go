package admit

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Session is a connection of the gateway itself, over TCP. A rule that filters its packets cuts the gateway off from the router that has the rule, and then nobody withdraws it.
type Session struct {
	Name   string     // "the BGP session with edge1"
	Client netip.Addr // who connects
	Server netip.Addr // who listens
	Port   uint16     // where it listens
}

// Sessions holds the connections of the gateway, as the packets of both directions. The zero Sessions holds none; it is not changed once rules are checked with it.
type Sessions struct {
	flows []flow // by destination
}

// flow is one direction of a session.
type flow struct {
	to      netip.Addr
	packets packet.Set
	name    string
}

// NewSessions returns the sessions of list. It fails where a session has ends of two IP versions, or none.
//
// A segment in fragments is taken in as far as its first fragment: the later ones have no ports, and TCP avoids them (RFC 8955 §4.2.2.12 rules on
// fragments are a usual and good defence).
func NewSessions(list ...Session) (*Sessions, error) {
	out := &Sessions{}
	for _, s := range list {
		s.Client, s.Server = s.Client.Unmap().WithZone(""), s.Server.Unmap().WithZone("")
		if !s.Client.IsValid() || !s.Server.IsValid() || s.Client.Is4() != s.Server.Is4() {
			return nil, fmt.Errorf("%s: from %s to %s", s.Name, s.Client, s.Server)
		}
		there, err := tcp(s.Client, s.Server, flowspec.SrcPort, flowspec.DstPort, s.Port)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		back, err := tcp(s.Server, s.Client, flowspec.DstPort, flowspec.SrcPort, s.Port)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		out.flows = append(out.flows, flow{s.Server, there, s.Name}, flow{s.Client, back, s.Name})
	}
	slices.SortStableFunc(out.flows, func(a, b flow) int { return a.to.Compare(b.to) })
	return out, nil
}

// allTCP is every packet of TCP.
var allTCP = func() packet.Set {
	four, six := packet.Everything(packet.IPv4), packet.Everything(packet.IPv6)
	four.Proto = packet.NewValues(packet.Span{Lo: protocolTCP, Hi: protocolTCP})
	six.Proto = four.Proto
	return packet.Of(four, six)
}()

const protocolTCP = 6

// firstEphemeral is the least port that a client takes for its own side (RFC 6056 §3.2).
const firstEphemeral = 1024

// tcp returns the segments from one address to another of connections with a server's port on one side and any that a client takes on the other.
func tcp(from, to netip.Addr, client, server flowspec.Type, port uint16) (packet.Set, error) {
	family := flowspec.IPv6
	if to.Is4() {
		family = flowspec.IPv4
	}
	host := func(t flowspec.Type, a netip.Addr) flowspec.Component {
		return flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: a, Len: uint8(a.BitLen())}}
	}
	m, err := flowspec.NewMatch(family, flowspec.RD{}, host(flowspec.DstPrefix, to), host(flowspec.SrcPrefix, from),
		flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: protocolTCP}}},
		flowspec.Component{Type: server, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: uint64(port)}}},
		flowspec.Component{Type: client, Terms: []flowspec.Term{{Op: flowspec.GE, Value: firstEphemeral}}})
	if err != nil {
		return packet.Set{}, err
	}
	return m.Set(), nil
}

// Check returns a *NotAdmitted with a packet if r filters packets of a session: discards, limits or redirects them, or does what is not understood.
func (s *Sessions) Check(r flowspec.Rule) error {
	if e := s.check(r); e != nil {
		return e
	}
	return nil
}

func (s *Sessions) check(r flowspec.Rule) *NotAdmitted {
	if s == nil || r.Action.Rate == nil && r.Action.Redirect == nil && len(r.Action.Unknown) == 0 {
		return nil
	}
	flows := s.flows
	if d, ok := destination(r.Match); ok {
		if flows = within(flows, d); len(flows) == 0 {
			return nil
		}
	}
	set := r.Match.Set()
	if !set.Overlaps(allTCP) {
		return nil // most rules against floods
	}
	for _, f := range flows {
		if h, ok := set.And(f.packets).Witness(); ok {
			return &NotAdmitted{"own-session", fmt.Sprintf("it filters packets of %s, such as %s: the gateway would cut itself off", f.name, h)}
		}
	}
	return nil
}

// within returns the flows to an address in d.
func within(flows []flow, d netip.Prefix) []flow {
	first, _ := slices.BinarySearchFunc(flows, d.Masked().Addr(), func(f flow, a netip.Addr) int { return f.to.Compare(a) })
	rest := flows[first:]
	n, _ := slices.BinarySearchFunc(rest, d, func(f flow, d netip.Prefix) int {
		if d.Contains(f.to) {
			return -1
		}
		return 1
	})
	return rest[:n]
}
