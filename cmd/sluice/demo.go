package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/profiles"
)

// scene is one attack or accident of the demo: what happens, and the rules that somebody sends.
type scene struct {
	title string
	story string
	rules string
}

var scenes = []scene{
	{
		"A reflection flood from eight services", "Fragments need a rule of their own: they carry no ports.", `
flow route { match { destination 203.0.113.10/32; protocol =udp; source-port [ =19 =53 =111 =123 =161 =389 =1900 =11211 ]; packet-length >=400; } then { discard; } }
flow route { match { destination 203.0.113.10/32; protocol =udp; fragment is-fragment; } then { discard; } }`,
	}, {
		"A SYN flood on a web server, with customers who must get through", "The exception stands above the limit, so it is announced first and withdrawn last.", `
flow route { match { destination 203.0.113.80/32; source 198.51.100.0/24; protocol =tcp; destination-port [ =80 =443 ]; } then { accept; } }
flow route { match { destination 203.0.113.80/32; protocol =tcp; destination-port [ =80 =443 ]; tcp-flags syn&!ack; } then { rate-limit 12500000; } }`,
	}, {
		"A game server, seven ports, one rate", "Split in two, this would be two policers and twice the rate.", `
flow route { match { destination 203.0.113.20/32; protocol =udp; destination-port [ =80 =443 =3074 =7777 =9987 =27015 =30120 ]; } then { rate-limit 6250000; } }`,
	}, {
		"To the scrubber", "The same wish in three encodings, of which no platform takes all.", `
flow route { match { destination 203.0.113.30/32; protocol =tcp; destination-port =443; } then { redirect 65000:666; } }
flow route { match { destination 203.0.113.31/32; protocol =tcp; destination-port =443; } then { redirect 192.0.2.99; } }
flow route { match { destination 203.0.113.32/32; protocol =tcp; destination-port =443; } then { redirect-to-nexthop-ietf 192.0.2.99; } }`,
	}, {
		"An accident at 3 a.m.: two semicolons are missing", "Other tools announce an empty rule for this, which matches every packet.", `
flow route { match { destination 10.0.0.0/8 } then { discard } }`,
	},
}

func demoCmd() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use: "demo", Args: cobra.NoArgs,
		Short: "The gateway with emulated routers of three vendors, on this machine, with nothing else installed",
	}
	cmd.Flags().BoolVar(&once, "once", false, "print the final table and exit")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		err := demo(ctx, cmd.OutOrStdout(), once)
		if err != nil && !errors.Is(err, context.Canceled) {
			return failed(err)
		}
		return nil
	}
	return cmd
}

// demoPatience bounds every wait of the demo.
const demoPatience = 60 * time.Second

func demo(ctx context.Context, out io.Writer, once bool) error {
	dir, err := os.MkdirTemp("", "sluice-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lab, err := newLab(out)
	if err != nil {
		return err
	}
	defer lab.close()
	cfg, err := lab.config(filepath.Join(dir, "demo.db"))
	if err != nil {
		return err
	}
	g, err := newGateway(ctx, cfg, profiles.Embedded(), slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{Level: slog.LevelError})), strings.NewReader(""))
	if err != nil {
		return err
	}

	ctx, end := context.WithCancel(ctx)
	defer end()
	tasks, ctx := errgroup.WithContext(ctx)
	tasks.Go(func() error { return lab.run(ctx) })
	tasks.Go(func() error { return g.run(ctx, nil) })
	tasks.Go(func() error {
		defer func() {
			if once {
				end()
			}
		}()
		d := &director{out: out, lab: lab, base: "http://" + g.api.Addr().String(), gateway: g}
		return d.play(ctx, once)
	})
	return tasks.Wait()
}

// director plays the scenes and tells what became of them.
type director struct {
	out     io.Writer
	lab     *lab
	base    string
	gateway *gateway
}

func (d *director) play(ctx context.Context, once bool) error {
	fmt.Fprintf(d.out, "sluice demo: an ASR 9000 and an Arista that speak BGP FlowSpec, a Junos MX that takes filters over NETCONF, all emulated on loopback.\n")
	if err := d.settled(ctx); err != nil {
		return err
	}
	for i, s := range scenes {
		if err := d.scene(ctx, i+1, s, once); err != nil {
			return err
		}
	}
	d.finale()
	if once {
		return nil
	}
	fmt.Fprintf(d.out, "\nThe gateway stays up until Ctrl-C. Its API is at %s: try\n", d.base)
	fmt.Fprintf(d.out, "  go run ./cmd/sluice device list --gateway %s\n", d.base)
	fmt.Fprintf(d.out, "  go run ./cmd/sluice rule add --gateway %s 'flow route { match { destination 203.0.113.99/32; protocol =udp; } then { discard; } }'\n", d.base)
	<-ctx.Done()
	return nil
}

