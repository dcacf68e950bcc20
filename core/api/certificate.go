package api

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/certificate/issue"
)

// certificateOutput is a certificate as `sluice verify` reads it: its octets, for a checker takes no other spelling.
type certificateOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

func registerCertificate(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "get-device-certificate", Method: http.MethodGet, Path: "/v1/devices/{name}/certificate",
		Summary: "The proof of the plan of a device, for `sluice verify`",
	}, g.deviceCertificate)
}

func (g *Gateway) deviceCertificate(ctx context.Context, in *deviceInput) (*certificateOutput, error) {
	g.Devices.Reach(ctx)
	made, ok := g.Devices.Planned(in.Name)
	if !ok {
		return nil, g.noPlan(in.Name)
	}
	c, err := issue.For(made.Rules, made.Plan, made.Profile, made.Options)
	var b bytes.Buffer
	if err == nil {
		err = certificate.Write(&b, c)
	}
	if err != nil {
		return nil, huma.Error500InternalServerError(fmt.Sprintf("no certificate for %q", in.Name), err)
	}
	return &certificateOutput{"application/json", b.Bytes()}, nil
}
