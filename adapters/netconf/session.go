package netconf

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"

	gonetconf "github.com/Juniper/go-netconf/netconf"

	"github.com/sluice-gateway/sluice/core/device"
)

// Capabilities (RFC 6241 section 8 and 10.4).
const (
	capBase10      = "urn:ietf:params:netconf:base:1.0"
	capBase11      = "urn:ietf:params:netconf:base:1.1"
	capCandidate   = "urn:ietf:params:netconf:capability:candidate:1.0"
	capConfirmed10 = "urn:ietf:params:netconf:capability:confirmed-commit:1.0"
	capConfirmed11 = "urn:ietf:params:netconf:capability:confirmed-commit:1.1"
	capRollback    = "urn:ietf:params:netconf:capability:rollback-on-error:1.0"
	capValidate10  = "urn:ietf:params:netconf:capability:validate:1.0"
	capValidate11  = "urn:ietf:params:netconf:capability:validate:1.1"
	capJunos       = "http://xml.juniper.net/netconf/junos/1.0"
)

// session is one NETCONF session. It is used by one caller at a time.
type session struct {
	gonetconf.Session
	timeout time.Duration // of one exchange
	dead    error         // why it is of no use any more
	hung    bool          // dead because an answer did not come in time
}

// open makes a session with t's device.
func open(ctx context.Context, t device.Target, agent string, log *slog.Logger) (*session, error) {
	timeout := t.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	st, err := dial(ctx, t, agent, log)
	if err != nil {
		return nil, err
	}
	s, err := greet(ctx, st)
	if err != nil {
		_ = st.Close()
		return nil, err
	}
	s.timeout = timeout
	return s, nil
}

// greet exchanges hellos. go-netconf's own NewSession would take a device that says nothing for one without capabilities.
func greet(ctx context.Context, stream io.ReadWriteCloser) (*session, error) {
	stop := context.AfterFunc(ctx, func() { _ = stream.Close() })
	defer stop()
	t := newTransport(stream)
	hello, err := exchangeHellos(t)
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("the device did not say hello in time: %w", ctx.Err())
		}
		return nil, &device.Transient{Err: err}
	}
	if hello.SessionID <= 0 {
		return nil, &device.Transient{Err: errors.New("the device's hello has no session-id (RFC 6241 section 8.1)")}
	}
	s := &session{Session: gonetconf.Session{Transport: t, SessionID: hello.SessionID}}
	for _, c := range hello.Capabilities {
		s.ServerCapabilities = append(s.ServerCapabilities, strings.TrimSpace(c))
	}
	switch {
	case s.has(capBase11):
		t.chunked = true
	case !s.has(capBase10):
		return nil, fmt.Errorf("the device speaks neither NETCONF 1.0 nor 1.1: its hello offers %d other capabilities", len(s.ServerCapabilities))
	}
	return s, nil
}

// exchangeHellos writes and reads at the same time: each side sends its hello at once and may wait for the other's (RFC 6241 section 8.1).
func exchangeHellos(t *transport) (*gonetconf.HelloMessage, error) {
	sent := make(chan error, 1)
	go func() { sent <- t.SendHello(&gonetconf.HelloMessage{Capabilities: []string{capBase10, capBase11}}) }()
	hello, err := t.ReceiveHello()
	if err != nil {
		_ = t.Close()
	}
	return hello, errors.Join(err, <-sent)
}

// has says whether the device offers a capability, with or without parameters behind it.
func (s *session) has(capability string) bool {
	return slices.ContainsFunc(s.ServerCapabilities, func(c string) bool {
		c, _, _ = strings.Cut(c, "?")
		return c == capability
	})
}

// exec carries out one RPC. Errors of the device are *rpcError; every other error is *device.Transient and ends the session, since the answer
// may still come.
func (s *session) exec(ctx context.Context, what, body string) (*gonetconf.RPCReply, error) {
	if s.dead != nil {
		return nil, &device.Transient{Err: fmt.Errorf("%s: the session is gone: %w", what, s.dead)}
	}
	timed, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	stop := context.AfterFunc(timed, func() { _ = s.Transport.Close() })
	defer stop()
	reply, err := s.Exec(gonetconf.RawMethod(body))
	var own *gonetconf.RPCError
	if err == nil {
		err = errorsInside(reply.Data)
	}
	switch {
	case errors.As(err, &own):
		return nil, &rpcError{errors: reply.Errors}
	case err != nil && isRPCError(err):
		return nil, err
	case err == nil && timed.Err() == nil:
		return reply, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case timed.Err() != nil:
		err = fmt.Errorf("no answer within %s", s.timeout)
		s.hung = true
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = fmt.Errorf("the session broke: %w", err)
	}
	s.Kill(err)
	return nil, &device.Transient{Err: fmt.Errorf("%s: %w", what, err)}
}

// ok carries out one RPC whose whole answer is <ok/>.
func (s *session) ok(ctx context.Context, what, body string) error {
	reply, err := s.exec(ctx, what, body)
	if err != nil {
		return err
	}
	if !hasOK(reply.Data) {
		err := errors.New("the device answered neither ok nor an error")
		s.Kill(err)
		return &device.Transient{Err: fmt.Errorf("%s: %w", what, err)}
	}
	return nil
}

// Dead says why the session is of no use any more.
func (s *session) Dead() error { return s.dead }

// Hung says that it is dead because an answer did not come in time.
func (s *session) Hung() bool { return s.hung }

// Kill ends the session at once.
func (s *session) Kill(why error) {
	if s.dead == nil {
		s.dead = why
	}
	_ = s.Transport.Close()
}

// Close takes leave of the device, within a moment.
func (s *session) Close() {
	if s.dead == nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_, _ = s.exec(ctx, "close-session", "<close-session/>")
	}
	s.Kill(errors.New("closed"))
}

// hasOK says whether <ok/> stands at the top of a reply. Junos answers its own commit RPC with <commit-results> around it.
func hasOK(data string) bool {
	dec := xml.NewDecoder(strings.NewReader(data))
	for {
		tok, err := dec.Token()
		if err != nil {
			return false
		}
		if el, is := tok.(xml.StartElement); is && (el.Name.Local == "ok" || el.Name.Local == "commit-success") {
			return true
		}
	}
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder does not fail
	return b.String()
}
