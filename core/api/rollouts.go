package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/reconcile"
)

// StopOrder asks for a roll-out to stop.
type StopOrder struct {
	Reason string `json:"reason,omitempty" maxLength:"400" doc:"shown with the group, in the log, and in the next life of the gateway"`
}

type groupInput struct {
	Name string `path:"name"`
}

type stopInput struct {
	Name string `path:"name"`
	Body StopOrder
}

type rolloutsOutput struct {
	Body struct {
		Rollouts []reconcile.RolloutStatus `json:"rollouts"`
	}
}

func registerRollouts(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "list-rollouts", Method: http.MethodGet, Path: "/v1/rollouts", Summary: "Groups of devices, and how far what is new has come in each",
	}, func(context.Context, *struct{}) (*rolloutsOutput, error) {
		out := &rolloutsOutput{}
		out.Body.Rollouts = g.Devices.Rollouts()
		return out, nil
	})
	huma.Register(h, huma.Operation{
		OperationID: "stop-rollout", Method: http.MethodPut, Path: "/v1/rollouts/{name}/stop", DefaultStatus: http.StatusNoContent,
		Summary: "Keep what is new from the devices of a group that do not have it yet, canaries aside; across restarts",
	}, func(_ context.Context, in *stopInput) (*struct{}, error) {
		return nil, rolloutError(in.Name, g.Devices.StopRollout(in.Name, in.Body.Reason))
	})
	huma.Register(h, huma.Operation{
		OperationID: "resume-rollout", Method: http.MethodDelete, Path: "/v1/rollouts/{name}/stop", DefaultStatus: http.StatusNoContent,
		Summary: "Have a stopped roll-out go on: the canaries are watched anew",
	}, func(_ context.Context, in *groupInput) (*struct{}, error) {
		return nil, rolloutError(in.Name, g.Devices.ResumeRollout(in.Name))
	})
	huma.Register(h, huma.Operation{
		OperationID: "release-rollout", Method: http.MethodPost, Path: "/v1/rollouts/{name}/release", DefaultStatus: http.StatusAccepted,
		Summary: "Give all devices of a group what is in force, at once, whatever its canaries make of it",
	}, func(_ context.Context, in *groupInput) (*struct{}, error) {
		return nil, rolloutError(in.Name, g.Devices.ReleaseRollout(in.Name))
	})
}

func rolloutError(name string, err error) error {
	switch {
	case errors.Is(err, reconcile.ErrNoGroup):
		return huma.Error404NotFound(fmt.Sprintf("no group %q", name))
	case errors.Is(err, reconcile.ErrNotStopped):
		return huma.Error409Conflict(fmt.Sprintf("the roll-out to group %q is not stopped", name))
	}
	return err
}
