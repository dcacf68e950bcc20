package filter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func TestJSONRoundTrip(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		want := filters().Draw(t, "filter")
		if err := want.Check(); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		var got filter.Filter
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatalf("%v\n%s", err, b)
		}
		if diff := cmp.Diff(want, got, cmp.Comparer(equalAddrs), cmp.Comparer(equalPrefixes)); diff != "" {
			t.Fatalf("(-want +got)\n%s", diff)
		}
	})
}

// An empty list matches nothing; without it, the entry would match everything.
func TestJSONKeepsEmptyListsApartFromNone(t *testing.T) {
	t.Parallel()
	b, err := json.Marshal(filter.Match{Proto: packet.Values{}, Flags: []filter.FlagTerm{}})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), `{"proto":[],"flags":[]}`; got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
	var m filter.Match
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if m.Proto == nil || m.Flags == nil || m.Port != nil {
		t.Fatalf("got %#v", m)
	}
}

func TestJSONRefusesUnknownKeys(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		`{"name":"sluice-v4","ttl":1}`,
		`{"name":"sluice-v4","entries":[{"name":"a","ttl":1}]}`,
		`{"name":"sluice-v4","entries":[{"name":"a","match":{"ttl":[]}}]}`,
		`{"name":"sluice-v4","entries":[{"name":"a","do":{"reject":true}}]}`,
		`{"name":"sluice-v4","policers":[{"name":"a","color":"red"}]}`,
	} {
		var f filter.Filter
		if err := json.Unmarshal([]byte(s), &f); err == nil || !strings.Contains(err.Error(), "unknown field") {
			t.Errorf("%s: got %v, want an unknown field", s, err)
		}
	}
}

// A place is a device's own: a filter that was read is the one that was wanted, wherever its entries stand.
func TestPlacesGoNowhere(t *testing.T) {
	t.Parallel()
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Place: 700}}}
	b, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var got filter.Filter
	if err := json.Unmarshal(b, &got); err != nil || got.Entries[0].Place != 0 || strings.Contains(strings.ToLower(string(b)), "700") {
		t.Errorf("%v: %s", err, b)
	}
	if err := filter.Same(f, got, filter.Semantics{}); err != nil {
		t.Error(err)
	}
}
