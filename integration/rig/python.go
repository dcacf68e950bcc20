package rig

import (
	"os"
	"os/exec"
	"testing"
)

// Python makes sure of Debian's Python with what a plugin needs. Where it is not installed the test is skipped, and in CI fails.
func Python(t testing.TB) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import grpc, google.protobuf, cryptography").CombinedOutput()
	switch {
	case err == nil:
	case os.Getenv("CI") == "":
		t.Skipf("Debian's python3-grpcio, python3-protobuf and python3-cryptography are not installed: %s", out)
	default:
		t.Fatalf("install python3-grpcio, python3-protobuf and python3-cryptography: %v\n%s", err, out)
	}
}
