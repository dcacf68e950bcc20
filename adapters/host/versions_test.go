package host_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
	"github.com/sluice-gateway/sluice/plugins/sdk"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// first is a plugin of version 1 alone, on go-plugin as it is and with the one answer to each call that version 1 has.
type first struct{ plugin.NetRPCUnsupportedPlugin }

func serveFirst() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  sdk.Handshake,
		VersionedPlugins: map[int]plugin.PluginSet{1: {sdk.PluginName: &first{}}},
		GRPCServer:       plugin.DefaultGRPCServer,
	})
	os.Exit(0)
}

func (*first) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	panic("a plugin has no client")
}

func (*first) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "sluice.adapter.v1.Adapter", HandlerType: (*any)(nil), Methods: []grpc.MethodDesc{
		unary("Info", func(*pb.InfoRequest) *pb.InfoReply {
			return &pb.InfoReply{Name: "first", Version: "1", Versions: []uint32{1}}
		}),
		unary("Read", func(r *pb.ReadRequest) *pb.ReadReply {
			return &pb.ReadReply{State: &pb.State{Attached: map[string]*pb.Interfaces{"on": {Names: []string{r.Target.Name}}}}}
		}),
		unary("Apply", func(r *pb.ApplyRequest) *pb.ApplyReply {
			return &pb.ApplyReply{Commit: &pb.Commit{Token: "t", DeadlineUnixNanoseconds: r.UndoNanoseconds}}
		}),
		unary("Confirm", func(*pb.ConfirmRequest) *pb.ConfirmReply { return &pb.ConfirmReply{} }),
	}}, struct{}{})
	return nil
}

func unary[Q, R any](name string, answer func(*Q) *R) grpc.MethodDesc {
	return grpc.MethodDesc{MethodName: name, Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		q := new(Q)
		if err := decode(q); err != nil {
			return nil, err
		}
		return answer(q), nil
	}}
}

// heard keeps what a call reports.
type heard struct {
	mu  sync.Mutex
	all []device.Progress
}

func (h *heard) hear(p device.Progress) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, p)
}

func (h *heard) stages() []device.Stage {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []device.Stage
	for _, p := range h.all {
		out = append(out, p.Stage)
	}
	return out
}

// Every plugin runs under every host, in the newest version that both speak. What belongs to version 2 crosses in version 2 and not otherwise.
func TestVersionIsNegotiated(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plugin  host.Plugin
		offered []int // nil: all
		agreed  int
	}{
		"new plugin, new host":        {host.Plugin{Name: "probe"}, nil, 2},
		"new plugin, old host":        {host.Plugin{Name: "probe"}, []int{1}, 1},
		"old plugin, new host":        {host.Plugin{Name: "first"}, nil, 1},
		"old plugin, old host":        {host.Plugin{Name: "first"}, []int{1}, 1},
		"new Python plugin, new host": {python(t, "../../plugins/example-python"), nil, 2},
		"new Python plugin, old host": {python(t, "../../plugins/example-python"), []int{1}, 1},
		"old Python plugin, new host": {python(t, "testdata/version1"), nil, 1},
		"old Python plugin, old host": {python(t, "testdata/version1"), []int{1}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.plugin.Name == "python" {
				rig.Python(t)
			}
			c.plugin.Versions = c.offered
			h, log := run(t, host.Options{}, c.plugin)
			a := adapter(t, h, c.plugin.Name)
			ctx := within(t, time.Minute)
			i, err := a.Info(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if got := h.Status()[0].Version; got != c.agreed {
				t.Errorf("agreed on version %d, want %d", got, c.agreed)
			}
			if want := fmt.Sprintf("protocol=%d", c.agreed); !strings.Contains(log.String(), want) {
				t.Errorf("the log lacks %s:\n%s", want, log)
			}
			if declared := i.Late != nil; declared != (c.agreed == 2) {
				t.Errorf("in version %d the plugin declares how late its devices may be: %v", c.agreed, declared)
			}
			var told heard
			target := device.Target{Name: "r1", Options: map[string]string{"directory": t.TempDir()}}
			if _, err := a.Read(device.WithReporter(ctx, told.hear), target); err != nil {
				t.Fatal(err)
			}
			if got := slices.Contains(told.stages(), device.Reading); got != (c.agreed == 2) {
				t.Errorf("in version %d the read tells %v", c.agreed, told.stages())
			}
			if c.plugin.Name == "probe" {
				return // it has no more
			}
			com, err := a.Apply(device.WithReporter(ctx, told.hear), target, device.Change{}, time.Minute)
			if err != nil || com.Token == "" {
				t.Fatalf("apply: %+v, %v", com, err)
			}
			if got := slices.Contains(told.stages(), device.Committing); got != (c.agreed == 2) {
				t.Errorf("in version %d read and apply tell %v", c.agreed, told.stages())
			}
			if err := a.Confirm(ctx, target, com); err != nil {
				t.Error(err)
			}
			if i.Name == "example-python" {
				_, err := a.Read(ctx, device.Target{Name: "a/b"})
				if err == nil || !strings.Contains(err.Error(), "ValueError at adapter.py") || isTransient(err) {
					t.Errorf("an error in a call: %v", err)
				}
				_, err = a.Apply(ctx, target, device.Change{}, time.Minute)
				if err == nil {
					_, err = a.Apply(ctx, target, device.Change{}, time.Minute)
				}
				if !isTransient(err) || !strings.Contains(err.Error(), "waits for its confirmation") {
					t.Errorf("an error with a kind: %v", err)
				}
			}
		})
	}
}

// A plugin without a version in common is not run, and the error says which each side has.
func TestVersionsThatAreUnknown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		plugin  host.Plugin
		offered []int
		words   string
	}{
		"a plugin of a later version": {host.Plugin{Name: "future"}, nil, "it speaks version 3 of the plugin protocol, and was offered versions 1 and 2: take a release of it that was built for one of these, or a later release of sluice"},
		"a plugin of an earlier one":  {host.Plugin{Name: "first"}, []int{2}, "it speaks version 1 of the plugin protocol, and was offered version 2: take a release of it that was built for one of these"},
		"a host of a later version":   {host.Plugin{Name: "probe"}, []int{3, 4}, "the host speaks versions 3 and 4 of the protocol, and this plugin versions 1 and 2: there is none in common"},
		"the same, in Python":         {python(t, "../../plugins/example-python"), []int{3, 4}, "the host speaks versions [3, 4] of the protocol, and this plugin [1, 2]: there is none in common"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.plugin.Name == "python" {
				rig.Python(t)
			}
			c.plugin.Versions = c.offered
			h, _ := run(t, host.Options{}, c.plugin)
			eventually(t, "it is tried", func() bool { return h.Status()[0].LastError != "" })
			if got := h.Status()[0].LastError; !strings.Contains(got, c.words) {
				t.Errorf("got %s\nwant in it %s", got, c.words)
			}
		})
	}
}

// python is the plugin in Python of a directory. That in testdata/version1 is the example as it was when there was one version of the protocol.
func python(t *testing.T, dir string) host.Plugin {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(dir, "adapter.py"))
	if err != nil {
		t.Fatal(err)
	}
	return host.Plugin{Name: "python", Path: path, Unlocked: true}
}
