// Nftables is the adapter plugin for the packet filter of Linux, of the host that it runs on or of one behind SSH: the dialect of adapters/nftables, delivered by adapters/nft.
// The sluice binary holds it as well, under the same name.
package main

import (
	"github.com/sluice-gateway/sluice/adapters/nft"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func main() { sdk.Serve(nft.New(nftables.Dialect{}, nft.Options{})) }
