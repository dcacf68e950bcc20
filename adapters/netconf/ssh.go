package netconf

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/internal/sshclient"
	"github.com/sluice-gateway/sluice/core/device"
)

// DefaultPort is where NETCONF over SSH listens (RFC 6242 section 7).
const DefaultPort = "830"

// stream is the "netconf" subsystem of an SSH connection. Close ends all of it, from whichever goroutine.
type stream struct {
	io.Reader
	io.Writer
	client  *sshclient.Client
	session *ssh.Session
}

func (s *stream) Close() error { return s.client.Close() }

// dial opens the netconf subsystem of t. A device that cannot be reached is *device.Transient; one that is not who it should be, or that does not let us in, is
// an error that stays until somebody changes the configuration.
func dial(ctx context.Context, t device.Target, agent string, log *slog.Logger) (*stream, error) {
	client, err := sshclient.Dial(ctx, t, sshclient.Options{Port: DefaultPort, Agent: agent, Log: log})
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = client.Close() })
	defer stop()
	s, err := subsystem(client)
	if err != nil {
		_ = client.Close()
		return nil, sshclient.Classify(ctx, err)
	}
	return s, nil
}

func subsystem(client *sshclient.Client) (*stream, error) {
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
	complaints, err := session.StderrPipe()
	if err != nil {
		return nil, err
	}
	// Nobody reads these, but unread they would use up the channel's window. Ends with the connection.
	go func() { _, _ = io.Copy(io.Discard, complaints) }()
	if err := session.RequestSubsystem("netconf"); err != nil {
		return nil, fmt.Errorf("the device has no netconf subsystem: %w", err)
	}
	return &stream{Reader: out, Writer: in, client: client, session: session}, nil
}

// defaultTimeout bounds one exchange when the target does not.
const defaultTimeout = 30 * time.Second
