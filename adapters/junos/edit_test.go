package junos_test

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

var operation = regexp.MustCompile(` nc:operation="[a-z]+"| xmlns:nc="[^"]*"`)

// From nothing, Edit says what Render says; to nothing, it deletes each object and says no more; to the same, it says nothing.
func TestEditFromAndToNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		f := filters(sayable).Draw(t, "filter")
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		add, err := dialect.Edit(nil, []filter.Filter{f})
		if err != nil {
			t.Fatal(err)
		}
		if got := operation.ReplaceAll(add, nil); !bytes.Equal(got, r.Payload) {
			t.Fatalf("got  %s\nwant %s", got, r.Payload)
		}
		if n, want := bytes.Count(add, []byte(`"replace"`)), 1+len(f.Policers); n != want {
			t.Fatalf("%d objects are replaced, want %d", n, want)
		}
		remove, err := dialect.Edit([]filter.Filter{f}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if n, want := bytes.Count(remove, []byte(`"delete"`)), 1+len(f.Policers); n != want || bytes.Contains(remove, []byte("<term>")) {
			t.Fatalf("want %d deletions and nothing else, got %s", want, remove)
		}
		same, err := dialect.Edit([]filter.Filter{f}, []filter.Filter{f})
		if err != nil || same != nil {
			t.Fatalf("got %s, %v for no change", same, err)
		}
	})
}

func TestEditNamesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	v4 := busy()
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Do: filter.Do{Policer: v4.Policers[0].Name}}}, Policers: v4.Policers}
	less := busy()
	less.Entries, less.Policers = less.Entries[:1], nil
	got, err := dialect.Edit([]filter.Filter{v4, v6}, []filter.Filter{less, v6})
	if err != nil {
		t.Fatal(err)
	}
	if s := string(got); strings.Contains(s, "policer") || strings.Contains(s, "inet6") || strings.Count(s, "nc:operation") != 1 {
		t.Errorf("the policer is still in use, and the other filter as it was: %s", s)
	}
	other := busy()
	other.Policers[0].Burst++
	if _, err := dialect.Edit(nil, []filter.Filter{other, v6}); err == nil || !strings.Contains(err.Error(), "is another one in another filter") {
		t.Errorf("got %v, want a refusal of two policers of one name", err)
	}
}

// yanglint takes the edit as well, the operations aside, which it does not know.
func TestModelsTakeEdits(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	add, err := dialect.Edit(nil, []filter.Filter{busy()})
	if err != nil {
		t.Fatal(err)
	}
	if ok, out := lint(t, dir, operation.ReplaceAll(add, nil)); !ok {
		t.Error(out)
	}
}
