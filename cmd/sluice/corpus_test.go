package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/profiles"
)

var updateCorpus = flag.Bool("update-corpus", false, "write testdata/corpus anew; read the difference before it is kept")

// fewestRules is how many rules the corpus has at least.
const fewestRules = 60

// corpusFile is one table of the corpus.
type corpusFile struct {
	name string
	in   readInput
}

// corpus reads testdata/corpus: attacks, accidents, every component and every action. Each file is a table of its own.
func corpus(t testing.TB) []corpusFile {
	t.Helper()
	names, err := filepath.Glob("testdata/corpus/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	var out []corpusFile
	rules := 0
	for _, name := range names {
		octets, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		result := notation.Read(filepath.Base(name), octets, notation.Options{})
		if result.Failed() {
			t.Fatalf("%s: %+v", name, result.Problems)
		}
		rules += len(result.Items)
		out = append(out, corpusFile{filepath.Base(name), readInput{result.Items, result.Problems}})
	}
	if rules < fewestRules {
		t.Fatalf("%d rules, want %d or more", rules, fewestRules)
	}
	return out
}

// What every platform makes of the corpus is as it was when somebody read it: testdata/corpus/PROFILE.txt is what `sluice validate` prints, file by file.
func TestCorpus(t *testing.T) {
	t.Parallel()
	files := corpus(t)
	for _, p := range profiles.Embedded().All() {
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			targets, err := targetsOf([]string{p.Name}, "", "alone")
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			for _, f := range files {
				fmt.Fprintf(&out, "==== %s\n\n", f.name)
				v := newValidation(f.in)
				if err := v.run(targets, newTextPrinter(v, &out, false, 1), startProgress(&bytes.Buffer{}), true); err != nil {
					t.Fatal(err)
				}
				out.WriteString("\n")
			}
			golden := filepath.Join("testdata/corpus", p.Name+".txt")
			if *updateCorpus {
				if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("%v: go test ./cmd/sluice -run TestCorpus -update-corpus writes it", err)
			}
			if at, line := firstDifference(out.String(), string(want)); at > 0 {
				t.Errorf("%s:%d: it says now\n%s", golden, at, line)
			}
		})
	}
}

// firstDifference returns the number of the first line of got that is not as in want, and that line; 0 where there is none.
func firstDifference(got, want string) (int, string) {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return i + 1, "(nothing more)"
		case i >= len(b) || a[i] != b[i]:
			return i + 1, a[i]
		}
	}
	return 0, ""
}

// BenchmarkCorpus plans and proves the corpus for every platform, and says what comes of it: rules times platforms, how many of them are carried exactly, and entries.
func BenchmarkCorpus(b *testing.B) {
	var tables []*validation
	for _, f := range corpus(b) {
		tables = append(tables, newValidation(f.in))
	}
	var all report.Summary
	exact, entries, platforms := 0, 0, 0
	for b.Loop() {
		all, exact, entries, platforms = report.Summary{}, 0, 0, 0
		for _, p := range profiles.Embedded().All() {
			platforms++
			d, _ := dialectOf(p)
			for _, v := range tables {
				j, err := report.Judge(nil, v.snap, v.index, p, plan.Options{}, d)
				if err != nil {
					b.Fatal(err)
				}
				for _, one := range j.Verdicts {
					all.Add(one.Carried)
				}
				exact, entries = exact+j.Summary.Rules-j.Inexact, entries+j.Entries
			}
		}
	}
	b.ReportMetric(float64(all.Rules), "rules*platforms")
	b.ReportMetric(100*float64(exact)/float64(all.Rules), "%exact")
	b.ReportMetric(float64(entries), "entries")
	b.ReportMetric(float64(platforms), "platforms")
}
