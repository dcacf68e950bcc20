package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Adapter is what is known of an adapter's process.
type Adapter struct {
	Name      string     `json:"name"`
	State     string     `json:"state" enum:"starting,running,down,stopped,ended" doc:"down: it is started again after a pause; stopped: it died again and again, and is left alone until somebody starts it or next has come"`
	PID       int        `json:"pid,omitempty" doc:"of its process"`
	SHA256    string     `json:"sha256" doc:"checksum of its file; unlocked: nobody looks at it"`
	Version   int        `json:"version,omitempty" doc:"of the plugin protocol, as both sides agreed; of a process that is gone, the last"`
	Since     time.Time  `json:"since" doc:"of state"`
	Restarts  int        `json:"restarts" doc:"since the gateway began"`
	Next      *time.Time `json:"next,omitempty" doc:"when it is started again"`
	LastError string     `json:"last_error,omitempty" doc:"why it was down last, with its last words"`
}

// Adapters are the processes of adapters.
type Adapters interface {
	Adapters() []Adapter
	// Start starts one that is down or stopped. The error says that there is none of that name, or that it runs.
	Start(name string) error
}

func registerAdapters(h huma.API, g *Gateway) {
	type list struct {
		Body struct {
			Adapters []Adapter `json:"adapters"`
		}
	}
	huma.Register(h, huma.Operation{
		OperationID: "list-adapters", Method: http.MethodGet, Path: "/v1/adapters", Summary: "Adapters, and the state of their processes",
	}, func(context.Context, *struct{}) (*list, error) {
		var out list
		out.Body.Adapters = []Adapter{}
		if g.Adapters != nil {
			out.Body.Adapters = append(out.Body.Adapters, g.Adapters.Adapters()...)
		}
		return &out, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "start-adapter", Method: http.MethodPost, Path: "/v1/adapters/{name}/start", Summary: "Start an adapter that is down or was stopped", DefaultStatus: http.StatusAccepted,
	}, func(_ context.Context, in *struct {
		Name string `path:"name"`
	}) (*struct{}, error) {
		if g.Adapters == nil {
			return nil, huma.Error404NotFound("this gateway has no adapters")
		}
		if err := g.Adapters.Start(in.Name); err != nil {
			return nil, huma.Error409Conflict(err.Error())
		}
		return nil, nil
	})
}
