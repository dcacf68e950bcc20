// Junos is the adapter plugin for Junos devices that take firewall filters: the dialect of adapters/junos on the transport of adapters/netconf.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(netconf.New(junos.Dialect{}, netconf.Options{}).WithCounters()) }
