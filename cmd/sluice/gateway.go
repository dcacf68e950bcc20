package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/bmp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/adapters/feed"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/idle"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/store"
)

// auditEvery is how often a device that can be read is read although nothing changed.
const auditEvery = 5 * time.Minute

// gateway is all parts of a running sluice, wired. Nothing runs before run.
type gateway struct {
	cfg     *config.Config
	log     *slog.Logger
	store   *store.Store
	rib     *rib.RIB
	gate    *gate
	valid   *validator
	station *bmp.Station
	speaker *bgp.Speaker
	plugins *host.Host
	rec     *reconcile.Reconciler
	idle    *idle.Watch
	api     net.Listener
	library *profile.Library
	own     *admit.Sessions
	cutOff  chan struct{} // capacity 1: own holds more than it did
	files   []feed.File
	pipes   []feed.Pipe
	stdin   io.Reader
	again   func() (*config.Config, error) // reads the configuration as it is by now; nil: nobody can
}

// newGateway opens what has to be open, and wires. close undoes it where run is never called.
func newGateway(ctx context.Context, cfg *config.Config, library *profile.Library, log *slog.Logger, stdin io.Reader) (*gateway, error) {
	g := &gateway{cfg: cfg, log: log, library: library, stdin: stdin, cutOff: make(chan struct{}, 1)}
	for _, build := range []func(context.Context) error{g.guardSessions, g.openRules, g.openBGP, g.openPlugins, g.openDevices, g.openSources, g.openAPI} {
		if err := build(ctx); err != nil {
			return nil, errors.Join(err, g.close())
		}
	}
	return g, nil
}

// close gives back what newGateway opened. run does it by itself.
func (g *gateway) close() error {
	var errs []error
	if g.api != nil {
		errs = append(errs, g.api.Close())
	}
	if g.store != nil {
		errs = append(errs, g.store.Close())
	}
	return errors.Join(errs...)
}

// openRules loads the store: nothing is sent to anybody before the rules that were acknowledged are in force again.
func (g *gateway) openRules(context.Context) error {
	var err error
	if g.store, err = store.Open(g.cfg.Store); err != nil {
		return err
	}
	var policies []rib.SourcePolicy
	for _, s := range g.cfg.Sources {
		policies = append(policies, sourcePolicy(s))
	}
	g.rib, err = rib.New(rib.Config{
		Sources: policies, Store: g.store,
		Others: g.policyOfNeighbour,
		Refused: func(r flowspec.Rule, err error) {
			g.log.Warn("rule refused", "source", r.Source, "rule", r.ID, "match", r.Match.String(), "error", err)
			g.excess(r.Source, err)
		},
		Excess: func(s flowspec.Source, max int) {
			g.log.Warn("a source has more rules than max-rules; they are taken, since on-excess is warn", "source", s, "max-rules", max)
		},
		Mass: func(s flowspec.Source, withdrawn, had int, until time.Time) {
			g.log.Error("a source withdraws most of its rules at once; they stay in force for a while", "source", s, "withdrawn", withdrawn, "had", had, "until", until.Format(time.DateTime), "type", "sluice source accept "+string(s))
		},
		Unsaved: func(err error) { g.log.Error("not on disk yet, trying again", "error", err) },
	})
	if err == nil {
		g.reportOrphans()
		g.cutOff <- struct{}{}
	}
	return err
}

// excess ends the session of a source that has too many rules, where the configuration says so.
func (g *gateway) excess(source flowspec.Source, err error) {
	var many *rib.TooMany
	if !errors.As(err, &many) {
		return
	}
	for _, s := range g.cfg.Sources {
		if s.Name == configured(source) && s.Excess.Teardown > 0 && g.speaker.Teardown(source, s.Excess.Teardown) {
			g.log.Error("session ended: the source has more rules than max-rules", "source", source, "max-rules", many.Max, "back-after", s.Excess.Teardown)
		}
	}
}

