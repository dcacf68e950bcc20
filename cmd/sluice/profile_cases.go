package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/profiles"
)

func profileTest() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "test [PROFILE...]",
		Short: "Hold profiles against their cases: what becomes of typical rules",
		Long: `Plan the rules in testdata/PROFILE.txt beside each profile, by FlowSpec alone where it has that, and compare with what the file says becomes of them.
Without arguments it holds all profiles against theirs, the embedded ones against the embedded cases. --update writes what became of them into the
files beside the profiles of --profiles, for people to read before they keep it. Exit status 1 when something differs or a profile has no cases.`,
		Example: `  sluice profile test cisco-asr9k`,
	}
	dir := profilesFlag(cmd)
	update := cmd.Flags().Bool("update", false, "write the cases of the profiles in --profiles anew")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		lib, err := loadProfiles(*dir)
		if err != nil {
			return usage(err)
		}
		list := lib.All()
		if len(args) > 0 {
			if list, err = selectAll(lib, args); err != nil {
				return usage(err)
			}
		}
		failed := false
		for _, p := range list {
			c := caseFile{lib: lib, name: p.Name, fsys: profiles.Files(), shown: path.Join("profiles", "testdata", p.Name+".txt")}
			if own := ownProfiles(*dir); own != "" && path.Dir(lib.File(p.Name)) == path.Clean(filepath.ToSlash(own)) {
				c.fsys, c.shown, c.own = os.DirFS(own), path.Join(filepath.ToSlash(own), "testdata", p.Name+".txt"), true
			}
			failed = !c.check(cmd.OutOrStdout(), *update) || failed
		}
		if failed {
			return silent(exitFailed)
		}
		return nil
	}
	return cmd
}

// caseFile is the cases of one profile. Lines that begin with two spaces say what becomes of the rule, or of the table, above them; `profile NAME:OPTION=VALUE`
// begins a table of its own; the rest is rules in ExaBGP's notation, one on each line, and comments.
type caseFile struct {
	lib   *profile.Library
	name  string
	fsys  fs.FS
	shown string
	own   bool // beside a profile of the user, and not compiled in
}

// check compares the file with what the planner says, and tells out. It returns whether they agree.
func (c *caseFile) check(out io.Writer, update bool) bool {
	b, err := fs.ReadFile(c.fsys, path.Join("testdata", c.name+".txt"))
	if errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintf(out, "%s: no cases: there is no %s\n", c.name, c.shown)
		return false
	}
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", c.name, err)
		return false
	}
	want, rules, err := c.play(string(b))
	if err != nil {
		fmt.Fprintf(out, "%s: %v\n", c.name, err)
		return false
	}
	if want == string(b) {
		fmt.Fprintf(out, "%s: %s as expected\n", c.name, counted(rules, "rule"))
		return true
	}
	if update && c.own {
		err = os.WriteFile(filepath.FromSlash(c.shown), []byte(want), 0o644)
		if err == nil {
			fmt.Fprintf(out, "%s: wrote %s\n", c.name, c.shown)
			return true
		}
		fmt.Fprintf(out, "%s: %v\n", c.name, err)
		return false
	}
	fmt.Fprintf(out, "%s: %s\n", c.name, caseDifference(c.shown, string(b), want))
	return false
}

func caseDifference(file, is, want string) string {
	a, b := strings.Split(is, "\n"), strings.Split(want, "\n")
	for i := range max(len(a), len(b)) {
		said, now := "nothing", "nothing"
		if i < len(a) {
			said = a[i]
		}
		if i < len(b) {
			now = b[i]
		}
		if said != now {
			return fmt.Sprintf("%s:%d differs\n  the file says: %s\n  the plan says: %s", file, i+1, said, now)
		}
	}
	return file + " differs"
}

