package bgptest

import (
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
	h.happened(Event{Kind: Up}, func() { h.session = s })
}

func (h *handler) Down(_ context.Context, _ *session.Session, reason error) {
	h.happened(Event{Kind: Down, Err: reason}, func() {
		h.session = nil
		clear(h.table) // no graceful restart was offered
	})
}

// Refresh only says that it was asked: the router has no table of its own to send.
func (h *handler) Refresh(_ context.Context, _ *session.Session, f session.Family) {
	family, _ := flowspec.FamilyOf(f.AFI, f.SAFI)
	h.happened(Event{Kind: Refresh, Family: family}, nil)
}

func (h *handler) Update(_ context.Context, s *session.Session, body []byte) error {
	u, err := session.ParseUpdate(body)
	if err != nil {
		return err
	}
	if f, ok := u.EndOfRIB(); ok {
		family, _ := flowspec.FamilyOf(f.AFI, f.SAFI)
		h.happened(Event{Kind: EndOfRIB, Family: family}, nil)
		return nil
	}
	if u.Reach != nil && u.Unreach != nil {
		return broken(errors.New("MP_REACH_NLRI and MP_UNREACH_NLRI in one UPDATE"))
	}
	path, err := session.ParsePath(&u, s.Negotiated)
	if err != nil {
		return broken(err)
	}
	h.happened(Event{}, func() { h.updates++ })
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
	matches, err := parse(s, u.Family, u.NLRI)
	if err != nil {
		return err
	}
	for _, m := range matches {
		k := keyOf(m)
		h.happened(Event{Kind: Withdrawn, Route: Route{Match: m}}, func() { delete(h.table, k) })
	}
	return nil
}

func (h *handler) announce(s *session.Session, r *session.Reach, path session.Path) error {
	matches, err := parse(s, r.Family, r.NLRI)
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
	for _, m := range matches {
		route := Route{Match: m, Action: action, Others: others, Path: path}
		if err := h.check(route); err != nil {
			h.happened(Event{Kind: Refused, Route: route, Err: err}, func() { delete(h.table, keyOf(m)) })
			if h.cfg.Resets {
				return &session.Notification{Code: 3, Subcode: 10, Detail: err.Error()}
			}
			continue
		}
		h.happened(Event{Kind: Announced, Route: route}, func() { h.table[keyOf(m)] = route })
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
func parse(s *session.Session, f session.Family, b []byte) ([]flowspec.Match, error) {
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
		m, err := flowspec.ParseNLRI(family, slices.Clone(nlri))
		if err != nil {
			return nil, &session.Notification{Code: 3, Subcode: 10, Detail: fmt.Sprintf("NLRI %x: %v", nlri, err)}
		}
		out, b = append(out, m), rest
	}
	return out, nil
}

func keyOf(m flowspec.Match) key { return key{m.Family(), string(m.NLRI())} }

// happened changes the router, tells the watcher and wakes those who wait. An event without a kind is a change nobody watches.
func (h *handler) happened(e Event, change func()) {
	h.mu.Lock()
	if change != nil {
		change()
	}
	if e.Kind != "" {
		h.events = append(h.events, e)
	}
	close(h.changed)
	h.changed = make(chan struct{})
	h.mu.Unlock()
	if e.Kind != "" && h.cfg.Watch != nil {
		h.cfg.Watch(e)
	}
}