// reportOrphans says which stored rules nobody can withdraw any more, because their source is no longer configured: they go soon, and not in silence.
func (g *gateway) reportOrphans() {
	for name, s := range g.rib.Stats() {
		known := slices.ContainsFunc(g.cfg.Sources, func(c config.Source) bool { return c.Name == configured(name) })
		if !known && s.Rules > 0 {
			g.log.Warn("rules of a source that is no longer configured stay in force for 3 minutes, unless a source that is repeats them", "source", name, "rules", s.Rules)
		}
	}
}

// configured returns the name that a source has in the configuration: neighbours of a prefix share one.
func configured(s flowspec.Source) flowspec.Source {
	template, _ := bgp.Template(s)
	return template
}

// policyOfNeighbour is how the RIB treats a neighbour of a source with a prefix.
func (g *gateway) policyOfNeighbour(name flowspec.Source) (rib.SourcePolicy, bool) {
	for _, s := range g.cfg.Sources {
		if s.BGP != nil && s.BGP.Prefix.IsValid() && s.Name == configured(name) {
			return sourcePolicy(s), true
		}
	}
	return rib.SourcePolicy{}, false
}

// repeatWithin is how long, after a restart, rules wait for a source that repeats them to do so.
const repeatWithin = 3 * time.Minute

// sourcePolicy is how the RIB treats s. What came by API or pipe is withdrawn by name only; a peer and a file say everything again.
func sourcePolicy(s config.Source) rib.SourcePolicy {
	p := rib.SourcePolicy{Name: s.Name, Preference: s.Preference, MaxRules: s.MaxRules, Lenient: s.Excess.Warn, Hold: s.Hold, Quiet: s.Quiet, Mass: rib.MassWithdrawal(s.Mass)}
	if s.BGP != nil || s.File != "" {
		p.Return = max(s.Hold, repeatWithin)
	}
	return p
}

// openBGP makes a peer of each BGP source and device. A neighbour that is both has one session.
func (g *gateway) openBGP(ctx context.Context) error {
	var err error
	g.gate = newGate(g.rib, g.cfg.Sources, g.log)
	g.valid = newValidator(g.gate, g.cfg.Sources, g.log)
	ours, err := g.communities()
	if err != nil {
		return err
	}
	g.speaker, err = bgp.New(bgp.Config{
		RouterID: g.cfg.RouterID, LocalAS: g.cfg.AS, Listen: g.cfg.ListenBGP, Communities: ours,
		Validator: g.valid, Log: g.log, Settled: g.gate.settled, Stay: !g.cfg.Withdraw, Guest: g.guardGuest,
	})
	if err != nil {
		return err
	}
	g.station = bmp.NewStation(g.cfg.ListenBMP, g.log)
	var peers []bgp.PeerConfig
	vrfs := map[flowspec.Source]string{}
	for _, d := range g.cfg.Devices {
		if d.BGP != nil {
			p := peerConfig(d.Name, *d.BGP)
			p.Device, p.Policy, p.Alone = true, d.Policy, d.Alone
			if p.Monitor, err = g.monitor(d); err != nil {
				return err
			}
			if n := d.Profile.Native; p.OffsetsOut == flowspec.OffsetUnsaid && n != nil {
				p.OffsetsOut = n.Offsets
			}
			peers = append(peers, p)
		}
	}
	for _, s := range g.cfg.Sources {
		if s.BGP == nil {
			continue
		}
		vrfs[s.Name] = s.VRF
		p := peerConfig(string(s.Name), *s.BGP)
		if both := sameSession(peers, p); both != nil {
			both.Source = s.Name
			continue
		}
		p.Source = s.Name
		peers = append(peers, p)
	}
	for _, p := range peers {
		if len(p.Unicast) > 0 {
			g.valid.neighbour(p.Name, vrfs[p.Source], p.Prefix.IsValid(), p.Restart, p.Unicast)
		}
		if err := g.speaker.AddPeer(p); err != nil {
			return err
		}
	}
	return errors.Join(g.speaker.Listen(ctx), g.station.Listen(ctx))
}

