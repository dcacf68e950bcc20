package review

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

// Tables of 100,000 rules: one victim a rule as validate is measured with, the mix of broad and narrow rules that attacks and
// customers make, one where every rule is for one destination, and those of package rulegen.
func BenchmarkOf100k(b *testing.B) {
	const n = 100_000
	for name, line := range map[string]func(r *rand.Rand, i int) string{
		"apart": func(r *rand.Rand, i int) string {
			return fmt.Sprintf("destination 100.%d.%d.%d/32; %s", 64+i>>16, i>>8&255, i&255, conditions(r))
		},
		"mixed": func(r *rand.Rand, i int) string {
			v := r.IntN(n / 4)
			at := fmt.Sprintf("100.%d.%d", 64+v>>16, v>>8&255)
			switch k := r.IntN(200); {
			case k < 1:
				return "source " + fmt.Sprintf("10.%d.0.0/16; ", i&255) + conditions(r)
			case k < 3:
				return fmt.Sprintf("destination 100.%d.0.0/16; ", 64+v>>16) + conditions(r)
			case k < 14:
				return "destination " + at + ".0/24; " + conditions(r)
			}
			return fmt.Sprintf("destination %s.%d/32; ", at, v&255) + conditions(r)
		},
		"one destination": func(r *rand.Rand, i int) string {
			return fmt.Sprintf("destination 203.0.113.9/32; source 10.%d.%d.%d/32; ", i>>16, i>>8&255, i&255) + conditions(r)
		},
	} {
		b.Run(name, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			var text strings.Builder
			for i := range n {
				fmt.Fprintf(&text, "flow route { match { %s } then { %s } }\n", line(r, i), []string{"discard;", "discard;", "rate-limit 1250000;", "redirect 65000:666;", "accept;"}[r.IntN(5)])
			}
			var rules []flowspec.Rule
			for _, it := range notation.Read("bench", []byte(text.String()), notation.Options{}).Items {
				it.Rule.ID = flowspec.NewID("", it.Rule.Match)
				rules = append(rules, it.Rule)
			}
			look(b, rules)
		})
	}
	for name, kind := range map[string]func(flowspec.Family, int, uint64) []flowspec.Rule{"mix": rulegen.Mix, "mitigation": rulegen.Mitigation, "discards": rulegen.Discards, "customer": rulegen.Customer} {
		b.Run(name, func(b *testing.B) { look(b, kind(flowspec.IPv4, n, 1)) })
	}
}

func look(b *testing.B, rules []flowspec.Rule) {
	rules = rib.Of(rules).Rules()
	b.ReportAllocs()
	var t Table
	for b.Loop() {
		t = Of(rules)
	}
	b.ReportMetric(float64(len(t.Findings)), "found")
	b.ReportMetric(float64(t.NotLooked), "unlooked")
}

func conditions(r *rand.Rand) string {
	switch k := r.IntN(10); {
	case k < 4:
		return fmt.Sprintf("protocol =udp; source-port [ =%d =%d ];", 1+r.IntN(65535), 1+r.IntN(65535))
	case k < 6:
		return "protocol =tcp; destination-port [ =80 =443 ]; tcp-flags syn;"
	case k < 7:
		return "protocol =udp; fragment is-fragment;"
	case k < 8:
		return fmt.Sprintf("protocol =tcp; port =%d;", 1+r.IntN(65535))
	}
	return fmt.Sprintf("protocol =%d;", r.IntN(256))
}
