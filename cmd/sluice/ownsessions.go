package main

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// portBGP is where BGP speakers listen (RFC 4271 §8).
const portBGP = 179

// guardSessions keeps rules out that would cut the gateway off from its own neighbours and devices, whichever source they come from.
func (g *gateway) guardSessions(ctx context.Context) error {
	var list []admit.Session
	var guests []admit.Guests
	for _, s := range g.cfg.Sources {
		switch {
		case s.BGP == nil:
		case s.BGP.Prefix.IsValid():
			guests = append(guests, g.guestsOf(string(s.Name), *s.BGP)...)
		default:
			list = append(list, g.ownBGP(ctx, string(s.Name), *s.BGP)...)
		}
	}
	for _, d := range g.cfg.Devices {
		if d.BGP != nil {
			list = append(list, g.ownBGP(ctx, d.Name, *d.BGP)...)
			list = append(list, g.ownBMP(ctx, d)...)
		}
		if d.Filter != nil && d.Filter.Target.Address != "" {
			list = append(list, g.ownClient(ctx, "the connection for filters to "+d.Name, listensAt(d.Filter.Target, d.Filter.Adapter), netip.Addr{})...)
		}
		if d.Counters != nil && d.Counters.Target.Address != "" {
			list = append(list, g.ownClient(ctx, "the connection for counters to "+d.Name, listensAt(d.Counters.Target, d.Counters.Adapter), netip.Addr{})...)
		}
	}
	own, err := admit.NewSessions(list...)
	if err != nil {
		return err
	}
	if err := own.Expect(guests...); err != nil {
		return err
	}
	guarded := *g.cfg
	guarded.Sources = slices.Clone(guarded.Sources)
	for i := range guarded.Sources {
		guarded.Sources[i].Admit.Own = own
	}
	g.cfg, g.own = &guarded, own
	return nil
}

// ownBGP returns the two ways a session with a neighbour may come to be: either side connects to the other (RFC 4271 §6.8).
func (g *gateway) ownBGP(ctx context.Context, name string, p config.Peer) []admit.Session {
	name = "the BGP session with " + name
	far := netip.AddrPortFrom(p.Address, cmp.Or(p.Port, portBGP))
	list := g.ownClient(ctx, name, far.String(), p.Local)
	if len(list) == 0 {
		return nil
	}
	near := list[0].Client
	for _, l := range g.cfg.ListenBGP {
		if l.Port() == 0 {
			continue // the system chooses one, in tests: nobody can connect to us by configuration
		}
		list = append(list, admit.Session{Name: name, Client: p.Address, Server: near, Port: l.Port()})
	}
	return list
}

// guestsOf returns the ways in which neighbours of a prefix come: to the address that the source names, or to those where the gateway listens.
func (g *gateway) guestsOf(name string, p config.Peer) (list []admit.Guests) {
	for _, l := range g.cfg.ListenBGP {
		if l.Port() == 0 {
			continue
		}
		at := []netip.Addr{l.Addr()}
		switch {
		case p.Local.IsValid():
			at[0] = p.Local
		case l.Addr().IsUnspecified():
			at = g.addresses()
		}
		for _, a := range at {
			if a.Unmap().Is4() == p.Prefix.Addr().Is4() {
				list = append(list, admit.Guests{Name: "the BGP sessions of " + name, From: p.Prefix, Server: a, Port: l.Port()})
			}
		}
	}
	return list
}

// addresses returns those of this machine.
func (g *gateway) addresses() (out []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		g.log.Warn("the addresses of this machine are not known; what neighbours of a prefix send is not kept from being filtered before they are there", "error", err)
	}
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, p.Addr())
		}
	}
	return out
}

// guardGuest keeps rules out that would filter the session of a neighbour that came from a prefix, for as long as it has its place, also while its session is lost.
func (g *gateway) guardGuest(name string, from, to netip.Addr, there bool) {
	var list []admit.Session
	for _, l := range g.cfg.ListenBGP {
		if there && l.Port() != 0 {
			list = append(list, admit.Session{Name: "the BGP session with " + name, Client: from, Server: to, Port: l.Port()})
		}
	}
	if err := g.own.Set(name, list...); err != nil {
		g.log.Warn("no rule is kept from filtering this connection", "connection", name, "error", err)
		return
	}
	select {
	case g.cutOff <- struct{}{}:
	default:
	}
}

// ownClient returns the connection that we make to an address, from near, or from where the system would take one.
func (g *gateway) ownClient(ctx context.Context, name, address string, near netip.Addr) []admit.Session {
	from, far, err := ends(ctx, address)
	if near.IsValid() {
		from = near
	}
	if !from.IsValid() || !far.IsValid() {
		g.log.Warn("no rule is kept from filtering this connection: its ends are not known", "connection", name, "address", address, "error", err)
		return nil
	}
	return []admit.Session{{Name: name, Client: from, Server: far.Addr(), Port: far.Port()}}
}

// resolveWithin is how long finding the ends of one connection may take, with the name server.
const resolveWithin = 2 * time.Second

// ends returns our address on the way to host:port, and what that is. No packet is sent but to a name server. near is invalid, and far is not, where there is no way there.
func ends(ctx context.Context, address string) (near netip.Addr, far netip.AddrPort, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return near, far, err
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			return near, far, fmt.Errorf("port %q", port)
		}
		far = netip.AddrPortFrom(addr, uint16(n))
	}
	ctx, cancel := context.WithTimeout(ctx, resolveWithin)
	defer cancel()
	c, err := new(net.Dialer).DialContext(ctx, "udp", address)
	if err != nil {
		return near, far, err
	}
	defer c.Close()
	local, isUDP := c.LocalAddr().(*net.UDPAddr)
	remote, isUDP2 := c.RemoteAddr().(*net.UDPAddr)
	if !isUDP || !isUDP2 {
		return near, far, fmt.Errorf("%s is not an address of IP", address)
	}
	return local.AddrPort().Addr().Unmap(), remote.AddrPort(), nil
}

// watchCutOff names the rules in force that filter a connection of the gateway, each once: the connection was configured, or came, after them. They stay, since they were accepted.
func (g *gateway) watchCutOff(ctx context.Context) error {
	known := map[flowspec.ID]bool{}
	for {
		select {
		case <-g.cutOff:
		case <-ctx.Done():
			return nil
		}
		found := map[flowspec.ID]bool{}
		for r := range g.rib.Snapshot().All() {
			err := g.own.Check(*r)
			if err == nil {
				continue
			}
			if found[r.ID] = true; !known[r.ID] {
				g.log.Error("a rule in force filters the gateway's own connection; `sluice rule delete` ends it", "source", r.Source, "rule", r.ID, "error", err)
			}
		}
		known = found
	}
}
