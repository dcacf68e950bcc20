// Sroscli is the adapter plugin for Nokia SR OS routers that take filters at a terminal, in the MD-CLI: the dialect of adapters/sros, typed by adapters/cli.
// The sluice binary holds it as well, under the name sros-cli.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(cli.New(sros.Dialect{}, cli.Options{})) }
