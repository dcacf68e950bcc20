package gnmi

import (
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/core/device"
)

// codeOf is an error with the code that came with it.
type codeOf struct {
	error
	code codes.Code
}

func (e *codeOf) Unwrap() error { return e.error }

// is says whether err came with one of the codes.
func is(err error, list ...codes.Code) bool {
	var c *codeOf
	if !errors.As(err, &c) {
		return false
	}
	for _, code := range list {
		if c.code == code {
			return true
		}
	}
	return false
}

// judge sorts how a call ended, by the codes of gnmi-specification.md section 3.4.7 and those that gRPC itself has. A call that was not answered ends the connection: the next one
// begins with a new one.
func (s *session) judge(what string, err error) error {
	if err == nil {
		return nil
	}
	st := status.Convert(err)
	words := s.scrub(st.Message())
	if code := st.Code(); code == codes.Unavailable || code == codes.DeadlineExceeded {
		s.adapter.forget(s.line)
	}
	if why := s.creds.distrusted(); why != nil && st.Code() == codes.Unavailable {
		return fmt.Errorf("%s: the device is not who it should be: %w; see the options ca-file and server-name", what, why)
	}
	return &codeOf{sorted(st.Code(), what, words), st.Code()}
}

func sorted(code codes.Code, what, words string) error {
	switch code {
	case codes.InvalidArgument, codes.NotFound, codes.AlreadyExists, codes.PermissionDenied, codes.OutOfRange, codes.Unimplemented,
		codes.Aborted: // which says that the transaction failed
		return &device.Refused{Words: fmt.Sprintf("%s: %s: %s", what, code, words)}
	case codes.Unauthenticated:
		return fmt.Errorf("%s: the device does not let us in: %s", what, words)
	case codes.FailedPrecondition: // it answered, and the transaction failed
		return &device.Transient{Err: fmt.Errorf("%s: %s: %s", what, code, words), Unchanged: true}
	}
	return &device.Transient{Err: fmt.Errorf("%s: %s: %s", what, code, words)}
}

// scrub takes the secrets of the target out of what the device says: it may quote what it was sent.
func (s *session) scrub(words string) string {
	for _, secret := range []device.Secret{s.target.Password, s.target.PrivateKey} {
		if secret != "" {
			words = strings.ReplaceAll(words, string(secret), secret.String())
		}
	}
	return words
}

// unchanged says of a transient error that it came before anything was sent that changes the device.
func unchanged(err error) error {
	var transient *device.Transient
	if errors.As(err, &transient) {
		return &device.Transient{Err: err, Unchanged: true}
	}
	return err
}

// inDoubt says that the device may have been changed. The reason goes in as text: a refusal inside would say that it was not.
func inDoubt(format string, args ...any) error {
	return &device.Transient{Err: fmt.Errorf(format, args...)}
}
