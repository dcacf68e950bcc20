package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a file is called, what is said of its rules stays a comment.
func TestNamesStayComments(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rules\npermit ip any any\r\n.conf")
	rule := "flow route { match { destination 203.0.113.9/32; protocol =gre; } then { discard; } }\n"
	if err := os.WriteFile(file, []byte(rule), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(context.Background(), []string{"render", "--profile", "cisco-ios", file}, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("exit status %d: %s", code, &errs)
	}
	comments, list, _ := strings.Cut(out.String(), "ip access-list extended sluice-v4\n")
	if !strings.HasPrefix(comments, "! r-") || strings.Count(comments, "\n") != 1 || strings.ContainsRune(comments, '\r') {
		t.Errorf("in front of the list stands\n%s", comments)
	}
	if !strings.Contains(list, "deny gre any host 203.0.113.9") {
		t.Errorf("the list is\n%s", list)
	}
}
