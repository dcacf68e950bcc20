package dialecttest

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/core/filter"
)

var update = flag.Bool("update", false, "write what Render returns into testdata/render")

// golden holds each file of testdata/render against what Render makes of its filter.
func (s Suite) golden(t *testing.T) {
	for _, name := range goldenFiles(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			f := filterOf(t, archive)
			r := s.render(t, s.Dialect, f)
			s.readsBack(t, f, r)
			parts := []txtar.File{{Name: "text", Data: []byte(r.Text)}}
			if len(r.Attach) > 0 {
				parts = append(parts, txtar.File{Name: "attach", Data: []byte(strings.Join(r.Attach, "\n") + "\n")})
			}
			if *update {
				archive.Files = append(archive.Files[:1], parts...)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got, want := len(archive.Files), 1+len(parts); got != want {
				t.Errorf("%d parts, want %d", got, want)
			}
			for _, p := range parts {
				if diff := cmp.Diff(string(Part(t, archive, p.Name)), string(p.Data)); diff != "" {
					t.Errorf("%s (-want +got)\n%s", p.Name, diff)
				}
			}
		})
	}
}

// documented holds the examples of docs/adapters.md against the golden cases.
func (s Suite) documented(t *testing.T) {
	page, err := os.ReadFile("../../docs/adapters.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, parts := range s.Documented {
		archive, err := txtar.ParseFile("testdata/render/" + name + ".txtar")
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range parts {
			if want := "```\n" + string(Part(t, archive, p)) + "```\n"; !strings.Contains(string(page), want) {
				t.Errorf("docs/adapters.md does not show the %s of %s:\n%s", p, name, want)
			}
		}
	}
}

func goldenFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/render/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	return files
}

// Golden returns the filter of a case of testdata/render, and the whole case.
func Golden(t testing.TB, name string) (filter.Filter, *txtar.Archive) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/render/" + name + ".txtar")
	if err != nil {
		t.Fatal(err)
	}
	return filterOf(t, archive), archive
}

func filterOf(t testing.TB, a *txtar.Archive) filter.Filter {
	t.Helper()
	var f filter.Filter
	if err := json.Unmarshal(Part(t, a, "filter.json"), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Part returns the file of a that is named so.
func Part(t testing.TB, a *txtar.Archive, name string) []byte {
	t.Helper()
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	t.Fatalf("no part %s", name)
	return nil
}
