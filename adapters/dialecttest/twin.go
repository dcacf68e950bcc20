package dialecttest

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// twin holds the text against Router, which knows nothing of packet sets or of our parser.
func (s Suite) twin(t *testing.T) {
	if s.Router == nil {
		t.Logf("judged by %s", s.Judge)
		return
	}
	var matched, later atomic.Int64
	rapid.Check(t, func(t *rapid.T) {
		f := s.Sayable(t)
		r := s.render(t, s.configured(t), f)
		for range 20 {
			h := Header(t, f)
			want, met := s.expected(f, h)
			if met {
				matched.Add(1)
				if h.Fragment >= packet.Middle {
					later.Add(1)
				}
			}
			for i, got := range s.Router(f, r.Text, h) {
				if got != want {
					t.Fatalf("%+v: the router says %q (answer %d), the table %q\n%s", h, got, i, want, r.Text)
				}
			}
		}
	})
	if matched.Load() == 0 || later.Load() == 0 {
		t.Errorf("%d packets met an entry, %d of them later fragments", matched.Load(), later.Load())
	}
	t.Logf("%d packets met an entry, %d of them later fragments", matched.Load(), later.Load())
}

// expected is what f does to h, in the words of the router, and whether an entry meets it.
func (s Suite) expected(f filter.Filter, h packet.Header) (string, bool) {
	ids, _ := f.Table(s.Dialect.Semantics()).Classify(h)
	if len(ids) == 0 {
		if s.Rest == nil {
			return "", false
		}
		return s.Rest(f), false
	}
	if s.Says == nil {
		return strings.Join(ids, " "), true
	}
	words := make([]string, len(ids))
	for i, id := range ids {
		words[i] = s.Says(f.Entries[slices.IndexFunc(f.Entries, func(e filter.Entry) bool { return e.Name == id })])
	}
	return strings.Join(words, " "), true
}
