package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/rib"
)

type validateInput struct {
	Body struct {
		Text     string   `json:"text" doc:"rules in any notation"`
		Format   string   `json:"format,omitempty" enum:"exabgp,yaml,json,hex" doc:"the notation; detected where it is left out"`
		Profiles []string `json:"profiles" minItems:"1" example:"[\"asr9k\"]" doc:"as on the command line: NAME or NAME:option=value"`
	}
}

type validateOutput struct {
	Body struct {
		Profiles []report.Profile `json:"profiles"`
		Errors   []report.Problem `json:"errors"`
	}
}

func registerValidate(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "validate", Method: http.MethodPost, Path: "/v1/validate", MaxBodyBytes: maxBody, Summary: "Pre-flight: what `sluice validate --format json` prints",
	}, g.validate)
}

// validate judges the rules of the request alone, not together with those in force: that is what dry_run is for.
func (g *Gateway) validate(_ context.Context, in *validateInput) (*validateOutput, error) {
	read := notation.Read("request", []byte(in.Body.Text), notation.Options{Format: notation.Format(in.Body.Format), Compat: g.Compat, Now: g.Now()})
	standing := report.Standing(read.Items)
	out := &validateOutput{}
	out.Body.Errors = report.Problems(read.Problems)
	for _, spec := range in.Body.Profiles {
		prof, settings, err := g.Profiles.Select(spec)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		var rules []flowspec.Rule
		for _, item := range standing {
			rules = append(rules, item.Rule)
		}
		p, err := plan.Make(rib.Of(rules), prof, plan.Options{Settings: settings})
		if err != nil {
			return nil, huma.Error500InternalServerError("the rules could not be planned", err)
		}
		out.Body.Profiles = append(out.Body.Profiles, report.Make(prof.Name, standing, p, g.filterText(p, func(flowspec.ID) bool { return true })))
	}
	return out, nil
}
