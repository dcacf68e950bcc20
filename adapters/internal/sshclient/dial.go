package sshclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sluice-gateway/sluice/core/device"
)

// Options say how to log in, beside what a target says.
type Options struct {
	Port  string // where the address has none
	Agent string // socket of an SSH agent, whose keys are offered; "": none
	Log   *slog.Logger
}

// Client is a connection whose user is logged in. Close ends all of it, from whichever goroutine.
type Client struct {
	*ssh.Client
	conn net.Conn
}

// Close ends the connection at once, without a farewell.
func (c *Client) Close() error { return c.conn.Close() }

// Dial logs in to t. A device that cannot be reached is *device.Transient; one that is not who it should be, or that does not let us in, is
// an error that stays until somebody changes the configuration.
func Dial(ctx context.Context, t device.Target, o Options) (*Client, error) {
	address := t.Address
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), o.Port)
	}
	config, done, err := clientConfig(t, address, o)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, &device.Transient{Err: err}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		_ = conn.Close()
		return nil, Classify(ctx, err)
	}
	return &Client{ssh.NewClient(c, channels, requests), conn}, nil
}

// Classify separates what time may heal from what it will not.
func Classify(ctx context.Context, err error) error {
	var unknown *knownhosts.KeyError
	var revoked *knownhosts.RevokedError
	switch {
	case ctx.Err() != nil:
		return &device.Transient{Err: fmt.Errorf("the device did not answer in time: %w", ctx.Err())}
	case errors.As(err, &unknown), errors.As(err, &revoked), errors.Is(err, errHostKey), strings.Contains(err.Error(), "unable to authenticate"):
		return err
	}
	return &device.Transient{Err: err}
}
