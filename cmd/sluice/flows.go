package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// flows returns how a device is asked what its FlowSpec routes have matched.
func (g *gateway) flows(d config.Device) (out reconcile.Flows, err error) {
	if d.Counters == nil {
		return out, nil
	}
	name := d.Counters.Adapter
	if readers := flowReaders(); g.shipped(name) && !slices.Contains(readers, name) {
		return out, fmt.Errorf("adapter %s does not read what FlowSpec routes have matched; %s do", name, strings.Join(readers, ", "))
	}
	a, err := g.plugins.Adapter(name)
	if err != nil {
		return out, err
	}
	reader, ok := a.(device.CounterReader)
	if !ok {
		return out, fmt.Errorf("adapter %s reads no counters", name)
	}
	if d.Counters.Target.InsecureIgnoreHostKey {
		g.log.Warn("the host key of this device is NOT verified where its counters are read: whoever sits between can read the password", "device", d.Name)
	}
	return reconcile.Flows{Reader: reader, Target: d.Counters.Target, Every: d.Counters.Every}, nil
}

// flowReaders returns the shipped adapters that read what FlowSpec routes have matched.
func flowReaders() (out []string) {
	for name, build := range shippedPlugins() {
		if a, ok := build().(interface{ Counts() (filters, routes bool) }); ok {
			if _, routes := a.Counts(); routes {
				out = append(out, name)
			}
		}
	}
	return slices.Sorted(slices.Values(out))
}
