package netconftest

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/internal/sshtest"
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
	*sshtest.Server
	opt      Options
	store    *store
	faults   faults
	flows    string               // the counters of Junos's FlowSpec routes, as XML; under the lock of store
	counters map[string][2]uint64 // packets and bytes, by name; under the lock of store, as is state
	state    *Node                // what Report said
	ids      atomic.Int64
	waiting  atomic.Int64
	said     atomic.Pointer[string]
}

// Start runs a server until Close.
func Start(opt Options) (*Server, error) {
	if opt.Clock == nil {
		opt.Clock = realClock{}
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
	base, err := sshtest.New(opt.AuthorizedKey)
	if err != nil {
		return nil, err
	}
	s := &Server{Server: base, opt: opt, store: st}
	return s, base.Start(s.subsystem)
}

// subsystem waits for the request of the netconf subsystem, and speaks NETCONF then.
func (s *Server) subsystem(session *sshtest.Session) {
	defer session.Close()
	for r := range session.Requests {
		var what struct{ Name string }
		ok := r.Type == "subsystem" && ssh.Unmarshal(r.Payload, &what) == nil && what.Name == "netconf"
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
		if !ok {
			continue
		}
		var rest sync.WaitGroup
		rest.Go(func() { ssh.DiscardRequests(session.Requests) })
		p := &peer{server: s, id: int(s.ids.Add(1)), out: session, drop: session.HangUp}
		p.talk(session)
		s.store.left(p.id)
		_ = session.Close()
		session.HangUp()
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

// Comment returns the comment of the last commit that had one.
func (s *Server) Comment() string {
	if log := s.said.Load(); log != nil {
		return *log
	}
	return ""
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
