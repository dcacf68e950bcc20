// Package sshtest is the SSH under the servers that tests of adapters run in their own process: it lets one user in, and hands each session to what is emulated.
package sshtest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"sync"

	"golang.org/x/crypto/ssh"
)

// Session is one session of a connection, that has not asked for anything yet.
type Session struct {
	ssh.Channel
	Requests <-chan *ssh.Request
	hangUp   func()
}

// HangUp ends the connection at once.
func (s *Session) HangUp() { s.hangUp() }

// Server is SSH on a port of its own on 127.0.0.1.
type Server struct {
	listener net.Listener
	config   *ssh.ServerConfig
	hostKey  ssh.PublicKey
	password string
	key      string // in the form of authorized_keys; "": none
	serve    func(*Session)

	conns  sync.WaitGroup
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// New makes a server. It lets the holder of authorizedKey in, in the form of authorized_keys, beside whoever has the password; "" is no key.
func New(authorizedKey string) (*Server, error) {
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	s := &Server{hostKey: signer.PublicKey(), password: rand.Text(), key: authorizedKey, open: map[net.Conn]bool{}}
	s.config = &ssh.ServerConfig{PasswordCallback: s.checkPassword, PublicKeyCallback: s.checkKey}
	s.config.AddHostKey(signer)
	return s, nil
}

// Start listens, and calls serve for each session, in a goroutine of its own. The connection ends when the first of its sessions has been served.
func (s *Server) Start(serve func(*Session)) error {
	var err error
	if s.listener, err = (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	s.serve = serve
	s.conns.Add(1)
	go s.accept()
	return nil
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

// DropSessions breaks every connection, without a word.
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
	want, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.key))
	if err != nil || c.User() != s.Username() || string(want.Marshal()) != string(key.Marshal()) {
		return nil, errors.New("unknown key")
	}
	return nil, nil
}

func (s *Server) accept() {
	defer s.conns.Done()
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			_ = conn.Close()
			return
		}
		s.open[conn] = true
		s.conns.Add(1)
		s.mu.Unlock()
		go func() {
			defer s.conns.Done()
			s.connection(conn)
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		}()
	}
}

// connection serves one connection until it ends, and waits for its sessions.
func (s *Server) connection(conn net.Conn) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	var sessions sync.WaitGroup
	defer sessions.Wait()
	sessions.Go(func() { ssh.DiscardRequests(requests) })
	for offered := range channels {
		if offered.ChannelType() != "session" {
			_ = offered.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, asked, err := offered.Accept()
		if err != nil {
			break
		}
		sessions.Go(func() {
			defer conn.Close()
			s.serve(&Session{Channel: channel, Requests: asked, hangUp: func() { _ = conn.Close() }})
		})
	}
	_ = conn.Close()
}
