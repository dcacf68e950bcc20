// Iosxepolicy is the adapter plugin for Cisco IOS XE devices that take QoS policies: the dialect of adapters/iosxepolicy on the transport of adapters/netconf.
// The sluice binary holds it as well, under the name iosxe-policy.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/iosxepolicy"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(netconf.New(iosxepolicy.Dialect{}, netconf.Options{})) }
