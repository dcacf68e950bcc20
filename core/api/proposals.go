package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// Form is how a plan carries a rule.
type Form struct {
	Carried string   `json:"carried" enum:"native,rewritten,filter,rejected"`
	Routes  []string `json:"routes" doc:"ExaBGP's one-line form"`
	Entries int      `json:"entries" doc:"of a filter"`
}

// Proposal is a rule that this version would have a device be given otherwise than the earlier one.
type Proposal struct {
	ID   string `json:"id"`
	Rule string `json:"rule" doc:"ExaBGP's one-line form"`
	Was  Form   `json:"was" doc:"what the device has of the earlier version"`
	Is   Form   `json:"is" doc:"what this version proposes"`
}

type proposalsOutput struct {
	Body struct {
		Proposals []Proposal `json:"proposals" doc:"in the order of evaluation (RFC 8955 §5.1); none where the plans of this version are adopted"`
	}
}

func registerProposals(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "get-device-proposals", Method: http.MethodGet, Path: "/v1/devices/{name}/proposals",
		Summary: "What this version of the program, of a profile or of the configuration would change of what the device has, where the rules did not",
	}, g.proposals)
	huma.Register(h, huma.Operation{
		OperationID: "adopt-device", Method: http.MethodPost, Path: "/v1/devices/{name}/adopt", DefaultStatus: http.StatusAccepted,
		Summary: "Give a device the plans of this version",
	}, func(_ context.Context, in *deviceInput) (*struct{}, error) { return nil, g.adopt(in.Name) })
	huma.Register(h, huma.Operation{
		OperationID: "adopt", Method: http.MethodPost, Path: "/v1/adopt", DefaultStatus: http.StatusAccepted,
		Summary: "Give all devices the plans of this version",
	}, func(context.Context, *struct{}) (*struct{}, error) { return nil, g.adopt("") })
}

func (g *Gateway) proposals(ctx context.Context, in *deviceInput) (*proposalsOutput, error) {
	g.Devices.Reach(ctx)
	list, err := g.Devices.Proposals(in.Name)
	if err != nil {
		return nil, noDevice(in.Name)
	}
	out := &proposalsOutput{}
	out.Body.Proposals = []Proposal{}
	for _, p := range list {
		text := strings.TrimSpace(notation.Text(p.Rule))
		out.Body.Proposals = append(out.Body.Proposals, Proposal{string(p.Rule.ID), text, formView(p.Rule, p.Was), formView(p.Rule, p.Is)})
	}
	return out, nil
}

func formView(r flowspec.Rule, f device.Form) Form {
	out := Form{Carried: f.Carried, Routes: []string{}, Entries: f.Entries}
	for _, route := range f.RoutesOf(r) {
		text := notation.Text(flowspec.Rule{Match: route.Match, Action: route.Action, Communities: route.Communities, LargeCommunities: route.LargeCommunities, Others: route.Others})
		out.Routes = append(out.Routes, strings.TrimSpace(text))
	}
	return out
}

func (g *Gateway) adopt(name string) error {
	err := g.Devices.Adopt(name)
	switch {
	case errors.Is(err, reconcile.ErrNoDevice):
		return noDevice(name)
	case errors.Is(err, reconcile.ErrNotProposed) && name == "":
		return huma.Error409Conflict("nothing is proposed for any device")
	case errors.Is(err, reconcile.ErrNotProposed):
		return huma.Error409Conflict(fmt.Sprintf("nothing is proposed for device %q", name))
	}
	return err
}
