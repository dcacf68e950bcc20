package dialecttest

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Suite is one dialect, and what is particular about it.
type Suite struct {
	Dialect filter.Dialect
	// Configured draws one of the ways in which the dialect can be set up; nil: there is only Dialect.
	Configured func(*rapid.T) filter.Dialect
	// Profile is a platform that is given filters in this dialect: one of ours by name, with options behind a colon, or a YAML file.
	Profile string
	// Others are more of our platforms that are given filters in this dialect.
	Others []string
	// Instances are the routing instances that Dialect redirects into; nil: it does not.
	Instances filter.Instances
	// AloneOnly: the dialect refuses to stand before another filter.
	AloneOnly bool
	// IPv4Only: the dialect refuses filters of IPv6.
	IPv4Only bool

	// Match draws what the language can say in an entry of f, guarded as a planner does it.
	Match func(t *rapid.T, f filter.Filter) filter.Match
	// Do draws what an entry of f with match m can do. Any name of a policer stands for "limited".
	Do func(t *rapid.T, f filter.Filter, m filter.Match) filter.Do
	// Policer draws one that the language can say; its name is given to it. nil: the language limits nothing.
	Policer func(*rapid.T) filter.Policer
	// OnePolicerEach: no two entries can share a policer.
	OnePolicerEach bool
	// Many draws, now and then, that a filter has many entries, and returns their number and what becomes of their matches; 0: a few, as they are.
	// nil: always a few.
	Many func(t *rapid.T, v packet.Version) (int, func(filter.Match) filter.Match)

	// Busy is a filter with one of everything that the language can say.
	Busy func() filter.Filter
	// Refused says, by words of the error, what Render refuses when Busy is spoilt so.
	Refused map[string]Spoil
	// RefusedIPv6 says, by words of the error, which entries Render refuses in an IPv6 filter. Those without a name get one.
	RefusedIPv6 map[string]filter.Entry

	// Hostile are texts that Parse must refuse, with words of the error.
	Hostile map[string]string
	// Spoilt are changes to what Busy is written as, by which Parse must see that another hand was there.
	Spoilt []Spoilt
	// Seeds are further texts that fuzzing begins with, beside the golden ones and the two forms of Busy.
	Seeds []string

	// Router reads the text of f line by line, as the platform's manual says, and returns what it does to h: what Says returns for the entries that h meets, joined by blanks,
	// or Rest. Where the manual leaves something open it returns one answer for each way to understand it, and all have to be right.
	Router func(f filter.Filter, text string, h packet.Header) []string
	// Says is what Router is expected to say of an entry; nil: its name.
	Says func(filter.Entry) string
	// Rest is what Router is expected to say of a packet that no entry matches.
	Rest func(filter.Filter) string
	// Judge says, in place of Router, which real program runs what is rendered, and in which test.
	Judge string
	// Grammar says what in the text of f is no sentence of the language by public sources; nil: a test of the dialect's own asks the platform's models.
	Grammar func(f filter.Filter, text string) error

	// Documented are the golden cases and their parts that docs/adapters.md shows.
	Documented map[string][]string
	// Edits is how the dialect changes a filter that is there, if it does that.
	Edits *Edits
}

// Spoilt is a change to the text of Busy, or to its payload where the text has no such words: what stands there, what stands there instead, and words of the error that Parse
// has to return. It is a *filter.ForeignError, and tells which filter it is about.
type Spoilt [3]string

// Spoil changes a filter: f, or the match and the action of its first entry.
type Spoil func(f *filter.Filter, m *filter.Match, do *filter.Do)

// Matching is a Spoil: the first entry matches m.
func Matching(m filter.Match) Spoil {
	return func(_ *filter.Filter, to *filter.Match, _ *filter.Do) { *to = m }
}

// Doing is a Spoil: the first entry does do.
func Doing(do filter.Do) Spoil {
	return func(_ *filter.Filter, _ *filter.Match, to *filter.Do) { *to = do }
}

// Limiting is a Spoil: the first entry is limited by p, whose name is sluice-p if it has none.
func Limiting(p filter.Policer) Spoil {
	if p.Name == "" {
		p.Name = filter.Mark + "p"
	}
	return func(f *filter.Filter, _ *filter.Match, do *filter.Do) {
		f.Policers = append(f.Policers, p)
		*do = filter.Do{Policer: p.Name}
	}
}

// Run takes a dialect through the story.
func Run(t *testing.T, s Suite) {
	t.Helper()
	switch {
	case s.Dialect == nil || s.Profile == "" || s.Match == nil || s.Do == nil || s.Busy == nil || len(s.Refused) == 0 || len(s.RefusedIPv6) == 0 || len(s.Documented) == 0:
		t.Fatal("dialecttest: Dialect, Profile, Match, Do, Busy, Refused, RefusedIPv6 and Documented are part of the story; an empty one would leave a step untested")
	case len(s.Hostile)+len(s.Spoilt) == 0:
		t.Fatal("dialecttest: some texts have to be refused")
	case (s.Router == nil) == (s.Judge == ""):
		t.Fatal("dialecttest: want a Router, or the name of who judges in its place")
	}
	for _, step := range []struct {
		name string
		tell func(Suite, *testing.T)
	}{
		{"golden cases", Suite.golden},
		{"documented examples", Suite.documented},
		{"any filter is refused or read back", Suite.anyFilter},
		{"what can be said is not refused", Suite.sayable},
		{"one changed entry is a small change", Suite.smallChange},
		{"what cannot be said is refused", Suite.refusals},
		{"hostile texts are refused", Suite.hostile},
		{"what bears no mark is not ours", Suite.marked},
		{"planned filters are rendered", Suite.planned},
		{"the text does what the table says", Suite.twin},
		{"edits begin and end with nothing", Suite.editFromAndToNothing},
		{"edits lead to what is wanted", Suite.editsLead},
		{"edits repair what another hand changed", Suite.editsRepair},
		{"one rule is a small edit", Suite.smallEdit},
	} {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			step.tell(s, t)
		})
	}
}
