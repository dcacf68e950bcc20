package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/profiles"
)

func host(n int, action string) string {
	return fmt.Sprintf("flow route { match { destination 203.0.113.%d/32; } then { %s; } }", n, action)
}

// Of rules with one match in a request the last is taken, and the others are named.
func TestSameMatchTwiceInARequest(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var a Answer
	s.want(http.StatusCreated, "POST", "/v1/rules", text(host(1, "discard"), host(2, "discard"), host(1, "accept")), &a)
	if len(a.Rules) != 2 || !strings.Contains(a.Rules[1].Rule, "accept") {
		t.Errorf("rules %+v", a.Rules)
	}
	if len(a.Notes) != 1 || a.Notes[0].Code != "replaced" || a.Notes[0].Index != 0 || !strings.Contains(a.Notes[0].Message, "rule 2 ") {
		t.Errorf("notes %+v", a.Notes)
	}
	if got := s.rib.Snapshot().Rules(); len(got) != 2 || got[0].Action.Discard() {
		t.Errorf("in force: %v", got)
	}
}

// Where there is room for some rules only, the answer says for which.
func TestMoreRulesThanTheSourceMayHave(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var rules []string
	for n := range 7 {
		rules = append(rules, host(n, "discard"))
	}
	var a Answer
	s.want(http.StatusMultiStatus, "POST", "/v1/rules", text(rules...), &a)
	if len(a.Rules) != 5 || len(a.Errors) != 2 || a.Errors[0].Code != "too-many" || a.Errors[0].Index != 5 || a.Errors[0].Line != 6 {
		t.Errorf("taken %d, errors %+v", len(a.Rules), a.Errors)
	}
	if n := len(s.rib.Snapshot().Rules()); n != len(a.Rules) {
		t.Errorf("%d rules in force", n)
	}
	s.want(http.StatusForbidden, "POST", "/v1/rules", text(rules[6]), &a)
	s.want(http.StatusCreated, "POST", "/v1/rules", text(rules[0]), &a)
}

// A rule that is not in force because a preferred source has one with the same match is stored, and the answer says so.
func TestShadowedRule(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var a Answer
	s.want(http.StatusCreated, "POST", "/v1/rules", text(host(1, "discard")), &a)
	theirs, _ := s.rib.Find(flowspec.ID(a.Rules[0].ID))
	theirs.Source, theirs.ID = "detector", flowspec.NewID("detector", theirs.Match)
	done := make(chan error, 1)
	if err := s.rib.Send(t.Context(), rib.Event{Source: "detector", Kind: rib.Update, Announce: []flowspec.Rule{theirs}, Done: done}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	id := a.Rules[0].ID
	s.want(http.StatusCreated, "POST", "/v1/rules", text(host(1, "accept"), host(2, "accept")), &a)
	if len(a.Notes) != 1 || a.Notes[0].Code != "shadowed" || a.Notes[0].Index != 0 {
		t.Errorf("notes %+v", a.Notes)
	}
	s.want(http.StatusNoContent, "DELETE", "/v1/rules/"+id, "", nil)
	if r, found := s.rib.Snapshot().Find(theirs.Match); !found || r.Source != "detector" {
		t.Errorf("in force: %v, %t", r, found)
	}
}

// A version of an earlier life of the gateway is not waited for.
func TestListAfterAVersionThatNeverWas(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var list struct{ Version uint64 }
	s.want(http.StatusOK, "GET", "/v1/rules?after=1000000&wait=300", "", &list)
	if list.Version == 0 || list.Version >= 1000000 {
		t.Errorf("version %d", list.Version)
	}
}

// counting counts the entries that it renders.
type counting struct {
	filter.Dialect
	entries int
}

func (c *counting) Render(f filter.Filter) (filter.Rendered, error) {
	c.entries += len(f.Entries)
	out := filter.Rendered{}
	for _, e := range f.Entries {
		out.Entries = append(out.Entries, "entry "+e.Name)
	}
	return out, nil
}

// A report on one rule costs no rendering of all others.
func TestReportOnOneRuleOfMany(t *testing.T) {
	t.Parallel()
	d := &counting{}
	g := Gateway{Profiles: profiles.Embedded(), Dialects: map[string]filter.Dialect{"junos": d}}
	p := &plan.Plan{Profile: "junos-mx"}
	var rules []flowspec.Rule
	f := filter.Filter{Name: "sluice-v4", Version: 4}
	for n := range 1000 {
		r := flowspec.Rule{ID: flowspec.ID(fmt.Sprintf("%016x", n))}
		e := filter.Entry{Name: "r-" + string(r.ID), Rule: r.ID, Do: filter.Do{Policer: "p-" + string(r.ID)}}
		rules = append(rules, r)
		f.Entries, f.Policers = append(f.Entries, e), append(f.Policers, filter.Policer{Name: e.Do.Policer})
		p.Verdicts = append(p.Verdicts, &plan.Verdict{Rule: r.ID, Carried: plan.InFilter, Entries: []plan.Entry{{Filter: &e}}})
	}
	p.Desired.Filters = []filter.Filter{f}
	out := g.deviceReport("mx1", p, rules[500:501])
	if d.entries != 1 || len(out.Rules) != 1 || out.Rules[0].Entries[0].Text != "entry r-"+string(rules[500].ID) || out.Summary.Filter != 1000 {
		b, _ := json.Marshal(out)
		t.Errorf("%d entries rendered: %s", d.entries, b)
	}
}
