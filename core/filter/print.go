package filter

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// String prints d in the words of an operator: `policer sluice-r-1, mark 46, continue`.
func (d Do) String() string {
	var words []string
	if d.Discard {
		words = append(words, "discard")
	}
	if d.Policer != "" {
		words = append(words, "policer "+d.Policer)
	}
	if r := d.Redirect; r != nil {
		word := "redirect to a route target"
		if r.NextHop() {
			word = "redirect to " + r.Addr.String()
		}
		if r.Copy {
			word += " (copy)"
		}
		words = append(words, word)
	}
	if d.Mark != nil {
		words = append(words, fmt.Sprintf("mark %d", *d.Mark))
	}
	if d.Sample {
		words = append(words, "sample")
	}
	if d.Continue {
		words = append(words, "continue")
	}
	if len(words) == 0 {
		return "accept"
	}
	return strings.Join(words, ", ")
}

// String prints p with its units: `12500000 bytes/s, burst 1250000 bytes`.
func (p Policer) String() string {
	unit := "bytes"
	if p.Rate.Unit == flowspec.Packets {
		unit = "packets"
	}
	return fmt.Sprintf("%.0f %s/s, burst %d %s", p.Rate.Amount, unit, p.Burst, unit)
}
