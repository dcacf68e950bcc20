package main

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/core/table"
)

func compareCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "compare A B [--profile PROFILE]",
		Short: "Say whether two rule files, or a rule file and a router's filter, treat every packet alike",
		Long: `Compare what A and B do to every packet, and print one that they treat differently. Each is a file of rules, in any notation, or, with
--profile, the filter configuration of such a router as it prints it or as NETCONF returns it: the filters in it that bear our mark.
Rules are compared in RFC order; that a router would keep it is what validate says.

Exit status: 0 they are the same, 1 they differ or it could not be proven, 2 one of them could not be read.`,
		Example: `  sluice compare yesterday.conf today.yaml
  sluice compare rules.conf show-configuration-firewall.txt --profile junos-mx`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] == "-" && args[1] == "-" {
				return errors.New("compare takes two files, one of which may be - for standard input")
			}
			return nil
		},
	}
	name := cmd.Flags().String("profile", "", "`PROFILE` of the router whose filter configuration one of the files is")
	dir, format := profilesFlag(cmd), formatFlag(cmd, "text", "json")
	read := rulesFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		c := comparison{cmd: cmd, read: read}
		if *name != "" {
			if c.dialect, c.profile, err = languageOf(*name, *dir); err != nil {
				return usage(err)
			}
		}
		a, err := c.side(args[0])
		if err != nil {
			return err
		}
		b, err := c.side(args[1])
		if err != nil {
			return err
		}
		return c.tell(a, b, f)
	}
	return cmd
}

// languageOf returns the dialect and the profile that --profile names.
func languageOf(name, dir string) (filter.Dialect, *profile.Profile, error) {
	lib, err := loadProfiles(dir)
	if err != nil {
		return nil, nil, err
	}
	p, _, err := lib.Select(name)
	if err != nil {
		return nil, nil, err
	}
	d, ok := dialectOf(p)
	if !ok {
		return nil, nil, fmt.Errorf("there is no filter language for %s here", p.Name)
	}
	return d, p, nil
}

// comparison reads and compares two files.
type comparison struct {
	cmd     *cobra.Command
	read    func([]string) (readInput, error)
	dialect filter.Dialect // nil: both files are rules
	profile *profile.Profile
}

// side is one of the two: a table for each IP version, and what it is in words.
type side struct {
	name   string
	what   string
	tables map[packet.Version]table.Table
	places map[string]string // where each entry of the tables stands: a line of the file, or the entry itself
}

func (c *comparison) side(file string) (side, error) {
	if c.dialect != nil && file != "-" {
		octets, err := readAll(c.cmd.InOrStdin(), file)
		if err != nil {
			return side{}, usage(err)
		}
		if configuration(octets) {
			return c.filters(file, octets)
		}
	}
	return c.rules(file)
}

// configuration says whether b is a router's configuration with filters of ours, or XML, which no notation of rules is.
func configuration(b []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(b), []byte("<")) || bytes.Contains(b, []byte("filter "+filter.Mark))
}

// filters reads the filters of a configuration: one for each IP version at most, or which of them filters is not known.
func (c *comparison) filters(file string, octets []byte) (side, error) {
	filters, err := c.dialect.Parse(octets)
	if err != nil {
		return side{}, usage(fmt.Errorf("%s: %w", file, err))
	}
	if len(filters) == 0 {
		return side{}, usage(fmt.Errorf("%s: no filter in it has a name that begins with %s", file, filter.Mark))
	}
	s := side{name: file, tables: map[packet.Version]table.Table{}, places: map[string]string{}}
	for _, f := range filters {
		if s.tables[f.Version] != nil {
			return side{}, usage(fmt.Errorf("%s: several filters for IPv%d; leave one", file, f.Version))
		}
		s.tables[f.Version] = f.Table(c.profile.Filter.Semantics)
		for _, e := range f.Entries {
			s.places[e.Name] = "entry " + e.Name
		}
		if s.what != "" {
			s.what += ", "
		}
		s.what += fmt.Sprintf("filter %s with %s", f.Name, counted(len(f.Entries), "entry"))
	}
	return s, nil
}

// rules reads the rules that stand at the end of a file.
func (c *comparison) rules(file string) (side, error) {
	in, err := c.read([]string{file})
	if err != nil {
		return side{}, usage(err)
	}
	printProblems(c.cmd.ErrOrStderr(), in.Problems)
	if in.failed() {
		return side{}, silent(exitUsage)
	}
	byVersion := map[packet.Version][]flowspec.Rule{}
	standing := report.Play(in.Items, nil).Rules
	s := side{name: file, what: counted(len(standing), "rule"), tables: map[packet.Version]table.Table{}, places: map[string]string{}}
	for _, item := range standing {
		family := item.Rule.Match.Family()
		switch {
		case family.VPN():
			return side{}, usage(fmt.Errorf("%s: rules of VPNs are not compared: which packets are in a VPN is not in the rule", item.Pos))
		case len(item.Rule.Action.Unknown) > 0:
			return side{}, usage(fmt.Errorf("%s: the rule has an action that is not understood (%s), so what it does cannot be compared", item.Pos, item.Rule.Action.Unknown[0]))
		}
		byVersion[family.Version()] = append(byVersion[family.Version()], item.Rule)
		s.places[string(item.Rule.ID)] = fmt.Sprintf("line %d", item.Pos.Line)
	}
	for v, rules := range byVersion {
		s.tables[v] = table.Of(rules)
	}
	return s, nil
}

// tell compares and prints.
func (c *comparison) tell(a, b side, format string) error {
	var found *table.Difference
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		if found = table.Diff(a.tables[v], b.tables[v]); found != nil {
			break
		}
	}
	out := c.cmd.OutOrStdout()
	var err error
	switch {
	case format == "json":
		err = printJSON(out, map[string]any{"equal": found == nil, "witness": report.WitnessOf(found)})
	case found == nil:
		_, err = fmt.Fprintf(out, "the same: %s (%s) and %s (%s) treat every packet alike\n", a.name, a.what, b.name, b.what)
	case found.Unproven:
		_, err = fmt.Fprintf(out, "not proven: %s\n", found.Reason)
	default:
		_, err = fmt.Fprint(out, witnessText(found, a, b))
	}
	if err != nil {
		return failed(err)
	}
	if found != nil {
		return silent(exitFailed)
	}
	return nil
}

// witnessText shows a difference: the packet, what each side does with it, and where that is said.
func witnessText(d *table.Difference, a, b side) string {
	s := fmt.Sprintf("different: %s\n", d.Packet)
	if d.Other != nil {
		s = fmt.Sprintf("different: %s\n      and: %s\n", d.Packet, d.Other)
	}
	return s + fmt.Sprintf("  %s: %s\n  %s: %s\n", a.at(d.WantEntry), d.Want, b.at(d.GotEntry), d.Got)
}

// at names the entry that decides, in its file. No entry is the default.
func (s side) at(entry string) string {
	if place, ok := s.places[entry]; ok {
		return s.name + ", " + place
	}
	return s.name + ", no entry"
}
