package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"

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
type stream struct {
	out    io.Reader
	in     io.Writer
	client *sshclient.Client
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
	return &stream{out: out, in: in, client: client}, nil
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

// Read returns what the device prints. Every error is the end: scrapligo reads on behind others.
func (s *stream) Read(n int) ([]byte, error) {
	b := make([]byte, n)
	n, err := s.out.Read(b)
	if n > 0 {
		return b[:n], nil
	}
	if err != nil {
		return nil, io.EOF
	}
	return nil, nil
}

// Write types b.
func (s *stream) Write(b []byte) error {
	_, err := s.in.Write(b)
	return err
}
