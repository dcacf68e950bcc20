package dialecttest

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// refusals: Render refuses what the language cannot say, and names it.
func (s Suite) refusals(t *testing.T) {
	s.render(t, s.Dialect, s.Busy())
	for want, spoil := range s.Refused {
		f := s.Busy()
		spoil(&f, &f.Entries[0].Match, &f.Entries[0].Do)
		if _, err := s.Dialect.Render(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant an error with %q", err, want)
		}
	}
	for want, e := range s.RefusedIPv6 {
		if e.Name == "" {
			e.Name = "r-1"
		}
		f := filter.Filter{Name: filter.Mark + "v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{e}}
		if _, err := s.Dialect.Render(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("IPv6: got %v\nwant an error with %q", err, want)
		}
	}
}

// hostile: Parse refuses what is not as the dialect writes it, and says what.
func (s Suite) hostile(t *testing.T) {
	for text, want := range s.Hostile {
		if got, err := s.Dialect.Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %+v, %v\nwant an error with %q", text, got, err, want)
		}
	}
	r := s.render(t, s.Dialect, s.Busy())
	for _, c := range s.Spoilt {
		stands, instead, want := c[0], c[1], c[2]
		text := r.Text
		if !strings.Contains(text, stands) {
			text = string(r.Payload)
		}
		spoilt := strings.Replace(text, stands, instead, 1)
		if spoilt == text {
			t.Errorf("no %q in\n%s\n%s", stands, r.Text, r.Payload)
			continue
		}
		got, err := s.Dialect.Parse([]byte(spoilt))
		var foreign *filter.ForeignError
		if !errors.As(err, &foreign) || !strings.Contains(err.Error(), want) {
			t.Errorf("with %q: got %+v, %v\nwant a *filter.ForeignError with %q", instead, got, err, want)
			continue
		}
		if about := foreign.Filters; !strings.Contains(want, "makes no") && (len(about) != 1 || about[0].Name != s.Busy().Name || len(about[0].Entries) > 0) {
			t.Errorf("with %q: the error is about %+v", instead, about)
		}
	}
}

// marked: a filter without our mark is not written, and what another's looks like is passed over, however it resembles ours.
func (s Suite) marked(t *testing.T) {
	f := s.Busy()
	r := s.render(t, s.Dialect, f)
	for _, form := range forms(r) {
		theirs := strings.ReplaceAll(string(form), filter.Mark, "theirs-")
		if got, err := s.Dialect.Parse([]byte(theirs)); err != nil || len(got) > 0 {
			t.Errorf("another's filter is read as %+v, %v\n%s", got, err, theirs)
		}
	}
	f.Name = "theirs-v4"
	if r, err := s.Dialect.Render(f); err == nil {
		t.Errorf("a filter without our mark is written:\n%s", r.Text)
	}
	for _, nothing := range []string{"", "\n"} {
		if got, err := s.Dialect.Parse([]byte(nothing)); err != nil || len(got) > 0 {
			t.Errorf("%q: got %+v, %v", nothing, got, err)
		}
	}
}
