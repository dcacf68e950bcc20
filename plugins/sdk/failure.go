package sdk

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// maxWords bounds the text of one error, in octets: it travels in HTTP/2 trailers, and nobody reads more of a router's complaint.
const maxWords = 32 << 10

// encodeError turns an adapter's error into a status that carries its kind. A wrapped error keeps what its wrappers said.
func encodeError(err error) error {
	if err == nil {
		return nil
	}
	var (
		transient *device.Transient
		refused   *device.Refused
		drifted   *device.Drifted
		code      = codes.Unknown
		failure   pb.Failure
	)
	switch {
	case errors.As(err, &refused):
		code, failure.Kind = codes.FailedPrecondition, &pb.Failure_Refused{Refused: &pb.Refused{Words: shorten(wrapping(err, refused) + refused.Words)}}
	case errors.As(err, &drifted):
		code, failure.Kind = codes.Aborted, &pb.Failure_Drifted{Drifted: &pb.Drifted{What: shorten(wrapping(err, drifted) + drifted.What), Gone: drifted.Gone}}
	case errors.As(err, &transient), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		code, failure.Kind = codes.Unavailable, &pb.Failure_Transient{Transient: &pb.Transient{Text: shorten(err.Error()), Unchanged: transient != nil && transient.Unchanged}}
	case errors.Is(err, errors.ErrUnsupported):
		code = codes.Unimplemented
	}
	s := status.New(code, shorten(err.Error()))
	if failure.Kind != nil {
		if d, derr := s.WithDetails(&failure); derr == nil {
			s = d
		}
	}
	return s.Err()
}

// wrapping returns what err says in front of the kind inside it, such as "apply to r1: ".
func wrapping(err, kind error) string {
	before, found := strings.CutSuffix(err.Error(), kind.Error())
	if !found {
		return ""
	}
	return before
}

func shorten(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= maxWords {
		return s
	}
	return strings.ToValidUTF8(s[:maxWords], "") + " [shortened]"
}

// decodeError is the inverse of encodeError, on the side of the host. An error without a kind that comes from the connection itself means
// that the plugin died or hangs, and what it was doing is unknown: that is transient, and the device has to be read again.
func decodeError(ctx context.Context, call string, err error) error {
	if err == nil {
		return nil
	}
	s, ok := status.FromError(err)
	if !ok {
		return fmt.Errorf("plugin %s: %w", call, err)
	}
	for _, d := range s.Details() {
		f, ok := d.(*pb.Failure)
		if !ok {
			continue
		}
		switch k := f.GetKind().(type) {
		case *pb.Failure_Transient:
			return &device.Transient{Err: transientText(ctx, k.Transient.GetText()), Unchanged: k.Transient.GetUnchanged()}
		case *pb.Failure_Refused:
			return &device.Refused{Words: k.Refused.GetWords()}
		case *pb.Failure_Drifted:
			return &device.Drifted{What: k.Drifted.GetWhat(), Gone: k.Drifted.GetGone()}
		}
	}
	switch s.Code() {
	case codes.Unavailable:
		return &device.Transient{Err: fmt.Errorf("the plugin went away during %s; read the device again: %s", call, s.Message())}
	case codes.DeadlineExceeded, codes.Canceled:
		if ctx.Err() == nil { // the plugin's clock was ahead of ours by a moment
			return &device.Transient{Err: fmt.Errorf("%s took too long: %s (%w)", call, s.Message(), context.DeadlineExceeded)}
		}
		return &device.Transient{Err: transientText(ctx, call+" took too long: "+s.Message())}
	case codes.Unimplemented:
		return fmt.Errorf("plugin %s: %s (%w)", call, s.Message(), errors.ErrUnsupported)
	}
	return fmt.Errorf("plugin %s: %s", call, s.Message())
}

// transientText keeps the reason of the context reachable for errors.Is.
func transientText(ctx context.Context, text string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s (%w)", text, ctx.Err())
	}
	return errors.New(text)
}
