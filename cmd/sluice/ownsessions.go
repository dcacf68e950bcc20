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
)

// portBGP is where BGP speakers listen (RFC 4271 §8).
const portBGP = 179

// guardSessions keeps rules out that would cut the gateway off from its own neighbours and devices, whichever source they come from.
func (g *gateway) guardSessions(ctx context.Context) error {
	var list []admit.Session
	for _, s := range g.cfg.Sources {
		if s.BGP != nil && s.BGP.Address.IsValid() { // whoever comes from a prefix is no device: it cannot hold a rule against itself
			list = append(list, g.ownBGP(ctx, string(s.Name), *s.BGP)...)
		}
	}
	for _, d := range g.cfg.Devices {
		if d.BGP != nil {
			list = append(list, g.ownBGP(ctx, d.Name, *d.BGP)...)
			list = append(list, g.ownBMP(ctx, d)...)
		}
		if d.Filter != nil && d.Filter.Target.Address != "" {
			list = append(list, g.ownClient(ctx, "the connection for filters to "+d.Name, d.Filter.Target.Address, netip.Addr{})...)
		}
	}
	own, err := admit.NewSessions(list...)
	if err != nil {
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

// reportCutOff names the rules in force from before that filter a connection of the gateway: it was configured after them. They stay, since they were accepted.
func (g *gateway) reportCutOff() {
	for r := range g.rib.Snapshot().All() {
		if err := g.own.Check(*r); err != nil {
			g.log.Error("a rule in force filters the gateway's own connection; `sluice rule delete` ends it", "source", r.Source, "rule", r.ID, "error", err)
		}
	}
}
