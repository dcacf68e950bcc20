// Openconfig is the adapter plugin for devices that take access lists of openconfig-acl over gNMI: the dialect of adapters/openconfig, delivered by adapters/gnmi.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/gnmi"
	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(gnmi.New(openconfig.Dialect{}, gnmi.Options{})) }
