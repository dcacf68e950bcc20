package plan_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/plan"
)

var update = flag.Bool("update", false, "write docs/reasons.md")

const reasonsHead = `# Reason codes

Every verdict says why a rule is carried the way it is. The code is stable, and programs may branch on it; the message is for people and may change.
Where a fact about the platform is behind a reason, its source stands beside it. Codes of warnings about a device as a whole (` + "`term-order`" + `,
` + "`local-install`" + `, ...) come from the profile: see [profiles.md](profiles.md).

An *error* is why a rule is not carried, or not by one of the two mechanisms; a *warning* is something to look at; a *note* says what was done.

| code | severity | meaning |
| --- | --- | --- |
`

// docs/reasons.md lists the codes of the package, no more and no less. Run with -update to write it.
func TestReasonsAreDocumented(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString(reasonsHead)
	for _, c := range plan.Codes {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Code, c.Severity, c.Meaning)
	}
	file := filepath.Join("..", "..", "docs", "reasons.md")
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("docs/reasons.md is not what the code says; write it with: go test ./core/plan -run Documented -update")
	}
}

// Every code in the source stands in Codes, and every code in Codes is used.
func TestCodesAreTheCodesInUse(t *testing.T) {
	t.Parallel()
	known := make(map[string]bool)
	for _, c := range plan.Codes {
		if known[c.Code] {
			t.Errorf("%s stands twice", c.Code)
		}
		known[c.Code] = true
	}
	inUse := make(map[string]bool)
	for pattern, expr := range map[string]string{
		"*.go":       `(?:Code: |r\.Code = )"([a-z-]+)"`,
		"split/*.go": `(?:Why|Kind)\s+= "([a-z-]+)"`,
	} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatal(pattern, err)
		}
		re := regexp.MustCompile(expr)
		for _, f := range files {
			if strings.HasSuffix(f, "_test.go") {
				continue
			}
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range re.FindAllStringSubmatch(string(text), -1) {
				inUse[m[1]] = true
			}
		}
	}
	for code := range inUse {
		if !known[code] {
			t.Errorf("%s is used and not documented", code)
		}
	}
	for code := range known {
		if !inUse[code] {
			t.Errorf("%s is documented and not used", code)
		}
	}
}
