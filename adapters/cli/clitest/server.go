package clitest

import (
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
	"net"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
)

// System is whose dialogue it is.
type System string

// The systems.
const (
	EOS   System = "EOS"
	IOSXR System = "IOS XR"
	Junos System = "Junos"
)

// Options are what a server is to be like. The zero value is an EOS switch without anything of ours.
type Options struct {
	System   System // "": EOS
	Hostname string // "": leaf1
	// Config is the configuration to begin with, as the system prints it.
	Config string
	// Clock of the undo timer; nil: the system's.
	Clock netconftest.Clock
	// AuthorizedKey lets the holder of a key in, in the form of authorized_keys; the password works as well.
	AuthorizedKey string
	// Unprivileged: the user begins at the prompt with ">", and `enable` asks for a password.
	Unprivileged bool
	// Banner is printed before the first prompt.
	Banner string
	// Slow: what the server prints arrives one octet at a time.
	Slow bool
}

// Server is a command line over SSH on a port of its own on 127.0.0.1.
type Server struct {
	opt      Options
	store    *store
	faults   faults
	listener net.Listener
	config   *ssh.ServerConfig
	hostKey  ssh.PublicKey
	password string
	saved    atomic.Int64

	conns  sync.WaitGroup
	mu     sync.Mutex
	open   map[net.Conn]bool
	closed bool
}

// Start runs a server until Close.
func Start(opt Options) (*Server, error) {
	opt.System = cmp.Or(opt.System, EOS)
	if opt.Hostname == "" {
		opt.Hostname = "leaf1"
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	s := &Server{opt: opt, store: newStore(opt.System, opt.Config, opt.Clock), hostKey: signer.PublicKey(), password: rand.Text(), open: map[net.Conn]bool{}}
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

// DropSessions breaks every connection, without a word.
func (s *Server) DropSessions() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.open {
		_ = c.Close()
	}
}

// Running returns the running configuration as it is printed.
func (s *Server) Running() string {
	if s.opt.System == Junos {
		return s.store.printJunos("")
	}
	return s.store.print("")
}

// Edit has another hand type lines where configuration begins, and returns what was answered that is not nothing.
func (s *Server) Edit(lines ...string) string { return s.store.edit(lines) }

// Sessions returns the names of the configuration sessions that are neither committed nor aborted.
func (s *Server) Sessions() []string { return s.store.open() }

// Open begins configuration sessions of these names, as somebody does who goes away in the middle.
func (s *Server) Open(names ...string) {
	for _, name := range names {
		s.store.enter(name)
	}
}

// Saved returns how often the running configuration was saved.
func (s *Server) Saved() int { return int(s.saved.Load()) }

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
			s.serve(conn)
			s.mu.Lock()
			delete(s.open, conn)
			s.mu.Unlock()
		}()
	}
}

// serve is one connection.
func (s *Server) serve(conn net.Conn) {
	defer conn.Close()
	_, channels, requests, err := ssh.NewServerConn(conn, s.config)
	if err != nil {
		return
	}
	var terminals sync.WaitGroup
	defer terminals.Wait()
	go ssh.DiscardRequests(requests)
	for c := range channels {
		if c.ChannelType() != "session" {
			_ = c.Reject(ssh.UnknownChannelType, "sessions only")
			continue
		}
		channel, asked, err := c.Accept()
		if err != nil {
			return
		}
		terminals.Add(1)
		go func() {
			defer terminals.Done()
			s.shell(conn, channel, asked)
		}()
	}
}

// shell waits for a terminal with a shell, and runs it.
func (s *Server) shell(conn net.Conn, channel ssh.Channel, asked <-chan *ssh.Request) {
	pty := false
	for r := range asked {
		switch r.Type {
		case "pty-req":
			pty = true
			_ = r.Reply(true, nil)
		case "shell":
			_ = r.Reply(pty, nil)
			if !pty {
				return
			}
			go ssh.DiscardRequests(asked)
			newTerminal(s, conn, channel).run()
			_ = conn.Close()
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}
