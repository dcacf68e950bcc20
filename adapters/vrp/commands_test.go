package vrp_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// What is typed leads from any filter to any other, on a terminal that deletes nothing that is in use, makes nothing twice, and knows no syntax beside that.
func TestCommandsLeadToWhatIsWanted(t *testing.T) {
	t.Parallel()
	generator := rapid.Custom(suite.Sayable)
	for seed := range 60 {
		s, err := clitest.Start(clitest.Options{System: clitest.VRP, Config: "#\nsysname core1\n#\n"})
		if err != nil {
			t.Fatal(err)
		}
		before := s.Running()
		have, want := generator.Example(2*seed), generator.Example(2*seed+1)
		for _, step := range [][]filter.Filter{{have}, {want}, {want}, nil} {
			held, err := dialect.Parse([]byte(s.Running()))
			if err != nil {
				t.Fatalf("%v\n%s", err, s.Running())
			}
			lines, err := dialect.Commands(held, step)
			if err != nil {
				t.Fatal(err)
			}
			if words := s.Edit(lines...); words != "" {
				t.Fatalf("%s\n%s", words, strings.Join(lines, "\n"))
			}
			got, err := dialect.Parse([]byte(s.Running()))
			if err != nil || len(got) != len(step) {
				t.Fatalf("%v\n%s", err, s.Running())
			}
			if len(step) > 0 && filter.Same(step[0], got[0], dialect.Semantics()) != nil {
				t.Fatalf("%v\n%s", filter.Same(step[0], got[0], dialect.Semantics()), s.Running())
			}
		}
		if got := s.Running(); got != before {
			t.Fatalf("left:\n%s", got)
		}
		s.Close()
	}
}

// Nothing to do is nothing typed; a rule more is one line in the view of its list.
func TestCommandsNameOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	have, want := busy(), busy()
	if lines, err := dialect.Commands([]filter.Filter{have}, []filter.Filter{want}); err != nil || lines != nil {
		t.Errorf("got %q, %v", lines, err)
	}
	broken := busy()
	broken.Entries[0].Name = ""
	if _, err := dialect.Commands([]filter.Filter{broken}, []filter.Filter{want}); err == nil || !strings.Contains(err.Error(), "put it right by hand") {
		t.Errorf("got %v", err)
	}
}
