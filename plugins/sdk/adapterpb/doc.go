// Package adapterpb is the code generated from adapter.proto, the boundary between sluice and an adapter plugin. Authors of plugins in Go
// use package sdk instead; authors in other languages start from adapter.proto.
//
// Generating it needs protoc, protoc-gen-go and protoc-gen-go-grpc; where they are missing the checked-in code stays as it is.
package adapterpb

//go:generate sh -c "command -v protoc && command -v protoc-gen-go && command -v protoc-gen-go-grpc || { echo adapterpb: no protoc and its plugins, nothing generated; exit 0; }; protoc --go_out=. --go_opt=paths=source_relative --go-grpc_out=. --go-grpc_opt=paths=source_relative adapter.proto"
