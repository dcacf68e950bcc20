package sros_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/core/filter"
)

var update = flag.Bool("update", false, "write what Render returns into testdata/render")

var dialect sros.Dialect

// Each file of testdata/render is a filter, the text that it becomes, and how to attach it. `go test ./adapters/sros -update` rewrites
// the text; read the difference before you keep it.
func TestRender(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/render/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var f filter.Filter
			if err := json.Unmarshal(piece(t, archive, "filter.json"), &f); err != nil {
				t.Fatal(err)
			}
			r, err := dialect.Render(f)
			if err != nil {
				t.Fatal(err)
			}
			readsBack(t, f, []byte(r.Text))
			readsBack(t, f, r.Payload)
			attach := strings.Join(r.Attach, "\n") + "\n"
			if *update {
				archive.Files = append(archive.Files[:1], txtar.File{Name: "text", Data: []byte(r.Text)}, txtar.File{Name: "attach", Data: []byte(attach)})
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(piece(t, archive, "text")), r.Text); diff != "" {
				t.Errorf("text (-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(string(piece(t, archive, "attach")), attach); diff != "" {
				t.Errorf("attach (-want +got)\n%s", diff)
			}
		})
	}
}

func piece(t testing.TB, a *txtar.Archive, name string) []byte {
	t.Helper()
	for _, f := range a.Files {
		if f.Name == name {
			return f.Data
		}
	}
	t.Fatalf("no part %s", name)
	return nil
}

// fataler is testing.TB or *rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// readsBack fails unless b is read as f and nothing else.
func readsBack(t fataler, f filter.Filter, b []byte) {
	t.Helper()
	got, err := dialect.Parse(b)
	if err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	if len(got) != 1 {
		t.Fatalf("got %d filters, want 1\n%s", len(got), b)
	}
	if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
		t.Fatalf("%v\n%s", err, b)
	}
	for i, e := range f.Entries {
		if got[0].Entries[i].Rule != e.Rule {
			t.Fatalf("entry %s: rule %q, want %q", e.Name, got[0].Entries[i].Rule, e.Rule)
		}
	}
}
