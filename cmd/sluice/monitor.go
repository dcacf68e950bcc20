package main

import (
	"cmp"
	"context"
	"net/netip"

	"github.com/sluice-gateway/sluice/adapters/bgp/bmp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// monitor returns what takes what a device shows by BMP of its BGP session with us; nil where it shows nothing.
func (g *gateway) monitor(d config.Device) (*bmp.Router, error) {
	if !d.BMP.IsValid() {
		return nil, nil
	}
	form := d.BGP.Offsets
	if form == flowspec.OffsetUnsaid && d.Profile.Native != nil {
		form = d.Profile.Native.Offsets
	}
	r := bmp.New(bmp.RouterConfig{
		Name: d.Name, From: d.BMP, Local: d.BGP.Local, AS: cmp.Or(d.BGP.LocalAS, g.cfg.AS), RouterID: g.cfg.RouterID, Form: form, Log: g.log,
		RD: d.BMPRD, Password: session.Password(d.BMPPassword),
	})
	return r, g.station.Add(r)
}

// ownBMP returns the connection that a device makes to show what it holds.
func (g *gateway) ownBMP(ctx context.Context, d config.Device) (list []admit.Session) {
	if !d.BMP.IsValid() {
		return nil
	}
	const name = "the BMP session of "
	for _, l := range g.cfg.ListenBMP {
		near := l.Addr()
		if near.IsUnspecified() {
			if ours := g.ownClient(ctx, name+d.Name, netip.AddrPortFrom(d.BMP, l.Port()).String(), d.BGP.Local); len(ours) > 0 {
				near = ours[0].Client
			}
		}
		if l.Port() != 0 && near.Is4() == d.BMP.Is4() && !near.IsUnspecified() {
			list = append(list, admit.Session{Name: name + d.Name, Client: d.BMP, Server: near, Port: l.Port()})
		}
	}
	return list
}
