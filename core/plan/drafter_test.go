package plan

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/rulegen"
	"github.com/sluice-gateway/sluice/profiles"
)

// A drafter that has looked at anything before looks at each rule as if it were the first, and what it made stays as it was.
func TestDrafterLooksAtEachRuleAnew(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"asr9k", "junos-mx", "arista-eos", "generic"} {
		p, err := profiles.Embedded().Get(name)
		if err != nil {
			t.Fatal(err)
		}
		platform, err := newPlatform(p, Options{})
		if err != nil {
			t.Fatal(err)
		}
		d := drafter{platform: platform}
		var rules []flowspec.Rule
		for _, f := range []flowspec.Family{flowspec.IPv4, flowspec.IPv6} {
			rules = append(rules, rulegen.Mix(f, 400, 1)...)
			for _, kind := range rulegen.Kinds {
				rules = append(rules, rulegen.Adversarial(kind, f, 50, 1)...)
			}
		}
		cards, cut := make([]*card, len(rules)), 0
		for i := range rules {
			cards[i] = d.card(&rules[i])
		}
		for i, c := range cards {
			anew := drafter{platform: platform}
			if want := anew.card(&rules[i]); !reflect.DeepEqual(takeSets(c), takeSets(want)) || !reflect.DeepEqual(c, want) {
				t.Fatalf("%s, %s: got %s, want %s", name, rules[i].Match, text(c), text(want))
			}
			if c.native != nil && len(c.native.routes) > 1 {
				cut++
			}
		}
		if cut == 0 && name == "asr9k" {
			t.Errorf("%s: no rule was cut", name)
		}
	}
}

// takeSets takes the sets of pieces out of c, which pointers hide from comparison.
func takeSets(c *card) []packet.Set {
	if c.native == nil {
		return nil
	}
	sets := c.native.sets.Swap(nil)
	if sets == nil {
		return nil
	}
	return *sets
}

// text prints what a test that failed needs of c.
func text(c *card) string { return fmt.Sprintf("%v, %+v", c.set, c.native) }
