package rig

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// Hand is another client of the router: another hand, with no code of ours between it and the wire.
type Hand struct {
	client *ssh.Client
	in     io.Writer
	out    io.Reader
	held   []byte
}

func (r *Router) Connect() (*Hand, error) {
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(r.Target.HostKey))
	if err != nil {
		return nil, err
	}
	client, err := ssh.Dial("tcp", r.Target.Address, &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.PublicKeys(r.signer)}, HostKeyCallback: ssh.FixedHostKey(key), Timeout: 10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	s, err := client.NewSession()
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	c := &Hand{client: client}
	c.in, err = s.StdinPipe()
	if err == nil {
		c.out, err = s.StdoutPipe()
	}
	if err == nil {
		err = s.RequestSubsystem("netconf")
	}
	if err == nil {
		_, err = c.Read(10 * time.Second)
	}
	if err != nil {
		return nil, errors.Join(err, client.Close())
	}
	return c, nil
}

func (c *Hand) Close() { _ = c.client.Close() }

const Hello = `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities><capability>urn:ietf:params:netconf:base:1.0</capability></capabilities></hello>]]>]]>`

func Request(id, body string) string {
	return `<rpc xmlns="urn:ietf:params:xml:ns:netconf:base:1.0" message-id="` + id + `">` + body + `</rpc>]]>]]>`
}

// Send writes octets as they are, in one write.
func (c *Hand) Send(t testing.TB, msg string) {
	t.Helper()
	if _, err := io.WriteString(c.in, msg); err != nil {
		t.Fatal(err)
	}
}

// Read returns the next message, or an error when none comes in time; then the connection is of no further use.
func (c *Hand) Read(within time.Duration) (string, error) {
	stop := time.AfterFunc(within, func() { _ = c.client.Close() })
	defer stop.Stop()
	buf := make([]byte, 32<<10)
	for {
		if i := bytes.Index(c.held, []byte("]]>]]>")); i >= 0 {
			msg := string(c.held[:i])
			c.held = c.held[i+6:]
			return msg, nil
		}
		n, err := c.out.Read(buf)
		c.held = append(c.held, buf[:n]...)
		if err != nil {
			return "", err
		}
	}
}

// Do carries out one request.
func (c *Hand) Do(t testing.TB, body string) string {
	t.Helper()
	c.Send(t, Request("7", body))
	reply, err := c.Read(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	return reply
}

// Another returns a session of another hand.
func (r *Router) Another(t testing.TB) *Hand {
	t.Helper()
	c, err := r.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	c.Send(t, Hello)
	return c
}
