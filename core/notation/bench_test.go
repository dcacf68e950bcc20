package notation

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

const benchLine = "announce flow route { match { destination 203.0.113.10/32; protocol =udp; source-port [ =53 =123 =389 ]; packet-length >=400; } then { rate-limit 12500000; } }"

// The budget is 3 us from a line of ExaBGP's API to a rule.
func BenchmarkReadLine(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if it, problems := ReadLine(benchLine, Options{}); len(problems) > 0 || !it.Rule.Match.Valid() {
			b.Fatal(problems)
		}
	}
}

// benchFile returns n different rules, one a line.
func benchFile(n int) []byte {
	var s strings.Builder
	for i := range n {
		fmt.Fprintf(&s, "flow route { match { destination 10.%d.%d.%d/32; protocol =udp; source-port [ =53 =123 =389 ]; packet-length >=400; } then { discard; } }\n", i>>16&0xff, i>>8&0xff, i&0xff)
	}
	return []byte(s.String())
}

// One rule of a file of 10,000, by notation.
func BenchmarkRead(b *testing.B) {
	const n = 10_000
	rules := make([]flowspec.Rule, 0, n)
	text := benchFile(n)
	for _, it := range Read("", text, Options{}).Items {
		rules = append(rules, it.Rule)
	}
	for _, f := range Formats() {
		var out writer
		if err := Write(&out, f, rules); err != nil {
			b.Fatal(err)
		}
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if res := Read("", out, Options{}); len(res.Items) != n {
					b.Fatal(res.Problems[0])
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/rule")
		})
	}
}

func BenchmarkWrite(b *testing.B) {
	it, _ := ReadLine(benchLine, Options{})
	for _, f := range Formats() {
		b.Run(string(f), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := Write(io.Discard, f, []flowspec.Rule{it.Rule}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkHex(b *testing.B) {
	it, _ := ReadLine(benchLine, Options{})
	b.ReportAllocs()
	for b.Loop() {
		Hex(it.Rule)
	}
}
