package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/trace"
)

func traceCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "trace --packet PACKET [--profile PROFILE[,PROFILE...]] [FILE...]",
		Short: "Say which rule decides a packet, what happens to it, and what was passed by and why",
		Long: `Follow one packet down the rules, in the order of RFC 8955, and, for each profile, down what such a router would hold: which entry decides,
what happens, which rules were passed by and which of their components does not match, and which rules the router does not carry.
With --device, the rules are those in force on a running gateway, and the device is one of its own; no file is read then.

A packet is written as witnesses are printed; one that validate or compare printed can be pasted, a pair of them with the "and" between.
Which packets are in a VPN is not in its rules: they are left out, unless --rd picks the rules of one.

Exit status: 0 it was traced, 1 some router does something else with it than the rules ask, 2 packet or rules could not be read.`,
		Example: `  sluice trace --packet 'udp 198.51.100.7:53 > 203.0.113.9:4444 len 1400' rules.conf
  sluice trace --packet 'tcp 198.51.100.7:40000 > 203.0.113.80:443 flags S' --profile asr9k,junos-mx rules.conf
  sluice trace --packet 'udp 198.51.100.7:53 > 203.0.113.9:4444' --device edge1`,
	}
	texts := cmd.Flags().StringArray("packet", nil, "`PACKET` to trace, as witnesses print: PROTO SRC[:PORT] > DST[:PORT] [len N] ...; may be given several times")
	devices := cmd.Flags().StringSlice("device", nil, "`NAME` of a device of a running gateway; several with commas")
	gateway := gatewayFlag(cmd)
	specs := profileFlag(cmd)
	dir, format := profilesFlag(cmd), formatFlag(cmd, "text", "json")
	placement, measured, instances := placementFlag(cmd), measuredFlag(cmd), forInstances(instancesFlag(cmd))
	rd := cmd.Flags().String("rd", "", "trace a packet of the VPN with this route `DISTINGUISHER`, such as 65000:1")
	listed := cmd.Flags().Int("list", 10, "the most rules to list that do not match, and that match and are not reached")
	read := rulesFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		packets, err := readPackets(cmd.ErrOrStderr(), *texts)
		if err != nil {
			return err
		}
		if *listed < 0 || *listed > 1000 {
			return usage(errors.New("--list is 0 to 1000"))
		}
		t := &tracing{packets: packets, options: trace.Options{RD: *rd, Listed: *listed}}
		if len(*devices) > 0 {
			if len(args) > 0 || len(*specs) > 0 {
				return usage(errors.New("--device asks a running gateway for its rules: leave out --profile and files"))
			}
			c, err := gateway()
			if err != nil {
				return err
			}
			err = t.onGateway(cmd.Context(), c, *devices)
			if err != nil {
				return err
			}
			return t.tell(cmd.OutOrStdout(), f)
		}
		var targets []target
		if len(*specs) > 0 {
			if targets, err = targetsOf(*specs, *dir, *placement); err != nil {
				return usage(err)
			}
			if err := errors.Join(measured(targets), instances(targets)); err != nil {
				return usage(err)
			}
		}
		in, err := read(args)
		if err != nil {
			return usage(err)
		}
		printProblems(cmd.ErrOrStderr(), slices.DeleteFunc(slices.Clone(in.Problems), func(p notation.Problem) bool { return p.Severity != notation.Error }))
		if in.failed() {
			return silent(exitUsage) // what could not be read may be what decides
		}
		watch := startProgress(cmd.ErrOrStderr())
		defer watch.end()
		if err := t.inFiles(newValidation(in), targets, watch); err != nil {
			return err
		}
		watch.end()
		return t.tell(cmd.OutOrStdout(), f)
	}
	return cmd
}

// gatewayFlag adds --gateway to a command and returns what makes a client of it that prints nothing.
func gatewayFlag(cmd *cobra.Command) func() (*client, error) {
	gateway := cmd.Flags().String("gateway", gatewayDefault(), "URL of the gateway's API; or set SLUICE_GATEWAY")
	return func() (*client, error) {
		if err := checkGateway(*gateway); err != nil {
			return nil, err
		}
		return &client{base: strings.TrimSuffix(*gateway, "/"), out: io.Discard}, nil
	}
}

// readPackets reads what --packet says: each a packet, or a pair of them. What is wrong with one is shown at its place.
func readPackets(errOut io.Writer, texts []string) ([]packet.Header, error) {
	if len(texts) == 0 {
		return nil, usage(errors.New("--packet is missing, such as --packet 'udp 198.51.100.7:53 > 203.0.113.9:4444 len 1400'"))
	}
	var out []packet.Header
	for _, text := range texts {
		from := 0
		for _, one := range strings.Split(text, " and ") {
			h, err := packet.ParseHeader(one)
			var at *packet.SyntaxError
			if errors.As(err, &at) {
				p := notation.Problem{Pos: notation.Position{File: "--packet", Line: 1, Column: 1 + len([]rune(text[:from+at.Offset]))}, Code: "packet", Severity: notation.Error,
					Message: at.Reason, Source: text, Length: max(1, len([]rune(one[at.Offset:min(len(one), at.Offset+at.Length)])))}
				if p.Source == "" {
					p.Source = " "
				}
				p.Render(errOut, wantsColor(errOut))
				return nil, silent(exitUsage)
			}
			if err != nil {
				return nil, usage(err)
			}
			out = append(out, h)
			from += len(one) + len(" and ")
		}
	}
	return out, nil
}

