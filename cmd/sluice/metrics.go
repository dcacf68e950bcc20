package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/api"
)

// handler returns the API of this gateway.
func (g *gateway) handler() http.Handler {
	gw := api.Gateway{
		Rules: g.rib, Devices: g.rec, Dialects: dialects, Profiles: g.library, Adapters: processes{g.plugins},
		DefaultTTL: g.cfg.DefaultTTL, MaxTTL: g.cfg.MaxTTL,
		Sources: g.sources, IdleAfter: g.idleAfter, Ended: g.store.Ended, Ready: g.ready, Metrics: g.metrics(), Version: version(), Log: g.log,
	}
	for _, s := range g.cfg.Sources {
		if s.API {
			gw.Source, gw.Admit, gw.Compat = s.Name, s.Admit, s.Compat
		}
	}
	return api.New(gw)
}

func (g *gateway) metrics() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &collector{g})
	return r
}

// collector reads the gateway's state when it is asked, so that nothing has to be counted twice.
type collector struct{ g *gateway }

var (
	descRules     = prometheus.NewDesc("sluice_source_rules", "Rules of a source.", []string{"source", "state"}, nil)
	descVersion   = prometheus.NewDesc("sluice_loc_rib_version", "Version of the Loc-RIB; grows with every change.", nil, nil)
	descVerdicts  = prometheus.NewDesc("sluice_device_rules", "Rules of a device by the way they are carried.", []string{"device", "carried"}, nil)
	descState     = prometheus.NewDesc("sluice_device_state", "1 for the state that a device is in.", []string{"device", "state"}, nil)
	descDelivered = prometheus.NewDesc("sluice_device_version", "Version of the Loc-RIB that a device was last brought to.", []string{"device"}, nil)
	descEntries   = prometheus.NewDesc("sluice_device_filter_entries", "Entries of our filters that a device showed when it was last read.", []string{"device"}, nil)
	descGiven     = prometheus.NewDesc("sluice_device_routes", "Routes that a device is given over BGP.", []string{"device"}, nil)
	descShown     = prometheus.NewDesc("sluice_device_shown_routes", "Of the routes of a device that shows them by BMP: how many it holds, holds otherwise or not at all, and shows nothing of.", []string{"device", "shown"}, nil)
	descSession   = prometheus.NewDesc("sluice_bgp_session_up", "1 while the BGP session of a peer is established.", []string{"peer"}, nil)
	descRoutes    = prometheus.NewDesc("sluice_bgp_unicast_routes", "Unicast routes of a peer, to validate rules with.", []string{"peer"}, nil)
	descRefused   = prometheus.NewDesc("sluice_bgp_refused_total", "NLRIs of a peer that were refused.", []string{"peer"}, nil)
	descCommit    = prometheus.NewDesc("sluice_device_commit_seconds", "How long the last change of a device's filters took, from the first word to its confirmation.", []string{"device"}, nil)
	descWithheld  = prometheus.NewDesc("sluice_rollout_withheld_rules", "Rules that devices of a group do not have as they are in force, because its canaries are tried first.", []string{"group"}, nil)
	descStopped   = prometheus.NewDesc("sluice_rollout_stopped", "1 while the roll-out to a group is stopped, by a device or by order.", []string{"group"}, nil)
	descPackets   = prometheus.NewDesc("sluice_rule_packets_total", "Packets that a rule has matched, on all devices that count it, of the thousand rules that were hit first.", []string{"rule", "source"}, nil)
	descBytes     = prometheus.NewDesc("sluice_rule_bytes_total", "Bytes of the same packets.", []string{"rule", "source"}, nil)
	descUnlisted  = prometheus.NewDesc("sluice_rules_hit_unlisted", "Rules that were hit, and have no series of their own.", nil, nil)
	descMatched   = prometheus.NewDesc("sluice_device_matched_packets_total", "Packets that the filters of a device have matched, rules that are gone included.", []string{"device"}, nil)
	descMatchedB  = prometheus.NewDesc("sluice_device_matched_bytes_total", "Bytes of the same packets.", []string{"device"}, nil)
	descActivity  = prometheus.NewDesc("sluice_source_activity_rules", "Rules in force of a source by whether they match anything.", []string{"source", "activity"}, nil)
	descEnded     = prometheus.NewDesc("sluice_source_idle_ended_total", "Rules of a source that were ended because they matched nothing.", []string{"source"}, nil)
	descRestarts  = prometheus.NewDesc("sluice_plugin_restarts_total", "Restarts of a plugin.", []string{"plugin"}, nil)
)

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) { prometheus.DescribeByCollect(c, ch) }

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	count := func(d *prometheus.Desc, v float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
	}
	gauge(descVersion, float64(c.g.rib.Snapshot().Version))
	for name, s := range c.g.rib.Stats() {
		gauge(descRules, float64(s.Rules), string(name), "all")
		gauge(descRules, float64(s.InForce), string(name), "in-force")
		gauge(descRules, float64(s.Stale), string(name), "stale")
		gauge(descRules, float64(s.Withdrawn), string(name), "withdrawn")
		gauge(descRules, float64(c.g.valid.refused(name)), string(name), "infeasible")
	}
	for _, d := range c.g.rec.Status() {
		gauge(descState, 1, d.Name, string(d.State))
		gauge(descDelivered, float64(d.Version), d.Name)
		if d.Commit > 0 {
			gauge(descCommit, d.Commit.Seconds(), d.Name)
		}
		for carried, n := range d.Summary {
			if carried != "rules" {
				gauge(descVerdicts, float64(n), d.Name, carried)
			}
		}
		gauge(descEntries, float64(d.Entries), d.Name)
		gauge(descGiven, float64(d.Routes), d.Name)
		if s := d.Shown; s != nil {
			gauge(descShown, float64(s.Held), d.Name, "held")
			gauge(descShown, float64(s.Otherwise), d.Name, "drifted")
			gauge(descShown, float64(s.Unshown), d.Name, "unshown")
		}
	}
	for _, r := range c.g.rec.Rollouts() {
		stopped := 0.0
		if r.Stop != nil {
			stopped = 1
		}
		gauge(descStopped, stopped, r.Group)
		gauge(descWithheld, float64(r.Withheld), r.Group)
	}
	for _, p := range c.g.speaker.Status() {
		up := 0.0
		if p.Session.State == session.Established {
			up = 1
		}
		gauge(descSession, up, p.Name)
		if n, ok := c.g.valid.routes(p.Name); ok {
			gauge(descRoutes, float64(n), p.Name)
		}
		count(descRefused, float64(p.In.Refused), p.Name)
	}
	for _, t := range c.g.rec.Totals() {
		count(descMatched, float64(t.Packets), t.Device)
		count(descMatchedB, float64(t.Bytes), t.Device)
	}
	listed, unlisted := mostSeries(c.g.rec.Counts())
	for _, h := range listed {
		source := ""
		if r, found := c.g.rib.Find(h.id); found {
			source = string(r.Source)
		}
		count(descPackets, float64(h.Packets), string(h.id), source)
		count(descBytes, float64(h.Bytes), string(h.id), source)
	}
	gauge(descUnlisted, float64(unlisted))
	snap, activities := c.g.rec.Activities(c.g.idleAfter)
	sums := map[[2]string]int{}
	for i, r := range snap.Rules() {
		sums[[2]string{string(r.Source), string(activities[i].State)}]++
	}
	for of, n := range sums {
		gauge(descActivity, float64(n), of[0], of[1])
	}
	for source, n := range c.g.idle.Ended() {
		count(descEnded, float64(n), string(source))
	}
	for _, p := range c.g.plugins.Status() {
		count(descRestarts, float64(p.Restarts), p.Name)
	}
}
