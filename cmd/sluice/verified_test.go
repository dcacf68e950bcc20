package main

import (
	"bytes"
	"os"
	"slices"
	"testing"
)

// Every adapter that is shipped has a line, every profile that it writes for as well, and every report says all that a report has to say.
func TestVerifiedIsComplete(t *testing.T) {
	t.Parallel()
	all, err := readTried()
	if err != nil {
		t.Fatal(err)
	}
	lib, err := loadProfiles("")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]tried{}
	for _, a := range all {
		listed[a.Adapter] = a
		if a.Here == "" || a.Model == "" || a.Transport == "" {
			t.Errorf("%s: something is not said: %+v", a.Adapter, a)
		}
		for _, r := range a.Reports {
			if r.Release == "" || r.Who == "" || len(r.When) != len("2026-11") || r.How == "" || !slices.Contains(a.Profiles, r.Profile) {
				t.Errorf("%s: a report that does not say all: %+v", a.Adapter, r)
			}
		}
		for _, name := range a.Profiles {
			if p, _, err := lib.Select(name); err != nil || p.Filter == nil || p.Filter.Dialect != spokenBy(a.Adapter) {
				t.Errorf("%s: profile %s is not one of its own: %v", a.Adapter, name, err)
			}
		}
	}
	for name := range shippedPlugins() {
		if _, ok := listed[name]; !ok {
			t.Errorf("adapter %s is shipped and has no line", name)
		}
	}
	for _, p := range lib.All() {
		if p.Filter == nil {
			continue
		}
		if a, ok := listed[p.Filter.Dialect]; ok && !slices.Contains(a.Profiles, p.Name) {
			t.Errorf("profile %s has no line", p.Name)
		}
	}
}

func TestVerifiedPageIsCurrent(t *testing.T) {
	t.Parallel()
	all, err := readTried()
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	writeVerified(&want, all)
	got, err := os.ReadFile("../../docs/verified.md")
	if err != nil || !bytes.Equal(got, want.Bytes()) {
		t.Errorf("docs/verified.md is not what cmd/sluice/verified.yaml makes it (%v): go generate ./cmd/sluice", err)
	}
}
