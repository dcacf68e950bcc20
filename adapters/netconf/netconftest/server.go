package netconftest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"
)

// Options are what a server is to be like. The zero value is a modern router.
type Options struct {
	// Config is the configuration to begin with: <configuration> and what is in it.
	Config string
	// Old: NETCONF 1.0 only, with confirmed commits that know no persist-id.
	Old bool
	// NoLockWhilePending: no session gets the candidate's lock while a commit waits for its confirmation, as netconfd has it.
	NoLockWhilePending bool
	// Junos: <commit-configuration> is understood as well, whose timeout counts minutes; a pending commit outlives the session that made it, and any
	// commit confirms it. Use it with Old.
	Junos bool
	// NoGroups: a device that has no configuration groups, and answers a question about them with an error.
	NoGroups bool
	// Clock of the undo timer; nil: the system's.
	Clock Clock
	// AuthorizedKey lets the holder of a key in, in the form of authorized_keys; the password works as well.
	AuthorizedKey string
	// OnCommit is called after each commit that changed running, and after each undo, with what running holds. It must not call the server.
	OnCommit func(running string)
}

// Server is a NETCONF server on a port of its own on 127.0.0.1.
type Server struct {
	opt      Options
	store    *store
	listener net.Listener
	config   *ssh.ServerConfig
	hostKey  ssh.PublicKey
	password string
	faults   faults

	ids     atomic.Int64
	waiting atomic.Int64
	conns   sync.WaitGroup
	mu      sync.Mutex
	open    map[net.Conn]bool
	closed  bool
}

// Start runs a server until Close.
func Start(opt Options) (*Server, error) {
	if opt.Clock == nil {
		opt.Clock = realClock{}
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	st, err := newStore(opt.Clock, opt.Config, func(running *Node) {
		if opt.OnCommit != nil {
			opt.OnCommit(contents(running))
		}
	})
	if err != nil {
		return nil, err
	}
	st.noLockWhilePending, st.anyCommitConfirms = opt.NoLockWhilePending, opt.Junos
	s := &Server{opt: opt, store: st, hostKey: signer.PublicKey(), password: rand.Text(), open: map[net.Conn]bool{}}
	s.config = &ssh.ServerConfig{PasswordCallback: s.checkPassword, PublicKeyCallback: s.checkKey}
	s.config.AddHostKey(signer)
	if s.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		return nil, err
	}
	s.conns.Add(1)
	go s.accept()
	return s, nil
}

// Addr returns host and port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Username returns who may log in.
func (s *Server) Username() string { return "sluice" }

// Password returns the password, made up at the start.
func (s *Server) Password() string { return s.password }

// HostKey returns the server's public key in the form of authorized_keys.
func (s *Server) HostKey() string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(s.hostKey)))
}

// Close ends the server and every session, and waits for them.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	_ = s.listener.Close()
	s.DropSessions()
	s.conns.Wait()
}

// DropSessions breaks every connection, as a reboot of the line card would: without a word.
func (s *Server) DropSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

func (s *Server) checkPassword(c ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) {
	if c.User() == s.Username() && string(p) == s.password {
		return nil, nil
	}
	return nil, errors.New("wrong user or password")
}

func (s *Server) checkKey(c ssh.ConnMetadata, key ssh.PublicKey) (*ssh.Permissions, error) {
	want, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.opt.AuthorizedKey))
	if err != nil || c.User() != s.Username() || string(want.Marshal()) != string(key.Marshal()) {
		return nil, errors.New("unknown key")
	}
	return nil, nil
}

func (s *Server) accept() {
	defer s.conns.Done()
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = c.Close()
			return
		}
		s.open[c] = true
		s.mu.Unlock()
		s.conns.Add(1)
		go func() {
			defer s.conns.Done()
			s.serve(c)
			s.mu.Lock()
			delete(s.open, c)
			s.mu.Unlock()
		}()
	}
}

