// Eos is the adapter plugin for Arista EOS switches that take traffic policies: the dialect of adapters/eos, typed by adapters/cli.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(cli.New(eos.Dialect{}, cli.Options{}).WithCounters()) }
