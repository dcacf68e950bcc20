package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/store"
)

// EndedRule is a rule that the gateway ended by itself.
type EndedRule struct {
	Rule   Rule      `json:"rule"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

type endedOutput struct {
	Body struct {
		Ended []EndedRule `json:"ended" doc:"oldest first, the last thousand"`
	}
}

func registerEnded(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "list-ended", Method: http.MethodGet, Path: "/v1/ended", Summary: "Rules that the gateway ended by itself, because they matched nothing, and why",
	}, g.ended)
}

func (g *Gateway) ended(context.Context, *struct{}) (*endedOutput, error) {
	list, err := g.Ended()
	if err != nil {
		return nil, huma.Error500InternalServerError("the rules that were ended cannot be read", err)
	}
	out := &endedOutput{}
	out.Body.Ended = []EndedRule{}
	for _, e := range list {
		out.Body.Ended = append(out.Body.Ended, EndedRule{view(e.Rule), e.At, e.Reason})
	}
	return out, nil
}

// endedRule returns the last end of a rule by the gateway.
func (g *Gateway) endedRule(id string) (store.Ended, bool) {
	list, err := g.Ended()
	if err != nil {
		return store.Ended{}, false
	}
	for _, e := range slices.Backward(list) {
		if string(e.Rule.ID) == id {
			return e, true
		}
	}
	return store.Ended{}, false
}