// play returns the file with what the planner says in it, and how many rules there are.
func (c *caseFile) play(text string) (string, int, error) {
	var out strings.Builder
	spec, rules := c.name, 0
	var group []string
	flush := func() error {
		n, err := c.group(&out, spec, group)
		rules, group = rules+n, nil
		return err
	}
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		next, begins := strings.CutPrefix(line, "profile ")
		switch {
		case strings.HasPrefix(line, "  "):
		case begins:
			if err := flush(); err != nil {
				return "", 0, err
			}
			spec = strings.TrimSpace(next)
			fmt.Fprintln(&out, line)
		default:
			group = append(group, line)
		}
	}
	if err := flush(); err != nil {
		return "", 0, err
	}
	if rules == 0 {
		return "", 0, fmt.Errorf("%s holds no rule", c.shown)
	}
	return out.String(), rules, nil
}

// group plans the rules in lines as one table and writes them with what becomes of them.
func (c *caseFile) group(out io.Writer, spec string, lines []string) (int, error) {
	p, settings, err := c.lib.Select(spec)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", c.shown, err)
	}
	if p.Name != c.name {
		return 0, fmt.Errorf("%s: %s is another profile", c.shown, spec)
	}
	read := notation.Read(c.shown, []byte(strings.Join(lines, "\n")+"\n"), notation.Options{Format: notation.ExaBGP})
	for _, problem := range read.Problems {
		if problem.Severity == notation.Error {
			return 0, fmt.Errorf("%s: %q: %s", c.shown, lines[max(problem.Pos.Line-1, 0)], problem.Message)
		}
	}
	in := report.Play(read.Items, nil)
	snap, index := in.Snapshot()
	filters, _ := dialectOf(p)
	filterOnly := p.Native == nil && filters != nil
	j, err := report.Judge(nil, snap, index, p, plan.Options{Settings: settings, NoFilter: !filterOnly}, filters)
	if err != nil {
		return 0, err
	}
	at := map[int]*plan.Verdict{}
	for i := range in.Rules {
		at[in.Rules[i].Pos.Line] = j.Verdicts[i]
	}
	end := len(lines) // what stands behind the last rule is about the next table
	for end > 0 && at[end] == nil {
		end--
	}
	for i, line := range lines[:end] {
		fmt.Fprintln(out, line)
		if v := at[i+1]; v != nil {
			writeOutcome(out, v)
		}
	}
	var codes []string
	for _, w := range j.Warnings {
		if !slices.Contains(codes, w.Code) {
			codes = append(codes, w.Code)
		}
	}
	if len(codes) > 0 {
		fmt.Fprintf(out, "  on the device: %s\n", strings.Join(codes, ", "))
	}
	for _, line := range lines[end:] {
		fmt.Fprintln(out, line)
	}
	return len(in.Rules), nil
}

// writeOutcome says what becomes of one rule: how it is carried, what is sent where that is another rule, and what is wrong or to be warned of.
func writeOutcome(out io.Writer, v *plan.Verdict) {
	how := string(v.Carried)
	if v.Carried != plan.Rejected && !v.Exact {
		how += ", not exactly"
	}
	if v.Cost.TCAM != nil {
		how += fmt.Sprintf(", %s", counted(*v.Cost.TCAM, "TCAM slot"))
	}
	fmt.Fprintf(out, "  = %s\n", how)
	for _, e := range v.Entries {
		if v.Carried == plan.Rewritten && e.Route != nil {
			sent := flowspec.Rule{Match: e.Route.Match, Action: e.Route.Action}
			fmt.Fprintf(out, "  > %s\n", notation.Text(sent))
		}
	}
	for _, r := range v.Reasons {
		switch r.Severity {
		case plan.Error:
			why := r.Message
			if r.Code == "no-native" && r.Source != "" { // the fact itself
				why += ": " + r.Source
			}
			fmt.Fprintf(out, "  ! %s: %s\n", r.Code, why)
		case plan.Warning:
			fmt.Fprintf(out, "  ? %s\n", r.Code)
		}
	}
}
