// Example is a complete adapter plugin for a device that is a directory: its filters stand in one JSON file. Read reads that file
// back, Apply replaces it, Confirm and Cancel end the undo window. Adapter is in adapter.go, what stands in for the device in store.go.
//
// `sluice adapter new NAME` writes a copy of it under a name of your own, with what it takes to build, test and run it.
package main

import "github.com/sluice-gateway/sluice/plugins/sdk"

func main() { sdk.Serve(New()) }
