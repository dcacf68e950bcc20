package host

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"

	"github.com/sluice-gateway/sluice/core/device"
)

// shortSecret is how long a secret is at least that is looked for in what a plugin says: to hide shorter ones would only make a riddle of the rest.
const shortSecret = 4

// secrets knows the passwords and keys that a plugin was given, and hides them in what it logs and answers. A plugin ought not to say them; a gateway's log outlives
// the fault of one that does.
type secrets struct {
	mu    sync.Mutex
	known map[string]bool
	hider *strings.Replacer
}

// learn takes note of a target's secrets.
func (s *secrets) learn(t device.Target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	news := false
	for _, secret := range []device.Secret{t.Password, t.PrivateKey} {
		text := string(secret)
		if len(text) < shortSecret || s.known[text] {
			continue
		}
		if s.known == nil {
			s.known = map[string]bool{}
		}
		s.known[text], news = true, true
	}
	if !news {
		return
	}
	var pairs []string
	for text := range s.known {
		for _, form := range forms(text) {
			pairs = append(pairs, form, device.Secret(text).String())
		}
	}
	s.hider = strings.NewReplacer(pairs...)
}

// forms are the ways in which a secret may stand in a line: as it is, in JSON, and each long line of a key.
func forms(text string) []string {
	out := []string{text}
	if b, err := json.Marshal(text); err == nil {
		out = append(out, strings.Trim(string(b), `"`))
	}
	if lines := strings.Fields(text); len(lines) > 1 {
		for _, l := range lines {
			if len(l) >= 16 && !strings.HasPrefix(l, "-----") {
				out = append(out, l)
			}
		}
	}
	return out
}

// hide returns text without secrets.
func (s *secrets) hide(text string) string {
	s.mu.Lock()
	hider := s.hider
	s.mu.Unlock()
	if hider == nil {
		return text
	}
	return hider.Replace(text)
}

// clean returns err without secrets, of the same kind.
func (s *secrets) clean(err error) error {
	if err == nil || s.hide(err.Error()) == err.Error() {
		return err
	}
	text := s.hide(err.Error())
	var (
		transient *device.Transient
		refused   *device.Refused
		drifted   *device.Drifted
	)
	switch {
	case errors.As(err, &refused):
		return &device.Refused{Words: s.hide(refused.Words)}
	case errors.As(err, &drifted):
		return &device.Drifted{What: s.hide(drifted.What), Gone: drifted.Gone}
	case errors.As(err, &transient):
		return &device.Transient{Err: errors.New(text), Unchanged: transient.Unchanged}
	case errors.Is(err, errors.ErrUnsupported):
		return errors.Join(errors.New(text), errors.ErrUnsupported)
	}
	return errors.New(text)
}
