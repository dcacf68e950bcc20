package sdk

import (
	"google.golang.org/protobuf/proto"

	"github.com/sluice-gateway/sluice/core/device"
)

// StateSize returns how many octets s has as a message.
func StateSize(s device.State) int {
	m, err := encodeState(s)
	if err != nil {
		panic(err)
	}
	return proto.Size(m)
}
