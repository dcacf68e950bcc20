package notation

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
)

// Each archive under testdata/golden holds inputs, and behind each what is read from it: rules in hex with their place, and the
// problems as they are shown. A first line "compat: CODE,..." lets codes through. UPDATE=1 rewrites the answers; read the diff.
func TestGolden(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/golden/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no archives", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			ar, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var opt Options
			opt.Now = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
			if codes, ok := strings.CutPrefix(strings.TrimSpace(string(ar.Comment)), "compat: "); ok {
				codes, _, _ = strings.Cut(codes, "\n")
				opt.Compat = strings.Split(codes, ",")
			}
			for i := range ar.Files {
				name, isAnswer := strings.CutPrefix(ar.Files[i].Name, "want/")
				if !isAnswer {
					continue
				}
				want := string(ar.Files[i].Data)
				got := answerTo(name, ar.Files[i-1], opt)
				if os.Getenv("UPDATE") != "" {
					ar.Files[i].Data = []byte(got)
				} else if got != want {
					t.Errorf("%s:\n%s\ngot:\n%s", name, firstDifference(want, got), got)
				}
			}
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func answerTo(name string, in txtar.File, opt Options) string {
	res := Read(name, in.Data, opt)
	var out writer
	fmt.Fprintf(&out, "%s\n", res.Format)
	for _, it := range res.Items {
		verb := ""
		if it.Withdraw {
			verb = "withdraw "
		}
		fmt.Fprintf(&out, "%d:%d: %s%s", it.Pos.Line, it.Pos.Column, verb, Hex(it.Rule))
		if !it.Rule.Expires.IsZero() {
			fmt.Fprintf(&out, " expires=%s", it.Rule.Expires.Format(time.RFC3339))
		}
		if it.Rule.Note != "" {
			fmt.Fprintf(&out, " note=%q", it.Rule.Note)
		}
		fmt.Fprintln(&out)
	}
	for _, p := range res.Problems {
		p.Render(&out, false)
	}
	return out.String()
}
