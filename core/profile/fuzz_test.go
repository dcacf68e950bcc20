package profile

import (
	"errors"
	"testing"
)

// Whatever a file holds, Load answers with a profile or with problems that have a place, and never panics.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte("name: x\n---\nname: y\n"))
	f.Add([]byte("a: &a [*a]\nb: *c\n"))
	f.Add([]byte("native: {components: {? [x] : y}}"))
	f.Add([]byte("facts: [{id: !!binary x}]\nnative: |\n  text\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Load("f.yaml", b)
		var ps Problems
		switch {
		case err == nil && p == nil, err != nil && p != nil:
			t.Fatalf("got %v and %v", p, err)
		case err != nil && !errors.As(err, &ps):
			t.Fatalf("got %v, which are no problems", err)
		}
		for _, one := range ps {
			if one.Line < 1 || one.Column < 1 || one.File != "f.yaml" || one.Message == "" {
				t.Fatalf("a problem without a place or a reason: %#v", one)
			}
			one.Render()
		}
		if p != nil {
			p.Sheet()
		}
	})
}
