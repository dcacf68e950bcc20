package api

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

type healthOutput struct {
	Body struct {
		Status string `json:"status" example:"ok"`
	}
}

func registerHealth(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "health", Method: http.MethodGet, Path: "/healthz", Summary: "Is the process alive",
	}, func(context.Context, *struct{}) (*healthOutput, error) { return ok(), nil })
	huma.Register(h, huma.Operation{
		OperationID: "ready", Method: http.MethodGet, Path: "/readyz",
		Summary: "Are the stored rules loaded and plans made; 503 with the reason while they are not",
	}, func(context.Context, *struct{}) (*healthOutput, error) {
		if err := g.Ready(); err != nil {
			return nil, huma.Error503ServiceUnavailable(err.Error())
		}
		return ok(), nil
	})
}

func ok() *healthOutput {
	out := &healthOutput{}
	out.Body.Status = "ok"
	return out
}
