package sdk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// MaxMessage is the largest message either way, in octets. A filter of 10,000 entries is above gRPC's own default of 4 MiB.
const MaxMessage = 256 << 20

// ServerOptions are what a gRPC server of the boundary needs: message limits, and a guard that turns a panic in one call into an error of that
// call, so that what one device sent cannot end the calls for all the others. It refuses requests that hold what this version does not know.
func ServerOptions() []grpc.ServerOption {
	return []grpc.ServerOption{grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage), grpc.UnaryInterceptor(guard), grpc.StreamInterceptor(guardStream)}
}

func guard(ctx context.Context, req any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (reply any, err error) {
	defer recovered(info.FullMethod, &err)
	if m, ok := req.(proto.Message); ok {
		if err := understood(m); err != nil {
			return nil, malformed(err)
		}
	}
	return handle(ctx, req)
}

func guardStream(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, handle grpc.StreamHandler) (err error) {
	defer recovered(info.FullMethod, &err)
	return handle(srv, &guardedStream{s})
}

// guardedStream refuses requests that hold what this version does not know.
type guardedStream struct{ grpc.ServerStream }

func (s *guardedStream) RecvMsg(m any) error {
	if err := s.ServerStream.RecvMsg(m); err != nil {
		return err
	}
	if m, ok := m.(proto.Message); ok {
		if err := understood(m); err != nil {
			return malformed(err)
		}
	}
	return nil
}

// recovered turns a panic of a call into its error.
func recovered(call string, err *error) {
	if p := recover(); p != nil {
		*err = panicked(call, p)
	}
}

// panicked logs where a call panicked, and says that it did. The value of a panic may hold anything, secrets included.
func panicked(call string, value any) error {
	slog.Error("the adapter panicked", "call", call, "stack", string(debug.Stack()))
	return status.Errorf(codes.Internal, "the adapter panicked (%T); its log has the place", value)
}

// Register makes a answer the boundary's calls on s, in a version of Versions.
func Register(s grpc.ServiceRegistrar, a device.Adapter, version int) {
	pb.RegisterAdapterServer(s, &server{adapter: a, version: version})
}

// server is the plugin's side: it decodes, calls, encodes, and decides nothing.
type server struct {
	pb.UnimplementedAdapterServer
	adapter device.Adapter
	version int // that both sides agreed on
}

func (s *server) Info(ctx context.Context, _ *pb.InfoRequest) (*pb.InfoReply, error) {
	i, err := s.adapter.Info(ctx)
	if err != nil {
		return nil, encodeError(err)
	}
	_, counters := s.adapter.(device.CounterReader)
	return encodeInfo(i, counters, s.version), nil
}

func (s *server) Read(r *pb.ReadRequest, stream grpc.ServerStreamingServer[pb.ReadReply]) error {
	t, err := decodeTarget(r.GetTarget())
	if err != nil {
		return malformed(err)
	}
	var st device.State
	tell := func(p *pb.Progress) error { return stream.Send(&pb.ReadReply{Progress: p}) }
	err = s.telling(stream.Context(), tell, func(ctx context.Context) (err error) {
		st, err = s.adapter.Read(ctx, t, r.Names...)
		return err
	})
	if err != nil {
		return encodeError(err)
	}
	out, err := encodeState(st)
	if err != nil {
		return encodeError(err)
	}
	return stream.Send(&pb.ReadReply{State: out})
}

func (s *server) Render(ctx context.Context, r *pb.RenderRequest) (*pb.RenderReply, error) {
	t, c, err := targetAndChange(r.GetTarget(), r.GetChange())
	if err != nil {
		return nil, malformed(err)
	}
	b, err := s.adapter.Render(ctx, t, c)
	if err != nil {
		return nil, encodeError(err)
	}
	return &pb.RenderReply{Payload: b}, nil
}

func (s *server) Apply(r *pb.ApplyRequest, stream grpc.ServerStreamingServer[pb.ApplyReply]) error {
	t, c, err := targetAndChange(r.GetTarget(), r.GetChange())
	if err == nil && r.UndoNanoseconds <= 0 {
		err = errors.New("the time to undo after is not above 0")
	}
	if err != nil {
		return malformed(err)
	}
	var com device.Commit
	tell := func(p *pb.Progress) error { return stream.Send(&pb.ApplyReply{Progress: p}) }
	err = s.telling(stream.Context(), tell, func(ctx context.Context) (err error) {
		com, err = s.adapter.Apply(ctx, t, c, time.Duration(r.UndoNanoseconds))
		return err
	})
	if err != nil {
		return encodeError(err)
	}
	return stream.Send(&pb.ApplyReply{Commit: encodeCommit(com)})
}

func (s *server) Confirm(ctx context.Context, r *pb.ConfirmRequest) (*pb.ConfirmReply, error) {
	t, err := decodeTarget(r.GetTarget())
	if err != nil {
		return nil, malformed(err)
	}
	if err := s.adapter.Confirm(ctx, t, decodeCommit(r.GetCommit())); err != nil {
		return nil, encodeError(err)
	}
	return &pb.ConfirmReply{}, nil
}

func (s *server) Cancel(ctx context.Context, r *pb.CancelRequest) (*pb.CancelReply, error) {
	t, err := decodeTarget(r.GetTarget())
	if err != nil {
		return nil, malformed(err)
	}
	if err := s.adapter.Cancel(ctx, t, decodeCommit(r.GetCommit())); err != nil {
		return nil, encodeError(err)
	}
	return &pb.CancelReply{}, nil
}

func (s *server) Counters(ctx context.Context, r *pb.CountersRequest) (*pb.CountersReply, error) {
	reader, ok := s.adapter.(device.CounterReader)
	if !ok {
		return nil, status.Error(codes.Unimplemented, "this adapter reads no counters")
	}
	t, err := decodeTarget(r.GetTarget())
	if err != nil {
		return nil, malformed(err)
	}
	counters, err := reader.Counters(ctx, t)
	if err != nil {
		return nil, encodeError(err)
	}
	out := &pb.CountersReply{ByEntry: map[string]*pb.Counter{}}
	for name, c := range counters {
		out.ByEntry[name] = &pb.Counter{Packets: c.Packets, Bytes: c.Bytes}
	}
	return out, nil
}

func (s *server) Watch(r *pb.WatchRequest, stream grpc.ServerStreamingServer[pb.WatchReply]) error {
	watcher, ok := s.adapter.(device.Watcher)
	if !ok {
		return status.Error(codes.Unimplemented, "this adapter does not hear of changes")
	}
	t, err := decodeTarget(r.GetTarget())
	if err != nil {
		return malformed(err)
	}
	// The adapter must not wait for whoever reads what it says, and many changes are one.
	told, ended := make(chan struct{}, 1), make(chan error, 1)
	ctx, cancel := context.WithCancel(stream.Context())
	go func() {
		var err error
		defer func() {
			if p := recover(); p != nil {
				err = panicked(pb.Adapter_Watch_FullMethodName, p)
			}
			ended <- err
		}()
		err = encodeError(watcher.Watch(ctx, t, func() {
			select {
			case told <- struct{}{}:
			default:
			}
		}))
	}()
	for {
		select {
		case <-told:
			if err := stream.Send(&pb.WatchReply{}); err != nil {
				cancel()
				<-ended
				return err
			}
		case err := <-ended:
			cancel()
			return err
		}
	}
}

func targetAndChange(pt *pb.Target, pc *pb.Change) (device.Target, device.Change, error) {
	t, err := decodeTarget(pt)
	if err != nil {
		return device.Target{}, device.Change{}, err
	}
	c, err := decodeChange(pc)
	return t, c, err
}

func malformed(err error) error {
	return status.Error(codes.InvalidArgument, fmt.Sprintf("the plugin does not understand the request: %v", err))
}
