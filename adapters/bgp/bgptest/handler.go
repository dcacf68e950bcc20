package bgptest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// handler is a Router as its session sees it. Any error in a message ends the session: what this gateway sends must never contain one.
type handler Router

func (h *handler) Up(_ context.Context, s *session.Session) {
	h.happened(func() { h.session = s }, Event{Kind: Up})
}

func (h *handler) Down(_ context.Context, _ *session.Session, reason error) {
	h.happened(func() {
		h.session = nil
		clear(h.table) // no graceful restart was offered
	}, Event{Kind: Down, Err: reason})
}

// Refresh only says that it was asked: the router has no table of its own to send.
func (h *handler) Refresh(_ context.Context, _ *session.Session, f session.Family) {
	family, _ := flowspec.FamilyOf(f.AFI, f.SAFI)
	h.happened(nil, Event{Kind: Refresh, Family: family})
}

// Again writes down that it came. The router keeps what is not repeated: it is for tests to look at.
func (h *handler) Again(_ context.Context, _ *session.Session, f session.Family, end bool) {
	family, _ := flowspec.FamilyOf(f.AFI, f.SAFI)
	kind := Begin
	if end {
		kind = End
	}
	h.happened(nil, Event{Kind: kind, Family: family})
}

func (h *handler) Update(_ context.Context, s *session.Session, body []byte) error {
	u, err := session.ParseUpdate(body)
	if err != nil {
		return err
	}
	if f, ok := u.EndOfRIB(); ok {
		family, _ := flowspec.FamilyOf(f.AFI, f.SAFI)
		h.happened(nil, Event{Kind: EndOfRIB, Family: family})
		return nil
	}
	if u.Reach != nil && u.Unreach != nil {
		return broken(errors.New("MP_REACH_NLRI and MP_UNREACH_NLRI in one UPDATE"))
	}
	path, err := session.ParsePath(&u, s.Negotiated)
	if err != nil {
		return broken(err)
	}
	if u.Unreach != nil {
		return h.withdraw(s, u.Unreach)
	}
	if u.Reach == nil {
		return broken(errors.New("an UPDATE that says nothing"))
	}
	return h.announce(s, u.Reach, path)
}

func broken(err error) error {
	return &session.Notification{Code: 3, Subcode: 1, Detail: err.Error()}
}

func (h *handler) withdraw(s *session.Session, u *session.Unreach) error {
	matches, err := h.parse(s, u.Family, u.NLRI)
	if err != nil {
		return err
	}
	events := make([]Event, 0, len(matches))
	for _, m := range matches {
		events = append(events, Event{Kind: Withdrawn, Route: Route{Match: m}})
	}
	h.happened(func() {
		h.updates++
		for _, m := range matches {
			delete(h.table, keyOf(m))
		}
	}, events...)
	return nil
}

func (h *handler) announce(s *session.Session, r *session.Reach, path session.Path) error {
	matches, err := h.parse(s, r.Family, r.NLRI)
	if err != nil {
		return err
	}
	hop, _ := netip.AddrFromSlice(r.NextHop)
	var ext []flowspec.ExtComm
	for _, c := range slices.Concat(path.ExtCommunities, path.IPv6Communities) {
		ext = append(ext, flowspec.ExtComm(c))
	}
	action, others, err := flowspec.ParseAction(ext, hop)
	if err != nil {
		return broken(err)
	}
	var events []Event
	var last error
	for _, m := range matches {
		e := Event{Kind: Announced, Route: Route{Match: m, Action: action, Others: others, Path: path}}
		if err := h.check(e.Route); err != nil {
			e.Kind, e.Err, last = Refused, err, err
		}
		events = append(events, e)
	}
	h.happened(func() {
		h.updates++
		for _, e := range events {
			if e.Kind == Refused {
				delete(h.table, keyOf(e.Route.Match))
			} else {
				h.table[keyOf(e.Route.Match)] = e.Route
			}
		}
	}, events...)
	if last != nil && h.cfg.Resets {
		return &session.Notification{Code: 3, Subcode: 10, Detail: last.Error()}
	}
	return nil
}

func (h *handler) check(r Route) error {
	if h.cfg.Check == nil {
		return nil
	}
	return h.cfg.Check(r)
}

// parse decodes every NLRI of one attribute, and insists on canonical octets.
func (h *handler) parse(s *session.Session, f session.Family, b []byte) ([]flowspec.Match, error) {
	family, ok := flowspec.FamilyOf(f.AFI, f.SAFI)
	if !ok || !s.Has(f) {
		return nil, broken(fmt.Errorf("family %v was not agreed on", f))
	}
	var out []flowspec.Match
	for len(b) > 0 {
		nlri, rest, err := flowspec.Frame(b)
		if err != nil {
			return nil, broken(err)
		}
		m, err := flowspec.ParseNLRIAs(family, slices.Clone(nlri), h.cfg.Offsets)
		if err != nil {
			return nil, &session.Notification{Code: 3, Subcode: 10, Detail: fmt.Sprintf("NLRI %x: %v", nlri, err)}
		}
		if canonical, err := m.NLRIAs(h.cfg.Offsets); err != nil || !bytes.Equal(canonical, nlri) {
			return nil, &session.Notification{Code: 3, Subcode: 10, Detail: fmt.Sprintf("NLRI %x is not canonical, that is %x", nlri, canonical)}
		}
		out, b = append(out, m), rest
	}
	return out, nil
}

func keyOf(m flowspec.Match) key { return key{m.Family(), string(m.NLRI())} }

// happened changes the router, wakes those who wait, and tells the watcher.
func (h *handler) happened(change func(), events ...Event) {
	h.mu.Lock()
	if change != nil {
		change()
	}
	h.events = append(h.events, events...)
	close(h.changed)
	h.changed = make(chan struct{})
	h.mu.Unlock()
	if h.cfg.Watch == nil {
		return
	}
	for _, e := range events {
		h.cfg.Watch(e)
	}
}
