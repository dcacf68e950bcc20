package dialecttest

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// Fuzz is a fuzz target: no input makes Parse panic, and what it reads holds together: where Render can write a filter that was read, it is read back as the same
// filter, in the same places.
func Fuzz(f *testing.F, s Suite) {
	for _, name := range goldenFiles(f) {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(Part(f, txtar.Parse(b), "text"))
	}
	for _, form := range forms(s.render(f, s.Dialect, s.Busy())) {
		f.Add(form)
	}
	for _, seed := range s.Seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := s.Dialect.Parse(b)
		if err != nil {
			return
		}
		for _, want := range got {
			r, err := s.Dialect.Render(want)
			if err != nil {
				continue
			}
			s.readsBack(t, want, r)
		}
	})
}
