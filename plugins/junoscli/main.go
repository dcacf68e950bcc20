// Junoscli is the adapter plugin for Junos routers that take filters at a terminal: the dialect of adapters/junos, typed by adapters/cli.
// The sluice binary holds it as well, under the name junos-cli.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(cli.New(junos.Dialect{}, cli.Options{}).WithCounters()) }