// serve is one SSH connection.
func (s *Server) serve(c net.Conn) {
	defer c.Close()
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	var sessions sync.WaitGroup
	sessions.Add(1)
	go func() { defer sessions.Done(); ssh.DiscardRequests(requests) }()
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		ch, reqs, err := offered.Accept()
		if err != nil {
			break
		}
		sessions.Add(1)
		go func() {
			defer sessions.Done()
			s.subsystem(ch, reqs, conn)
		}()
	}
	_ = conn.Close()
	sessions.Wait()
}

// subsystem waits for the request of the netconf subsystem, and speaks NETCONF then.
func (s *Server) subsystem(ch ssh.Channel, reqs <-chan *ssh.Request, conn ssh.Conn) {
	defer ch.Close()
	for r := range reqs {
		var what struct{ Name string }
		ok := r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &what) == nil && what.Name == "netconf"
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if !ok {
			continue
		}
		var rest sync.WaitGroup
		rest.Add(1)
		go func() { defer rest.Done(); ssh.DiscardRequests(reqs) }()
		p := &peer{server: s, id: int(s.ids.Add(1)), out: ch, drop: func() { _ = conn.Close() }}
		p.talk(ch)
		s.store.left(p.id)
		_ = ch.Close()
		_ = conn.Close()
		rest.Wait()
		return
	}
}

// Running returns what the running configuration holds, as XML.
func (s *Server) Running() string {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return contents(s.store.running)
}

// Commits returns how many commits have been answered with ok.
func (s *Server) Commits() int {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.commits
}

// Sessions returns how many NETCONF sessions there have been.
func (s *Server) Sessions() int { return int(s.ids.Load()) }

// Waiting returns how many requests wait for a fault's channel.
func (s *Server) Waiting() int { return int(s.waiting.Load()) }

// Edit changes running and candidate by another hand, past every lock: config holds <configuration>.
func (s *Server) Edit(change func(config *Node)) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	change(s.store.running)
	s.store.candidate = s.store.running.clone()
	s.store.changed(s.store.running)
}

// Dirty leaves an edit of somebody else in the candidate, neither committed nor discarded.
func (s *Server) Dirty(change func(config *Node)) {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	change(s.store.candidate)
}

// Lock makes another session hold the candidate's lock until the function it returns is called.
func (s *Server) Lock() (unlock func(), err error) {
	const other = 4711
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	if err := s.store.takeLock(other); err != nil {
		return nil, err
	}
	return func() { s.store.left(other) }, nil
}

// Locked says whether somebody holds the candidate's lock.
func (s *Server) Locked() bool {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.lock != 0
}

// Pending says whether a commit waits for its confirmation.
func (s *Server) Pending() bool {
	s.store.mu.Lock()
	defer s.store.mu.Unlock()
	return s.store.pending != nil
}

func contents(root *Node) string {
	var b strings.Builder
	for _, k := range root.Kids {
		b.WriteString(k.String())
	}
	return b.String()
}

// defaultConfirmTimeout is RFC 6241's, section 8.4.5.1.
const defaultConfirmTimeout = 600 * time.Second

func (s *Server) capabilities() []string {
	caps := []string{
		"urn:ietf:params:netconf:base:1.0",
		"urn:ietf:params:netconf:capability:candidate:1.0",
		"urn:ietf:params:netconf:capability:rollback-on-error:1.0",
		"urn:ietf:params:netconf:capability:validate:1.1",
	}
	if s.opt.Junos {
		caps = append(caps, "http://xml.juniper.net/netconf/junos/1.0")
	}
	if s.opt.Old {
		return append(caps, "urn:ietf:params:netconf:capability:confirmed-commit:1.0")
	}
	return append(caps, "urn:ietf:params:netconf:base:1.1", "urn:ietf:params:netconf:capability:confirmed-commit:1.1")
}

func (s *Server) String() string { return fmt.Sprintf("netconftest on %s", s.Addr()) }
