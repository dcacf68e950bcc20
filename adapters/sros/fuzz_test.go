package sros_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/core/filter"
)

// FuzzParse: no input makes Parse panic, and what it reads holds together: where Render can write a filter that was read, both forms are
// read back as the same filter, in the same places.
func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/render/*.txtar")
	if err != nil || len(files) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(piece(f, txtar.Parse(b), "text"))
	}
	r, err := dialect.Render(busy())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(r.Payload)
	f.Add([]byte("<data>" + string(r.Payload) + "</data>"))
	f.Add([]byte(one("match { \n protocol tcp \n tcp-flags { \n ack false \n } \n fragment false \n }")))
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
			for _, form := range [][]byte{[]byte(r.Text), r.Payload} {
				again, err := dialect.Parse(form)
				if err != nil || len(again) != 1 {
					t.Fatalf("%v\n%s", err, form)
				}
				if err := filter.Same(want, again[0], dialect.Semantics()); err != nil {
					t.Fatalf("%v\n%s", err, form)
				}
				for i, e := range want.Entries {
					if again[0].Entries[i].Place != e.Place {
						t.Fatalf("entry %s moved from place %d to %d\n%s", e.Name, e.Place, again[0].Entries[i].Place, form)
					}
				}
			}
		}
	})
}
