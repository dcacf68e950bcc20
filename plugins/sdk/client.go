package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// Client is the host's side of the boundary: a device.Adapter whose work is done by whoever answers on conn. It keeps nothing between calls.
type Client struct {
	rpc     pb.AdapterClient
	version int // that both sides agreed on
}

// NewClient returns the adapter behind conn, which speaks a version of Versions. The connection must have been made with DialOptions.
func NewClient(conn grpc.ClientConnInterface, version int) *Client {
	return &Client{rpc: pb.NewAdapterClient(conn), version: version}
}

// DialOptions are what a gRPC connection of the boundary needs.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage))}
}

var (
	_ device.Adapter       = (*Client)(nil)
	_ device.CounterReader = (*Client)(nil)
	_ device.Watcher       = (*Client)(nil)
)

// Info describes the adapter behind the boundary.
func (c *Client) Info(ctx context.Context) (device.Info, error) {
	r, err := c.rpc.Info(ctx, &pb.InfoRequest{})
	if err != nil {
		return device.Info{}, decodeError(ctx, "info", err)
	}
	out, err := decodeInfo(r, c.version)
	if err != nil {
		return device.Info{}, &oddAnswer{"info", err}
	}
	return out, nil
}

// Read is device.Adapter's.
func (c *Client) Read(ctx context.Context, t device.Target, names ...string) (device.State, error) {
	r, err := answer(ctx, c, "read", func(ctx context.Context) (grpc.ServerStreamingClient[pb.ReadReply], error) {
		return c.rpc.Read(ctx, &pb.ReadRequest{Target: encodeTarget(t), Names: names})
	})
	if err != nil {
		return device.State{}, err
	}
	s, err := decodeState(r.GetState())
	if err != nil {
		return device.State{}, &oddAnswer{"read", err}
	}
	return s, nil
}

// Render is device.Adapter's.
func (c *Client) Render(ctx context.Context, t device.Target, change device.Change) ([]byte, error) {
	ch, err := encodeChange(change)
	if err != nil {
		return nil, err
	}
	r, err := c.rpc.Render(ctx, &pb.RenderRequest{Target: encodeTarget(t), Change: ch})
	if err != nil {
		return nil, decodeError(ctx, "render", err)
	}
	return r.Payload, nil
}

// Apply is device.Adapter's.
func (c *Client) Apply(ctx context.Context, t device.Target, change device.Change, undo time.Duration) (device.Commit, error) {
	ch, err := encodeChange(change)
	if err != nil {
		return device.Commit{}, err
	}
	if ctx.Err() != nil { // nothing was asked of the plugin
		return device.Commit{}, &device.Transient{Err: ctx.Err(), Unchanged: true}
	}
	r, err := answer(ctx, c, "apply", func(ctx context.Context) (grpc.ServerStreamingClient[pb.ApplyReply], error) {
		return c.rpc.Apply(ctx, &pb.ApplyRequest{Target: encodeTarget(t), Change: ch, UndoNanoseconds: int64(undo)})
	})
	var odd *oddAnswer
	if errors.As(err, &odd) { // a commit may be in flight, and nobody knows how it is confirmed
		return device.Commit{}, &device.Transient{Err: err}
	}
	if err != nil {
		return device.Commit{}, err
	}
	return decodeCommit(r.GetCommit()), nil
}

// Confirm is device.Adapter's.
func (c *Client) Confirm(ctx context.Context, t device.Target, com device.Commit) error {
	_, err := c.rpc.Confirm(ctx, &pb.ConfirmRequest{Target: encodeTarget(t), Commit: encodeCommit(com)})
	return decodeError(ctx, "confirm", err)
}

// Cancel is device.Adapter's.
func (c *Client) Cancel(ctx context.Context, t device.Target, com device.Commit) error {
	_, err := c.rpc.Cancel(ctx, &pb.CancelRequest{Target: encodeTarget(t), Commit: encodeCommit(com)})
	return decodeError(ctx, "cancel", err)
}

// Counters is device.CounterReader's; errors.Is(err, errors.ErrUnsupported) when the adapter reads none.
func (c *Client) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	r, err := c.rpc.Counters(ctx, &pb.CountersRequest{Target: encodeTarget(t)})
	if err != nil {
		return nil, decodeError(ctx, "counters", err)
	}
	out := make(map[string]device.Counter, len(r.ByEntry))
	for name, n := range r.ByEntry {
		out[name] = device.Counter{Packets: n.GetPackets(), Bytes: n.GetBytes()}
	}
	return out, nil
}

// Watch is device.Watcher's; errors.Is(err, errors.ErrUnsupported) when the adapter does not hear of changes.
func (c *Client) Watch(ctx context.Context, t device.Target, changed func()) error {
	stream, err := c.rpc.Watch(ctx, &pb.WatchRequest{Target: encodeTarget(t)})
	for err == nil {
		var r *pb.WatchReply
		if r, err = stream.Recv(); err == nil {
			if err := understood(r); err != nil {
				return fmt.Errorf("the plugin's answer to watch: %w", err)
			}
			changed()
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return decodeError(ctx, "watch", err)
}
