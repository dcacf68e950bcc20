package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Rule is a rule in force, or just accepted.
type Rule struct {
	ID      string     `json:"id" doc:"hash of source and NLRI, 16 hexadecimal digits; stable across restarts"`
	Source  string     `json:"source"`
	Family  string     `json:"family" enum:"ipv4,ipv6,vpnv4,vpnv6"`
	Rule    string     `json:"rule" doc:"ExaBGP's one-line form"`
	Hex     string     `json:"hex" doc:"the hex notation"`
	Expires *time.Time `json:"expires" nullable:"true" doc:"null: never"`
	Note    string     `json:"note"`
	// Count is there for a rule in force that some device counts.
	Count *reconcile.Count `json:"count,omitempty" doc:"what it has matched, on all devices that count it together; in lists and of one rule"`
	// Activity is there for a rule in force.
	Activity *reconcile.Activity `json:"activity,omitempty" doc:"whether it matches anything; in lists and of one rule"`
}

// Problem is why a rule was not taken.
type Problem struct {
	Index   int    `json:"index" doc:"which rule of the request, from 0; -1 when it could not even be read as one"`
	Line    int    `json:"line" doc:"line of the rule's text"`
	Column  int    `json:"column"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// Request is what a client sends: rules as text, or in sluice's own notation.
type Request struct {
	Rule  string `json:"rule,omitempty" doc:"one rule as text (ExaBGP or hex), or several, one a line"`
	Rules []any  `json:"rules,omitempty" doc:"rules in sluice's JSON notation (docs/notations.md)"`
	TTL   string `json:"ttl,omitempty" example:"10m" doc:"lifetime of the rules that name none"`
	Note  string `json:"note,omitempty" doc:"note on the rules that bear none"`
}

// Answer is what became of a Request.
type Answer struct {
	Rules   []Rule         `json:"rules" doc:"accepted, and on disk; with dry_run: what would be"`
	Errors  []Problem      `json:"errors" doc:"the rules that were not taken"`
	Notes   []Problem      `json:"notes" doc:"warnings about rules that were taken"`
	Devices []DeviceReport `json:"devices,omitempty" doc:"with dry_run: how each device would carry the rules"`
}

type createInput struct {
	DryRun bool `query:"dry_run" doc:"plan and prove, and change nothing"`
	Body   Request
}

type answerOutput struct {
	Status int
	Body   Answer
}

func registerRules(h huma.API, g *Gateway) {
	huma.Register(h, huma.Operation{
		OperationID: "create-rules", Method: http.MethodPost, Path: "/v1/rules", DefaultStatus: http.StatusCreated, MaxBodyBytes: maxBody,
		Summary: "Create rules",
		Description: "201: all were taken and are on disk. 207: some were; see errors. 400: the text cannot be read. 403: not admitted. " +
			"422: read, but refused. A rule with the same match replaces the earlier one. Each rule is judged by itself.",
	}, g.create)
	huma.Register(h, huma.Operation{
		OperationID: "list-rules", Method: http.MethodGet, Path: "/v1/rules", Summary: "Rules in force, in the order of evaluation (RFC 8955 §5.1)",
	}, g.list)
	huma.Register(h, huma.Operation{
		OperationID: "get-rule", Method: http.MethodGet, Path: "/v1/rules/{id}", Summary: "One rule, and how each device carries it",
	}, g.get)
	huma.Register(h, huma.Operation{
		OperationID: "delete-rule", Method: http.MethodDelete, Path: "/v1/rules/{id}", DefaultStatus: http.StatusNoContent,
		Summary: "Withdraw a rule that came by API; a rule of another source is withdrawn where it came from",
	}, g.delete)
}

func (g *Gateway) create(ctx context.Context, in *createInput) (*answerOutput, error) {
	if g.Source == "" {
		return nil, huma.Error403Forbidden("the configuration has no source with api: true, so rules cannot be created here")
	}
	b := g.read(in.Body)
	if in.DryRun {
		return g.dryRun(b)
	}
	if len(b.rules) > 0 {
		err := g.send(ctx, rib.Event{Source: g.Source, Kind: rib.Update, Announce: b.rules})
		var many *rib.TooMany
		switch {
		case errors.As(err, &many):
			b.keep(g.taken, many)
		case err != nil:
			return nil, err
		}
		b.shadowed(g.Rules.Snapshot())
	}
	return b.answer(), nil
}

// shadowed says which rules were taken and are not in force, because a source that is preferred has one with the same match.
func (b *batch) shadowed(snap rib.Snapshot) {
	for i, r := range b.rules {
		if other, found := snap.Find(r.Match); found && other.ID != r.ID {
			p := b.from[i]
			p.Code, p.Message = "shadowed", fmt.Sprintf("stored, but not in force while source %q has a rule with the same match: it is preferred", other.Source)
			b.notes = append(b.notes, p)
		}
	}
}

// taken says whether the RIB has a rule as it was sent.
func (g *Gateway) taken(r flowspec.Rule) bool {
	have, found := g.Rules.Find(r.ID)
	return found && have.Action.Equal(r.Action) && have.Expires.Equal(r.Expires) && have.Note == r.Note
}

// keep makes errors of the rules for which the source had no more room.
func (b *batch) keep(taken func(flowspec.Rule) bool, why *rib.TooMany) {
	var rules []flowspec.Rule
	var from []Problem
	for i, r := range b.rules {
		if taken(r) {
			rules, from = append(rules, r), append(from, b.from[i])
			continue
		}
		p := b.from[i]
		p.Code, p.Message, p.Hint = "too-many", why.Error(), ""
		b.refuse(http.StatusForbidden, p)
	}
	b.rules, b.from = rules, from
}

// send hands an event to the RIB and waits until it is durable. A *rib.TooMany means that all other rules of it are.
func (g *Gateway) send(ctx context.Context, e rib.Event) error {
	done := make(chan error, 1)
	e.Done = done
	if err := g.Rules.Send(ctx, e); err != nil {
		return huma.Error503ServiceUnavailable("the gateway takes no rules right now", err)
	}
	select {
	case err := <-done:
		var many *rib.TooMany
		if err != nil && !errors.As(err, &many) && !errors.Is(err, rib.ErrNothingWithdrawn) {
			return huma.Error503ServiceUnavailable("the rule could not be stored", err)
		}
		return err
	case <-ctx.Done():
		return huma.Error503ServiceUnavailable("gave up waiting for the store: the rule may or may not stay", ctx.Err())
	}
}

// batch is a request judged rule by rule.
type batch struct {
	rules  []flowspec.Rule
	from   []Problem // where each of rules stands in the request
	errs   []Problem
	notes  []Problem
	status int // of the worst error
}

// read judges every rule of a request: can it be read, may it be said here, how long may it live.
func (g *Gateway) read(r Request) *batch {
	b := &batch{}
	text, format := []byte(r.Rule), notation.Format("")
	if r.Rules != nil {
		if r.Rule != "" {
			b.refuse(http.StatusBadRequest, Problem{Index: -1, Code: "usage", Message: "both rule and rules", Hint: "send one of them"})
			return b
		}
		format = notation.JSON
		text, _ = json.Marshal(map[string]any{"rules": r.Rules}) // what came as JSON goes as JSON
	}
	ttl, err := g.lifetime(r.TTL)
	if err != nil {
		b.refuse(http.StatusUnprocessableEntity, Problem{Index: -1, Code: "ttl", Message: err.Error()})
		return b
	}

	now := g.Now()
	result := notation.Read("request", text, notation.Options{Format: format, Compat: g.Compat, Now: now})
	for _, p := range result.Problems {
		b.note(p)
	}
	if len(result.Items) == 0 && len(b.errs) == 0 {
		b.refuse(http.StatusBadRequest, Problem{Index: -1, Code: "empty", Message: "no rule in the request"})
	}
	for i, item := range result.Items {
		at := Problem{Index: i, Line: item.Pos.Line, Column: item.Pos.Column}
		rule, p := g.judge(item, r.Note, now, ttl)
		if p != nil {
			p.Index, p.Line, p.Column = at.Index, at.Line, at.Column
			b.refuse(p.status, p.Problem)
			continue
		}
		b.rules, b.from = append(b.rules, rule), append(b.from, at)
	}
	b.replace()
	return b
}

// replace leaves out rules whose NLRI a later rule of the request has, and says so.
func (b *batch) replace() {
	last := make(map[flowspec.ID]int, len(b.rules))
	for i, r := range b.rules {
		last[r.ID] = i
	}
	if len(last) == len(b.rules) {
		return
	}
	var rules []flowspec.Rule
	var from []Problem
	for i, r := range b.rules {
		if by := last[r.ID]; by != i {
			p := b.from[i]
			p.Code, p.Message = "replaced", fmt.Sprintf("replaced by rule %d of the request, which has the same match", b.from[by].Index)
			b.notes = append(b.notes, p)
			continue
		}
		rules, from = append(rules, r), append(from, b.from[i])
	}
	b.rules, b.from = rules, from
}

// refusal is a Problem and the HTTP status it deserves.
type refusal struct {
	Problem
	status int
}

// judge makes a rule of ours of what was read.
func (g *Gateway) judge(item notation.Item, note string, now time.Time, ttl time.Duration) (flowspec.Rule, *refusal) {
	if item.Withdraw {
		return flowspec.Rule{}, &refusal{Problem{Code: "withdraw", Message: "a withdrawal where rules are created", Hint: "DELETE /v1/rules/ID"}, http.StatusUnprocessableEntity}
	}
	r := item.Rule
	r.Source = g.Source
	match, err := g.Admit.Placed(r.Match.Clone())
	if err != nil {
		return r, &refusal{Problem{Code: "too-long", Message: err.Error()}, http.StatusUnprocessableEntity}
	}
	r.Match = match
	r.ID = flowspec.NewID(r.Source, r.Match)
	if r.Note == "" {
		r.Note = note
	}
	if r.Expires.IsZero() && ttl > 0 {
		r.Expires = now.Add(ttl)
	}
	if g.MaxTTL > 0 && (r.Expires.IsZero() || r.Expires.Sub(now) > g.MaxTTL) {
		return r, &refusal{Problem{Code: "ttl", Message: fmt.Sprintf("lives longer than the ceiling of %v", g.MaxTTL)}, http.StatusUnprocessableEntity}
	}
	if err := g.Admit.Check(r, now); err != nil {
		return r, &refusal{Problem{Code: "not-admitted", Message: err.Error()}, http.StatusForbidden}
	}
	return r, nil
}

func (g *Gateway) lifetime(s string) (time.Duration, error) {
	if s == "" {
		return g.DefaultTTL, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("ttl %q is not a duration, such as 90s or 10m", s)
	}
	return d, nil
}

func (b *batch) note(p notation.Problem) {
	out := Problem{Index: -1, Line: p.Pos.Line, Column: p.Pos.Column, Code: p.Code, Message: p.Message, Hint: p.Hint}
	if p.Severity != notation.Error {
		b.notes = append(b.notes, out)
		return
	}
	status := http.StatusBadRequest
	if guarded(p.Code) {
		status = http.StatusUnprocessableEntity // it could be read; we will not take it for what other tools make of it
	}
	b.refuse(status, out)
}

// guarded says whether code is of a guard: of text that other tools read, and make something else of.
func guarded(code string) bool {
	return slices.ContainsFunc(notation.Guards(), func(g notation.Guard) bool { return g.Code == code })
}

func (b *batch) refuse(status int, p Problem) {
	b.errs = append(b.errs, p)
	b.status = max(b.status, status)
}

func (b *batch) answer() *answerOutput {
	out := &answerOutput{Status: http.StatusCreated, Body: Answer{Rules: []Rule{}, Errors: b.errs, Notes: b.notes}}
	for _, r := range b.rules {
		out.Body.Rules = append(out.Body.Rules, view(r))
	}
	if len(b.errs) > 0 {
		out.Status = b.status
		if len(b.rules) > 0 {
			out.Status = http.StatusMultiStatus
		}
	}
	if out.Body.Errors == nil {
		out.Body.Errors = []Problem{}
	}
	if out.Body.Notes == nil {
		out.Body.Notes = []Problem{}
	}
	return out
}

// dryRun answers with the plan of every device for the rules in force and those of the request.
func (g *Gateway) dryRun(b *batch) (*answerOutput, error) {
	out := b.answer()
	if out.Status == http.StatusCreated {
		out.Status = http.StatusOK
	}
	if len(b.rules) == 0 {
		return out, nil // nothing to plan
	}
	previews, err := g.Devices.Preview(b.rules)
	if err != nil {
		return nil, huma.Error500InternalServerError("the rules could not be planned", err)
	}
	for _, p := range previews {
		out.Body.Devices = append(out.Body.Devices, g.deviceReport(p.Device, p.Plan, b.rules))
	}
	return out, nil
}

type listInput struct {
	After uint64 `query:"after" doc:"wait until the version is another one than this"`
	Wait  int    `query:"wait" minimum:"0" maximum:"300" doc:"at most that many seconds; 0: do not wait"`
}

type listOutput struct {
	Body struct {
		Version uint64 `json:"version" doc:"of the Loc-RIB; it grows with every change"`
		Rules   []Rule `json:"rules"`
	}
}

func (g *Gateway) list(ctx context.Context, in *listInput) (*listOutput, error) {
	snap := g.newer(ctx, in.After, time.Duration(in.Wait)*time.Second)
	out := &listOutput{}
	out.Body.Version = snap.Version
	out.Body.Rules = []Rule{}
	counts := g.Devices.Counts()
	now, activities := g.Devices.Activities(g.IdleAfter)
	for i, r := range snap.Rules() {
		v := counted(view(r), counts)
		if now.Version == snap.Version {
			v.Activity = &activities[i]
		} else { // the rules have changed since
			v.Activity = new(g.Devices.Activity(r, g.IdleAfter(r.Source)))
		}
		out.Body.Rules = append(out.Body.Rules, v)
	}
	return out, nil
}

// newer returns the newest snapshot, waiting while it is not above version after.
func (g *Gateway) newer(ctx context.Context, after uint64, wait time.Duration) rib.Snapshot {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	changed, stop := g.Rules.Watch()
	defer stop()
	for {
		snap := g.Rules.Snapshot()
		if snap.Version != after { // below: the version is of an earlier life of the gateway
			return snap
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return g.Rules.Snapshot()
		}
	}
}

type ruleInput struct {
	ID string `path:"id" pattern:"^[0-9a-f]{16}$"`
}

type ruleOutput struct {
	Body struct {
		Rule
		Devices  []DeviceReport      `json:"devices" doc:"how each device carries the rule"`
		Receipts []reconcile.Receipt `json:"receipts" doc:"how far the rule has come on each device; of one that has ended, on each that is frozen and still has it"`
	}
}

func (g *Gateway) find(id string) (flowspec.Rule, error) {
	if r, found := g.Rules.Find(flowspec.ID(id)); found {
		return r, nil
	}
	if e, found := g.endedRule(id); found {
		return flowspec.Rule{}, huma.Error404NotFound(fmt.Sprintf("rule %s was ended at %s: %s", id, e.At.Format(time.DateTime), e.Reason))
	}
	return flowspec.Rule{}, huma.Error404NotFound("no rule with ID " + id)
}

func (g *Gateway) get(ctx context.Context, in *ruleInput) (*ruleOutput, error) {
	g.Devices.Reach(ctx)
	r, err := g.find(in.ID)
	if ended, receipts, found := g.Devices.Overdue(flowspec.ID(in.ID)); err != nil && found {
		out := &ruleOutput{}
		out.Body.Rule, out.Body.Devices, out.Body.Receipts = view(ended), []DeviceReport{}, receipts
		return out, nil
	}
	if err != nil {
		return nil, err
	}
	out := &ruleOutput{}
	out.Body.Rule = counted(view(r), g.Devices.Counts())
	if standing, found := g.Rules.Snapshot().Find(r.Match); found && standing.ID == r.ID {
		out.Body.Activity = new(g.Devices.Activity(r, g.IdleAfter(r.Source)))
	}
	out.Body.Devices, out.Body.Receipts = []DeviceReport{}, g.Devices.Receipts(r)
	for _, s := range g.Devices.Status() {
		if p := g.Devices.Plan(s.Name); p != nil {
			out.Body.Devices = append(out.Body.Devices, g.deviceReport(s.Name, p, []flowspec.Rule{r}))
		}
	}
	return out, nil
}

func (g *Gateway) delete(ctx context.Context, in *ruleInput) (*struct{}, error) {
	r, err := g.find(in.ID)
	if err != nil {
		return nil, err
	}
	if r.Source != g.Source {
		return nil, huma.Error409Conflict(fmt.Sprintf("the rule came from source %q: it has to be withdrawn there", r.Source))
	}
	return nil, g.send(ctx, rib.Event{Source: g.Source, Kind: rib.Update, Withdraw: []flowspec.Match{r.Match}})
}

// counted is r with what it has matched.
func counted(r Rule, counts map[flowspec.ID]reconcile.Count) Rule {
	if n, there := counts[flowspec.ID(r.ID)]; there {
		r.Count = &n
	}
	return r
}

func view(r flowspec.Rule) Rule {
	out := Rule{
		ID: string(r.ID), Source: string(r.Source), Family: r.Match.Family().String(),
		Rule: strings.TrimSpace(notation.Text(r)), Hex: notation.Hex(r), Note: r.Note,
	}
	if !r.Expires.IsZero() {
		at := r.Expires.UTC()
		out.Expires = &at
	}
	return out
}
