// Iosxr is the adapter plugin for Cisco IOS XR devices that take access lists: the dialect of adapters/iosxr on the transport of adapters/netconf.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(netconf.New(iosxr.Dialect{}, netconf.Options{}).WithCounters()) }
