// Vrpcli is the adapter plugin for Huawei VRP routers that take filters at a terminal, in two-stage mode: the dialect of adapters/vrp, typed by adapters/cli.
// The sluice binary holds it as well, under the name vrp-cli.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(cli.New(vrp.Dialect{}, cli.Options{})) }
