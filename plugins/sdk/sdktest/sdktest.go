// Package sdktest puts an adapter behind the plugin boundary without a process: everything is encoded, sent over gRPC and decoded again, in memory.
// A test that passes on the adapter and fails here has found something that does not cross.
package sdktest

import (
	"context"
	"errors"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// Loopback returns a as a host sees it, in the newest version of the protocol. It is taken down when the test ends.
func Loopback(t testing.TB, a device.Adapter) device.Adapter {
	t.Helper()
	return LoopbackIn(t, a, sdk.Newest())
}

// LoopbackIn is Loopback, in a version of sdk.Versions.
func LoopbackIn(t testing.TB, a device.Adapter, version int) device.Adapter {
	t.Helper()
	listener := bufconn.Listen(1 << 20)
	server := grpc.NewServer(sdk.ServerOptions()...)
	sdk.Register(server, a, version)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	options := append(sdk.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))
	conn, err := grpc.NewClient("passthrough:///plugin", options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = conn.Close()
		server.Stop()
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) { // a test that asked nothing may end before the server has begun
			t.Errorf("the plugin's server: %v", err)
		}
	})
	return sdk.NewClient(conn, version)
}
