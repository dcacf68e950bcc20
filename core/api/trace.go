package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/trace"
)

// Trace is what the rules ask for one packet, and what a device does with it. The rules are those that the device's plan was made of.
type Trace struct {
	Packet string       `json:"packet" doc:"as it was understood: fields that were left out have ordinary values"`
	Rules  trace.Walk   `json:"rules"`
	Device trace.Device `json:"device"`
	// LeftOut are the VPNs that were not looked at.
	LeftOut []string `json:"left-out" doc:"route distinguishers of rules of VPNs that were not looked at"`
}

type traceInput struct {
	Name   string `path:"name"`
	Packet string `query:"packet" required:"true" example:"udp 198.51.100.7:53 > 203.0.113.9:4444 len 1400"`
	RD     string `query:"rd" doc:"look at the rules of the VPN with this route distinguisher, instead of those of no VPN"`
	Listed int    `query:"listed" default:"10" minimum:"0" maximum:"1000" doc:"the most rules listed that do not match, and that match and are not reached"`
}

type traceOutput struct{ Body Trace }

func registerTrace(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "trace", Method: http.MethodGet, Path: "/v1/devices/{name}/trace", Summary: "Which rule decides a packet, and what the device does with it by its plan",
	}, g.trace)
}

func (g *Gateway) trace(ctx context.Context, in *traceInput) (*traceOutput, error) {
	h, err := packet.ParseHeader(in.Packet)
	if err != nil {
		return nil, huma.Error400BadRequest("the packet: " + err.Error())
	}
	g.Devices.Reach(ctx)
	made, ok := g.Devices.Planned(in.Name)
	if !ok {
		if _, err := g.devicePlan(ctx, &deviceInput{in.Name}); err != nil { // says what is missing: the device or its plan
			return nil, err
		}
		return nil, huma.Error503ServiceUnavailable("the device has its first plan only now: ask again")
	}
	d := trace.Planned{Profile: made.Profile, Desired: made.Plan.Desired, Verdicts: made.Plan.Verdicts, Measured: made.Options.Measured}
	// Only entries that are shown are rendered: what is listed is little, and filters may be large.
	near := map[flowspec.ID]bool{}
	o := trace.Options{RD: in.RD, Listed: in.Listed}
	device := o.On(d, in.Name, made.Rules, &trace.Walk{}, h)
	for _, s := range device.Stages {
		for _, steps := range [][]trace.Step{s.Met, s.Skipped, s.Unreached} {
			for i := range steps {
				near[steps[i].ID] = true
			}
		}
	}
	o.Lines = g.filterText(made.Plan, func(id flowspec.ID) bool { return near[id] })
	out := &traceOutput{Trace{Packet: h.String(), Rules: o.Asked(made.Rules, h), LeftOut: o.LeftOut(made.Rules)}}
	out.Body.Device = o.On(d, in.Name, made.Rules, &out.Body.Rules, h)
	return out, nil
}
