package review

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/rib"
)

func TestCompanions(t *testing.T) {
	t.Parallel()
	const amplified = "flow route { match { destination 203.0.113.9/32; protocol =udp; source-port =53; } then { discard; } }\n"
	for name, c := range map[string]struct {
		rules string
		want  []string
	}{
		"a discard by port": {amplified, []string{"destination 203.0.113.9/32; protocol =udp; fragment is-fragment;"}},
		"one for several": {amplified + "flow route { match { destination 203.0.113.9/32; protocol =udp; source-port =123; } then { discard; } }",
			[]string{"destination 203.0.113.9/32; protocol =udp; fragment is-fragment;"}},
		"with its source": {"flow route { match { destination 203.0.113.9/32; source 198.51.100.0/24; port =53; } then { discard; } }",
			[]string{"destination 203.0.113.9/32; source 198.51.100.0/24; protocol =udp; fragment is-fragment;"}},
		"IPv6": {"flow route { match { destination 2001:db8::9/128; next-header =udp; source-port =53; } then { discard; } }",
			[]string{"destination 2001:db8::9/128; next-header =udp; fragment is-fragment;"}},
		"it is there":       {amplified + "flow route { match { destination 203.0.113.9/32; protocol =udp; fragment is-fragment; } then { discard; } }", nil},
		"somebody decides":  {amplified + "flow route { match { destination 203.0.113.0/24; protocol =udp; } then { rate-limit 125000; } }", nil},
		"no destination":    {"flow route { match { protocol =udp; source-port =53; } then { discard; } }", nil},
		"TCP":               {"flow route { match { destination 203.0.113.9/32; protocol =tcp; destination-port =80; } then { discard; } }", nil},
		"an exception":      {"flow route { match { destination 203.0.113.9/32; protocol =udp; source-port =53; } then { accept; } }", nil},
		"a limit":           {"flow route { match { destination 203.0.113.9/32; protocol =udp; source-port =53; } then { rate-limit 125000; } }", nil},
		"no port":           {"flow route { match { destination 203.0.113.9/32; protocol =udp; packet-length >1000; } then { discard; } }", nil},
		"fragments named":   {"flow route { match { destination 203.0.113.9/32; protocol =udp; source-port =53; fragment first-fragment; } then { discard; } }", nil},
		"a part is decided": {amplified + "flow route { match { destination 203.0.113.9/32; protocol =udp; fragment last-fragment; } then { discard; } }", []string{"destination 203.0.113.9/32; protocol =udp; fragment is-fragment;"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read := notation.Read("rules", []byte(c.rules), notation.Options{})
			if read.Failed() {
				t.Fatal(read.Problems)
			}
			var rules []flowspec.Rule
			for _, it := range read.Items {
				it.Rule.ID = flowspec.NewID("", it.Rule.Match)
				rules = append(rules, it.Rule)
			}
			rules = rib.Of(rules).Rules()
			var got []string
			for _, one := range NewIndex(rules).Companions() {
				got = append(got, one.Match.String())
				for _, i := range one.Rules {
					if one.Match.Set().Overlaps(rules[i].Match.Set()) {
						t.Errorf("%s takes packets of rule %d itself", one.Match, i)
					}
				}
			}
			if len(got) != len(c.want) || len(got) == 1 && got[0] != c.want[0] {
				t.Errorf("proposed %q, want %q", got, c.want)
			}
		})
	}
}
