// Example is a complete adapter plugin, to be copied: its "device" is a directory. The filters of a device stand in one JSON file; Read reads that file
// back, Apply replaces it, Confirm and Cancel end the undo window. Adapter is in adapter.go, what stands in for the device in store.go.
//
// Build it, name the file and its checksum in the configuration, and give a device the option `directory`:
//
//	go build -o /usr/local/lib/sluice/example ./plugins/example
//	sha256sum /usr/local/lib/sluice/example
package main

import "github.com/sluice-gateway/sluice/plugins/sdk"

func main() { sdk.Serve(New()) }
