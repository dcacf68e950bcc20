package report_test

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/report"
	"github.com/sluice-gateway/sluice/profiles"
)

// inMemory is a dialect that writes the name of a filter and remembers the rest.
type inMemory struct {
	filter.Dialect
	held map[string]filter.Filter
	err  error // of Render
	drop int   // entries lost on the way
}

func (inMemory) Semantics() filter.Semantics { return filter.Semantics{} }

func (d inMemory) Render(f filter.Filter) (filter.Rendered, error) {
	d.held[f.Name] = f
	lines := make([]string, len(f.Entries))
	for i, e := range f.Entries {
		lines[i] = "line of " + e.Name
	}
	return filter.Rendered{Payload: []byte(f.Name), Text: f.Name, Entries: lines}, d.err
}

func (d inMemory) Parse(b []byte) ([]filter.Filter, error) {
	f := d.held[string(b)]
	f.Entries = f.Entries[d.drop:]
	return []filter.Filter{f}, nil
}

func dialect(err error, drop int) filter.Dialect {
	return inMemory{held: map[string]filter.Filter{}, err: err, drop: drop}
}

// A first fragment needs a filter on Junos; without one in writing it is rejected, and the rule beside it is not.
const inFilter = "flow route { match { destination 192.0.2.1/32; fragment first-fragment; } then { discard; } }\n" +
	"flow route { match { destination 192.0.2.2/32; } then { discard; } }"

func judged(t *testing.T, text string, d filter.Dialect) (*report.Input, *report.Judged) {
	t.Helper()
	read := notation.Read("f", []byte(text), notation.Options{Format: notation.ExaBGP})
	in := report.Play(read.Items, read.Problems)
	p, settings, err := profiles.Embedded().Select("junos-mx")
	if err != nil {
		t.Fatal(err)
	}
	snap, index := in.Snapshot()
	j, err := report.Judge(new(plan.Deck), snap, index, p, plan.Options{Settings: settings}, d)
	if err != nil {
		t.Fatal(err)
	}
	return in, j
}

func TestJudgeTakesBackWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dialect filter.Dialect
		want    report.Summary
		words   string
	}{
		"written":                {dialect(nil, 0), report.Summary{Rules: 2, Native: 1, Filter: 1}, ""},
		"no language":            {nil, report.Summary{Rules: 2, Native: 1, Rejected: 1}, "there is no filter language for junos-mx here"},
		"no words":               {dialect(errors.New("no words"), 0), report.Summary{Rules: 2, Native: 1, Rejected: 1}, "no words"},
		"not the same read back": {dialect(nil, 1), report.Summary{Rules: 2, Native: 1, Rejected: 1}, "what was rendered is another filter"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, j := judged(t, inFilter, c.dialect)
			if j.Summary != c.want {
				t.Errorf("%+v, want %+v", j.Summary, c.want)
			}
			if c.words == "" {
				if j.Filters.Err != nil || len(j.Filters.Whole) != 1 || j.Inexact != 0 {
					t.Errorf("%v, %d filters, %d not exact", j.Filters.Err, len(j.Filters.Whole), j.Inexact)
				}
				return
			}
			last := j.Verdicts[0].Reasons[len(j.Verdicts[0].Reasons)-1]
			if last.Code != "not-rendered" || !strings.Contains(last.Message, c.words) || j.Filters.Err == nil || j.Inexact != 1 {
				t.Errorf("%+v, %v, %d not exact; want not-rendered with %q", last, j.Filters.Err, j.Inexact, c.words)
			}
		})
	}
}

// The JSON forms have exactly the keys that docs/cli.md promises, lists where there is nothing, and null where something is not known.
func TestKeys(t *testing.T) {
	t.Parallel()
	in, j := judged(t, inFilter, dialect(nil, 0))
	b, err := json.Marshal(j.Profile("junos-mx", in, report.OnDevice{}))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Rules []map[string]any
	}
	var top map[string]any
	if err := errors.Join(json.Unmarshal(b, &got), json.Unmarshal(b, &top)); err != nil {
		t.Fatal(err)
	}
	keys := func(v any) string { return strings.Join(slices.Sorted(maps.Keys(v.(map[string]any))), " ") }
	check := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s has %s, want %s", what, got, want)
		}
	}
	check("a profile", keys(top), "profile rules summary table")
	check("a summary", keys(top["summary"]), "filter native rejected rewritten rules")
	for _, r := range got.Rules {
		check("a rule", keys(r), "basis carried cost entries exact file hex line reasons rule witness")
		check("a cost", keys(r["cost"]), "entries least tcam")
		if r["cost"].(map[string]any)["tcam"] != nil || r["witness"] != nil {
			t.Errorf("tcam and witness are not null: %v", r)
		}
		for _, reason := range r["reasons"].([]any) {
			check("a reason", keys(reason), "code component hint message severity source")
		}
	}
	check("an entry of a filter", keys(got.Rules[0]["entries"].([]any)[0]), "text")
	check("a native entry", keys(got.Rules[1]["entries"].([]any)[0]), "hex text")
	if reasons, ok := got.Rules[1]["reasons"].([]any); !ok || len(reasons) != 0 {
		t.Errorf("reasons are %v, want an empty list", got.Rules[1]["reasons"])
	}

	problems, err := json.Marshal(report.Problems([]notation.Problem{{Severity: notation.Error}, {Severity: notation.Note}}))
	if want := `[{"file":"","line":0,"column":0,"code":"","message":"","hint":""}]`; err != nil || string(problems) != want {
		t.Errorf("problems are %s, want %s (%v)", problems, want, err)
	}
}
