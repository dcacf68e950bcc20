package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/device"
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
	Sends    []string       `json:"sends,omitempty" doc:"with which communities, and in which VRFs, its routes leave"`
	Notes    []string       `json:"notes,omitempty" doc:"about the delivery, such as that routes had to be withdrawn before others were announced"`
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

// DeviceStatus is what is known of one device, with its rules counted by how far they have come.
type DeviceStatus struct {
	reconcile.Status
	Receipts map[reconcile.ReceiptState]int `json:"receipts" doc:"rules by state"`
	Sent     int                            `json:"sent" doc:"rules that its BGP session was sent, those among them that are about to go"`
	Held     int                            `json:"held" doc:"rules that were read back from it, those among them that are about to go"`
}

type statusOutput struct{ Body DeviceStatus }

type historyOutput struct {
	Body struct {
		Attempts []device.Attempt `json:"attempts" doc:"oldest first, a hundred at most"`
	}
}

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
				tally, err := g.Devices.Tally(in.Name)
				if err != nil {
					return nil, err
				}
				sent, held, err := g.Devices.Given(in.Name)
				return &statusOutput{DeviceStatus{s, tally, sent, held}}, err
			}
		}
		return nil, noDevice(in.Name)
	})
	huma.Register(h, huma.Operation{
		OperationID: "get-device-history", Method: http.MethodGet, Path: "/v1/devices/{name}/history", Summary: "What was tried at a device, and how it ended",
	}, func(_ context.Context, in *deviceInput) (*historyOutput, error) {
		list, err := g.Devices.History(in.Name)
		if err != nil {
			return nil, noDevice(in.Name)
		}
		out := &historyOutput{}
		out.Body.Attempts = append([]device.Attempt{}, list...)
		return out, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "get-device-plan", Method: http.MethodGet, Path: "/v1/devices/{name}/plan", Summary: "The plan of a device: every rule with its verdict",
	}, g.devicePlan)
	huma.Register(h, huma.Operation{
		OperationID: "get-device-native", Method: http.MethodGet, Path: "/v1/devices/{name}/native", Summary: "The routes that the BGP session of a device was sent, as they left",
	}, g.native)
	huma.Register(h, huma.Operation{
		OperationID: "sync-device", Method: http.MethodPost, Path: "/v1/devices/{name}/sync", DefaultStatus: http.StatusAccepted,
		Summary: "Read the device again and deliver, even where the gateway had stopped: after a refusal, or because our filter was removed",
	}, func(_ context.Context, in *deviceInput) (*struct{}, error) { return nil, g.sync(in.Name) })
}

func (g *Gateway) sync(device string) error {
	for _, s := range g.Devices.Status() {
		if s.Name == device && s.Freeze != nil {
			return huma.Error409Conflict(fmt.Sprintf("device %q is frozen by order: nothing is changed there until it is thawed", device))
		}
	}
	if !g.Devices.Sync(device) {
		return noDevice(device)
	}
	return nil
}

// SentRoute is a route as it left in an UPDATE.
type SentRoute struct {
	Rule string `json:"rule" doc:"ExaBGP's one-line form, with the communities"`
	Hex  string `json:"hex" doc:"the hex notation: NLRI, extended communities, c= and lc="`
}

type nativeOutput struct {
	Body struct {
		Session string      `json:"session" doc:"of BGP"`
		Routes  []SentRoute `json:"routes" doc:"the Adj-RIB-Out, in the order of evaluation (RFC 8955 §5.1); none while the session is down"`
	}
}

