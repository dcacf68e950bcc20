package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// profilesEnv names the directory of the operator's own profiles where --profiles does not.
const profilesEnv = "SLUICE_PROFILES"

// profilesFlag adds --profiles to a command.
func profilesFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("profiles", "",
		"`DIR` with profiles of your own; one with the name of an embedded profile replaces it (default $"+profilesEnv+")")
}

// ownProfiles returns dir, or the directory that the environment names.
func ownProfiles(dir string) string {
	if dir == "" {
		return os.Getenv(profilesEnv)
	}
	return dir
}

// loadProfiles returns the embedded profiles with those of dir, or of the directory that the environment names, beside them.
func loadProfiles(dir string) (*profile.Library, error) {
	if dir = ownProfiles(dir); dir == "" {
		return profiles.Embedded(), nil
	}
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil, fmt.Errorf("profiles: %q is not a directory that can be read", dir)
	}
	return profiles.Embedded().Overlay(os.DirFS(dir), dir)
}

// formatFlag adds --format to a command; the first of formats is the default.
func formatFlag(cmd *cobra.Command, formats ...string) func() (string, error) {
	f := cmd.Flags().String("format", formats[0], "output: "+strings.Join(formats, ", "))
	return func() (string, error) {
		for _, known := range formats {
			if *f == known {
				return known, nil
			}
		}
		return "", usage(fmt.Errorf("--format is one of %s, not %q", strings.Join(formats, ", "), *f))
	}
}

// printJSON writes v indented, and nothing else.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func profileCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "profile",
		Short: "Show what is known of each platform, and check profiles of your own",
	}
	cmd.AddCommand(profileList(), profileShow(), profileLint(), profileTest(), profileMatrix())
	return cmd
}

// listed is one profile in `profile list --format json`.
type listed struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases"`
	Vendor   string   `json:"vendor"`
	Platform string   `json:"platform"`
	Releases string   `json:"releases"`
	Extends  string   `json:"extends"` // the profile that it changes, or ""
	Native   bool     `json:"native"`
	Filter   string   `json:"filter"` // dialect, or ""
	Options  []string `json:"options"`
	File     string   `json:"file"`
}

// libraryFlags adds --profiles and --format to a command, and returns what reads them.
func libraryFlags(cmd *cobra.Command, formats ...string) func() (*profile.Library, string, error) {
	dir, format := profilesFlag(cmd), formatFlag(cmd, formats...)
	return func() (*profile.Library, string, error) {
		f, err := format()
		if err != nil {
			return nil, "", err
		}
		lib, err := loadProfiles(*dir)
		if err != nil {
			return nil, "", usage(err)
		}
		return lib, f, nil
	}
}

func profileList() *cobra.Command {
	cmd := &cobra.Command{Use: "list", Short: "List the profiles", Args: cobra.NoArgs}
	open := libraryFlags(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		lib, f, err := open()
		if err != nil {
			return err
		}
		out := []listed{}
		all := lib.All()
		for _, p := range all {
			out = append(out, listingOf(p, lib.File(p.Name)))
		}
		if f == "json" {
			return printJSON(cmd.OutOrStdout(), out)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(w, "PROFILE\tALSO\tPLATFORM\tNATIVE\tFILTER\tRELEASES")
		for i, l := range out {
			p := all[i]
			native := "no"
			switch on := p.Switched(); {
			case l.Native:
				native = "yes"
			case len(on) > 0:
				native = strings.TrimPrefix(on[0].Title(), p.Name+":")
			}
			fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\n", l.Name, orDash(strings.Join(l.Aliases, ", ")), l.Vendor, l.Platform, native, orDash(l.Filter), l.Releases)
		}
		return w.Flush()
	}
	return cmd
}

func listingOf(p *profile.Profile, file string) listed {
	l := listed{Name: p.Name, Aliases: append([]string{}, p.Aliases...), Vendor: p.Vendor, Platform: p.Platform, Releases: p.Releases, Extends: p.Extends,
		Native: p.Native != nil, Options: append([]string{}, p.OptionNames()...), File: file}
	if p.Filter != nil {
		l.Filter = p.Filter.Dialect
	}
	return l
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// shown is one profile in `profile show --format json`.
type shown struct {
	listed
	Settings     map[string]string `json:"settings"`
	Capabilities []profile.Line    `json:"capabilities"`
	Warnings     []shownWarning    `json:"warnings"`
	Facts        []shownFact       `json:"facts"`
}

type shownWarning struct {
	Code    string `json:"code"`
	When    string `json:"when"`
	Text    string `json:"text"`
	Command string `json:"command"`
	Fact    string `json:"fact"`
}

type shownFact struct {
	ID      string        `json:"id"`
	Text    string        `json:"text"`
	Source  string        `json:"source"`
	Checked string        `json:"checked"`
	Basis   profile.Basis `json:"basis"`
}

func profileShow() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show PROFILE[:OPTION=VALUE]",
		Short: "Show one profile with the facts it rests on",
		Args:  cobra.ExactArgs(1),
	}
	open := libraryFlags(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		lib, f, err := open()
		if err != nil {
			return err
		}
		p, settings, err := lib.Select(args[0])
		if err != nil {
			return usage(err)
		}
		if f == "json" {
			return printJSON(cmd.OutOrStdout(), shownOf(p, lib.File(p.Name), settings))
		}
		return showText(cmd.OutOrStdout(), p, settings)
	}
	return cmd
}