func peerConfig(name string, p config.Peer) bgp.PeerConfig {
	return bgp.PeerConfig{
		Name: name, Address: p.Address, Prefix: p.Prefix, Limit: p.Limit, Port: p.Port, LocalAddress: p.Local, RemoteAS: p.AS, LocalAS: p.LocalAS, Passive: p.Passive,
		Families: p.Families, Unicast: p.Unicast, HoldTime: p.HoldTime, NoHold: p.HoldTime == 0, Restart: p.Restart,
		Password: session.Password(p.Password), Hops: p.Hops, Extended: p.Extended, AddPath: p.AddPath, OffsetsIn: p.Offsets, OffsetsOut: p.Offsets,
	}
}

func sameSession(peers []bgp.PeerConfig, p bgp.PeerConfig) *bgp.PeerConfig {
	end := func(p bgp.PeerConfig) config.Peer {
		return config.Peer{Address: p.Address, Local: p.LocalAddress, Port: p.Port}
	}
	for i := range peers {
		if end(peers[i]).Same(end(p)) {
			return &peers[i]
		}
	}
	return nil
}

func (g *gateway) openDevices(context.Context) error {
	var devices []reconcile.Device
	for _, d := range g.cfg.Devices {
		rd, err := g.device(d)
		if err != nil {
			return fmt.Errorf("device %s: %w", d.Name, err)
		}
		devices = append(devices, rd)
	}
	var groups []reconcile.Group
	for _, c := range g.cfg.Groups {
		groups = append(groups, reconcile.Group{Name: c.Name, Devices: c.Devices, Canary: c.Canary, Watch: c.Watch, Soak: c.Soak, Unmanned: c.Unmanned})
	}
	g.rec = reconcile.New(reconcile.Config{Rules: g.rib, Tokens: g.store, Devices: devices, Groups: groups, AtOnce: g.cfg.AtOnce, Log: g.log, Shadow: g.cfg.Shadow, Software: g.cfg.Software})
	g.openIdle()
	return nil
}

func (g *gateway) device(d config.Device) (reconcile.Device, error) {
	rd := reconcile.Device{
		Name: d.Name, Profile: d.Holding(), Room: d.Room(), Policy: d.Policy, Sends: g.sends(d),
		Options: plan.Options{Settings: d.Settings, Sources: d.Sources, Remedies: d.Remedies, Measured: d.Measured, NoNative: d.BGP == nil, NoFilter: d.Filter == nil},
	}
	if d.BGP != nil {
		rd.Native, rd.Options.Families, rd.Options.VPNs = g.speaker.Device(d.Name), d.BGP.Families, d.VPNs()
	}
	var err error
	if rd.Flows, err = g.flows(d); err != nil {
		return rd, err
	}
	if d.Filter == nil {
		return rd, nil
	}
	if d.Profile.Filter == nil {
		return rd, fmt.Errorf("profile %s has no filters", d.Profile.Name)
	}
	dialect, known := dialects[d.Profile.Filter.Dialect]
	if !known {
		return rd, fmt.Errorf("no dialect %q, which profile %s names", d.Profile.Filter.Dialect, d.Profile.Name)
	}
	if rd.Filter, err = g.plugins.Adapter(d.Filter.Adapter); err != nil {
		return rd, err
	}
	rd.Target, rd.Confirm, rd.Interval, rd.Audit, rd.Counters = d.Filter.Target, d.Filter.Confirm, intervalOf(d.Filter.Adapter), auditEvery, d.Filter.Counters
	rd.Late = lateOf(d.Filter)
	if d.Filter.Interval != nil {
		rd.Interval = *d.Filter.Interval
	}
	rd.Options.Placement, rd.Options.Instances = d.Filter.Target.Placement, d.Filter.Instances
	if _, ok := dialect.(filter.Instanced); !ok && len(d.Filter.Instances) > 0 {
		return rd, fmt.Errorf("filters of profile %s do not redirect into routing instances; take instances away", d.Profile.Name)
	}
	rd.Dialect = filter.ForDevice(dialect, d.Filter.Instances)
	if g.shipped(d.Filter.Adapter) {
		if spokenBy(d.Filter.Adapter) != dialect.Name() {
			return rd, fmt.Errorf("adapter %s does not write the filters of profile %s; its dialect is %s", d.Filter.Adapter, d.Profile.Name, dialect.Name())
		}
		if rd.Undo, err = windowOf(d.Filter.Adapter)(rd.Target, rd.Confirm); err != nil {
			return rd, err
		}
	}
	if rd.Target.InsecureIgnoreHostKey {
		g.log.Warn("the host key, or certificate, of this device is NOT verified: whoever sits between can read the password and change the filter", "device", d.Name)
	}
	return rd, nil
}

