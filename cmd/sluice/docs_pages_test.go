package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/plugins"
)

// pages returns the documentation, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d pages, %v", len(files), err)
	}
	out := map[string]string{}
	for _, f := range append(files, "../../README.md", "../../CONTRIBUTING.md", "../../CHANGELOG.md") {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[f] = string(b)
	}
	return out
}

// Command lines in documentation: in backticks, and lines of fenced blocks, with a prompt or without.
var (
	inBackticks = regexp.MustCompile("`(?:go run \\./cmd/)?sluice ([^`\n]+)`")
	inBlocks    = regexp.MustCompile(`(?m)^(?:\$ |  )?(?:go run \./cmd/)?sluice ([^\n]+)$`)
	fenced      = regexp.MustCompile("(?ms)^```([a-z]*)\n(.*?)^```")
)

func commandLines(page string) []string {
	var out []string
	for _, b := range fenced.FindAllStringSubmatch(page, -1) {
		if !slices.Contains([]string{"", "console", "sh", "text"}, b[1]) { // another language
			continue
		}
		for _, m := range inBlocks.FindAllStringSubmatch(b[2], -1) {
			out = append(out, m[1])
		}
	}
	for _, m := range inBackticks.FindAllStringSubmatch(fenced.ReplaceAllString(page, ""), -1) {
		out = append(out, m[1])
	}
	return out
}

// words splits a command line as a shell does, as far as documentation goes: quotes, and nothing behind a redirection or a comment.
func words(line string) []string {
	var out []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			out = append(out, part)
			continue
		}
		for _, w := range strings.Fields(part) {
			if w == "<" || w == "|" || w == ">" || w == "#" {
				return out
			}
			out = append(out, w)
		}
	}
	return out
}

// What the documentation tells people to type exists: commands, and their flags.
func TestDocumentedCommandsExist(t *testing.T) {
	t.Parallel()
	found := 0
	for file, page := range pages(t) {
		for _, line := range commandLines(page) {
			found++
			root := &cobra.Command{Use: "sluice"}
			root.AddCommand(commands()...)
			cmd, rest, err := root.Find(words(line))
			if err != nil || cmd == root {
				t.Errorf("%s: `sluice %s`: there is no such command", file, line)
				continue
			}
			if cmd.HasSubCommands() && len(rest) > 0 && rest[0] != "..." && !strings.Contains(rest[0], "|") {
				t.Errorf("%s: `sluice %s`: %s is no command of it", file, line, rest[0])
			}
			if strings.Contains(line, "[flags]") || strings.Contains(line, "[FILE") { // a synopsis
				continue
			}
			if err := cmd.ParseFlags(rest); err != nil {
				t.Errorf("%s: `sluice %s`: %v", file, line, err)
			}
		}
	}
	if found < 40 {
		t.Errorf("%d command lines found; the pages have more", found)
	}
}

// Tests that the documentation names, behind their package: `core/rib` TestMaxRules, TestLenientSource.
var (
	namedTests = regexp.MustCompile("`((?:core|adapters|cmd|integration|plugins)[a-z0-9/]*)` ((?:(?:Test|Fuzz)[A-Z][A-Za-z0-9]*(?:, )?)+)")
	oneTest    = regexp.MustCompile(`(?:Test|Fuzz)\w+`)
)

// What the documentation says is shown by a test is shown by one that there is.
func TestDocumentedTestsExist(t *testing.T) {
	t.Parallel()
	found := 0
	for file, page := range pages(t) {
		for _, m := range namedTests.FindAllStringSubmatch(page, -1) {
			text := ""
			sources, err := filepath.Glob("../../" + m[1] + "/*_test.go")
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range sources {
				b, err := os.ReadFile(s)
				if err != nil {
					t.Fatal(err)
				}
				text += string(b)
			}
			for _, name := range oneTest.FindAllString(m[2], -1) {
				if found++; !strings.Contains(text, "\nfunc "+name+"(") {
					t.Errorf("%s: there is no %s in %s", file, name, m[1])
				}
			}
		}
	}
	if found < 80 {
		t.Errorf("%d tests found; the pages name more", found)
	}
}

// What the documentation tells people to type, and needs no gateway, works with the files that it speaks of.
func TestDocumentedCommandsRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := os.ReadFile("../../docs/quickstart.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := fenced.FindStringSubmatch(string(b))[2] // attack.exabgp
	for _, name := range []string{"attack.exabgp", "rules.exabgp", "rules.conf", "yesterday.exabgp", "yesterday.conf"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(rules), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	writeShown(t, dir)
	skeleton, err := plugins.Skeleton(plugins.Options{Name: "acme", Path: "-", Checked: "2026-11"})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "profiles/acme.yaml"), string(skeleton["profiles/acme.yaml"]))
	var asYAML bytes.Buffer
	if status := run(t.Context(), []string{"convert", "--to", "yaml", filepath.Join(dir, "rules.conf")}, strings.NewReader(""), &asYAML, os.Stderr); status != exitDone {
		t.Fatalf("status %d", status)
	}
	for _, name := range []string{"today.yaml", "rules.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), asYAML.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}

	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "sluice")); err != nil { // see TestMain
		t.Fatal(err)
	}
	ran := map[string]bool{}
	for file, page := range pages(t) {
		for _, line := range commandLines(page) {
			args := words(line)
			needsFile := slices.Contains([]string{"validate", "render", "convert", "compare"}, args[0])
			hasFile := slices.ContainsFunc(args, func(w string) bool {
				_, err := os.Stat(filepath.Join(dir, w))
				return err == nil
			})
			isProfile := args[0] == "profile" && !strings.Contains(line, "[") && !strings.ContainsAny(line, "|ABCDEFGHIJKLMNOPQRSTUVWXYZ")
			if ran[line] || strings.Contains(line, "[") || !isProfile && (!needsFile || !hasFile) || strings.Contains(line, "show-configuration") || strings.ContainsAny(line, "<|>") {
				continue
			}
			ran[line] = true
			cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "sluice"), args...)
			cmd.Dir = dir
			out, err := cmd.CombinedOutput()
			if status := cmd.ProcessState.ExitCode(); status != exitDone && status != exitFailed {
				t.Errorf("%s: `sluice %s`: %v\n%s", file, line, err, out)
			}
		}
	}
	if len(ran) < 8 {
		t.Errorf("%d command lines were run: %v", len(ran), ran)
	}
}

