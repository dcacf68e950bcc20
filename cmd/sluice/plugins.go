package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/gnmi"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/nft"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
)

// hostPlugin is a plugin of the configuration as the host runs it.
func hostPlugin(p config.Plugin) host.Plugin {
	out := host.Plugin{Name: p.Name, Path: p.File, Unlocked: p.Unlocked, Start: p.Start, Memory: p.Memory}
	if p.Unlocked {
		return out
	}
	sum := p.Pins[p.File]
	out.SHA256, out.With = hex.EncodeToString(sum[:]), map[string][sha256.Size]byte{}
	for _, f := range p.With {
		out.With[f] = p.Pins[f]
	}
	return out
}

// openPlugins names the plugins that devices use: those of the configuration, and those that this very binary ships.
func (g *gateway) openPlugins(context.Context) error {
	var plugins []host.Plugin
	named := map[string]bool{}
	for _, p := range g.cfg.Plugins {
		named[p.Name] = true
		plugins = append(plugins, hostPlugin(p))
	}
	shipped := shippedPlugins()
	for _, d := range g.cfg.Devices {
		for _, adapter := range adaptersOf(d) {
			if named[adapter] {
				continue
			}
			if shipped[adapter] == nil {
				return fmt.Errorf("device %s: no adapter %q: it is neither shipped nor among plugins in the configuration", d.Name, adapter)
			}
			named[adapter] = true
			plugins = append(plugins, host.Plugin{Name: adapter})
		}
	}
	var err error
	g.plugins, err = host.New(host.Options{Logger: g.log}, plugins...)
	return err
}

// adaptersOf returns the adapters that speak to a device.
func adaptersOf(d config.Device) (out []string) {
	if d.Filter != nil {
		out = append(out, d.Filter.Adapter)
	}
	if d.Counters != nil {
		out = append(out, d.Counters.Adapter)
	}
	return out
}

// typed ends the names of adapters that type at a terminal what another one delivers over NETCONF.
const typed = "-cli"

// spokenBy returns the name of the dialect of a shipped adapter: they bear the names of their dialects.
func spokenBy(adapter string) string { return strings.TrimSuffix(adapter, typed) }

// types says whether a shipped adapter types at a terminal.
func types(adapter string) bool {
	return adapter == "eos" || adapter == "eos-acl" || strings.HasSuffix(adapter, typed)
}

// portOf returns where an adapter knocks where the address of a device has no port. Of third parties' NETCONF is taken for granted.
func portOf(adapter string) string {
	switch {
	case adapter == "nftables":
		return nft.DefaultPort
	case adapter == "openconfig":
		return gnmi.DefaultPort
	case types(adapter):
		return cli.DefaultPort
	}
	return netconf.DefaultPort
}

// listensAt returns the address of a device, with the port at which its adapter knocks.
func listensAt(t device.Target, adapter string) string {
	if _, _, err := net.SplitHostPort(t.Address); err == nil {
		return t.Address
	}
	return net.JoinHostPort(strings.Trim(t.Address, "[]"), portOf(adapter))
}

// windowOf returns how a shipped adapter answers how long its devices wait for a confirmation.
func windowOf(adapter string) func(device.Target, time.Duration) (time.Duration, error) {
	switch {
	case adapter == "nftables":
		return nft.Window
	case types(adapter):
		return cli.Window(spokenBy(adapter))
	case adapter == "openconfig":
		return gnmi.Window
	}
	return netconf.Window // all others
}

// intervalOf returns the least time between two commits where the configuration names none. A commit of a router takes seconds of its processor and a place in its history, so what comes in that time goes
// together; a table of nftables is changed in one transaction of the kernel, and nothing is kept of the one before.
func intervalOf(adapter string) time.Duration {
	if adapter == "nftables" {
		return 0
	}
	return 5 * time.Second
}

// lateOf returns how much later than it should a device may undo a change: what its configuration says; nil: what its adapter says of all its devices. That on Linux depends on the way there.
func lateOf(f *config.FilterDelivery) *time.Duration {
	if f.Late != nil || f.Adapter != "nftables" {
		return f.Late
	}
	late := nft.Late(f.Target)
	return &late
}

// shipped says whether the adapter of that name is our own, and not one of the configuration.
func (g *gateway) shipped(adapter string) bool {
	theirs := slices.ContainsFunc(g.cfg.Plugins, func(p config.Plugin) bool { return p.Name == adapter })
	return !theirs && shippedPlugins()[adapter] != nil
}

// hungUp reads the configuration again, upgrades plugins, and says what else of it is another than runs. A configuration that is not right changes nothing.
func (g *gateway) hungUp(ctx context.Context) {
	if g.again == nil {
		return
	}
	now, err := g.again()
	if err != nil {
		g.log.Error("everything stays as it is, since the configuration is not right any more; only rule files are read again", "error", err)
		return
	}
	g.upgradePlugins(ctx, now.Plugins)
	if differs := g.cfg.Differs(now); len(differs) > 0 {
		g.log.Warn("the configuration is another one than runs, and a restart takes it", "differs", differs)
	}
}

// upgradePlugins puts plugins whose files were pinned anew in the place of those that run. What cannot be upgraded goes on as it is.
func (g *gateway) upgradePlugins(ctx context.Context, plugins []config.Plugin) {
	for _, p := range plugins {
		if !slices.Contains(g.plugins.Names(), p.Name) {
			continue
		}
		err := host.Verify(hostPlugin(p)) // also of one that is to go on as it is: at its next start it would not
		if err == nil {
			err = g.plugins.Upgrade(ctx, hostPlugin(p))
		}
		if err != nil && ctx.Err() == nil {
			g.log.Error("not upgraded", "plugin", p.Name, "error", err)
		}
	}
}