// communities returns those by which our own paths are known: that of the configuration, and those under which devices were given routes before, as long as they may still have them.
func (g *gateway) communities() (list []uint32, err error) {
	if g.cfg.Community != 0 {
		list = append(list, g.cfg.Community)
	}
	for _, d := range g.cfg.Devices {
		p, found, err := g.store.Policy(d.Name)
		if err != nil {
			return nil, err
		}
		if found && p.Community != 0 && !slices.Contains(list, p.Community) {
			list = append(list, p.Community)
		}
	}
	return list, nil
}

// sends says in words how the routes of a device leave under a policy, which may be that of an earlier configuration.
func (g *gateway) sends(d config.Device) func(device.Policy) []string {
	return func(p device.Policy) []string {
		d.Policy = p
		return d.Sends()
	}
}

func (g *gateway) openSources(context.Context) error {
	for _, s := range g.cfg.Sources {
		f := feed.Source{Name: s.Name, Admit: s.Admit, Compat: s.Compat, Rules: g.rib, Log: g.log}
		switch {
		case s.File != "":
			g.files = append(g.files, feed.File{Source: f, Path: s.File, MaxRules: s.MaxRules})
		case s.Pipe != "":
			g.pipes = append(g.pipes, feed.Pipe{Source: f, Path: s.Pipe})
		}
	}
	return nil
}

func (g *gateway) openAPI(ctx context.Context) error {
	var lc net.ListenConfig
	var err error
	if g.api, err = lc.Listen(ctx, "tcp", g.cfg.ListenAPI); err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	return nil
}

// run runs everything until ctx ends. reload, where it is not nil, asks for rule files to be read again.
func (g *gateway) run(ctx context.Context, reload <-chan struct{}) error {
	// The store outlives the rest: what the RIB still acknowledges on its way out has to reach the disk.
	storing, stopStoring := context.WithCancel(context.WithoutCancel(ctx))
	stored := make(chan error, 1)
	go func() { stored <- g.store.Run(storing) }()

	tasks, tctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return g.rib.Run(tctx) })
	tasks.Go(func() error { return g.plugins.Run(tctx) })
	tasks.Go(func() error { return g.rec.Run(tctx) })
	tasks.Go(func() error { return g.speaker.Run(tctx) })
	tasks.Go(func() error { return g.station.Run(tctx) })
	tasks.Go(func() error { return api.Serve(tctx, g.api, g.handler()) })
	tasks.Go(func() error { return g.readFiles(tctx, reload) })
	tasks.Go(func() error { return g.gate.settle(tctx, settleWithin) })
	tasks.Go(func() error { return g.valid.run(tctx) })
	tasks.Go(func() error { return g.watchCutOff(tctx) })
	tasks.Go(func() error { return g.idle.Run(tctx) })
	for _, p := range g.pipes {
		tasks.Go(func() error { return p.Run(tctx, g.stdin) })
	}
	err := tasks.Wait()

	stopStoring()
	return errors.Join(err, <-stored, g.store.Close())
}

// readFiles reads every rule file now, and again whenever asked.
func (g *gateway) readFiles(ctx context.Context, reload <-chan struct{}) error {
	for {
		for _, f := range g.files {
			if err := f.Load(ctx); err != nil && ctx.Err() == nil {
				g.log.Error("rule file refused", "source", f.Name, "file", f.Path, "error", err)
			}
		}
		g.gate.filesRead()
		select {
		case <-reload:
			g.hungUp(ctx)
		case <-ctx.Done():
			return nil
		}
	}
}

// ready says why the gateway does not deliver yet: some device has no plan.
func (g *gateway) ready() error {
	for _, s := range g.rec.Status() {
		if g.rec.Plan(s.Name) == nil {
			return fmt.Errorf("device %s has no plan yet", s.Name)
		}
	}
	return nil
}

// version is what the build says of itself.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "development"
}
