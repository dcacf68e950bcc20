package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/device"
)

// running is a plugin under a host of its own.
type running struct {
	*host.Host
	device.Adapter
	stop  context.CancelFunc
	ended chan error
}

// launch starts a plugin and waits until it answers. The error has what the plugin said when it did not.
func launch(ctx context.Context, log *slog.Logger, p host.Plugin) (*running, error) {
	h, err := host.New(host.Options{Logger: log, MinPause: time.Millisecond}, p)
	if err != nil {
		return nil, err
	}
	a, err := h.Adapter(p.Name)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	r := &running{Host: h, Adapter: a, stop: stop, ended: make(chan error, 1)}
	go func() { r.ended <- h.Run(ctx) }() // ends in end
	if _, err := a.Info(ctx); err != nil {
		r.end()
		return nil, err
	}
	return r, nil
}

// end ends the plugin and waits for it.
func (r *running) end() {
	r.stop()
	<-r.ended
}

// kill ends the process without a farewell, and waits for the next one.
func (r *running) kill(ctx context.Context) error {
	before := r.Status()[0].PID
	if before == 0 {
		return fmt.Errorf("the plugin is not running: %s", r.Status()[0].LastError)
	}
	if err := syscall.Kill(before, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill the plugin: %w", err)
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if pid := r.Status()[0].PID; pid != 0 && pid != before {
			return nil
		}
	}
}

// helper runs a program of the target's file.
func helper(ctx context.Context, words []string, more ...string) error {
	words = append(slices.Clone(words), more...)
	out, err := exec.CommandContext(ctx, words[0], words[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, strings.TrimSpace(string(out)))
	}
	return nil
}

// countsWhat says what an adapter reads counters of: its filters, FlowSpec routes, both, or nothing.
func countsWhat(a device.Adapter) string {
	if _, ok := a.(device.CounterReader); !ok {
		return "no"
	}
	both, ok := a.(interface{ Counts() (filters, routes bool) })
	if !ok {
		return "filters"
	}
	var out []string
	filters, routes := both.Counts()
	if filters {
		out = append(out, "filters")
	}
	if routes {
		out = append(out, "FlowSpec")
	}
	return cmp.Or(strings.Join(out, ", "), "no")
}

func parsePrefix(s string) (*netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	return &p, err
}

// shippedAdapter is what `adapter list` says of one that is built in.
type shippedAdapter struct{ name, dialect, counters string }

func shippedInfo(ctx context.Context) []shippedAdapter {
	var out []shippedAdapter
	for name, build := range shippedPlugins() {
		a := build()
		s := shippedAdapter{name: name}
		if i, err := a.Info(ctx); err == nil {
			s.dialect = i.Dialect
		}
		s.counters = countsWhat(a)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b shippedAdapter) int { return strings.Compare(a.name, b.name) })
	return out
}
