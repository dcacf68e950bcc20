package rig

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Yanglint says whether models take a configuration, in the form "xml" or "json"; args name the models, and where those are that they import. Output is what yanglint says of
// it, but for warnings about the models. It ends with 7 when they do not take it; any other failure is one of the rig, and fails the test.
func Yanglint(t testing.TB, form string, config []byte, args ...string) (ok bool, output string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "config."+form)
	if err := os.WriteFile(file, config, 0o600); err != nil {
		t.Fatal(err)
	}
	args = append(append([]string{"-t", "config", "-e"}, args...), file)
	out, err := exec.CommandContext(t.Context(), Program(t, "yanglint", "libyang2-tools"), args...).CombinedOutput()
	var faults strings.Builder
	for l := range strings.Lines(string(out)) {
		if !strings.HasPrefix(l, "libyang warn") {
			faults.WriteString(l)
		}
	}
	var exit *exec.ExitError
	switch {
	case err == nil:
		return true, faults.String()
	case errors.As(err, &exit) && exit.ExitCode() == 7:
		return false, faults.String()
	}
	t.Fatalf("yanglint: %v\n%s", err, out)
	return false, ""
}

// OpenConfigACL are the arguments of Yanglint for openconfig-acl: it knows identities of a module only where the module is named.
func OpenConfigACL(t testing.TB) []string {
	dir := OpenConfigModels(t)
	args := []string{"-p", dir}
	for _, m := range []string{"packet-match-types", "icmpv4-types", "acl"} {
		args = append(args, filepath.Join(dir, "openconfig-"+m+".yang"))
	}
	return args
}
