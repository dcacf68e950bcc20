package profile

import (
	"html/template"
	"io"
	"slices"
	"strings"
)

// WriteHTML writes the matrix of list as one page that needs nothing else: rows are capabilities, columns profiles, and each cell shows the facts behind it
// when it is pointed at. Every text is escaped: profiles of the user are among them.
func WriteHTML(w io.Writer, list []*Profile) error {
	return htmlPage.Execute(w, htmlOf(list))
}

type htmlMatrix struct {
	Profiles []htmlProfile
	Groups   []htmlGroup
}

type htmlProfile struct{ Name, About string }

type htmlGroup struct {
	Title string
	Rows  []htmlRow
}

type htmlRow struct {
	Name  string
	Cells []htmlCell
}

type htmlCell struct {
	Says, Class, Facts string
	Basis              Basis
}

func htmlOf(list []*Profile) htmlMatrix {
	m := MatrixOf(list)
	var out htmlMatrix
	for _, p := range list {
		out.Profiles = append(out.Profiles, htmlProfile{p.Title(), strings.Join([]string{p.Vendor, p.Platform, p.Releases}, ", ")})
	}
	for _, r := range m.Rows {
		title := groupTitles[r.Group]
		if n := len(out.Groups); n == 0 || out.Groups[n-1].Title != title {
			out.Groups = append(out.Groups, htmlGroup{Title: title})
		}
		row := htmlRow{Name: strings.TrimPrefix(r.Name, "filter ")}
		for i, c := range r.Cells {
			row.Cells = append(row.Cells, htmlCell{Says: c.Says, Class: cellClass(c), Facts: factsText(list[i], c.Facts), Basis: c.Basis})
		}
		g := &out.Groups[len(out.Groups)-1]
		g.Rows = append(g.Rows, row)
	}
	return out
}

// cellClass is how a cell is coloured: what the platform cannot, what is not known, what is assumed.
func cellClass(c Line) string {
	switch {
	case c.Says == "no" || c.Says == "no FlowSpec":
		return "no"
	case c.Says == "-" || strings.HasPrefix(c.Says, "not known"):
		return "unknown"
	}
	return string(c.Basis)
}

// factsText is what stands behind a cell.
func factsText(p *Profile, ids []string) string {
	var out []string
	for _, id := range p.factOrder {
		if !slices.Contains(ids, id) {
			continue
		}
		f := p.Facts[id]
		text := f.Text
		if f.Source != "" {
			text += " (" + f.Source + ")"
		}
		out = append(out, text)
	}
	return strings.Join(out, "\n")
}

var htmlPage = template.Must(template.New("matrix").Parse(`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What each platform can carry</title>
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 1rem; color: #1a1a1a; background: #fff; }
.scroll { overflow: auto; max-height: 85vh; border: 1px solid #ccc; }
table { border-collapse: separate; border-spacing: 0; }
th, td { border-right: 1px solid #ddd; border-bottom: 1px solid #ddd; padding: 4px 8px; text-align: left; vertical-align: top; min-width: 8rem; }
thead th { position: sticky; top: 0; background: #f2f2f2; z-index: 2; }
tbody th { position: sticky; left: 0; background: #fafafa; z-index: 1; font-weight: normal; }
thead th:first-child { left: 0; z-index: 3; }
.group th { background: #e3e8ee; font-weight: bold; }
.no { color: #8a1c1c; } .unknown { color: #767676; } .assumed { font-style: italic; } .measured { font-weight: 600; }
td[title]:not([title=""]) { cursor: help; }
</style>
</head>
<body>
<h1>What each platform can carry</h1>
<p><span class="measured">Seen on the platform</span>, documented by the vendor, <span class="assumed">assumed</span>, <span class="no">no</span>,
<span class="unknown">not known</span>. Point at a cell for the facts behind it.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Capabilities of platforms">
<table>
<thead><tr><th scope="col">capability</th>{{range .Profiles}}<th scope="col" title="{{.About}}">{{.Name}}</th>{{end}}</tr></thead>
{{range .Groups}}<tbody>
<tr class="group"><th scope="rowgroup" colspan="{{len $.Profiles | printf "%d"}}">{{.Title}}</th><th></th></tr>
{{range .Rows}}<tr><th scope="row">{{.Name}}</th>{{range .Cells}}<td class="{{.Class}}" title="{{.Facts}}">{{.Says}}</td>{{end}}</tr>
{{end}}</tbody>
{{end}}</table>
</div>
</body>
</html>
`))
