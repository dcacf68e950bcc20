package main

import (
	"bytes"
	"os"
	"strings"
	"testing"
)

// docs/cli.md is what `go generate ./cmd/sluice` writes.
func TestCommandLineDocumentIsCurrent(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	if status := run(t.Context(), []string{"docs"}, strings.NewReader(""), &got, os.Stderr); status != 0 {
		t.Fatalf("status %d", status)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Error("docs/cli.md is out of date: go generate ./cmd/sluice")
	}
}
