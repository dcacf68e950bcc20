package junos_test

import (
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// "Firewall Filter Nonterminating Actions": next term is not taken in the last term, nor in a term without conditions.
func TestNextTermStandsWhereJunosTakesIt(t *testing.T) {
	t.Parallel()
	goesOn := 0
	rapid.Check(t, func(t *rapid.T) {
		f := suite.Sayable(t)
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		terms := strings.Split(r.Text, "            term ")[1:]
		for i, term := range terms {
			if !strings.Contains(term, "next term;") {
				continue
			}
			goesOn++
			if i == len(terms)-1 {
				t.Fatalf("the last term goes on\n%s", r.Text)
			}
			if !strings.Contains(term, "from {") {
				t.Fatalf("a term without conditions goes on\n%s", r.Text)
			}
		}
		if len(terms) == 0 {
			t.Fatalf("a filter without a term\n%s", r.Text)
		}
	})
	if goesOn == 0 {
		t.Error("no term goes on")
	}
}

// The term that ends a filter in front of another is read as no entry, and only as it is written.
func TestClosingTerm(t *testing.T) {
	t.Parallel()
	v6 := filter.Filter{Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Before, Entries: []filter.Entry{{Name: "a", Do: filter.Do{Sample: true, Continue: true}}}}
	r, err := dialect.Render(v6)
	if err != nil {
		t.Fatal(err)
	}
	readsBackAs(t, v6, []byte(r.Text))
	for change, with := range map[string]string{
		"::/128;\n                    }\n                }\n                then discard": "::/0;\n                    }\n                }\n                then discard",
		"then discard;":           "then accept;",
		"term nothing {":          "term nothing { from payload-protocol tcp;",
		"discard;\n            }": "discard;\n            } term b { then discard; }",
	} {
		spoilt := strings.Replace(r.Text, change, with, 1)
		if spoilt == r.Text {
			t.Fatalf("no %q in\n%s", change, r.Text)
		}
		if got, err := dialect.Parse([]byte(spoilt)); err == nil || !strings.Contains(err.Error(), "term nothing is not as sluice writes it") {
			t.Errorf("%s: got %+v, %v", with, got, err)
		}
	}
	// A host that is really asked for is an entry like any other.
	host := netip.MustParsePrefix("0.0.0.0/32")
	v4 := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Before, Entries: []filter.Entry{{Name: "a", Match: filter.Match{Src: &host, Dst: &host}, Do: filter.Do{Discard: true}}}}
	if r, err = dialect.Render(v4); err != nil {
		t.Fatal(err)
	}
	readsBackAs(t, v4, []byte(r.Text))
	if strings.Contains(r.Text, "nothing") {
		t.Errorf("a filter that ends by discarding has a closing term\n%s", r.Text)
	}
}

func readsBackAs(t *testing.T, f filter.Filter, text []byte) {
	t.Helper()
	got, err := dialect.Parse(text)
	if err != nil || len(got) != 1 {
		t.Fatalf("got %d filters, %v", len(got), err)
	}
	if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
}
