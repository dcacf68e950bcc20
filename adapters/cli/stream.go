package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"

	"github.com/scrapli/scrapligo/transport"
	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/internal/sshclient"
	"github.com/sluice-gateway/sluice/core/device"
)

// DefaultPort is where SSH listens (RFC 4253 section 4.1).
const DefaultPort = "22"

// The terminal that devices are told of: as wide as a line of ours may be, so that nothing is wrapped, and without colours.
const (
	terminalType   = "vt100"
	terminalWidth  = 511
	terminalHeight = 1000
	terminalSpeed  = 115200
)

// stream is the shell of an SSH connection, as scrapligo wants its transports. Close ends all of it, from whichever goroutine. scrapligo's own transport knows neither host keys that are
// configured nor contexts.
//
// What the device prints goes to scrapligo until ours is called, and to next from then on.
type stream struct {
	in     io.Writer
	client *sshclient.Client
	came   chan struct{} // capacity 1: something was printed since somebody looked
	ended  chan struct{} // closed when nothing more is printed

	mu      sync.Mutex
	printed []byte // that nobody has taken yet
	handed  bool   // it is no longer scrapligo's
}

var _ transport.Implementation = (*stream)(nil)

// dial logs in to t and begins a shell.
func dial(ctx context.Context, t device.Target, agent string, log *slog.Logger) (*stream, error) {
	client, err := sshclient.Dial(ctx, t, sshclient.Options{Port: DefaultPort, Agent: agent, Log: log})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	s, err := begin(client)
	if err != nil {
		_ = client.Close()
		return nil, sshclient.Classify(ctx, err)
	}
	return s, nil
}

func begin(client *sshclient.Client) (*stream, error) {
	session, err := client.NewSession()
	if err != nil {
		return nil, err
	}
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	modes := ssh.TerminalModes{ssh.ECHO: 1, ssh.TTY_OP_ISPEED: terminalSpeed, ssh.TTY_OP_OSPEED: terminalSpeed}
	if err := session.RequestPty(terminalType, terminalHeight, terminalWidth, modes); err != nil {
		return nil, err
	}
	if err := session.Shell(); err != nil {
		return nil, err
	}
	s := &stream{in: in, client: client, came: make(chan struct{}, 1), ended: make(chan struct{})}
	go s.listen(out)
	return s, nil
}

// Open has nothing to do: dial has done it.
func (*stream) Open(*transport.Args) error { return nil }

// Close ends the connection at once.
func (s *stream) Close() error {
	if err := s.client.Close(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// IsAlive says that nobody knows better.
func (*stream) IsAlive() bool { return true }

// listen keeps what the device prints, until the connection ends.
func (s *stream) listen(out io.Reader) {
	defer close(s.ended)
	b := make([]byte, 32<<10)
	for {
		n, err := out.Read(b)
		s.mu.Lock()
		s.printed = append(s.printed, b[:n]...)
		s.mu.Unlock()
		s.wake()
		if err != nil {
			return
		}
	}
}

func (s *stream) wake() {
	select {
	case s.came <- struct{}{}:
	default:
	}
}

// take returns what was printed and nobody has taken, if it is for whoever asks.
func (s *stream) take(scrapligo bool) (b []byte, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if scrapligo && s.handed {
		return nil, false
	}
	b, s.printed = s.printed, nil
	return b, true
}

// next waits until the device prints something. The error is the end of the connection.
func (s *stream) next() ([]byte, error) { return s.wait(false) }

// Read is scrapligo's, which reads nothing any more once that is taken away from it. Every error is the end: scrapligo reads on behind others.
func (s *stream) Read(int) ([]byte, error) { return s.wait(true) }

func (s *stream) wait(scrapligo bool) ([]byte, error) {
	for over := false; ; {
		b, ok := s.take(scrapligo)
		switch {
		case !ok:
			s.wake() // it may have been for the other one
			<-s.ended
			return nil, io.EOF
		case len(b) > 0:
			return b, nil
		case over:
			return nil, io.EOF
		}
		select {
		case <-s.came:
		case <-s.ended:
			over = true
		}
	}
}

// ours takes what the device prints away from scrapligo.
func (s *stream) ours() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.handed = true
}

// Write types b.
func (s *stream) Write(b []byte) error {
	_, err := s.in.Write(b)
	return err
}