func shownOf(p *profile.Profile, file string, settings map[string]string) shown {
	out := shown{listed: listingOf(p, file), Settings: map[string]string{}, Capabilities: p.Sheet(), Warnings: []shownWarning{}, Facts: []shownFact{}}
	for k, v := range settings {
		out.Settings[k] = v
	}
	for _, w := range p.Warnings {
		if w.Applies(settings) {
			out.Warnings = append(out.Warnings, shownWarning{w.Code, w.When, w.Text, w.Command, w.Fact})
		}
	}
	for _, id := range p.FactIDs() {
		f := p.Facts[id]
		out.Facts = append(out.Facts, shownFact{f.ID, f.Text, f.Source, f.Checked, f.Basis})
	}
	return out
}

// showText prints a profile: what it can, with the numbers of the facts behind each line, what to type on the device, the facts.
func showText(out io.Writer, p *profile.Profile, settings map[string]string) error {
	fmt.Fprintf(out, "%s: %s %s, %s\n", p.Name, p.Vendor, p.Platform, p.Releases)
	if len(p.Aliases) > 0 {
		fmt.Fprintf(out, "also called %s\n", strings.Join(p.Aliases, ", "))
	}
	if p.Extends != "" {
		fmt.Fprintf(out, "extends %s: what it does not say itself is said there\n", p.Extends)
	}
	number := map[string]int{}
	for i, id := range p.FactIDs() {
		number[id] = i + 1
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	group := ""
	for _, l := range p.Sheet() {
		if l.Group != group {
			group = l.Group
			fmt.Fprintf(w, "\n%s\n", groupHeads[group])
		}
		var refs []string
		for _, id := range l.Facts {
			refs = append(refs, fmt.Sprintf("[%d]", number[id]))
		}
		fmt.Fprintf(w, "  %s\t%s\t%s %s\n", strings.TrimPrefix(l.Name, "filter "), l.Says, strings.Join(refs, ""), l.Basis)
	}
	w.Flush()
	for _, name := range p.OptionNames() {
		o := p.Options[name]
		fmt.Fprintf(out, "\nOption %s (%s, the first by default): %s\n  write --profile %s:%s=%s\n", name, strings.Join(o.Values, " or "), o.Text, p.Name, name, o.Values[len(o.Values)-1])
	}
	if len(p.Warnings) > 0 {
		fmt.Fprintln(out, "\nOn the device")
	}
	for _, warn := range p.Warnings {
		if !warn.Applies(settings) {
			continue
		}
		fmt.Fprintf(out, "  %s [%d]\n", warn.Text, number[warn.Fact])
		if warn.Command != "" {
			fmt.Fprintf(out, "      %s\n", strings.ReplaceAll(warn.Command, "\n", "\n      "))
		}
	}
	fmt.Fprintln(out, "\nFacts")
	for i, id := range p.FactIDs() {
		f := p.Facts[id]
		fmt.Fprintf(out, "  [%d] %s: %s\n", i+1, f.Basis, f.Text)
		if f.Source != "" {
			fmt.Fprintf(out, "      %s (read %s)\n", f.Source, f.Checked)
		}
	}
	return nil
}

var groupHeads = map[string]string{
	"match": "Native FlowSpec: a rule may match", "action": "Native FlowSpec: it may do", "order": "Native FlowSpec: order of evaluation",
	"limit": "Native FlowSpec: limits", "behaviour": "What it does besides", "filter": "As a generated filter",
}
