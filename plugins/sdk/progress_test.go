package sdk_test

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// slow is an adapter that says where it is, and goes on when it is told to.
type slow struct {
	echo
	says func(context.Context)
}

func (s *slow) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	s.says(ctx)
	return s.echo.Apply(ctx, t, c, undo)
}

func applying(t *testing.T, a device.Adapter) ([]device.Progress, error) {
	t.Helper()
	var mu sync.Mutex
	var heard []device.Progress
	ctx := device.WithReporter(t.Context(), func(p device.Progress) {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, p)
	})
	_, err := a.Apply(ctx, device.Target{Name: "r1"}, device.Change{}, time.Minute)
	return heard, err
}

func TestProgressCrosses(t *testing.T) {
	t.Parallel()
	heard := make(chan device.Progress, 8)
	e := &slow{says: func(ctx context.Context) {
		for _, s := range device.Stages {
			device.ReportCount(ctx, s, 3, 9)
		}
		device.Report(ctx, "hunter2hunter2") // no stage: it goes nowhere
		device.ReportCount(ctx, device.Loading, 4, 3)
	}}
	a := sdktest.Loopback(t, e)
	ctx := device.WithReporter(t.Context(), func(p device.Progress) { heard <- p })
	if _, err := a.Apply(ctx, device.Target{Name: "r1"}, device.Change{}, time.Minute); err != nil {
		t.Fatal(err)
	}
	close(heard)
	var got []device.Stage
	for p := range heard {
		if p.Done != 3 || p.All != 9 {
			t.Errorf("%+v", p)
		}
		got = append(got, p.Stage)
	}
	if !slices.Equal(got, device.Stages) {
		t.Errorf("got %v, want all stages, each once: %v", got, device.Stages)
	}
}

// A stage is told while the call is in it, and not when it is over.
func TestProgressIsToldAtOnce(t *testing.T) {
	t.Parallel()
	for _, version := range sdk.Versions {
		goOn := make(chan struct{})
		e := &slow{says: func(ctx context.Context) { device.Report(ctx, device.Committing); <-goOn }}
		heard := make(chan device.Progress, 1)
		ctx := device.WithReporter(t.Context(), func(p device.Progress) { heard <- p })
		ended := make(chan error, 1)
		go func() {
			_, err := sdktest.LoopbackIn(t, e, version).Apply(ctx, device.Target{Name: "r1"}, device.Change{}, time.Minute)
			ended <- err
		}()
		if version > 1 {
			if p := <-heard; p.Stage != device.Committing {
				t.Errorf("heard %+v", p)
			}
		}
		close(goOn)
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if len(heard) > 0 {
			t.Errorf("version %d: more is told: %+v", version, <-heard)
		}
	}
}

// An adapter that reports each of a million lines does not drown the host in messages, and the last one counts.
func TestProgressIsBoundedInRate(t *testing.T) {
	t.Parallel()
	const lines = 1_000_000
	var took time.Duration
	a := sdktest.Loopback(t, &slow{says: func(ctx context.Context) {
		began := time.Now()
		for i := range lines {
			device.ReportCount(ctx, device.Loading, i+1, lines)
		}
		took = time.Since(began)
	}})
	heard, err := applying(t, a)
	if err != nil {
		t.Fatal(err)
	}
	if most := 3 + int(took/(200*time.Millisecond)); len(heard) > most {
		t.Errorf("%d messages in %v, want %d at most", len(heard), took, most)
	}
	if n := len(heard); n == 0 || heard[n-1].Done != lines {
		t.Errorf("the last message is not the last report: %+v", heard)
	}
}

// crude is a plugin in another language, which does as it likes.
type crude struct {
	pb.UnimplementedAdapterServer
	apply func(grpc.ServerStreamingServer[pb.ApplyReply]) error
	info  *pb.InfoReply
}

func (c *crude) Apply(_ *pb.ApplyRequest, s grpc.ServerStreamingServer[pb.ApplyReply]) error {
	return c.apply(s)
}
func (c *crude) Info(context.Context, *pb.InfoRequest) (*pb.InfoReply, error) { return c.info, nil }

func dial(t *testing.T, register func(*grpc.Server)) *grpc.ClientConn {
	t.Helper()
	listener, server := bufconn.Listen(1<<20), grpc.NewServer(sdk.ServerOptions()...)
	register(server)
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	conn, err := grpc.NewClient("passthrough:///plugin", append(sdk.DialOptions(), grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(); server.Stop(); <-served })
	return conn
}

