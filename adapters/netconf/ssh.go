package netconf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sluice-gateway/sluice/core/device"
)

// defaultPort is where NETCONF over SSH listens (RFC 6242 section 7).
const defaultPort = "830"

// stream is the "netconf" subsystem of an SSH connection. Close ends all of it, from whichever goroutine.
type stream struct {
	io.Reader
	io.Writer
	conn    net.Conn
	client  *ssh.Client
	session *ssh.Session
}

func (s *stream) Close() error { return s.conn.Close() }

// dial opens the netconf subsystem of t. A device that cannot be reached is *device.Transient; one that is not who it should be, or that does not let us in, is
// an error that stays until somebody changes the configuration.
func dial(ctx context.Context, t device.Target, log *slog.Logger) (*stream, error) {
	address := t.Address
	if _, _, err := net.SplitHostPort(address); err != nil {
		address = net.JoinHostPort(strings.Trim(address, "[]"), defaultPort)
	}
	config, err := sshConfig(t, address, log)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, &device.Transient{Err: err}
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	s, err := handshake(conn, address, config)
	if err != nil {
		_ = conn.Close()
		return nil, classify(ctx, err)
	}
	return s, nil
}

func handshake(conn net.Conn, address string, config *ssh.ClientConfig) (*stream, error) {
	c, channels, requests, err := ssh.NewClientConn(conn, address, config)
	if err != nil {
		return nil, err
	}
	client := ssh.NewClient(c, channels, requests)
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
	return &stream{Reader: out, Writer: in, conn: conn, client: client, session: session}, nil
}

// classify separates what time may heal from what it will not.
func classify(ctx context.Context, err error) error {
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

var errHostKey = errors.New("the device shows another host key than the configured one; if it was replaced on purpose, configure the new one")

func sshConfig(t device.Target, address string, log *slog.Logger) (*ssh.ClientConfig, error) {
	config := &ssh.ClientConfig{User: t.Username, ClientVersion: "SSH-2.0-sluice"}
	if t.PrivateKey != "" {
		signer, err := ssh.ParsePrivateKey([]byte(t.PrivateKey))
		if err != nil {
			return nil, fmt.Errorf("the private key does not parse: %T", err) // the text might quote it
		}
		config.Auth = append(config.Auth, ssh.PublicKeys(signer))
	}
	if t.Password != "" {
		password := string(t.Password)
		config.Auth = append(config.Auth, ssh.Password(password), ssh.KeyboardInteractive(func(_, _ string, questions []string, _ []bool) ([]string, error) {
			answers := make([]string, len(questions))
			for i := range answers {
				answers[i] = password
			}
			return answers, nil
		}))
	}
	if len(config.Auth) == 0 {
		return nil, errors.New("no credentials: give the device a private key or a password")
	}
	return config, verifyHost(config, t, address, log)
}

// verifyHost makes config accept the one host that t names.
func verifyHost(config *ssh.ClientConfig, t device.Target, address string, log *slog.Logger) error {
	switch {
	case t.HostKey != "":
		key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(t.HostKey))
		if err != nil {
			return fmt.Errorf("the configured host key: %w; want it as a .pub file has it, beginning with its type such as ssh-ed25519", err)
		}
		config.HostKeyAlgorithms = algorithms(key.Type())
		want := string(key.Marshal())
		config.HostKeyCallback = func(_ string, _ net.Addr, got ssh.PublicKey) error {
			if string(got.Marshal()) != want {
				return fmt.Errorf("%w: it shows %s %s", errHostKey, got.Type(), ssh.FingerprintSHA256(got))
			}
			return nil
		}
	case t.KnownHosts != "":
		check, err := knownhosts.New(t.KnownHosts)
		if err != nil {
			return fmt.Errorf("the file of known hosts: %w", err)
		}
		config.HostKeyCallback = check
		config.HostKeyAlgorithms = knownAlgorithms(check, address)
	case t.InsecureIgnoreHostKey:
		log.Warn("HOST KEY NOT VERIFIED: anybody between us and this device can read and change everything, the password included", "device", t.Name, "address", address)
		config.HostKeyCallback = ssh.InsecureIgnoreHostKey()
	default:
		return errors.New("nothing says which host key the device has: configure host-key or known-hosts")
	}
	return nil
}

// algorithms returns the signature algorithms that a key of that type can make.
func algorithms(keyType string) []string {
	if keyType == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
	}
	return []string{keyType}
}

// knownAlgorithms returns the algorithms of the keys that are known of address. Without it a device that has keys of several types may show one that is not
// in the file, and would be taken for an impostor.
func knownAlgorithms(check ssh.HostKeyCallback, address string) []string {
	var known *knownhosts.KeyError
	err := check(address, &net.TCPAddr{IP: net.IPv4zero}, noKey{})
	if !errors.As(err, &known) {
		return nil
	}
	var out []string
	for _, k := range known.Want {
		out = append(out, algorithms(k.Key.Type())...)
	}
	return out
}

// noKey is a key that nobody has.
type noKey struct{}

func (noKey) Type() string                        { return "none" }
func (noKey) Marshal() []byte                     { return []byte("none") }
func (noKey) Verify([]byte, *ssh.Signature) error { return errors.New("no key") }

// defaultTimeout bounds one exchange when the target does not.
const defaultTimeout = 30 * time.Second
