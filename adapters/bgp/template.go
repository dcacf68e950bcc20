package bgp

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// between stands in the name of a peer, and of its source, between its template and its address.
const between = "@"

// Template returns the template that a peer or a source of that name came from, if it came from one.
func Template[S ~string](name S) (S, bool) {
	at := strings.LastIndex(string(name), between)
	if at < 0 {
		return name, false
	}
	return name[:at], true
}

// addTemplate takes a configuration for whoever comes. The caller holds mu.
func (s *Speaker) addTemplate(pc PeerConfig) error {
	switch {
	case pc.Device || pc.Source == "":
		return fmt.Errorf("bgp peers %s: neighbours of a prefix are sources", pc.Name)
	case pc.Password != "":
		return fmt.Errorf("bgp peers %s: a password goes with an address", pc.Name)
	case pc.Limit < 1:
		return fmt.Errorf("bgp peers %s: at most %d of them is nobody", pc.Name, pc.Limit)
	}
	for _, t := range s.templates {
		if t.Prefix == pc.Prefix && t.LocalAddress == pc.LocalAddress {
			return fmt.Errorf("bgp peers %s have the prefix of %s", pc.Name, t.Name)
		}
	}
	probe := pc
	probe.Address, probe.Passive = pc.Prefix.Addr(), true
	if _, err := s.newPeer(probe); err != nil {
		return err
	}
	s.server.HighestTTL = s.server.HighestTTL || pc.Hops > 0
	s.templates = append(s.templates, pc)
	slices.SortStableFunc(s.templates, func(a, b PeerConfig) int { return cmp.Compare(b.Prefix.Bits(), a.Prefix.Bits()) })
	s.server.Newcomer = s.newcomer
	return nil
}

// newcomer makes a peer of whoever connects from an address in a prefix, the longest one that fits.
func (s *Speaker) newcomer(from, to netip.Addr) (*session.Peer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.templates, func(t PeerConfig) bool {
		return t.Prefix.Contains(from.WithZone("")) && (!t.LocalAddress.IsValid() || t.LocalAddress.Unmap() == to)
	})
	if i < 0 {
		return nil, session.ErrStranger
	}
	pc := s.templates[i]
	template := pc.Name
	pc.Name, pc.Source = pc.Name+between+from.String(), pc.Source+flowspec.Source(between+from.String())
	pc.Address, pc.Prefix, pc.Passive = from, netip.Prefix{}, true
	if at := slices.IndexFunc(s.peers, func(p *peer) bool { return p.cfg.Name == pc.Name }); at >= 0 {
		return s.peers[at].session, nil // it called twice at once
	}
	if err := s.makeRoom(template, pc.Limit); err != nil {
		return nil, err
	}
	p, err := s.newPeer(pc)
	if err != nil {
		return nil, err
	}
	s.peers = append(slices.Clone(s.peers), p)
	if p.ours = to; s.cfg.Guest != nil {
		s.cfg.Guest(pc.Name, from, to, true)
	}
	s.server.Add(p.session)
	s.start(p)
	return p.session, nil
}

// makeRoom sees to it that a template may have one peer more: where it has all that it may have, one that has been without a session for a while goes. The caller holds mu.
func (s *Speaker) makeRoom(template string, limit int) error {
	var of, idle []*peer
	for _, p := range s.peers {
		if t, ok := Template(p.cfg.Name); !ok || t != template {
			continue
		}
		of = append(of, p)
		if st := p.session.Status(); st.State <= session.Active && time.Since(st.Since) >= s.patience {
			idle = append(idle, p)
		}
	}
	switch {
	case len(of) < limit:
		return nil
	case len(idle) == 0:
		return fmt.Errorf("%s has its %d neighbours already: raise limit", template, limit)
	}
	longest := slices.MinFunc(idle, func(a, b *peer) int { return a.session.Status().Since.Compare(b.session.Status().Since) })
	s.server.Remove(longest.session)
	s.peers = slices.DeleteFunc(slices.Clone(s.peers), func(p *peer) bool { return p == longest })
	longest.stop()
	if s.cfg.Guest != nil {
		s.cfg.Guest(longest.cfg.Name, longest.cfg.Address, longest.ours, false)
	}
	return nil
}
