package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/reconcile"
)

// FreezeOrder asks for nothing to be changed any more.
type FreezeOrder struct {
	For    string `json:"for,omitempty" doc:"how long, such as 2h; until it is thawed where it is left out" example:"2h"`
	Reason string `json:"reason,omitempty" maxLength:"400" doc:"shown with the device, in the log, and in the next life of the gateway"`
}

// FreezeAnswer says what is frozen since when.
type FreezeAnswer struct {
	Freeze device.Freeze `json:"freeze"`
	Busy   []string      `json:"busy" doc:"devices where a change was under way; it is ended first"`
}

type freezeInput struct {
	Name string `path:"name"`
	Body FreezeOrder
}

type freezeAllInput struct{ Body FreezeOrder }

type freezeOutput struct{ Body FreezeAnswer }

func registerFreeze(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "freeze-device", Method: http.MethodPut, Path: "/v1/devices/{name}/freeze",
		Summary: "Change nothing on a device, across restarts; what ends there meanwhile is listed as overdue",
	}, func(ctx context.Context, in *freezeInput) (*freezeOutput, error) {
		return g.freeze(ctx, in.Name, in.Body)
	})
	huma.Register(h, huma.Operation{
		OperationID: "thaw-device", Method: http.MethodDelete, Path: "/v1/devices/{name}/freeze", DefaultStatus: http.StatusNoContent,
		Summary: "End the freeze of a device: it gets everything that was held back",
	}, func(_ context.Context, in *deviceInput) (*struct{}, error) { return nil, g.thaw(in.Name) })
	huma.Register(h, huma.Operation{
		OperationID: "freeze", Method: http.MethodPut, Path: "/v1/freeze", Summary: "Change nothing on any device",
	}, func(ctx context.Context, in *freezeAllInput) (*freezeOutput, error) {
		return g.freeze(ctx, "", in.Body)
	})
	huma.Register(h, huma.Operation{
		OperationID: "thaw", Method: http.MethodDelete, Path: "/v1/freeze", DefaultStatus: http.StatusNoContent,
		Summary: "End the freeze of all devices; those that are frozen on their own stay so",
	}, func(context.Context, *struct{}) (*struct{}, error) { return nil, g.thaw("") })
}

func (g *Gateway) freeze(ctx context.Context, name string, in FreezeOrder) (*freezeOutput, error) {
	order := device.Freeze{Since: g.Now().UTC().Truncate(time.Second), Reason: in.Reason}
	if in.For != "" {
		d, err := time.ParseDuration(in.For)
		if err != nil || d < time.Second {
			return nil, huma.Error422UnprocessableEntity(fmt.Sprintf("for: %q is no time of a second or more, such as 2h or 30m", in.For))
		}
		order.Until = order.Since.Add(d)
	}
	busy, err := g.Devices.Freeze(ctx, name, order)
	if err != nil {
		return nil, freezeError(name, err)
	}
	if busy == nil {
		busy = []string{}
	}
	return &freezeOutput{FreezeAnswer{order, busy}}, nil
}

func (g *Gateway) thaw(name string) error {
	if err := g.Devices.Thaw(name); err != nil {
		return freezeError(name, err)
	}
	return nil
}

func freezeError(name string, err error) error {
	switch {
	case errors.Is(err, reconcile.ErrNoDevice):
		return noDevice(name)
	case errors.Is(err, reconcile.ErrNotFrozen) && name == "":
		return huma.Error409Conflict("the devices are not frozen all together")
	case errors.Is(err, reconcile.ErrNotFrozen):
		return huma.Error409Conflict(fmt.Sprintf("device %q is not frozen on its own", name))
	}
	return err
}
