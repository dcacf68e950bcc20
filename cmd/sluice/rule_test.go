package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
)

func TestNotesCannotMoveTheCursor(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := &client{out: &out}
	c.printRule(api.Rule{ID: "0123456789abcdef", Rule: "flow", Source: "api", Note: "ticket 7\x1b[2J\nall is well\u009b1A"})
	if got := strings.TrimSuffix(out.String(), "\n"); strings.ContainsAny(got, "\x1b\n\u009b") || !strings.Contains(got, "ticket 7 ") {
		t.Errorf("printed %q", got)
	}
}
