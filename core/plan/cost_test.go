package plan_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

// slotsProfile returns the profile with the published costs of NCS 5500.
func slotsProfile(t testing.TB) *profile.Profile {
	t.Helper()
	const file = "testdata/ncs5500-slots.yaml"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	p, err := profile.Load(file, b)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestPublishedCosts holds what Cisco measured, and what follows from it by adding and multiplying; -1 is not known.
func TestPublishedCosts(t *testing.T) {
	t.Parallel()
	p := slotsProfile(t)
	for _, c := range []struct {
		match string
		slots int
		codes string // beside the first three words of the summary
	}{
		{"dst 2.2.2.0/24 src 3.3.0.0/16 proto 6 dport 8080", 1, ""},
		{"dst 2.2.2.2/32 proto 1 itype 8 icode 0", 1, ""},
		{"dst 2.2.2.2/32 proto 6 flags all(2)", 1, ""},
		{"dst 2.2.2.2/32 proto 17 frag all(2)", 2, ""},
		{"dst 2.2.2.2/32 proto 17 sport 137,138", 2, ""},
		{"dst 2.2.2.2/32 proto 17 sport 136,137", 2, ""}, // listed one by one: two values, though they are one block
		{"dst 2.2.2.2/32 len >=255", 9, ""},
		{"dst 2.2.2.2/32 len >=256", 8, ""},
		{"dst 2.2.2.2/32 len >=257", 15, "cheaper-boundary"},
		{"dst 2.2.2.2/32 len >256", 15, "cheaper-boundary"},
		{"dst 2.2.2.2/32 len >=400", 10, "cheaper-boundary"},
		{"dst 2.2.2.2/32 len >=500", 9, "cheaper-boundary"},
		{"dst 2.2.2.2/32 len >=512", 7, ""},
		{"dst 2.2.2.2/32 len >=768", 7, ""},
		{"dst 2.2.2.2/32 len >=120", 10, ""},
		{"dst 2.2.2.2/32 len >=129", 15, "cheaper-boundary"},
		{"dst 2.2.2.2/32 len >=800&<=1000", 6, "cheaper-boundary"},
		{"dst 2.2.2.2/32 proto 17 sport 123 len >=1&<=36,>=38&<=46,>=48&<=76,>=78&<=220,>=222", 33, ""},
		{"dst 2.2.2.2/32 proto 17 sport 53,123 len >=257", 30, "cheaper-boundary"},
		{"dst 2.2.2.2/32 proto 17 sport 17,19,53,111,123,389,1900,11211 len >=512", 56, "split-values"}, // two rules: 5 x 7 and 3 x 7
		{"dst 2.2.2.2/32 frag all(4)", -1, ""},                                                          // nothing was published of first fragments
		{"dst 2.2.2.2/32 flags any(3)", -1, ""},                                                         // two patterns
		{"dst 2.2.2.2/32 dscp 46", -1, ""},
		{"dst 2001:db8::/32 len >=257", -1, ""},
	} {
		r := rule(t, c.match+" -> discard")
		_, verdicts := mustPlan(t, rules(t, c.match+" -> discard"), p, plan.Options{})
		v := verdicts[r.ID]
		got := -1
		if v.Cost.TCAM != nil {
			got = *v.Cost.TCAM
		}
		var codes []string
		for _, one := range v.Reasons {
			codes = append(codes, one.Code)
		}
		if got != c.slots || strings.Join(codes, " ") != c.codes {
			t.Errorf("%s: %d slots, %v; want %d, %s", c.match, got, codes, c.slots, c.codes)
		}
	}
}

// The hint says what the boundary costs, what another would, and that nothing was changed.
func TestCheaperBoundary(t *testing.T) {
	t.Parallel()
	p := slotsProfile(t)
	for _, c := range []struct{ match, want string }{
		{"dst 2.2.2.2/32 len >=257", "packet-length >=257 costs 15 slots, >=256 would cost 8"},
		{"dst 2.2.2.2/32 proto 17 sport 53,123 len >=257", "packet-length >=257 costs 15 slots, >=256 would cost 8; the whole rule 30, and 16"},
		{"dst 2.2.2.2/32 proto 17 dport <=1022", "destination-port <=1022 costs 10 slots, <=1023 would cost 1"},
		{"dst 2.2.2.2/32 proto 17 dport >=1023&<=2047", "destination-port >=1023&<=2047 costs 2 slots, >=1024&<=2047 would cost 1"},
		// Six ranges are cut into two rules, and the boundary stands in one of them.
		{"dst 2.2.2.2/32 proto 17 sport 1,3,5,7,9,11 len >=257", "packet-length >=257 costs 15 slots, >=256 would cost 8; the whole rule 90, and 48"},
	} {
		r := rule(t, c.match+" -> discard")
		_, verdicts := mustPlan(t, rules(t, c.match+" -> discard"), p, plan.Options{})
		v := verdicts[r.ID]
		i := slices.IndexFunc(v.Reasons, func(r plan.Reason) bool { return r.Code == "cheaper-boundary" })
		if i < 0 {
			t.Errorf("%s: no hint, %d slots", c.match, *v.Cost.TCAM)
			continue
		}
		got := v.Reasons[i]
		if got.Message != c.want || got.Severity != plan.Note || !strings.Contains(got.Hint, "never changes what a rule matches") || !strings.HasPrefix(got.Source, "xrdocs.io") {
			t.Errorf("%s: %+v, want %s", c.match, got, c.want)
		}
	}
}

// Where a profile says nothing of slots, nothing is known of them.
func TestCostsAreNotInvented(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"generic", "asr9k", "junos-mx", "arista-eos"} {
		p, _ := embedded(t, name)
		r := rule(t, "dst 2.2.2.2/32 len >=257 -> discard")
		for _, opt := range []plan.Options{{}, {NoNative: true}} {
			_, verdicts := mustPlan(t, rules(t, "dst 2.2.2.2/32 len >=257 -> discard"), p, opt)
			if v := verdicts[r.ID]; v.Cost.TCAM != nil {
				t.Errorf("%s: %d slots", name, *v.Cost.TCAM)
			}
		}
	}
}

// Entries of a filter are counted likewise.
func TestFilterCosts(t *testing.T) {
	t.Parallel()
	costs := slotsProfile(t).Native.Cost
	p := resized(t, "junos-mx", func(_ *profile.Native, f *profile.Filter) { f.Cost = costs })
	for _, c := range []struct {
		match string
		slots int
	}{
		{"dst 2.2.2.2/32 len >=257", 15},
		{"dst 2.2.2.2/32 proto 17 len >=257,100", 16},
		{"dst 2.2.2.2/32 proto 17 frag all(2)", 2},
		{"dst 2.2.2.2/32 dscp 46", -1},
	} {
		r := rule(t, c.match+" -> discard")
		_, verdicts := mustPlan(t, rules(t, c.match+" -> discard"), p, plan.Options{NoNative: true})
		v := verdicts[r.ID]
		got := -1
		if v.Cost.TCAM != nil {
			got = *v.Cost.TCAM
		}
		if v.Carried != plan.InFilter || got != c.slots {
			t.Errorf("%s: %s, %d slots; want %d", c.match, summary(v), got, c.slots)
		}
	}
}
