// Vrp is the adapter plugin for Huawei VRP 8 devices that take filters: the dialect of adapters/vrp on the transport of adapters/netconf.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(netconf.New(vrp.Dialect{}, netconf.Options{})) }