func TestOddAnswersAreRefused(t *testing.T) {
	t.Parallel()
	progress, commit := &pb.Progress{Stage: pb.Stage_STAGE_LOADING}, &pb.Commit{Token: "t"}
	for want, c := range map[string]struct {
		version int
		send    []*pb.ApplyReply
	}{
		"there is none":                        {2, []*pb.ApplyReply{{Progress: progress}}},
		"something comes behind it":            {2, []*pb.ApplyReply{{Commit: commit}, {Progress: progress}}},
		"says where the call is and something": {2, []*pb.ApplyReply{{Commit: commit, Progress: progress}}},
		"and agreed was version 1":             {1, []*pb.ApplyReply{{Progress: progress}, {Commit: commit}}},
	} {
		conn := dial(t, func(s *grpc.Server) {
			pb.RegisterAdapterServer(s, &crude{apply: func(s grpc.ServerStreamingServer[pb.ApplyReply]) error {
				for _, r := range c.send {
					if err := s.Send(r); err != nil {
						return err
					}
				}
				return nil
			}})
		})
		_, err := applying(t, sdk.NewClient(conn, c.version))
		var transient *device.Transient
		if !errors.As(err, &transient) || transient.Unchanged || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want *device.Transient with %q: nobody knows what became of the change", err, want)
		}
	}
}

// What makes no sense decides nothing, and is passed over; an error behind an answer is an error.
func TestOddProgressIsPassedOver(t *testing.T) {
	t.Parallel()
	conn := dial(t, func(s *grpc.Server) {
		pb.RegisterAdapterServer(s, &crude{apply: func(s grpc.ServerStreamingServer[pb.ApplyReply]) error {
			for _, p := range []*pb.Progress{{}, {Stage: 77}, {Stage: pb.Stage_STAGE_LOADING, Done: 9, All: 3}, {Stage: pb.Stage_STAGE_LOADING, All: 1 << 60}, {Stage: pb.Stage_STAGE_LOCKING}} {
				if err := s.Send(&pb.ApplyReply{Progress: p}); err != nil {
					return err
				}
			}
			if err := s.Send(&pb.ApplyReply{Commit: &pb.Commit{Token: "t"}}); err != nil {
				return err
			}
			return status.Error(codes.Internal, "it fell over")
		}})
	})
	heard, err := applying(t, sdk.NewClient(conn, 2))
	if len(heard) != 1 || heard[0].Stage != device.Locking {
		t.Errorf("heard %+v, want the one that makes sense", heard)
	}
	if err == nil || !strings.Contains(err.Error(), "it fell over") {
		t.Errorf("got %v, want the error that came behind the answer", err)
	}
}

// A host of version 1 asks for one answer and gets it: on the wire nothing has changed.
func TestVersion1OnTheWire(t *testing.T) {
	t.Parallel()
	late := time.Minute
	e := &lately{slow{echo: echo{commit: device.Commit{Token: "t"}}, says: func(ctx context.Context) { device.Report(ctx, device.Loading) }}, &late}
	conn := dial(t, func(s *grpc.Server) { sdk.Register(s, e, 1) })
	var reply pb.ApplyReply
	err := conn.Invoke(t.Context(), "/sluice.adapter.v1.Adapter/Apply", &pb.ApplyRequest{Target: &pb.Target{Name: "r1"}, UndoNanoseconds: 1}, &reply)
	if err != nil || reply.GetCommit().GetToken() != "t" || reply.Progress != nil {
		t.Errorf("apply: %v, %v", &reply, err)
	}
	var read pb.ReadReply
	if err := conn.Invoke(t.Context(), "/sluice.adapter.v1.Adapter/Read", &pb.ReadRequest{Target: &pb.Target{Name: "r1"}}, &read); err != nil || read.State == nil {
		t.Errorf("read: %v, %v", &read, err)
	}
	var info pb.InfoReply
	if err := conn.Invoke(t.Context(), "/sluice.adapter.v1.Adapter/Info", &pb.InfoRequest{}, &info); err != nil || info.Capabilities != nil || !slices.Equal(info.Versions, []uint32{1, 2}) {
		t.Errorf("info: %v, %v", &info, err)
	}
}

type lately struct {
	slow
	late *time.Duration
}

func (l *lately) Info(context.Context) (device.Info, error) {
	return device.Info{Name: "late", Version: "1", Late: l.late}, nil
}

func TestLatenessCrosses(t *testing.T) {
	t.Parallel()
	none, some := time.Duration(0), 35*time.Second
	for _, want := range []*time.Duration{nil, &none, &some} {
		i, err := sdktest.Loopback(t, &lately{late: want}).Info(t.Context())
		if err != nil || (i.Late == nil) != (want == nil) || want != nil && *i.Late != *want {
			t.Errorf("got %v, %v, want %v", i.Late, err, want)
		}
	}
	for _, odd := range []int64{-1, int64(device.MaxLate) + 1} {
		conn := dial(t, func(s *grpc.Server) {
			pb.RegisterAdapterServer(s, &crude{info: &pb.InfoReply{Name: "x", Capabilities: &pb.Capabilities{UndoLateNanoseconds: &odd}}})
		})
		if _, err := sdk.NewClient(conn, 2).Info(t.Context()); err == nil || !strings.Contains(err.Error(), "is not to be given filters") {
			t.Errorf("%d: got %v", odd, err)
		}
		if _, err := sdk.NewClient(conn, 1).Info(t.Context()); err == nil || !strings.Contains(err.Error(), "agreed was version 1") {
			t.Errorf("%d in version 1: got %v", odd, err)
		}
	}
}
