package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/review"
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
		Table    report.Table     `json:"table" doc:"the rules as a table, whatever the platform: those that do nothing"`
		Errors   []report.Problem `json:"errors"`
	}
}

func registerValidate(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "validate", Method: http.MethodPost, Path: "/v1/validate", MaxBodyBytes: maxBody, Summary: "Pre-flight: what `sluice validate --format json` prints",
	}, g.validate)
}

// validate judges the rules of the request alone, not together with those in force: that is what dry_run is for.
func (g *Gateway) validate(_ context.Context, input *validateInput) (*validateOutput, error) {
	read := notation.Read("request", []byte(input.Body.Text), notation.Options{Format: notation.Format(input.Body.Format), Compat: g.Compat, Now: g.Now()})
	in := report.Play(read.Items, read.Problems)
	snap, index := in.Snapshot()
	ix := review.NewIndex(snap.Rules())
	var deck plan.Deck
	out := &validateOutput{}
	out.Body.Table = in.Table(ix, index)
	out.Body.Profiles, out.Body.Errors = []report.Profile{}, report.Problems(in.Loose)
	for _, spec := range input.Body.Profiles {
		prof, settings, err := g.Profiles.Select(spec)
		if err != nil {
			return nil, huma.Error422UnprocessableEntity(err.Error())
		}
		judged, err := report.Judge(&deck, snap, index, prof, plan.Options{Settings: settings}, g.dialect(prof))
		if err != nil {
			return nil, huma.Error500InternalServerError("the rules could not be planned", err)
		}
		out.Body.Profiles = append(out.Body.Profiles, judged.Profile(prof.Name, in, judged.OnDevice(in, ix, index, prof)))
	}
	return out, nil
}

// dialect returns the language of p's filters, nil where there is none here.
func (g *Gateway) dialect(p *profile.Profile) filter.Dialect {
	if p.Filter == nil {
		return nil
	}
	return g.Dialects[p.Filter.Dialect]
}
