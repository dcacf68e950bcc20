package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// linted is one file in `profile lint --format json`.
type linted struct {
	File     string          `json:"file"`
	Profile  string          `json:"profile"` // "" when it does not load
	Problems []lintedProblem `json:"problems"`
}

type lintedProblem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
}

func profileLint() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "lint [FILE|DIR...]",
		Short: "Check profiles: every capability rests on a fact, every fact on a source",
		Long: "Check profiles: unknown keys and words, capabilities without a fact, facts without a source, limits that contradict each other.\n" +
			"Without arguments it checks the embedded profiles and those of --profiles. Exit status 1 when something is wrong.",
	}
	dir, format := profilesFlag(cmd), formatFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		results, err := lint(args, *dir)
		if err != nil {
			return usage(err)
		}
		if f == "json" {
			err = printJSON(cmd.OutOrStdout(), results)
		} else {
			printLint(cmd.OutOrStdout(), results)
		}
		for _, r := range results {
			if len(r.problems) > 0 {
				return errors.Join(err, silent(exitFailed))
			}
		}
		return err
	}
	return cmd
}

// lintResult is linted with the problems in their own form.
type lintResult struct {
	file, name string
	problems   profile.Problems
}

func (r lintResult) MarshalJSON() ([]byte, error) {
	out := linted{File: r.file, Profile: r.name, Problems: []lintedProblem{}}
	for _, p := range r.problems {
		out.Problems = append(out.Problems, lintedProblem{p.File, p.Line, p.Column, p.Message})
	}
	return json.Marshal(out)
}

// lint checks files and directories, or, without any, the embedded profiles and dir. The error is about files that cannot be read.
func lint(args []string, dir string) ([]lintResult, error) {
	out := []lintResult{}
	base := profiles.Embedded()
	if len(args) == 0 {
		out = lintTree(new(profile.Library), profiles.Files(), "profiles", out)
		if dir = ownProfiles(dir); dir == "" {
			return out, nil
		}
		args = []string{dir}
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, err
		}
		if info.IsDir() {
			if len(profile.FilesIn(os.DirFS(arg))) == 0 {
				return nil, fmt.Errorf("%s holds no profiles: they are files named *.yaml", arg)
			}
			out = lintTree(base, os.DirFS(arg), arg, out)
			continue
		}
		r, err := lintOne(base, os.DirFS(filepath.Dir(arg)), filepath.Dir(arg), filepath.Base(arg))
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// lintTree checks the profiles at the top of fsys one by one, and then, when each is good, whether their names collide. They may extend those of base.
func lintTree(base *profile.Library, fsys fs.FS, dir string, out []lintResult) []lintResult {
	good := true
	for _, file := range profile.FilesIn(fsys) {
		r, err := lintOne(base, fsys, dir, file)
		if err != nil {
			r.problems = profile.Problems{{File: r.file, Line: 1, Column: 1, Message: err.Error()}}
		}
		good = good && len(r.problems) == 0
		out = append(out, r)
	}
	if !good {
		return out
	}
	var ps profile.Problems
	if _, err := base.Overlay(fsys, dir); errors.As(err, &ps) {
		out = append(out, lintResult{file: dir, problems: ps})
	}
	return out
}

// lintOne checks one file at the top of fsys. The error is about reading.
func lintOne(base *profile.Library, fsys fs.FS, dir, file string) (lintResult, error) {
	r := lintResult{file: filepath.Join(dir, file)}
	p, err := base.Read(fsys, dir, file)
	if errors.As(err, &r.problems) {
		return r, nil
	}
	if err == nil {
		r.name = p.Name
	}
	return r, err
}

func printLint(w io.Writer, results []lintResult) {
	bad := 0
	for _, r := range results {
		for _, p := range r.problems {
			fmt.Fprintln(w, p.Render())
		}
		if len(r.problems) > 0 {
			bad++
			continue
		}
		fmt.Fprintf(w, "%s: %s is good\n", r.file, r.name)
	}
	if bad > 0 {
		fmt.Fprintf(w, "%d of %d profiles have problems\n", bad, len(results))
	}
}
