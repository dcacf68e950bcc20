package main

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

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
		Use:   "compare A B [--profile PROFILE] [--path]",
		Short: "Say whether two rule files, or a rule file and a router's filter, treat every packet alike",
		Long: `Compare what A and B do to every packet, and print packets that they treat differently: one for each pair of entries that decide otherwise, by kind.

  over      B treats it worse than A
  under     A treats it worse than B
  order     both have an entry for each of the two treatments, and another one comes first
  policer   two packets share a rate limit on one side only
  other     neither is worse: another target, another mark

Each file is a file of rules, in any notation, or, with --profile, the filter configuration of such a router as it prints it (of Linux, what "nft list ruleset" or "nft -j list ruleset"
prints) or as NETCONF returns it: the filters in it that bear our mark. Rules are compared in RFC order; that a router would keep it is what validate says.

With --path, A and B are what a device has and is to get over BGP, and every table on the way from one to the other is looked at: is there a packet that
fares worse for a moment than with either? There is none where the device has room for both; with --max-routes, or --withdraw-first, routes have to go before others come.

Exit status: 0 they are the same, 1 they differ or it could not be proven, 2 one of them could not be read. With --path: 0 no packet fares worse on the way, 1 some does or it could
not be proven.`,
		Example: `  sluice compare yesterday.conf today.yaml
  sluice compare rules.conf show-configuration-firewall.txt --profile junos-mx
  sluice compare --path --max-routes 3000 yesterday.conf today.yaml`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 || args[0] == "-" && args[1] == "-" {
				return errors.New("compare takes two files, one of which may be - for standard input")
			}
			return nil
		},
	}
	name := cmd.Flags().String("profile", "", "`PROFILE` of the router whose filter configuration one of the files is")
	most := cmd.Flags().Int("most", 10, "print at most `N` packets")
	path := cmd.Flags().Bool("path", false, "look at every table on the way from A to B instead")
	room := cmd.Flags().Int("max-routes", 0, "with --path: the device has room for `N` routes, headroom counted in; 0: for both tables")
	tight := cmd.Flags().Bool("withdraw-first", false, "with --path: the device has room for no more than the larger of the two tables")
	dir, format := profilesFlag(cmd), formatFlag(cmd, "text", "json")
	read, instances := rulesFlags(cmd), instancesFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		switch {
		case *most < 1:
			return usage(errors.New("--most is at least 1"))
		case !*path && (*tight || *room != 0):
			return usage(errors.New("--max-routes and --withdraw-first are about --path"))
		case *tight && *room != 0 || *room < 0:
			return usage(errors.New("--max-routes is a number of routes, and there is no use for --withdraw-first beside it"))
		}
		c := comparison{cmd: cmd, read: read, most: *most}
		if *name != "" {
			if c.dialect, c.profile, err = languageOf(*name, *dir); err != nil {
				return usage(err)
			}
			in, err := instances()
			if err != nil {
				return usage(err)
			}
			c.dialect = filter.ForDevice(c.dialect, in)
		}
		a, err := c.side(args[0])
		if err != nil {
			return err
		}
		b, err := c.side(args[1])
		if err != nil {
			return err
		}
		if *path {
			return c.walk(a, b, *room, *tight, f)
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
	most    int            // how many differences are printed
	dialect filter.Dialect // nil: both files are rules
	profile *profile.Profile
}

