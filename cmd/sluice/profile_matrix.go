package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/profile"
)

func profileMatrix() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "matrix [PROFILE[:OPTION=VALUE]...]",
		Short: "Set profiles side by side; all of them without arguments",
		Long: `Set profiles side by side: a row for each capability, a column for each profile, and a mark for how sure a cell is. Without arguments it has all profiles,
and those that filter nothing by FlowSpec as it is also with the setting that changes that. The text is at most 100 columns wide; markdown and html name the facts.`,
	}
	open := libraryFlags(cmd, "text", "json", "markdown", "html")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		lib, f, err := open()
		if err != nil {
			return err
		}
		list := profile.WithSwitched(lib.All())
		if len(args) > 0 {
			if list, err = selectAll(lib, args); err != nil {
				return usage(err)
			}
		}
		switch f {
		case "json":
			return printJSON(cmd.OutOrStdout(), profile.MatrixOf(list))
		case "markdown":
			return profile.WriteMarkdown(cmd.OutOrStdout(), list)
		case "html":
			return profile.WriteHTML(cmd.OutOrStdout(), list)
		}
		return matrixText(cmd.OutOrStdout(), profile.MatrixOf(list))
	}
	return cmd
}

// selectAll returns the profiles that specs name, with their settings applied.
func selectAll(lib *profile.Library, specs []string) ([]*profile.Profile, error) {
	var list []*profile.Profile
	for _, spec := range specs {
		p, _, err := lib.Select(spec)
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, nil
}

// The matrix on a terminal is no wider than matrixWidth: so many columns for names, and so many profiles side by side, with the others below.
const (
	matrixNames = 22
	matrixSide  = 4
)

func matrixText(out io.Writer, m profile.Matrix) error {
	var b strings.Builder
	for from := 0; from < len(m.Profiles); from += matrixSide {
		if from > 0 {
			b.WriteString("\n\n")
		}
		matrixBand(&b, m, from, min(from+matrixSide, len(m.Profiles)))
	}
	b.WriteString("\n! seen on the platform   ? assumed   no mark: documented by the vendor\n")
	_, err := io.WriteString(out, b.String())
	return err
}

// matrixBand writes columns from to to-1. Rows that none of them has are left out.
func matrixBand(b *strings.Builder, m profile.Matrix, from, to int) {
	width := (matrixWidth-matrixNames)/(to-from) - 2
	group := ""
	for _, r := range m.Rows {
		cells := r.Cells[from:to]
		if !slices.ContainsFunc(cells, func(c profile.Line) bool { return c.Says != "-" }) {
			continue
		}
		if r.Group != group {
			if group != "" {
				b.WriteString("\n")
			}
			group = r.Group
			heads := []string{strings.ToUpper(group)}
			for _, title := range m.Profiles[from:to] {
				if len(title) > width {
					title = strings.ReplaceAll(title, ":", " :") // settings go below the name
				}
				heads = append(heads, title)
			}
			matrixRow(b, width, heads)
		}
		texts := []string{strings.TrimPrefix(r.Name, "filter ")}
		for _, c := range cells {
			texts = append(texts, c.Says+c.Basis.Sign())
		}
		matrixRow(b, width, texts)
	}
}

// matrixRow writes one row, the first text of which is its name, over as many lines as its longest text needs.
func matrixRow(b *strings.Builder, width int, texts []string) {
	columns := [][]string{wrap(texts[0], matrixNames)}
	lines := len(columns[0])
	for _, t := range texts[1:] {
		c := wrap(t, width)
		columns, lines = append(columns, c), max(lines, len(c))
	}
	for i := range lines {
		var line strings.Builder
		for k, c := range columns {
			w, text := width, ""
			if k == 0 {
				w = matrixNames
			}
			if i < len(c) {
				text = c[i]
			}
			line.WriteString(text + strings.Repeat(" ", w-utf8.RuneCountInString(text)+2))
		}
		fmt.Fprintln(b, strings.TrimRight(line.String(), " "))
	}
}

// wrap breaks text into lines of at most width characters, between words where it can.
func wrap(text string, width int) []string {
	var out []string
	line := ""
	for _, word := range strings.Fields(text) {
		for utf8.RuneCountInString(word) > width {
			if line != "" {
				out, line = append(out, line), ""
			}
			cut := []rune(word)
			out, word = append(out, string(cut[:width])), string(cut[width:])
		}
		switch {
		case line == "":
			line = word
		case utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) <= width:
			line += " " + word
		default:
			out, line = append(out, line), word
		}
	}
	return append(out, line)
}
