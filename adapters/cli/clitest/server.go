package clitest

import (
	"cmp"
	"sync/atomic"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/internal/sshtest"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
)

// System is whose dialogue it is.
type System string

// The systems.
const (
	EOS   System = "EOS"
	IOSXR System = "IOS XR"
	Junos System = "Junos"
	SROS  System = "SR OS"
	VRP   System = "VRP"
)

// Options are what a server is to be like. The zero value is an EOS switch without anything of ours.
type Options struct {
	System   System // "": EOS
	Hostname string // "": leaf1
	// Config is the configuration to begin with, as the system prints it; of Junos and SR OS the lines that make it.
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
	*sshtest.Server
	opt    Options
	store  *store
	faults faults
	saved  atomic.Int64
}

// Start runs a server until Close.
func Start(opt Options) (*Server, error) {
	opt.System = cmp.Or(opt.System, EOS)
	opt.Hostname = cmp.Or(opt.Hostname, "leaf1")
	base, err := sshtest.New(opt.AuthorizedKey)
	if err != nil {
		return nil, err
	}
	s := &Server{Server: base, opt: opt, store: newStore(opt.System, opt.Config, opt.Clock)}
	return s, base.Start(s.shell)
}

// Running returns the running configuration as it is printed.
func (s *Server) Running() string {
	switch s.opt.System {
	case Junos:
		return s.store.printJunos("")
	case SROS:
		s.store.mu.Lock()
		defer s.store.mu.Unlock()
		return printSROS(s.store.running)
	case VRP:
		s.store.mu.Lock()
		defer s.store.mu.Unlock()
		return s.store.running.sections()
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

// shell waits for a terminal with a shell, and runs it.
func (s *Server) shell(session *sshtest.Session) {
	pty := false
	for r := range session.Requests {
		switch r.Type {
		case "pty-req":
			pty = true
			_ = r.Reply(true, nil)
		case "shell":
			_ = r.Reply(pty, nil)
			if !pty {
				return
			}
			go ssh.DiscardRequests(session.Requests)
			newTerminal(s, session).run()
			return
		default:
			_ = r.Reply(false, nil)
		}
	}
}
