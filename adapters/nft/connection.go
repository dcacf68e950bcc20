package nft

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/adapters/internal/sshclient"
	"github.com/sluice-gateway/sluice/core/device"
)

// DefaultPort is where SSH listens (RFC 4253 section 4.1).
const DefaultPort = "22"

// line is the way to one device.
type line struct{ sessions.Line[*connection] }

func newLine() *line { return &line{sessions.New[*connection]()} }

// connection is one over SSH. Each function of far.sh has a channel of its own in it.
type connection struct {
	client *sshclient.Client
	dead   error
	hung   bool
}

// dial logs in to t. Where nobody can be reached nothing is changed.
func (a *Adapter) dial(ctx context.Context, t device.Target, agent string, within time.Duration) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	client, err := sshclient.Dial(ctx, t, sshclient.Options{Port: DefaultPort, Agent: agent, Log: a.log()})
	var away *device.Transient
	if errors.As(err, &away) {
		return nil, transient(true, "%v", err)
	}
	if err != nil {
		return nil, err
	}
	return &connection{client: client}, nil
}

// Dead says why the connection is of no use any more.
func (c *connection) Dead() error { return c.dead }

// Hung says that it is dead because an answer did not come in time.
func (c *connection) Hung() bool { return c.hung }

// Kill ends the connection at once.
func (c *connection) Kill(why error) {
	c.dead = cmp.Or(c.dead, why, errors.New("closed"))
	_ = c.client.Close()
}

// Close ends the connection with a farewell.
func (c *connection) Close() {
	_ = c.client.Client.Close()
	c.Kill(nil)
}

// call is a function of far.sh that has answered, and may go on.
type call struct {
	c       *connection
	session *ssh.Session
	in      io.WriteCloser
	out     *bufio.Reader
	nonce   string
	words   bytes.Buffer // to be read when the session has ended
}

// stdin is what a function reads. One goroutine may close it while another one writes, which the pipe of a session does not allow.
type stdin struct {
	mu sync.Mutex
	to io.WriteCloser
}

func (i *stdin) Write(b []byte) (int, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.to.Write(b)
}

func (i *stdin) Close() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.to.Close()
}

// start begins a function of far.sh. What it reads behind the script is the caller's.
func (c *connection) start(dir, function string, args []string) (*call, error) {
	session, err := c.client.NewSession()
	if err != nil {
		return nil, err
	}
	k := &call{c: c, session: session, nonce: rand.Text()}
	session.Stderr = &k.words
	out, err := session.StdoutPipe()
	if err != nil {
		return nil, err
	}
	k.out = bufio.NewReader(out)
	in, err := session.StdinPipe()
	if err != nil {
		return nil, err
	}
	k.in = &stdin{to: in}
	text := script(k.nonce, dir, function, args...)
	if err := session.Start(shellCommand(text)); err != nil {
		return nil, err
	}
	_, _ = io.WriteString(k.in, text) // where there is no shell to read it, that is in the answer
	return k, nil
}

// bounded carries out f, and ends the connection where that takes longer than limit or ctx ends. Every error of f ends it: nobody knows what became of what was said.
func (c *connection) bounded(ctx context.Context, limit time.Duration, what string, f func() error) error {
	if c.dead != nil {
		return transient(false, "%s: the session is gone: %v", what, c.dead)
	}
	err := sessions.Bounded(ctx, limit, func() { _ = c.client.Close() }, f)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, sessions.ErrNoAnswer):
		err = fmt.Errorf("no answer within %v", limit)
		c.hung = true
	default:
		err = fmt.Errorf("the session was lost: %w", err)
	}
	c.Kill(err)
	return transient(false, "%s: %v", what, err)
}

// begin calls a function that goes on behind its answer, until call.end.
func (c *connection) begin(ctx context.Context, limit time.Duration, dir, function string, args ...string) (k *call, a answer, err error) {
	err = c.bounded(ctx, limit, function, func() error {
		if k, err = c.start(dir, function, args); err != nil {
			return err
		}
		if a.said, a.status, err = readAnswer(k.out, k.nonce); err != nil {
			return k.silent(a, err)
		}
		if a.status != 0 {
			k.drain()
			a.words = wordsOf(k.words.String(), k.nonce)
		}
		return nil
	})
	return k, a, err
}

// ask calls a function, with input where it takes some, and returns its answer when it has ended.
func (c *connection) ask(ctx context.Context, limit time.Duration, input []byte, dir, function string, args ...string) (a answer, err error) {
	err = c.bounded(ctx, limit, function, func() error {
		k, err := c.start(dir, function, args)
		if err != nil {
			return err
		}
		sent := make(chan struct{})
		go func() {
			defer close(sent)
			_, _ = k.in.Write(input) // a function that does not want it says why
			_ = k.in.Close()
		}()
		a.said, a.status, err = readAnswer(k.out, k.nonce)
		if err != nil {
			err = k.silent(a, err)
			_ = c.client.Close()
		} else {
			k.drain()
			a.words = wordsOf(k.words.String(), k.nonce)
		}
		<-sent
		return err
	})
	return a, err
}

// drain waits until the function has ended.
func (k *call) drain() {
	_ = k.in.Close()
	_, _ = io.Copy(io.Discard, k.out)
	_ = k.session.Wait() // how it ended is in its answer
}

// silent says why a function did not answer, such as that the user has no shell: that is in what was printed in place of an answer.
func (k *call) silent(a answer, err error) error {
	var ended *ssh.ExitError
	if !errors.As(k.session.Wait(), &ended) {
		return err
	}
	words := strings.TrimSpace(string(a.said) + "\n" + k.words.String())
	return fmt.Errorf("the shell of the user ended with status %d: %s", ended.ExitStatus(), words[:min(len(words), mostNoise)])
}

// end has the function end that goes on, and waits for it.
func (k *call) end(within time.Duration) {
	_ = k.c.bounded(context.Background(), within, "end", func() error { k.drain(); return nil })
}
