package main

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

func sourceCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "source", Short: "Sources of a running gateway: list, accept, keep"}
	cmd.AddCommand(sourceListCmd(), sourceAcceptCmd(), sourceKeepCmd())
	return cmd
}

func sourceListCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list", Args: cobra.NoArgs,
		Short: "Sources, their sessions, and how many rules they have",
		Long: `Sources, their sessions, and how many rules they have: in force; stale, which they have yet to repeat; withdrawn, too many at once to be believed; infeasible, since unicast routes speak against them (RFC 8955 section 6): those are
not among the rules, and the log has the clause of each. What was withdrawn is in force
until the time that stands below the table, and ends then in ` + "`sluice rule list`" + `.`,
	}
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		var list struct {
			Sources []api.Source `json:"sources"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/sources", nil, &list); err != nil || c.json {
			return err
		}
		w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "SOURCE\tKIND\tRULES\tIN FORCE\tSTALE\tWITHDRAWN\tINFEASIBLE\tSESSION")
		for _, s := range list.Sources {
			fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", s.Name, orDash(s.Kind), s.Rules, s.InForce, s.Stale, s.Withdrawn, s.Infeasible, orDash(s.Session))
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, s := range list.Sources {
			if s.Until != nil {
				fmt.Fprintf(c.out, "%s withdrew %s at once, which stay in force until %s. If it means it: sluice source accept %s\n", s.Name, counted(s.Withdrawn, "rule"), s.Until.Local().Format(time.DateTime), s.Name)
			}
		}
		return nil
	})
}

func sourceAcceptCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "accept NAME", Short: "Believe a source that withdrew too many rules at once: they go", Args: cobra.ExactArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		if _, err := c.call(ctx, http.MethodPost, "/v1/sources/"+url.PathEscape(args[0])+"/accept", nil, nil); err != nil || c.json {
			return err
		}
		fmt.Fprintf(c.out, "%s is believed: what it withdrew is gone\n", args[0])
		return nil
	})
}

func sourceKeepCmd() *cobra.Command {
	var order api.KeepOrder
	cmd := &cobra.Command{
		Use: "keep NAME", Args: cobra.ExactArgs(1),
		Short: "Keep what a source withdrew, too many rules at once, for a while from now on",
	}
	cmd.Flags().StringVar(&order.For, "for", "1h", "how long, such as 2h")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		if _, err := c.call(ctx, http.MethodPost, "/v1/sources/"+url.PathEscape(args[0])+"/keep", order, nil); err != nil || c.json {
			return err
		}
		fmt.Fprintf(c.out, "what %s withdrew stays in force for %s\n", args[0], order.For)
		return nil
	})
}

// sources tells what is known of every source: those of the configuration in its order, then the neighbours that came from a prefix and those that only the store knows.
func (g *gateway) sources() []api.Source {
	stats, sessions := g.rib.Stats(), map[flowspec.Source]string{}
	for _, p := range g.speaker.Status() {
		if p.Source != "" {
			sessions[p.Source] = p.Session.Words()
		}
	}
	out := []api.Source{}
	add := func(name flowspec.Source, kind string) {
		v := sourceView(name, kind, sessions[name], stats[name])
		v.Infeasible = g.valid.refused(name)
		out = append(out, v)
		delete(stats, name)
		delete(sessions, name)
	}
	for _, s := range g.cfg.Sources {
		add(s.Name, kindOf(s))
	}
	rest := slices.AppendSeq(slices.Collect(maps.Keys(stats)), maps.Keys(sessions))
	slices.Sort(rest)
	for _, name := range slices.Compact(rest) {
		kind := ""
		if _, known := g.policyOfNeighbour(name); known {
			kind = "bgp"
		}
		if _, connected := sessions[name]; connected || stats[name].Rules > 0 {
			add(name, kind)
		}
	}
	return out
}

func sourceView(name flowspec.Source, kind, session string, st rib.SourceStats) api.Source {
	v := api.Source{Name: string(name), Kind: kind, Session: session, Rules: st.Rules, InForce: st.InForce, Stale: st.Stale, Withdrawn: st.Withdrawn}
	if !st.Until.IsZero() {
		at := st.Until.UTC()
		v.Until = &at
	}
	return v
}

func kindOf(s config.Source) string {
	switch {
	case s.BGP != nil:
		return "bgp"
	case s.File != "":
		return "file"
	case s.Pipe != "":
		return "pipe"
	}
	return "api"
}
