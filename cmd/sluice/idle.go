package main

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/idle"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// idleEvery is the longest time between two looks for idle rules; a look is a twelfth of the shortest time that a rule has to be idle.
const idleEvery = time.Minute

func (g *gateway) openIdle() {
	every := time.Duration(0) // where idle rules are only shown, nobody has to look for them
	for _, s := range g.cfg.Sources {
		if then := idle.Then(s.Idle.Then); then == idle.Warn || then == idle.Expire {
			every = min(cmp.Or(every, idleEvery), s.Idle.After/12)
		}
	}
	g.idle = idle.New(idle.Config{Rules: g.rib, Counted: g.rec, Records: g.store, Policy: g.idlePolicy, Every: every, Log: g.log})
}

// idlePolicy is what becomes of the rules of a source that match nothing. Of a source that is not configured, nothing does.
func (g *gateway) idlePolicy(name flowspec.Source) idle.Policy {
	for _, s := range g.cfg.Sources {
		if s.Name == configured(name) && s.Idle.After > 0 {
			return idle.Policy{After: s.Idle.After, Then: idle.Then(s.Idle.Then)}
		}
	}
	return idle.Policy{After: time.Hour, Then: idle.Show}
}

func (g *gateway) idleAfter(name flowspec.Source) time.Duration { return g.idlePolicy(name).After }

// activityText says whether a rule matches anything.
func activityText(a reconcile.Activity) string {
	switch a.State {
	case reconcile.Active:
		return "active: last hit seen " + a.Since.Local().Format(time.DateTime)
	case reconcile.Quiet:
		return "quiet: no hit since " + a.Since.Local().Format(time.DateTime)
	case reconcile.Idle:
		return "idle: no hit since " + a.Since.Local().Format(time.DateTime)
	}
	return "idle or not is not known: " + oneLine(a.Why)
}

func isIdle(r api.Rule) bool { return r.Activity != nil && r.Activity.State == reconcile.Idle }

func ruleEndedCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "ended", Short: "Rules that the gateway ended by itself, because they matched nothing, and why", Args: cobra.NoArgs}
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		var list struct {
			Ended []api.EndedRule `json:"ended"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/ended", nil, &list); err != nil || c.json {
			return err
		}
		for _, e := range list.Ended {
			c.printRule(e.Rule)
			fmt.Fprintf(c.out, "  ended %s: %s\n", e.At.Local().Format(time.DateTime), oneLine(e.Reason))
		}
		if len(list.Ended) == 0 {
			fmt.Fprintln(c.out, "none was ended")
		}
		return nil
	})
}
