// Eosacl is the adapter plugin for Arista EOS switches that take access lists: the dialect of adapters/eosacl, typed by adapters/cli.
// The sluice binary holds it as well, under the name eos-acl.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(cli.New(eosacl.Dialect{}, cli.Options{}).WithCounters()) }
