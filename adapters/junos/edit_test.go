package junos_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func TestEditNamesOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	v4 := busy()
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Alone, Policers: v4.Policers,
		Entries: []filter.Entry{{Name: "a", Do: filter.Do{Policer: v4.Policers[0].Name, Continue: true}}, {Name: "b", Do: filter.Do{Policer: v4.Policers[1].Name}}}}
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
	if ok, out := lint(t, dir, dialecttest.WithoutOperations(add)); !ok {
		t.Error(out)
	}
}

// What another hand changed is replaced whole, whether it is understood or not; what it deactivated is said to be.
func TestEditRepairsWhatAnotherHandChanged(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for change, deactivated := range map[[2]string]bool{
		{"source-port 53;", "source-port 54;"}:                                                   false, // understood, and different
		{"fragment-offset 0;", ""}:                                                               false, // understood, and nothing that Render would write
		{"source-port 53;", "source-port 53; ttl 1;"}:                                            false,
		{"filter-specific;", "filter-specific; bandwidth-hog;"}:                                  false,
		{"source-port 53;", "inactive: source-port 53;"}:                                         true,
		{"policer sluice-r-0000000000000002 {", "inactive: policer sluice-r-0000000000000002 {"}: true,
	} {
		shown := strings.ReplaceAll(r.Text, change[0], change[1])
		have, err := dialect.Parse([]byte(shown))
		var foreign *filter.ForeignError
		if errors.As(err, &foreign) {
			have = foreign.Filters
		} else if err != nil {
			t.Fatal(err)
		}
		if got := foreign != nil && foreign.Deactivated; got != deactivated {
			t.Errorf("%s: deactivated is %v: %v", change[1], got, err)
		}
		edit, err := dialect.Edit(have, []filter.Filter{busy()})
		if err != nil {
			t.Errorf("%s: %v", change[1], err)
		}
		if !strings.Contains(string(edit), `<filter nc:operation="replace"><name>sluice-v4</name>`) {
			t.Errorf("%s: the filter is not replaced: %s", change[1], edit)
		}
	}
}
