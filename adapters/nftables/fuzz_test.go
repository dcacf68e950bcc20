package nftables_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/core/filter"
)

// FuzzParse: no input makes Parse panic, and what it reads holds together: where Render can write a filter that was read, it is read back as the same filter.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/render/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	listed, err := filepath.Glob("testdata/listed/*")
	if err != nil || len(listed) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(part(f, txtar.Parse(b), "text"))
	}
	for _, name := range listed {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := dialect.Parse(b)
		if err != nil {
			return
		}
		for _, want := range got {
			r, err := dialect.Render(want)
			if err != nil {
				continue
			}
			again, err := dialect.Parse(r.Payload)
			if err != nil || len(again) != 1 {
				t.Fatalf("%v\n%s", err, r.Text)
			}
			if err := filter.Same(want, again[0], dialect.Semantics()); err != nil {
				t.Fatalf("%v\n%s", err, r.Text)
			}
		}
	})
}
