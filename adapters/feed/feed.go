// Package feed brings rules in that stand in files or come as lines: rule files, read again when somebody asks, and pipes with ExaBGP API lines.
package feed

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Source is what a feed needs to know of the source that it speaks for.
type Source struct {
	Name   flowspec.Source
	Admit  admit.Policy
	Compat []string
	Rules  rib.Input
	Log    *slog.Logger
	Now    func() time.Time // nil: time.Now
}

func (s Source) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}

// rule makes a rule of this source of what was read, or says why it may not be said here.
func (s Source) rule(item notation.Item) (flowspec.Rule, error) {
	r := item.Rule
	r.Source = s.Name
	var err error
	if r.Match, err = s.Admit.Placed(r.Match.Clone()); err != nil {
		return r, err
	}
	r.ID = flowspec.NewID(r.Source, r.Match)
	return r, s.Admit.Check(r, s.now())
}

// File is a source that stands in a file.
type File struct {
	Source
	Path     string
	MaxRules int // 0: no limit
}

// Load reads the file and makes its rules the rules of the source. A file with one error is refused whole, and the rules of the file that was read
// before stay in force: half a file is not what its author meant.
func (f File) Load(ctx context.Context) error {
	info, err := os.Stat(f.Path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no file: use pipe: for a FIFO", f.Path) // whose reading might never end
	}
	if err != nil {
		return fmt.Errorf("source %s keeps its rules: %w", f.Name, err)
	}
	text, err := os.ReadFile(f.Path)
	if err != nil {
		return fmt.Errorf("source %s keeps its rules: %w", f.Name, err)
	}
	rules, err := f.rules(text)
	if err != nil {
		return fmt.Errorf("source %s keeps the rules it had: %w", f.Name, err)
	}
	for _, e := range []rib.Event{
		{Source: f.Name, Kind: rib.Up},
		{Source: f.Name, Kind: rib.Update, Announce: rules},
		{Source: f.Name, Kind: rib.EndOfRIB},
	} {
		if err := f.Rules.Send(ctx, e); err != nil {
			return fmt.Errorf("source %s: %w", f.Name, err)
		}
	}
	f.Log.Info("rule file read", "source", f.Name, "file", f.Path, "rules", len(rules))
	return nil
}

// rules returns the rules of the file, or every reason why it is refused.
func (f File) rules(text []byte) ([]flowspec.Rule, error) {
	read := notation.Read(f.Path, text, notation.Options{Compat: f.Compat, Now: f.now()})
	var wrong []string
	for _, p := range read.Problems {
		if p.Severity == notation.Error {
			wrong = append(wrong, p.Error())
		} else {
			f.Log.Warn(p.Message, "source", f.Name, "at", fmt.Sprintf("%s:%d:%d", p.Pos.File, p.Pos.Line, p.Pos.Column), "code", p.Code)
		}
	}
	var rules []flowspec.Rule
	for _, item := range read.Items {
		if item.Withdraw {
			wrong = append(wrong, fmt.Sprintf("%s:%d:%d: a withdrawal in a rule file: take the rule out instead", item.Pos.File, item.Pos.Line, item.Pos.Column))
			continue
		}
		r, err := f.rule(item)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("%s:%d:%d: %v", item.Pos.File, item.Pos.Line, item.Pos.Column, err))
			continue
		}
		rules = append(rules, r)
	}
	if distinct := count(rules); f.MaxRules > 0 && distinct > f.MaxRules {
		wrong = append(wrong, fmt.Sprintf("%s has %d rules, and this source may have %d: leave some out, or raise max-rules", f.Path, distinct, f.MaxRules))
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%s", strings.Join(wrong, "\n"))
	}
	return rules, nil
}

// count returns how many rules there are when of those with one NLRI the last counts.
func count(rules []flowspec.Rule) int {
	ids := make(map[flowspec.ID]bool, len(rules))
	for _, r := range rules {
		ids[r.ID] = true
	}
	return len(ids)
}
