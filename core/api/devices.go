package api

import (
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/report"
)

// DeviceReport is how one device carries rules.
type DeviceReport struct {
	Device   string         `json:"device"`
	Profile  string         `json:"profile"`
	Rules    []RuleReport   `json:"rules"`
	Summary  report.Summary `json:"summary" doc:"over all rules of the device, not only those shown"`
	Warnings []plan.Reason  `json:"warnings" doc:"about the device as a whole, such as commands to type there"`
}

// RuleReport is a rule's ID and its verdict.
type RuleReport struct {
	ID string `json:"id"`
	report.Rule
}

type deviceInput struct {
	Name string `path:"name"`
}

type devicesOutput struct {
	Body struct {
		Devices []reconcile.Status `json:"devices"`
	}
}

type statusOutput struct{ Body reconcile.Status }

type planOutput struct{ Body DeviceReport }

func registerDevices(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "list-devices", Method: http.MethodGet, Path: "/v1/devices", Summary: "Devices and their state",
	}, func(context.Context, *struct{}) (*devicesOutput, error) {
		out := &devicesOutput{}
		out.Body.Devices = g.Devices.Status()
		return out, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "get-device", Method: http.MethodGet, Path: "/v1/devices/{name}", Summary: "One device",
	}, func(_ context.Context, in *deviceInput) (*statusOutput, error) {
		for _, s := range g.Devices.Status() {
			if s.Name == in.Name {
				return &statusOutput{s}, nil
			}
		}
		return nil, noDevice(in.Name)
	})
	huma.Register(h, huma.Operation{
		OperationID: "get-device-plan", Method: http.MethodGet, Path: "/v1/devices/{name}/plan", Summary: "The plan of a device: every rule with its verdict",
	}, g.devicePlan)
	huma.Register(h, huma.Operation{
		OperationID: "sync-device", Method: http.MethodPost, Path: "/v1/devices/{name}/sync", DefaultStatus: http.StatusAccepted,
		Summary: "Read the device again and deliver, even where the gateway had stopped: after a refusal, or because our filter was removed",
	}, func(_ context.Context, in *deviceInput) (*struct{}, error) {
		if !g.Devices.Sync(in.Name) {
			return nil, noDevice(in.Name)
		}
		return nil, nil
	})
}

func noDevice(name string) error { return huma.Error404NotFound(fmt.Sprintf("no device %q", name)) }

func (g *Gateway) devicePlan(_ context.Context, in *deviceInput) (*planOutput, error) {
	p := g.Devices.Plan(in.Name)
	if p == nil {
		return nil, noDevice(in.Name)
	}
	rules := g.Rules.Snapshot().Rules()
	return &planOutput{g.deviceReport(in.Name, p, rules, rules)}, nil
}

// deviceReport tells how plan p, made of rules, carries the rules of show.
func (g *Gateway) deviceReport(device string, p *plan.Plan, rules, show []flowspec.Rule) DeviceReport {
	out := DeviceReport{Device: device, Profile: p.Profile, Rules: []RuleReport{}, Warnings: p.Warnings}
	if out.Warnings == nil {
		out.Warnings = []plan.Reason{}
	}
	verdicts := make(map[flowspec.ID]plan.Verdict, len(p.Verdicts))
	for _, v := range p.Verdicts {
		out.Summary.Add(v.Carried)
		verdicts[v.Rule] = v
	}
	text := g.filterText(p)
	for _, r := range show {
		if v, found := verdicts[r.ID]; found {
			out.Rules = append(out.Rules, RuleReport{string(r.ID), report.Of(r, v, notation.Position{}, text)})
		}
	}
	return out
}

// filterText renders the filters of a plan and returns a look-up from the name of an entry to its lines.
func (g *Gateway) filterText(p *plan.Plan) func(string) string {
	lines := map[string]string{}
	prof, err := g.Profiles.Get(p.Profile)
	if err == nil && prof.Filter != nil {
		if d := g.Dialects[prof.Filter.Dialect]; d != nil {
			for _, f := range p.Desired.Filters {
				render(d, f, lines)
			}
		}
	}
	return func(entry string) string {
		if s, ok := lines[entry]; ok {
			return s
		}
		return entry
	}
}

func render(d filter.Dialect, f filter.Filter, lines map[string]string) {
	r, err := d.Render(f)
	if err != nil {
		return // the names of the entries are shown instead; delivery reports the error
	}
	for i, e := range f.Entries {
		lines[e.Name] = r.Entries[i]
	}
}