// native tells what the BGP session of a device was sent.
func (g *Gateway) native(_ context.Context, in *deviceInput) (*nativeOutput, error) {
	routes, err := g.Devices.Sent(in.Name)
	if err != nil {
		return nil, noDevice(in.Name)
	}
	out := &nativeOutput{}
	out.Body.Routes = make([]SentRoute, 0, len(routes))
	for _, r := range routes {
		rule := flowspec.Rule{Match: r.Match, Action: r.Action, Communities: r.Communities, LargeCommunities: r.LargeCommunities, Others: r.Others}
		out.Body.Routes = append(out.Body.Routes, SentRoute{notation.Text(rule), notation.Hex(rule)})
	}
	for _, s := range g.Devices.Status() {
		if s.Name == in.Name {
			out.Body.Session = s.Session
		}
	}
	return out, nil
}

func noDevice(name string) error { return huma.Error404NotFound(fmt.Sprintf("no device %q", name)) }

// noPlan says why there is no plan of a device.
func (g *Gateway) noPlan(device string) error {
	if slices.ContainsFunc(g.Devices.Status(), func(s reconcile.Status) bool { return s.Name == device }) {
		return huma.Error503ServiceUnavailable(fmt.Sprintf("device %q has no plan yet", device))
	}
	return noDevice(device)
}

func (g *Gateway) devicePlan(ctx context.Context, in *deviceInput) (*planOutput, error) {
	g.Devices.Reach(ctx)
	p := g.Devices.Plan(in.Name)
	if p == nil {
		return nil, g.noPlan(in.Name)
	}
	rules := g.Rules.Snapshot().Rules()
	out := g.deviceReport(in.Name, p, rules)
	for _, s := range g.Devices.Status() {
		if s.Name == in.Name {
			out.Notes, out.Sends = s.Notes, s.Sends
		}
	}
	return &planOutput{out}, nil
}

// deviceReport tells how plan p carries the rules of show.
func (g *Gateway) deviceReport(device string, p *plan.Plan, show []flowspec.Rule) DeviceReport {
	out := DeviceReport{Device: device, Profile: p.Profile, Rules: []RuleReport{}, Warnings: p.Warnings}
	if out.Warnings == nil {
		out.Warnings = []plan.Reason{}
	}
	asked := make(map[flowspec.ID]*plan.Verdict, len(show))
	for _, r := range show {
		asked[r.ID] = nil
	}
	for _, v := range p.Verdicts {
		out.Summary.Add(v.Carried)
		if _, is := asked[v.Rule]; is {
			asked[v.Rule] = v
		}
	}
	text := g.filterText(p, func(id flowspec.ID) bool { return asked[id] != nil })
	for _, r := range show {
		if v := asked[r.ID]; v != nil {
			out.Rules = append(out.Rules, RuleReport{string(r.ID), report.Of(r, *v, notation.Position{}, text)})
		}
	}
	return out
}

// filterText renders the entries of a plan that belong to shown rules and returns a look-up from the name of an entry to its lines.
func (g *Gateway) filterText(p *plan.Plan, shown func(flowspec.ID) bool) func(string) string {
	lines := map[string]string{}
	if prof, err := g.Profiles.Get(p.Profile); err == nil {
		if d := filter.ForDevice(g.dialect(prof), p.Instances); d != nil {
			for _, f := range p.Desired.Filters {
				render(d, only(f, shown), lines)
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

// only returns the part of a filter that belongs to shown rules: its entries, and the policers that they name.
func only(f filter.Filter, shown func(flowspec.ID) bool) filter.Filter {
	part := f
	part.Entries, part.Policers = nil, nil
	used := map[string]bool{}
	for _, e := range f.Entries {
		if shown(e.Rule) {
			part.Entries = append(part.Entries, e)
			used[e.Do.Policer] = true
		}
	}
	for _, l := range f.Policers {
		if used[l.Name] {
			part.Policers = append(part.Policers, l)
		}
	}
	return part
}

func render(d filter.Dialect, f filter.Filter, lines map[string]string) {
	if len(f.Entries) == 0 {
		return
	}
	r, err := d.Render(f)
	if err != nil {
		return // the names of the entries are shown instead; delivery reports the error
	}
	for i, e := range f.Entries {
		lines[e.Name] = r.Entries[i]
	}
}
