package junos

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// readPolicer is a policer as its lines come in.
type readPolicer struct {
	leaves map[string]string // each statement and its value
	err    error             // the first thing that was not understood
}

// policerLeaves are the statements of a policer that sluice writes, with the number of values each has.
var policerLeaves = map[string]int{
	"filter-specific":               0,
	"if-exceeding bandwidth-limit":  1,
	"if-exceeding burst-size-limit": 1,
	"if-exceeding-pps pps-limit":    1,
	"if-exceeding-pps packet-burst": 1,
	"then discard":                  0,
}

func (p *readPolicer) line(w []string) error {
	if len(w) == 0 {
		return nil
	}
	leaf, value := strings.Join(w, " "), ""
	if n := len(w) - 1; n == 2 {
		leaf, value = strings.Join(w[:n], " "), w[n]
	}
	want, ok := policerLeaves[leaf]
	if !ok || want == 1 != (value != "") {
		return fmt.Errorf("%q is not understood", strings.Join(w, " "))
	}
	if _, twice := p.leaves[leaf]; twice {
		return fmt.Errorf("%s stands there twice", leaf)
	}
	p.leaves[leaf] = value
	return nil
}

// finishPolicer makes the policer. It must be filter-specific and discard: by default each term has a bucket of its own, and the sum is
// another rate.
func finishPolicer(name string, p *readPolicer) (filter.Policer, error) {
	if p == nil {
		return filter.Policer{}, fmt.Errorf("policer %s is used and not there", name)
	}
	if p.err != nil {
		return filter.Policer{}, p.err
	}
	out := filter.Policer{Name: name, Rate: flowspec.Rate{Unit: flowspec.Bytes}}
	limit, burst, perUnit := "if-exceeding bandwidth-limit", "if-exceeding burst-size-limit", 8.0
	if _, pps := p.leaves["if-exceeding-pps pps-limit"]; pps {
		limit, burst, perUnit = "if-exceeding-pps pps-limit", "if-exceeding-pps packet-burst", 1
		out.Rate.Unit = flowspec.Packets
	}
	for _, leaf := range []string{"filter-specific", limit, burst, "then discard"} {
		if _, ok := p.leaves[leaf]; !ok {
			return out, fmt.Errorf("policer %s: %s is missing", name, leaf)
		}
	}
	if len(p.leaves) != 4 {
		return out, fmt.Errorf("policer %s limits in bits and in packets", name)
	}
	rate, err := readAmount(p.leaves[limit])
	if err != nil {
		return out, fmt.Errorf("policer %s: %s: %w", name, limit, err)
	}
	out.Rate.Amount = float32(float64(rate) / perUnit)
	if back := float64(out.Rate.Amount) * perUnit; uint64(float64(rate)) != rate || back != float64(rate) {
		return out, fmt.Errorf("policer %s: %s %d is no rate that a rule can ask for", name, limit, rate)
	}
	if out.Burst, err = readAmount(p.leaves[burst]); err != nil {
		return out, fmt.Errorf("policer %s: %s: %w", name, burst, err)
	}
	return out, nil
}

// readAmount reads a number as Junos shows it: "as a complete decimal number or as a decimal number followed by the abbreviation k
// (1000), m (1,000,000), or g (1,000,000,000)".
func readAmount(s string) (uint64, error) {
	unit := uint64(1)
	for suffix, n := range map[string]uint64{"k": 1e3, "m": 1e6, "g": 1e9} {
		if digits, ok := strings.CutSuffix(s, suffix); ok {
			s, unit = digits, n
			break
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%q is no number above 0", s)
	}
	if n > ^uint64(0)/unit {
		return 0, errors.New("the number is too large")
	}
	return n * unit, nil
}
