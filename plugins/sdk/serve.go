package sdk

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/sluice-gateway/sluice/core/device"
)

// The cookie is no security, only a help: a person who starts a plugin by hand is told what it is. Checksums and mutual TLS are the security.
const (
	cookieKey   = "SLUICE_PLUGIN"
	cookieValue = "a5e2f0c4-adapter"
)

// Handshake is what host and plugin must agree on before anything else.
var Handshake = plugin.HandshakeConfig{MagicCookieKey: cookieKey, MagicCookieValue: cookieValue}

// Lifeline is the environment variable that says that standard input is a pipe which the host holds open while it lives.
const Lifeline = "SLUICE_LIFELINE"

// PluginName is the name under which go-plugin dispenses the adapter.
const PluginName = "adapter"

// Plugins returns what a host or a plugin offers in each of the versions of the protocol. A host passes nil for a.
func Plugins(a device.Adapter, versions []int) map[int]plugin.PluginSet {
	out := map[int]plugin.PluginSet{}
	for _, v := range versions {
		out[v] = plugin.PluginSet{PluginName: &boundary{adapter: a, version: v}}
	}
	return out
}

// boundary is the adapter as go-plugin knows it.
type boundary struct {
	plugin.NetRPCUnsupportedPlugin
	adapter device.Adapter
	version int
}

func (b *boundary) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	Register(s, b.adapter, b.version)
	return nil
}

func (b *boundary) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return NewClient(conn, b.version), nil
}

// Serve answers sluice's calls with a until sluice ends the process. It is all that the main of a plugin does, and it does not return. Run by
// hand, it says what it is and exits with status 1. Adapters that are an io.Closer are closed when the host takes leave.
func Serve(a device.Adapter) {
	logToHost()
	if os.Getenv(cookieKey) == cookieValue {
		if err := common(os.Getenv(offers)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if os.Getenv(Lifeline) != "" {
			go endWithHost(os.Stdin)
		}
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  Handshake,
		VersionedPlugins: Plugins(a, Versions),
		GRPCServer:       func(o []grpc.ServerOption) *grpc.Server { return grpc.NewServer(append(o, ServerOptions()...)...) },
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr, JSONFormat: true}),
	})
	if c, ok := a.(io.Closer); ok {
		_ = c.Close()
	}
	os.Exit(0)
}

// logToHost makes slog's default logger write where the host reads: standard error as it is before go-plugin takes it over.
var logToHost = sync.OnceFunc(func() { slog.SetDefault(slog.New(NewLogHandler(os.Stderr, slog.LevelDebug))) })

// ServeNamed serves one of several adapters that a program holds, by name: how the sluice binary runs the plugins it ships. The error says which
// names there are.
func ServeNamed(name string, shipped map[string]func() device.Adapter) error {
	build, ok := shipped[name]
	if !ok {
		return fmt.Errorf("no plugin %q is built in; there are: %s", name, strings.Join(slices.Sorted(maps.Keys(shipped)), ", "))
	}
	logToHost()
	Serve(build())
	return nil
}

// endWithHost ends the process when the host is gone, even when it was killed and could not say so. In the ordinary farewell the process ends
// first and the pipe after it.
func endWithHost(stdin io.Reader) {
	_, _ = io.Copy(io.Discard, stdin)
	os.Exit(2)
}
