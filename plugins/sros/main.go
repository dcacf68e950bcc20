// Sros is the adapter plugin for Nokia SR OS devices that take filters: the dialect of adapters/sros on the transport of adapters/netconf.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(netconf.New(sros.Dialect{}, netconf.Options{}).WithCounters()) }