// tracing is packets on their way, and what was found. Its exported fields are the JSON form.
type tracing struct {
	Packets []tracedPacket `json:"packets"`
	// Sharing is there for two packets: do they draw from one policer?
	Sharing []shared `json:"sharing"`
	// LeftOut are the route distinguishers of rules of VPNs that were not looked at.
	LeftOut []string `json:"left-out"`

	packets []packet.Header
	options trace.Options
}

// tracedPacket is the way of one packet.
type tracedPacket struct {
	Packet  string         `json:"packet"`
	Rules   trace.Walk     `json:"rules"`
	Devices []trace.Device `json:"devices"`
}

// shared says of the rules, or of a device, whether two packets draw from one policer.
type shared struct {
	Name  string `json:"name"` // "" is what the rules ask
	Share bool   `json:"share"`
}

// inFiles traces the rules of files, on each target.
func (t *tracing) inFiles(v *validation, targets []target, watch *progress) error {
	places := make(map[flowspec.ID]notation.Position, len(v.Rules))
	for i := range v.Rules {
		places[v.Rules[i].Rule.ID] = v.Rules[i].Pos
	}
	t.options.Place = func(id flowspec.ID) notation.Position { return places[id] }
	rules := v.snap.Rules()
	if err := t.vpns(rules); err != nil {
		return err
	}
	for _, h := range t.packets {
		t.Packets = append(t.Packets, tracedPacket{Packet: h.String(), Rules: t.options.Asked(rules, h), Devices: []trace.Device{}})
	}
	for _, to := range targets {
		j, err := v.judge(to, watch)
		if err != nil {
			return failed(err)
		}
		p, err := to.profile.With(to.settings)
		if err != nil {
			return usage(err)
		}
		o := t.options
		o.Lines = j.Filters.Of
		for i, h := range t.packets {
			one := &t.Packets[i]
			d := o.On(trace.Planned{Profile: p, Desired: j.Plan.Desired, Verdicts: j.Verdicts, Measured: to.opt.Measured}, to.spec, rules, &one.Rules, h)
			for _, l := range d.Lost {
				for k := range l.Reasons {
					l.Reasons[k].Message = v.Placed(l.Reasons[k].Message)
				}
			}
			one.Devices = append(one.Devices, d)
		}
	}
	return nil
}

// vpns notes the VPNs that are left out. An --rd that no rule has is an error.
func (t *tracing) vpns(rules []flowspec.Rule) error {
	t.LeftOut = t.options.LeftOut(rules)
	all := trace.Options{}.LeftOut(rules)
	switch rd := t.options.RD; {
	case rd == "" || slices.Contains(all, rd):
		return nil
	case len(all) == 0:
		return usage(fmt.Errorf("--rd %s: no rule is of a VPN", rd))
	default:
		return usage(fmt.Errorf("--rd %s: no rule has that route distinguisher; there are %s", rd, strings.Join(all, ", ")))
	}
}

// onGateway traces the rules in force on a gateway, on its devices.
func (t *tracing) onGateway(ctx context.Context, c *client, devices []string) error {
	for _, h := range t.packets {
		one := tracedPacket{Packet: h.String()}
		for i, name := range devices {
			q := url.Values{"packet": {h.String()}, "listed": {strconv.Itoa(t.options.Listed)}}
			if t.options.RD != "" {
				q.Set("rd", t.options.RD)
			}
			var a api.Trace
			if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(name)+"/trace?"+q.Encode(), nil, &a); err != nil {
				return err
			}
			if i == 0 {
				one.Rules, t.LeftOut = a.Rules, a.LeftOut
			}
			one.Devices = append(one.Devices, a.Device)
		}
		t.Packets = append(t.Packets, one)
	}
	return nil
}

// tell prints what was found and is the exit status.
func (t *tracing) tell(out io.Writer, format string) error {
	differs := t.share()
	for i := range t.Packets {
		for k := range t.Packets[i].Devices {
			differs = differs || !t.Packets[i].Devices[k].Same
		}
	}
	var err error
	if format == "json" {
		err = printJSON(out, t)
	} else {
		err = t.print(out)
	}
	switch {
	case err != nil:
		return failed(err)
	case differs:
		return silent(exitFailed)
	}
	return nil
}

// share compares the policers of two packets, and says whether a device shares one otherwise than the rules ask.
func (t *tracing) share() (differs bool) {
	t.Sharing = []shared{}
	if len(t.Packets) != 2 {
		return false
	}
	a, b := &t.Packets[0], &t.Packets[1]
	asked := common(a.Rules.Policers, b.Rules.Policers)
	t.Sharing = append(t.Sharing, shared{Share: asked})
	for k := range a.Devices {
		does := common(a.Devices[k].Policers, b.Devices[k].Policers)
		t.Sharing = append(t.Sharing, shared{a.Devices[k].Name, does})
		differs = differs || does != asked
	}
	return differs
}

func common(a, b []string) bool {
	return slices.ContainsFunc(a, func(p string) bool { return slices.Contains(b, p) })
}

// place names the rule of a step.
func place(s *trace.Step) string {
	if s.Line == 0 {
		return string(s.ID)
	}
	return report.Place(s.File, s.Line)
}
