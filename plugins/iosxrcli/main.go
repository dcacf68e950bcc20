// Iosxrcli is the adapter plugin for Cisco IOS XR routers that take access lists at a terminal: the dialect of adapters/iosxr, typed by adapters/cli.
// The sluice binary holds it as well, under the name iosxr-cli.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(cli.New(iosxr.Dialect{}, cli.Options{}).WithCounters()) }