// side is one of the two: a table for each IP version, and what it is in words.
type side struct {
	name   string
	what   string
	tables map[packet.Version]table.Table
	places map[string]string // where each entry of the tables stands: a line of the file, or the entry itself
	rules  []flowspec.Rule   // in the order of evaluation; nil: it is a filter
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

// configuration says whether b is a router's configuration with filters of ours, in the words of one of the dialects, or XML, which no notation of rules is.
func configuration(b []byte) bool {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("<")) {
		return true
	}
	for _, words := range []string{"filter " + filter.Mark, `filter "` + filter.Mark, "access-list " + filter.Mark, "access-list extended " + filter.Mark, "traffic-policy " + filter.Mark,
		"traffic policy " + filter.Mark, `"openconfig-acl:acl"`, "table ip " + filter.Mark, "table ip6 " + filter.Mark, `{"nftables": [`} {
		if bytes.Contains(b, []byte(words)) {
			return true
		}
	}
	return false
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
	s := side{name: file, what: counted(len(standing), "rule"), rules: []flowspec.Rule{}, tables: map[packet.Version]table.Table{}, places: map[string]string{}}
	for _, item := range standing {
		family := item.Rule.Match.Family()
		switch {
		case family.VPN():
			return side{}, usage(fmt.Errorf("%s: rules of VPNs are not compared: which packets are in a VPN is not in the rule", item.Pos))
		case len(item.Rule.Action.Unknown) > 0:
			return side{}, usage(fmt.Errorf("%s: the rule has an action that is not understood (%s), so what it does cannot be compared", item.Pos, item.Rule.Action.Unknown[0]))
		}
		byVersion[family.Version()] = append(byVersion[family.Version()], item.Rule)
		s.rules = append(s.rules, item.Rule)
		s.places[string(item.Rule.ID)] = fmt.Sprintf("line %d", item.Pos.Line)
	}
	for v, rules := range byVersion {
		s.tables[v] = table.Of(rules)
	}
	slices.SortFunc(s.rules, func(a, b flowspec.Rule) int { return flowspec.Compare(a.Match, b.Match) })
	return s, nil
}

// tell compares and prints.
func (c *comparison) tell(a, b side, format string) error {
	var found []table.Difference
	more := false
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		list, others := table.Differences(a.tables[v], b.tables[v], c.most+1-len(found))
		found, more = append(found, list...), more || others
	}
	if len(found) > c.most {
		found, more = found[:c.most], true
	}
	slices.SortStableFunc(found, func(x, y table.Difference) int {
		return slices.Index(kindOrder, x.Kind) - slices.Index(kindOrder, y.Kind)
	})
	out := c.cmd.OutOrStdout()
	var err error
	switch {
	case format == "json":
		err = printJSON(out, differencesJSON(found, more, a, b))
	case len(found) == 0:
		_, err = fmt.Fprintf(out, "the same: %s (%s) and %s (%s) treat every packet alike\n", a.name, a.what, b.name, b.what)
	default:
		_, err = fmt.Fprint(out, differencesText(found, more, a, b))
	}
	if err != nil {
		return failed(err)
	}
	if len(found) > 0 {
		return silent(exitFailed)
	}
	return nil
}

// kindOrder is the order in which kinds are printed.
var kindOrder = []table.Kind{table.Over, table.Under, table.Ordered, table.Shared, table.Other, table.NotKnown}

// differenceJSON is a difference for programs.
type differenceJSON struct {
	Kind      table.Kind `json:"kind"`
	Packet    string     `json:"packet"`
	Want      string     `json:"want"`
	Got       string     `json:"got"`
	WantPlace string     `json:"want-place"`
	GotPlace  string     `json:"got-place"`
}

func differencesJSON(found []table.Difference, more bool, a, b side) map[string]any {
	list := make([]differenceJSON, 0, len(found))
	var first *table.Difference
	for i := range found {
		d := &found[i]
		if first == nil {
			first = d
		}
		w := report.WitnessOf(d)
		one := differenceJSON{Kind: d.Kind, Packet: w.Packet, Want: w.Want, Got: w.Got}
		if !d.Unproven {
			one.WantPlace, one.GotPlace = a.at(d.WantEntry), b.at(d.GotEntry)
		}
		list = append(list, one)
	}
	return map[string]any{"equal": len(found) == 0, "witness": report.WitnessOf(first), "differences": list, "more": more}
}

// differencesText shows differences by kind.
func differencesText(found []table.Difference, more bool, a, b side) string {
	titles := map[table.Kind]string{
		table.Over:    "over: " + b.name + " treats these worse than " + a.name,
		table.Under:   "under: " + a.name + " treats these worse than " + b.name,
		table.Ordered: "order: both say both things of these, and another one comes first",
		table.Shared:  "policer: these share a rate limit on one side only",
		table.Other:   "other: neither is worse",
	}
	var s strings.Builder
	for i := range found {
		d := &found[i]
		if d.Unproven {
			fmt.Fprintf(&s, "not proven: %s\n", d.Reason)
			continue
		}
		if i == 0 || found[i-1].Kind != d.Kind {
			s.WriteString(titles[d.Kind] + "\n")
		}
		s.WriteString(witnessText(d, a, b))
	}
	if more {
		s.WriteString("and more: --most N shows up to N\n")
	}
	return s.String()
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
