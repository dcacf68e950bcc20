package notation

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

const page = "../../docs/notations.md"

// blocks returns the fenced examples of a page: the words behind the fence, and the text.
func blocks(text string) (list [][2]string) {
	parts := strings.Split(text, "\n```")
	for i := 1; i+1 < len(parts); i += 2 {
		info, body, _ := strings.Cut(parts[i], "\n")
		list = append(list, [2]string{info, body})
	}
	return list
}

// Every example of docs/notations.md is read as the page says, and what the page shows of a message is what is printed.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	list := blocks(string(text))
	if len(list) < 10 {
		t.Fatalf("%d examples", len(list))
	}
	for i, b := range list {
		words := strings.Fields(b[0])
		switch {
		case words[0] == "text":
			checkShown(t, list[i-1], b[1])
		case len(words) == 3:
			res := Read("rules.txt", []byte(b[1]), Options{Format: Format(words[0])})
			if !slices.ContainsFunc(res.Problems, func(p Problem) bool { return p.Code == words[2] && p.Severity == Error }) {
				t.Errorf("not refused with %s:\n%s\n%+v", words[2], b[1], res.Problems)
			}
		default:
			checkExample(t, Format(words[0]), b[1])
		}
	}
}

func checkExample(t *testing.T, f Format, text string) {
	t.Helper()
	res := Read("", []byte(text), Options{})
	if res.Failed() || res.Format != f || len(res.Items) == 0 {
		t.Errorf("read as %s, %d rules:\n%s\n%+v", res.Format, len(res.Items), text, res.Problems)
	}
}

func checkShown(t *testing.T, example [2]string, want string) {
	t.Helper()
	var out writer
	for _, p := range Read("rules.txt", []byte(example[1]), Options{}).Problems {
		p.Render(&out, false)
	}
	if got := strings.TrimSuffix(out.String(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// The table of guards on the page is the one in the code.
func TestDocsListEveryGuard(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, ok := strings.Cut(string(text), "writes this table -->\n")
	_, tail, ok2 := strings.Cut(rest, "<!-- end -->")
	if !ok || !ok2 {
		t.Fatal("no marks around the table")
	}
	now := head + "writes this table -->\n" + guardTable() + "<!-- end -->" + tail
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(page, []byte(now), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if now != string(text) {
		t.Errorf("the table is old (UPDATE=1 rewrites it): %s", firstDifference(string(text), now))
	}
}

func guardTable() string {
	var s strings.Builder
	for _, severity := range []string{Error, Warning, Note} {
		if severity == Error {
			s.WriteString("\nRefused:\n\n| code | what | why | write instead | let through, it means |\n| --- | --- | --- | --- | --- |\n")
		} else {
			fmt.Fprintf(&s, "\nA %s, and the rule is taken:\n\n| code | what | why | write instead |\n| --- | --- | --- | --- |\n", severity)
		}
		for _, g := range Guards() {
			if g.Severity != severity {
				continue
			}
			fmt.Fprintf(&s, "| `%s` | %s | %s | %s |", g.Code, g.Title, cell(g.Explain), cell(g.Hint))
			if severity == Error {
				compat := cell(g.Compat)
				if compat == "" {
					compat = "never"
				}
				fmt.Fprintf(&s, " %s |", compat)
			}
			s.WriteString("\n")
		}
	}
	return s.String() + "\n"
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

// Every code of a guard that is reported is in the table, and the corpus and the golden files show every guard.
func TestEveryGuardIsSeen(t *testing.T) {
	t.Parallel()
	var seen strings.Builder
	for _, file := range []string{"testdata/exabgp.txt", "testdata/golden/broken.txtar", "testdata/golden/guards.txtar", "testdata/golden/config.txtar", "testdata/golden/hex.txtar"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(text)
	}
	for _, g := range Guards() {
		if !strings.Contains(seen.String(), " "+g.Code+":") && !strings.Contains(seen.String(), "["+g.Code+"]") {
			t.Errorf("no example of %s", g.Code)
		}
		if g.Title == "" || g.Explain == "" || g.Severity == Error && g.Hint == "" {
			t.Errorf("incomplete: %+v", g)
		}
	}
}