var shownFile = regexp.MustCompile("(?ms)^`(mine/[a-z0-9./-]+)`:\n\n```[a-z]+\n(.*?)^```")

// writeShown writes the files that docs/profiles-writing.md shows to dir, and returns the page.
func writeShown(t *testing.T, dir string) string {
	t.Helper()
	page := pages(t)["../../docs/profiles-writing.md"]
	for _, m := range shownFile.FindAllStringSubmatch(page, -1) {
		writeFile(t, filepath.Join(dir, m[1]), m[2])
	}
	return page
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Whoever does what docs/profiles-writing.md says, in its order, sees what it says: its files are written and its commands run, and nothing else.
func TestWritingPage(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	page := pages(t)["../../docs/profiles-writing.md"]
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sluice := filepath.Join(dir, "sluice")
	if err := os.Symlink(self, sluice); err != nil { // see TestMain
		t.Fatal(err)
	}
	step := regexp.MustCompile("(?ms)" + strings.TrimPrefix(shownFile.String(), "(?ms)") + "|^```console\n(.*?)^```")
	commands := 0
	for _, m := range step.FindAllStringSubmatch(page, -1) {
		if m[1] != "" {
			writeFile(t, filepath.Join(dir, m[1]), m[2])
			continue
		}
		for _, part := range strings.Split("\n"+m[3], "\n$ ")[1:] {
			line, want, _ := strings.Cut(part+"\n", "\n")
			args := strings.Fields(line)
			if args[0] == "sluice" {
				args[0] = sluice
			}
			cmd := exec.CommandContext(t.Context(), args[0], args[1:]...)
			cmd.Dir = dir
			got, err := cmd.CombinedOutput()
			if err != nil || strings.TrimSpace(string(got)) != strings.TrimSpace(want) {
				t.Errorf("$ %s (%v)\n%s\nthe page says\n%s", line, err, got, want)
			}
			commands++
		}
	}
	if commands < 5 {
		t.Errorf("%d commands were run; the page has more", commands)
	}
}

// A link leads somewhere.
func TestDocumentedLinks(t *testing.T) {
	t.Parallel()
	link := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for file, page := range pages(t) {
		for _, m := range link.FindAllStringSubmatch(page, -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(file), m[1])); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	}
}

// docs/operations.md speaks of every state and every metric, and of none that is not there.
func TestOperationsPage(t *testing.T) {
	t.Parallel()
	page := pages(t)["../../docs/operations.md"]
	for _, s := range []reconcile.State{reconcile.Pending, reconcile.InSync, reconcile.Unreachable, reconcile.Refusing, reconcile.Frozen, reconcile.Waiting, reconcile.Behind, reconcile.Shadow, reconcile.NoPlan} {
		if !strings.Contains(page, "\n| `"+string(s)+"` | ") {
			t.Errorf("docs/operations.md does not say what to do about a device that is %s", s)
		}
	}
	name := regexp.MustCompile(`fqName: "(\w+)"`)
	var there []string
	for _, d := range []*prometheus.Desc{descRules, descVersion, descVerdicts, descState, descDelivered, descCommit, descWithheld, descStopped, descSession, descRoutes, descRefused, descRestarts, descPackets, descBytes, descUnlisted, descMatched, descMatchedB, descActivity, descEnded, descEntries, descGiven, descShown} {
		there = append(there, name.FindStringSubmatch(d.String())[1])
	}
	named := regexp.MustCompile(`sluice_\w+`).FindAllString(page, -1)
	slices.Sort(there)
	slices.Sort(named)
	if named = slices.Compact(named); !slices.Equal(named, there) {
		t.Errorf("docs/operations.md names\n%q\nthe metrics are\n%q", named, there)
	}
}

// docs/architecture.md has a line for every package.
func TestArchitecturePage(t *testing.T) {
	t.Parallel()
	page := pages(t)["../../docs/architecture.md"]
	out, err := exec.CommandContext(t.Context(), "go", "list", "../../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range strings.Fields(string(out)) {
		_, p, _ = strings.Cut(p, "/sluice/")
		if p != "core" && !strings.Contains(page, "`"+p+"`") { // core itself is the test of the import directions
			t.Errorf("docs/architecture.md does not mention %s", p)
		}
	}
}
