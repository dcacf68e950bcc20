package main

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/profiles"
)

// The AS numbers of the demo: the gateway's routers are its eBGP neighbours.
const (
	demoAS      = 64512
	demoASRAS   = 64513
	demoEOSAS   = 64514
	asrMaxPorts = 5 // values or ranges of a port or length, per rule (Cisco-IOS-XR-um-policymap-classmap-cfg)
)

// demoMX is what the operator of the MX has configured: our filters are attached once, and sluice fills them.
const demoMX = `<configuration xmlns="http://yang.juniper.net/junos/conf/root">
  <interfaces xmlns="http://yang.juniper.net/junos/conf/interfaces">
    <interface><name>ge-0/0/0</name><unit><name>0</name><family>
      <inet><filter><input><filter-name>sluice-v4</filter-name></input></filter></inet>
      <inet6><filter><input><filter-name>sluice-v6</filter-name></input></filter></inet6>
    </family></unit></interface>
  </interfaces>
</configuration>`

// lab is the emulated routers of the demo.
type lab struct {
	out io.Writer
	asr *bgptest.Router
	eos *bgptest.Router
	mx  *netconftest.Server
}

func newLab(out io.Writer) (*lab, error) {
	l := &lab{out: out}
	var err error
	if l.asr, err = bgptest.Listen(bgptest.Config{
		Name: "asr", AS: demoASRAS, RouterID: netip.MustParseAddr("192.0.2.21"), PeerAS: demoAS, Check: asrHolds,
	}); err != nil {
		return nil, err
	}
	if l.eos, err = bgptest.Listen(bgptest.Config{
		Name: "eos", AS: demoEOSAS, RouterID: netip.MustParseAddr("192.0.2.22"), PeerAS: demoAS,
	}); err != nil {
		return nil, err
	}
	l.mx, err = netconftest.Start(netconftest.Options{Config: demoMX})
	return l, err
}

// asrHolds refuses what an ASR 9000 could not program: more than five values or ranges in a port field or in the length, and more than one
// term of TCP flags. It is the router's own view, and knows nothing of profiles.
func asrHolds(r bgptest.Route) error {
	for c := range r.Match.All() {
		n := 0
		for _, t := range c.Terms {
			if !t.And {
				n++
			}
		}
		switch c.Type {
		case flowspec.SrcPort, flowspec.DstPort, flowspec.PacketLength:
			if n > asrMaxPorts {
				return fmt.Errorf("%s has %d values; this platform takes %d", c.Type, n, asrMaxPorts)
			}
		case flowspec.TCPFlags, flowspec.Fragment:
			if len(c.Terms) > 1 {
				return fmt.Errorf("%s has %d terms; this platform takes one", c.Type, len(c.Terms))
			}
		}
	}
	return nil
}

// config is the gateway's configuration for this lab.
func (l *lab) config(store string) (*config.Config, error) {
	families := []flowspec.Family{flowspec.IPv4}
	peer := func(r *bgptest.Router, as uint32) *config.Peer {
		return &config.Peer{Address: r.Addr().Addr(), Port: r.Addr().Port(), AS: as, Families: families, HoldTime: 90 * time.Second}
	}
	leaves := device.Policy{Community: demoAS<<16 | 6666, NoExport: true}
	c := &config.Config{
		RouterID: netip.MustParseAddr("192.0.2.1"), AS: demoAS, Community: leaves.Community,
		ListenAPI: "127.0.0.1:0", Store: store,
		Sources: []config.Source{{Name: "api", API: true, Admit: admit.Policy{AnyDestination: true}}},
		Devices: []config.Device{
			{Name: "asr", BGP: peer(l.asr, demoASRAS), Policy: leaves},
			{Name: "eos", BGP: peer(l.eos, demoEOSAS), Policy: leaves},
			{Name: "mx", Filter: &config.FilterDelivery{
				Adapter: "junos", Confirm: 30 * time.Second,
				Target: device.Target{
					Name: "mx", Address: l.mx.Addr(), Username: l.mx.Username(), Password: device.Secret(l.mx.Password()), HostKey: l.mx.HostKey(),
					Placement: filter.Alone, Interfaces: []string{"ge-0/0/0.0"}, Timeout: 30 * time.Second,
				},
			}},
		},
	}
	for i, name := range []string{"asr9k", "arista-eos", "junos-mx"} {
		p, err := profiles.Embedded().Get(name)
		if err != nil {
			return nil, err
		}
		c.Devices[i].Profile = p
	}
	return c, nil
}

func (l *lab) run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return l.asr.Run(ctx) })
	g.Go(func() error { return l.eos.Run(ctx) })
	return g.Wait()
}

func (l *lab) close() { l.mx.Close() }

// wait waits until the BGP routers hold what their plans say.
func (l *lab) wait(ctx context.Context, g *gateway) error {
	for name, r := range map[string]*bgptest.Router{"asr": l.asr, "eos": l.eos} {
		want := g.rec.Plan(name).Desired.Routes
		err := r.Wait(ctx, func(table []bgptest.Route) bool {
			return slices.EqualFunc(table, want, func(have bgptest.Route, want *device.Route) bool {
				return string(have.Match.NLRI()) == string(want.Match.NLRI())
			})
		})
		if err != nil {
			return fmt.Errorf("%s does not hold its plan: %w (it says %+v)", name, err, r.Events())
		}
	}
	return nil
}

// show prints what each router holds, in the order in which it evaluates it.
func (l *lab) show(out io.Writer) {
	for _, r := range []struct {
		name string
		*bgptest.Router
	}{{"asr", l.asr}, {"eos", l.eos}} {
		table := r.Table()
		fmt.Fprintf(out, "  %s, by BGP, %d rules in %d UPDATE messages:\n", r.name, len(table), r.Updates())
		for _, route := range table {
			fmt.Fprintf(out, "    %s then { %s }\n", route.Match, route.Action)
		}
	}
	fmt.Fprintf(out, "  mx, by NETCONF, %d commits, firewall configuration:\n", l.mx.Commits())
	text, err := junosText(l.mx.Running())
	if err != nil {
		text = err.Error()
	}
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		fmt.Fprintf(out, "    %s\n", line)
	}
}

// junosText writes what a Junos router holds as its operator would see it.
func junosText(running string) (string, error) {
	filters, err := junos.Dialect{}.Parse([]byte(running))
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for _, f := range filters {
		r, err := junos.Dialect{}.Render(f)
		if err != nil {
			return "", err
		}
		text.WriteString(r.Text)
	}
	return text.String(), nil
}
