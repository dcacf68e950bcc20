package admit

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"

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

// Guests are neighbours that may connect to the gateway from anywhere in a prefix. What they send to it is kept from being filtered for all of them: such packets have the gateway for their destination,
// so that no victim is among what cannot be filtered then. What it sends to them is for those that are there alone, see [Sessions.Set]: the prefix may hold victims, and a rule that protects one of them
// from all of TCP is a good rule as long as none of the gateway's own packets goes there.
type Guests struct {
	Name   string // "the BGP sessions of customers"
	From   netip.Prefix
	Server netip.Addr // where the gateway listens
	Port   uint16
}

// Sessions holds the connections of the gateway, as the packets of both directions. The zero Sessions holds none. Rules may be checked while it is changed.
type Sessions struct {
	flows atomic.Pointer[[]flow] // by destination; never changed

	mu    sync.Mutex // guards what follows
	fixed []flow
	named map[string][]flow // by the names of Set
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
	var err error
	if out.fixed, err = flowsOf(list); err != nil {
		return nil, err
	}
	out.publish()
	return out, nil
}

// Expect adds what guests send to the gateway. It fails where a prefix and an address are of two IP versions.
func (s *Sessions) Expect(list ...Guests) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, g := range list {
		server := g.Server.Unmap().WithZone("")
		if !g.From.IsValid() || !server.IsValid() || g.From.Addr().Is4() != server.Is4() {
			return fmt.Errorf("%s: from %s to %s", g.Name, g.From, g.Server)
		}
		there, err := tcp(g.From.Masked(), netip.PrefixFrom(server, server.BitLen()), flowspec.SrcPort, flowspec.DstPort, g.Port)
		if err != nil {
			return fmt.Errorf("%s: %w", g.Name, err)
		}
		s.fixed = append(s.fixed, flow{server, there, g.Name})
	}
	s.publish()
	return nil
}

// Set has s hold the sessions of list under a name, in place of those that it held under it; none: no more. It fails as NewSessions does, and then changes nothing.
func (s *Sessions) Set(name string, list ...Session) error {
	flows, err := flowsOf(list)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.named == nil {
		s.named = map[string][]flow{}
	}
	delete(s.named, name)
	if len(flows) > 0 {
		s.named[name] = flows
	}
	s.publish()
	return nil
}

// publish has checks see what s holds. The caller holds mu, or is alone.
func (s *Sessions) publish() {
	all := slices.Clone(s.fixed)
	for _, name := range slices.Sorted(maps.Keys(s.named)) {
		all = append(all, s.named[name]...)
	}
	slices.SortStableFunc(all, func(a, b flow) int { return a.to.Compare(b.to) })
	s.flows.Store(&all)
}

func flowsOf(list []Session) (out []flow, err error) {
	for _, s := range list {
		s.Client, s.Server = s.Client.Unmap().WithZone(""), s.Server.Unmap().WithZone("")
		if !s.Client.IsValid() || !s.Server.IsValid() || s.Client.Is4() != s.Server.Is4() {
			return nil, fmt.Errorf("%s: from %s to %s", s.Name, s.Client, s.Server)
		}
		client, server := netip.PrefixFrom(s.Client, s.Client.BitLen()), netip.PrefixFrom(s.Server, s.Server.BitLen())
		there, err := tcp(client, server, flowspec.SrcPort, flowspec.DstPort, s.Port)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		back, err := tcp(server, client, flowspec.DstPort, flowspec.SrcPort, s.Port)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		out = append(out, flow{s.Server, there, s.Name}, flow{s.Client, back, s.Name})
	}
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

// tcp returns the segments from one prefix to another of connections with a server's port on one side and any that a client takes on the other.
func tcp(from, to netip.Prefix, client, server flowspec.Type, port uint16) (packet.Set, error) {
	family := flowspec.IPv6
	if to.Addr().Is4() {
		family = flowspec.IPv4
	}
	end := func(t flowspec.Type, p netip.Prefix) flowspec.Component {
		return flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}}
	}
	m, err := flowspec.NewMatch(family, flowspec.RD{}, end(flowspec.DstPrefix, to), end(flowspec.SrcPrefix, from),
		flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: protocolTCP}}},
		flowspec.Component{Type: server, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: uint64(port)}}},
		flowspec.Component{Type: client, Terms: []flowspec.Term{{Op: flowspec.GE, Value: firstEphemeral}}})
	if err != nil {
		return packet.Set{}, err
	}
	return m.Set(), nil
}

// Check returns a *NotAdmitted with a packet if r filters packets of a session: discards, limits or redirects them, or does what is not understood. A rule of a VPN does where the session goes through
// that VPN, such as one for management. Nobody told the gateway whether it does, so such a rule is kept out as well.
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
	var flows []flow
	if all := s.flows.Load(); all != nil {
		flows = *all
	}
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
			return &NotAdmitted{"own-session", f.caught(r.Match, h)}
		}
	}
	return nil
}

// caught says what is wrong with a rule that matches packet h of f.
func (f flow) caught(m flowspec.Match, h packet.Header) string {
	if !m.Family().VPN() {
		return fmt.Sprintf("it filters packets of %s, such as %s: the gateway would cut itself off", f.name, h)
	}
	return fmt.Sprintf("it filters, in its VPN, packets with the addresses and ports of %s, such as %s; whether that session goes through this VPN is not known, and if it does, the gateway would cut itself off: leave these packets out of the rule", f.name, h)
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
