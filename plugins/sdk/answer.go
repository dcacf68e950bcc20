package sdk

import (
	"context"
	"errors"
	"fmt"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// oddAnswer says that what a plugin answered does not make sense: it is a fault of the plugin, and refused whole.
type oddAnswer struct {
	call string
	err  error
}

func (e *oddAnswer) Error() string { return "the plugin's answer to " + e.call + ": " + e.err.Error() }
func (e *oddAnswer) Unwrap() error { return e.err }

// reply is an answer of a call that may say before where it is.
type reply[R any] interface {
	*R
	proto.Message
	GetProgress() *pb.Progress
}

// answer makes a call and returns its answer, which is the last message. What comes before it is reported to whoever listens in ctx.
func answer[R any, P reply[R]](ctx context.Context, c *Client, call string, begin func(context.Context) (grpc.ServerStreamingClient[R], error)) (P, error) {
	calling, cancel := context.WithCancel(ctx)
	defer cancel() // of a stream that is not read to its end
	stream, err := begin(calling)
	if err != nil {
		return nil, decodeError(ctx, call, err)
	}
	for {
		r, err := stream.Recv()
		switch {
		case errors.Is(err, io.EOF):
			return nil, &oddAnswer{call, errors.New("there is none")}
		case err != nil:
			return nil, decodeError(ctx, call, err)
		}
		m := P(r)
		if err := understood(m); err != nil {
			return nil, &oddAnswer{call, err}
		}
		if m.GetProgress() == nil {
			return m, ends(ctx, call, stream)
		}
		if err := c.mayTell(m); err != nil {
			return nil, &oddAnswer{call, err}
		}
		if p := decodeProgress(m.GetProgress()); p.Valid() { // it decides nothing, so what makes no sense is passed over
			device.ReportCount(ctx, p.Stage, p.Done, p.All)
		}
	}
}

// ends makes sure that the call ends well after its answer.
func ends[R any](ctx context.Context, call string, stream grpc.ServerStreamingClient[R]) error {
	_, err := stream.Recv()
	switch {
	case errors.Is(err, io.EOF):
		return nil
	case err != nil:
		return decodeError(ctx, call, err)
	}
	return &oddAnswer{call, errors.New("something comes behind it")}
}

// mayTell says what is wrong with a message with progress.
func (c *Client) mayTell(m proto.Message) error {
	if c.version < telling {
		return fmt.Errorf("it says where the call is, which is of version %d of the protocol, and agreed was version %d", telling, c.version)
	}
	fields := 0
	m.ProtoReflect().Range(func(protoreflect.FieldDescriptor, protoreflect.Value) bool { fields++; return true })
	if fields > 1 {
		return errors.New("a message says where the call is and something else")
	}
	return nil
}
