package notation

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// ParseRate reads a rate with its unit: bits (`10Mbps`, `10 Mbit/s`), bytes (`1.25MB/s`) or packets (`500pps`) per second.
// k, M, G and T are powers of 1000. The amount is stored in bytes/s or packets/s, rounded once to the float32 that BGP
// carries (RFC 8955 §7.1, §7.2). A bare number is refused, since bits and bytes differ by eight; so are 0 (that is
// discard), negative and infinite rates, and spellings such as MBps that may mean either.
func ParseRate(s string) (flowspec.Rate, error) {
	digits := len(s)
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < '0' || c > '9') && c != '.' {
			digits = i
			break
		}
	}
	unit := strings.TrimLeft(s[digits:], " ")
	v, err := strconv.ParseFloat(s[:digits], 64)
	if err != nil || digits == 0 || s[digits-1] == '.' {
		return flowspec.Rate{}, fmt.Errorf("%q is no rate: write a number and its unit, as in 10Mbps, 1.25MB/s or 500pps", s)
	}
	if unit == "" {
		return flowspec.Rate{}, fmt.Errorf("%s: bits or bytes? write %sbps for bits per second, %sB/s for bytes per second or %spps for packets per second", s, s, s, s)
	}
	factor, kind, err := parseUnit(s[:digits], unit)
	if err != nil {
		return flowspec.Rate{}, err
	}
	amount := float32(v * factor)
	switch {
	case v == 0:
		return flowspec.Rate{}, fmt.Errorf("%q: a rate of 0 is discard: write discard", s)
	case math.IsInf(float64(amount), 0):
		return flowspec.Rate{}, fmt.Errorf("%q: more than BGP can carry (RFC 8955 §7.1)", s)
	case amount == 0:
		return flowspec.Rate{}, fmt.Errorf("%q: less than BGP can carry (RFC 8955 §7.1)", s)
	}
	return flowspec.Rate{Amount: amount, Unit: kind}, nil
}

// parseUnit returns what one of a unit is in bytes/s or packets/s. number is what stands in front, for messages.
func parseUnit(number, unit string) (factor float64, kind flowspec.Unit, err error) {
	factor = 1
	base := unit
	switch unit[0] {
	case 'k', 'K':
		factor, base = 1e3, unit[1:]
	case 'm', 'M':
		factor, base = 1e6, unit[1:]
	case 'g', 'G':
		factor, base = 1e9, unit[1:]
	case 't', 'T':
		factor, base = 1e12, unit[1:]
	}
	prefix := unit[:len(unit)-len(base)]
	switch base {
	case "bps", "bit/s", "b/s":
		return factor / 8, flowspec.Bytes, nil
	case "B/s", "byte/s", "bytes/s":
		return factor, flowspec.Bytes, nil
	case "pps", "p/s", "packets/s":
		return factor, flowspec.Packets, nil
	case "Bps", "BPS", "B", "b", "bit", "byte":
		return 0, 0, fmt.Errorf("%s%s: bits or bytes? write %s%sbps for bits per second or %s%sB/s for bytes per second", number, unit, number, prefix, number, prefix)
	}
	return 0, 0, fmt.Errorf("unknown unit %q: write bps, kbps, Mbps, Gbps or Tbps for bits, B/s, kB/s, MB/s or GB/s for bytes, pps, kpps or Mpps for packets per second", unit)
}

// FormatRate prints a rate so that ParseRate reads the same again: in bits where that is short, else in bytes.
func FormatRate(r flowspec.Rate) string {
	unit := "bps"
	amount := float64(r.Amount)
	if r.Unit == flowspec.Packets {
		unit = "pps"
	} else {
		amount *= 8
	}
	best := ""
	for _, p := range []struct {
		prefix string
		factor float64
	}{{"T", 1e12}, {"G", 1e9}, {"M", 1e6}, {"k", 1e3}, {"", 1}} {
		if amount < p.factor && p.prefix != "" {
			continue
		}
		s := strconv.FormatFloat(amount/p.factor, 'f', -1, 64) + p.prefix + unit
		if back, err := ParseRate(s); err == nil && back.Amount == r.Amount && (best == "" || len(s) < len(best)) {
			best = s
		}
	}
	if best != "" {
		return best
	}
	if r.Unit == flowspec.Packets {
		return strconv.FormatFloat(float64(r.Amount), 'f', -1, 32) + "pps"
	}
	return strconv.FormatFloat(float64(r.Amount), 'f', -1, 32) + "B/s"
}
