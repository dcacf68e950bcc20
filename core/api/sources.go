package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Source is what is known of one source of rules.
type Source struct {
	Name      string `json:"name"`
	Kind      string `json:"kind" enum:"bgp,file,pipe,api" doc:"how its rules come; none where it is no longer configured"`
	Session   string `json:"session,omitempty" doc:"how its BGP session is"`
	Rules     int    `json:"rules"`
	InForce   int    `json:"in-force" doc:"of them, those that no other source's rule of the same NLRI stands in front of"`
	Stale     int    `json:"stale" doc:"of them, those that it has yet to repeat"`
	Withdrawn int    `json:"withdrawn" doc:"of them, those that it withdrew, too many at once to be believed; they are in force until somebody accepts that, or their time is over"`
	// Infeasible rules are not among Rules.
	Infeasible int `json:"infeasible" doc:"rules that it says and that unicast routes speak against (RFC 8955 section 6); they are not among the others"`
	// Until is when what was withdrawn goes by itself.
	Until *time.Time `json:"until,omitempty" doc:"when what was withdrawn goes by itself"`
}

// KeepOrder asks for withdrawn rules to be kept.
type KeepOrder struct {
	For string `json:"for" doc:"how long from now, such as 2h" example:"2h"`
}

type sourcesOutput struct {
	Body struct {
		Sources []Source `json:"sources"`
	}
}

type sourceInput struct {
	Name string `path:"name"`
}

type keepInput struct {
	Name string `path:"name"`
	Body KeepOrder
}

func registerSources(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "list-sources", Method: http.MethodGet, Path: "/v1/sources", Summary: "Sources of rules, and how many they have",
	}, func(context.Context, *struct{}) (*sourcesOutput, error) {
		out := &sourcesOutput{}
		out.Body.Sources = g.Sources()
		return out, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "accept-withdrawal", Method: http.MethodPost, Path: "/v1/sources/{name}/accept", DefaultStatus: http.StatusNoContent,
		Summary: "Believe a source that withdrew too many rules at once: they go",
	}, func(ctx context.Context, in *sourceInput) (*struct{}, error) {
		return nil, g.aboutWithdrawal(ctx, in.Name, rib.Event{Kind: rib.Accept})
	})
	huma.Register(h, huma.Operation{
		OperationID: "keep-withdrawn", Method: http.MethodPost, Path: "/v1/sources/{name}/keep", DefaultStatus: http.StatusNoContent,
		Summary: "Keep what a source withdrew, too many rules at once, for a time from now on",
	}, func(ctx context.Context, in *keepInput) (*struct{}, error) {
		d, err := time.ParseDuration(in.Body.For)
		if err != nil || d < time.Second {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("for: %q is no time of a second or more, such as 2h or 30m", in.Body.For))
		}
		return nil, g.aboutWithdrawal(ctx, in.Name, rib.Event{Kind: rib.Keep, Hold: d})
	})
}

// aboutWithdrawal hands in what a person says about a withdrawal.
func (g *Gateway) aboutWithdrawal(ctx context.Context, source string, e rib.Event) error {
	known := false
	for _, s := range g.Sources() {
		known = known || s.Name == source
	}
	if !known {
		return huma.Error404NotFound(fmt.Sprintf("no source %q", source))
	}
	e.Source = flowspec.Source(source)
	err := g.send(ctx, e)
	if errors.Is(err, rib.ErrNothingWithdrawn) {
		return huma.Error409Conflict(fmt.Sprintf("source %q: %v", source, err))
	}
	return err
}
