package rig

import (
	"bytes"
	"errors"
	"fmt"
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

// YanglintAll is Yanglint for many configurations, each by itself, in one process that reads the modules once: it says which of them the modules take. Of args it knows -p, -t (config, where nothing is said) and modules.
func YanglintAll(t testing.TB, form string, configs [][]byte, args ...string) []bool {
	t.Helper()
	dir := t.TempDir()
	path := func(i int, end string) string { return filepath.Join(dir, fmt.Sprintf("%d.%s", i, end)) }
	var script strings.Builder
	what := "config"
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-p":
			i++
			fmt.Fprintf(&script, "searchpath %s\n", args[i])
		case "-t":
			i++
			what = args[i]
		default:
			fmt.Fprintf(&script, "add %s\n", args[i])
		}
	}
	for i, config := range configs {
		if err := os.WriteFile(path(i, form), config, 0o600); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&script, "data -t %s%s -f %s -o %s %s\n", what, present(what), form, path(i, "taken"), path(i, form))
	}
	cmd := exec.CommandContext(t.Context(), Program(t, "yanglint", "libyang2-tools"))
	cmd.Stdin, cmd.Env = strings.NewReader(script.String()), append(os.Environ(), "HOME="+dir)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("yanglint: %v\n%s", err, out)
	}
	taken := make([]bool, len(configs))
	for i := range configs {
		written, err := os.ReadFile(path(i, "taken"))
		taken[i] = err == nil && len(written) > 0
		// What is neither written nor refused by name was not looked at.
		if refused := strings.Contains(string(out), fmt.Sprintf("Failed to parse input data file %q", path(i, form))); refused == taken[i] {
			t.Fatalf("yanglint says nothing of configuration %d:\n%s", i, out)
		}
	}
	return taken
}

// present is the option that does without what a configuration or the answer to a <get> leaves out; nothing else knows it.
func present(what string) string {
	if what == "config" || what == "get" {
		return " -e"
	}
	return ""
}

// ModelsRefuse fails unless the models that args name take payload, and refuse it with each of changes: what stands in it once at least, and what stands there instead.
func ModelsRefuse(t testing.TB, form string, payload []byte, changes [][2]string, args ...string) {
	t.Helper()
	configs := [][]byte{payload}
	for _, c := range changes {
		spoilt := bytes.Replace(payload, []byte(c[0]), []byte(c[1]), 1)
		if bytes.Equal(spoilt, payload) {
			t.Errorf("the payload has no %s", c[0])
		}
		configs = append(configs, spoilt)
	}
	for i, taken := range YanglintAll(t, form, configs, args...) {
		switch {
		case i == 0 && !taken:
			t.Error("refused before anything is spoilt")
		case i > 0 && taken:
			t.Errorf("%s in place of %s is taken", changes[i-1][1], changes[i-1][0])
		}
	}
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