// scene sends the rules of s and shows what each device was given and why.
func (d *director) scene(ctx context.Context, n int, s scene, once bool) error {
	fmt.Fprintf(d.out, "\n%d. %s\n   %s\n", n, s.title, s.story)
	for _, line := range strings.Split(strings.TrimSpace(s.rules), "\n") {
		fmt.Fprintf(d.out, "   %s\n", line)
	}
	answer, err := d.send(ctx, s.rules)
	if err != nil {
		return err
	}
	for _, p := range answer.Errors {
		fmt.Fprintf(d.out, "   refused at column %d: %s [%s]\n      %s\n", p.Column, p.Message, p.Code, p.Hint)
	}
	if len(answer.Rules) == 0 {
		fmt.Fprintf(d.out, "   no device was given anything\n")
		return nil
	}
	if err := d.settled(ctx); err != nil {
		return err
	}
	if once {
		fmt.Fprintf(d.out, "   delivered\n")
		return nil
	}
	return d.explain(ctx, answer.Rules)
}

func (d *director) send(ctx context.Context, rules string) (api.Answer, error) {
	var a api.Answer
	body, err := json.Marshal(api.Request{Rule: rules, TTL: "1h"})
	if err != nil {
		return a, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.base+"/v1/rules", bytes.NewReader(body))
	if err != nil {
		return a, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	defer resp.Body.Close()
	return a, json.NewDecoder(resp.Body).Decode(&a)
}

// settled waits until every device was brought to the newest plan, and its session is up.
func (d *director) settled(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, demoPatience, errors.New("the emulated routers did not come up in time"))
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if d.atPeace() {
			return d.lab.wait(ctx, d.gateway)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%w: %+v", context.Cause(ctx), d.gateway.rec.Status())
		}
	}
}

func (d *director) atPeace() bool {
	version := d.gateway.rib.Snapshot().Version
	for _, s := range d.gateway.rec.Status() {
		if s.State != reconcile.InSync || s.Version != version || s.Session != "" && s.Session != reconcile.Established {
			return false
		}
	}
	return true
}

// explain shows, for each rule, how each device carries it.
func (d *director) explain(ctx context.Context, rules []api.Rule) error {
	for _, r := range rules {
		var full struct {
			Devices []api.DeviceReport `json:"devices"`
		}
		c := &client{base: d.base, out: io.Discard}
		if _, err := c.call(ctx, http.MethodGet, "/v1/rules/"+r.ID, nil, &full); err != nil {
			return err
		}
		fmt.Fprintf(d.out, "\n   %s\n", r.Rule)
		for _, dev := range full.Devices {
			for _, rule := range dev.Rules {
				d.verdict(dev.Device, rule)
			}
		}
	}
	return nil
}

func (d *director) verdict(device string, r api.RuleReport) {
	fmt.Fprintf(d.out, "     %-5s %s\n", device, r.Carried)
	for _, e := range r.Entries {
		fmt.Fprintf(d.out, "           -> %s\n", strings.ReplaceAll(strings.TrimSpace(e.Text), "\n", "\n              "))
	}
	for _, reason := range r.Reasons {
		if reason.Severity != "note" {
			fmt.Fprintf(d.out, "           %s [%s]\n", reason.Message, reason.Code)
		}
	}
	if w := r.Witness; w != nil {
		fmt.Fprintf(d.out, "           for example %s: wanted %s, would get %s\n", w.Packet, w.Want, w.Got)
	}
}

// finale prints what every router holds in the end, as the routers themselves tell it.
func (d *director) finale() {
	fmt.Fprintf(d.out, "\nWhat the routers hold\n")
	d.lab.show(d.out)
	fmt.Fprintf(d.out, "\nHow the rules are carried\n")
	for _, s := range d.gateway.rec.Status() {
		fmt.Fprintf(d.out, "  %-5s %-12s %d rules: %d native, %d rewritten, %d filter, %d rejected\n", s.Name, s.Profile,
			s.Summary["rules"], s.Summary["native"], s.Summary["rewritten"], s.Summary["filter"], s.Summary["rejected"])
	}
	for _, s := range d.gateway.rec.Status() {
		p := d.gateway.rec.Plan(s.Name)
		for i, v := range p.Verdicts {
			if v.Witness == nil || len(v.Reasons) == 0 {
				continue
			}
			fmt.Fprintf(d.out, "\n%s refuses %s\n", s.Name, d.gateway.rib.Snapshot().Rules()[i].Match)
			for _, reason := range v.Reasons {
				if reason.Severity == "error" {
					fmt.Fprintf(d.out, "  because %s\n", reason.Message)
				}
			}
			fmt.Fprintf(d.out, "  witness: %s", v.Witness.Packet)
			if v.Witness.Other != nil {
				fmt.Fprintf(d.out, "\n      and: %s", v.Witness.Other)
			}
			fmt.Fprintf(d.out, "\n     want: %s\n      got: %s\n", v.Witness.Want, v.Witness.Got)
		}
	}
}
