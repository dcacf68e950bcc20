// Package adapterpb is the code generated from adapter.proto, the boundary between sluice and an adapter plugin. Authors of plugins in Go
// use package sdk instead; authors in other languages start from adapter.proto.
package adapterpb

//go:generate protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative adapter.proto
