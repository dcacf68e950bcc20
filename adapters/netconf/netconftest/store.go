package netconftest

import (
	"fmt"
	"sync"
	"time"
)

// store is the datastores and who may touch them (RFC 6241 sections 5.1, 7.5, 8.3, 8.4).
type store struct {
	clock   Clock
	changed func(running *Node) // called with mu held when running has changed

	noLockWhilePending bool
	anyCommitConfirms  bool

	mu        sync.Mutex
	running   *Node
	candidate *Node
	lock      int // session that holds the candidate's lock, 0: none
	pending   *pendingCommit
	commits   int
}

// pendingCommit is a confirmed commit that nobody has confirmed yet.
type pendingCommit struct {
	before  *Node
	session int    // which must confirm it, unless persist
	persist string // or whoever knows this
	stop    func() bool
}

func newStore(c Clock, config string, changed func(*Node)) (*store, error) {
	root := &Node{Name: "config"}
	if config != "" {
		n, err := parse([]byte("<config>" + config + "</config>"))
		if err != nil {
			return nil, fmt.Errorf("the configuration to begin with: %w", err)
		}
		root = n
	}
	return &store{clock: c, changed: changed, running: root, candidate: root.clone()}, nil
}

func (s *store) takeLock(session int) error {
	if s.lock != 0 {
		return &lockDenied{holder: s.lock}
	}
	if s.noLockWhilePending && s.pending != nil {
		return &editError{"lock-denied", "cannot perform the operation with confirmed-commit pending"}
	}
	if !s.candidate.equal(s.running) {
		return &editError{"lock-denied", "configuration database modified"}
	}
	s.lock = session
	return nil
}

// lockDenied names the holder, as error-info does.
type lockDenied struct{ holder int }

func (e *lockDenied) Error() string {
	return fmt.Sprintf("configuration database locked by session %d", e.holder)
}

func (s *store) unlock(session int) error {
	if s.lock != session {
		return &editError{"operation-failed", "the lock is not yours"}
	}
	s.releaseLock()
	return nil
}

// releaseLock gives the lock back; edits that were not committed are discarded (RFC 6241 section 8.3.5.2).
func (s *store) releaseLock() {
	s.lock = 0
	s.candidate = s.running.clone()
}

func (s *store) mayWrite(session int) error {
	if s.lock != 0 && s.lock != session {
		return &editError{"in-use", fmt.Sprintf("configuration database locked by session %d", s.lock)}
	}
	return nil
}

// edit changes the candidate, wholly or not at all.
func (s *store) edit(session int, edits *Node, op string) error {
	if err := s.mayWrite(session); err != nil {
		return err
	}
	next := s.candidate.clone()
	if err := edit(next, edits, op); err != nil {
		return err
	}
	s.candidate = next
	return nil
}

// commit makes the candidate running. lose makes it a commit that answers ok and does nothing.
func (s *store) commit(session int, confirmed bool, timeout time.Duration, persist, persistID string, lose bool) error {
	if err := s.mayWrite(session); err != nil {
		return err
	}
	if err := s.mayConfirm(session, persistID); err != nil {
		return err
	}
	if err := check(s.candidate); err != nil {
		return err
	}
	s.commits++
	if lose {
		s.candidate = s.running.clone()
		return nil
	}
	before := s.running
	if s.pending != nil { // extended or confirmed; what is undone is what was there at first
		before = s.pending.before
		s.pending.stop()
		s.pending = nil
	}
	s.running = s.candidate.clone()
	s.changed(s.running)
	if !confirmed {
		return nil
	}
	p := &pendingCommit{before: before, session: session, persist: persist}
	p.stop = s.clock.AfterFunc(timeout, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.undo(p)
	})
	s.pending = p
	return nil
}

// mayConfirm says whether this commit may stand beside a pending one (RFC 6241 section 8.4.5.1).
func (s *store) mayConfirm(session int, persistID string) error {
	p := s.pending
	switch {
	case p == nil && persistID != "":
		return &editError{"invalid-value", "there is no pending commit with this persist-id"}
	case p == nil:
		return nil
	case p.persist != persistID:
		return &editError{"invalid-value", "a confirmed commit with another persist-id is pending"}
	case p.persist == "" && p.session != session && !s.anyCommitConfirms:
		return &editError{"in-use", "a confirmed commit of another session is pending"}
	}
	return nil
}

func (s *store) cancel(session int, persistID string) error {
	p := s.pending
	if p == nil || p.persist != persistID || p.persist == "" && p.session != session {
		return &editError{"invalid-value", "there is no such pending commit"}
	}
	s.undo(p)
	return nil
}

// undo restores what was there before p.
func (s *store) undo(p *pendingCommit) {
	if s.pending != p {
		return
	}
	p.stop()
	s.pending = nil
	clean := s.candidate.equal(s.running)
	s.running = p.before
	s.changed(s.running)
	if clean || s.lock == 0 {
		s.candidate = s.running.clone()
	}
}

// left tidies up behind a session: its lock, and a pending commit that only it could confirm (RFC 6241 section 8.4.1).
func (s *store) left(session int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lock == session {
		s.releaseLock()
	}
	if p := s.pending; p != nil && p.session == session && p.persist == "" && !s.anyCommitConfirms {
		s.undo(p)
	}
}

// check is what a router looks at in a commit: policers that terms name must be there.
func check(config *Node) error {
	fw := config.Find("configuration", "firewall")
	if fw == nil {
		return nil
	}
	has := map[string]bool{}
	for _, k := range fw.Kids {
		if k.Name == "policer" {
			has[k.key()] = true
		}
	}
	var wrong error
	var look func(*Node)
	look = func(n *Node) {
		if n.Name == "then" {
			if p := n.Kid("policer"); p != nil && p.Text != "" && !has[p.Text] && wrong == nil {
				wrong = &editError{"operation-failed", fmt.Sprintf("Referenced policer '%s' is not defined", p.Text)}
			}
		}
		for _, k := range n.Kids {
			look(k)
		}
	}
	look(fw)
	return wrong
}
