package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/api"
)

// processes are the plugins of a gateway as its API sees them.
type processes struct{ *host.Host }

func (p processes) Adapters() []api.Adapter {
	var out []api.Adapter
	for _, s := range p.Status() {
		a := api.Adapter{Name: s.Name, State: s.State, PID: s.PID, SHA256: s.SHA256, Version: s.Version, Since: s.Since, Restarts: s.Restarts, LastError: s.LastError}
		if !s.Next.IsZero() {
			a.Next = &s.Next
		}
		out = append(out, a)
	}
	return out
}

func adapterStatusCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "status", Short: "Adapters of a running gateway: their processes, and why one is down", Args: cobra.NoArgs}
	return withClient(cmd, func(ctx context.Context, c *client, _ []string) error {
		var list struct {
			Adapters []api.Adapter `json:"adapters"`
		}
		if _, err := c.call(ctx, http.MethodGet, "/v1/adapters", nil, &list); err != nil || c.json {
			return err
		}
		w := tabwriter.NewWriter(c.out, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "ADAPTER\tSTATE\tSINCE\tPID\tPROTOCOL\tRESTARTS\tSHA256")
		for _, a := range list.Adapters {
			fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%s\t%d\t%.16s\n", a.Name, a.State, a.Since.Local().Format(time.DateTime), a.PID, protocolText(a.Version), a.Restarts, a.SHA256)
		}
		if err := w.Flush(); err != nil {
			return err
		}
		for _, a := range list.Adapters { // below the table: what a plugin says may be long
			if a.LastError != "" {
				fmt.Fprintf(c.out, "%s: %s\n", a.Name, a.LastError)
			}
			if a.Next != nil {
				fmt.Fprintf(c.out, "%s: started again at %s, or by `sluice adapter start %s`\n", a.Name, a.Next.Local().Format(time.TimeOnly), a.Name)
			}
		}
		return nil
	})
}

// protocolText is the version of the plugin protocol that was agreed on; "-" where none was yet.
func protocolText(version int) string {
	if version == 0 {
		return "-"
	}
	return fmt.Sprint(version)
}

func adapterStartCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "start NAME", Short: "Start an adapter of a running gateway that is down or was stopped", Args: cobra.ExactArgs(1)}
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		_, err := c.call(ctx, http.MethodPost, "/v1/adapters/"+url.PathEscape(args[0])+"/start", nil, nil)
		return err
	})
}
