package rig

import (
	"os"
	"testing"
)

// Root is called by tests that make network namespaces and load packet filters into them. Without root they are left out; in CI they fail.
func Root(t testing.TB) {
	t.Helper()
	const why = "this test makes network namespaces and loads packet filters into them: run it as root"
	switch {
	case os.Geteuid() == 0:
	case os.Getenv("CI") == "":
		t.Skip(why)
	default:
		t.Fatal(why)
	}
}
