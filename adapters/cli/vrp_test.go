package cli_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/core/device"
)

// Whatever goes wrong at a terminal of VRP, what runs is what it was, or is again when the trial ends; and only the questions that our own lines lead to are answered.
func TestVRPFaults(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		line string
		clitest.Fault
		words     string
		refused   bool
		unchanged bool
	}{
		"somebody's trial runs":      {`^display configuration trial`, clitest.Fault{Words: "Trial status:  ACTIVE\nTrial time left (sec): 51"}, "waits for its confirmation", false, true},
		"one ends":                   {`^display configuration trial`, clitest.Fault{Words: "Trial status: WAITCANCEL\nTrial time left (sec): 0"}, "waits for its confirmation", false, true},
		"a line is refused":          {`^rule \d`, clitest.Fault{Words: "      ^\nError: Unrecognized command found at '^' position."}, "Unrecognized command", true, false},
		"the commit is refused":      {`^commit trial`, clitest.Fault{Words: "Error: The configuration conflicts with that of another user."}, "conflicts", true, false},
		"the commit is lost":         {`^commit trial`, clitest.Fault{Lose: true}, "it does not say so", false, false},
		"no system view":             {`^system-view`, clitest.Fault{Lose: true}, "another prompt", false, true},
		"another question":           {`^commit trial`, clitest.Fault{Ask: "Warning: All sessions will end. Continue? [Y/N]:"}, "asks something", false, false},
		"a page":                     {`^display current`, clitest.Fault{Ask: "  ---- More ----"}, "asks something", false, false},
		"a candidate of differences": {`^display configuration candidate`, clitest.Fault{Words: "Building configuration\n  #\n+ acl name sluice-v4-16 advance\n  #"}, "", false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, clitest.Options{System: clitest.VRP})
			a, d := cli.New(vrp.Dialect{}, cli.Options{}), target(s)
			t.Cleanup(func() { _ = a.Close() })
			settle(t, a, d, list(2))
			before := s.Running()
			s.Fail(c.line, c.Fault)
			_, err := a.Apply(t.Context(), d, device.Diff(list(2), list(4)), 30*time.Second)
			var transient *device.Transient
			var refused *device.Refused
			if err == nil || !strings.Contains(err.Error(), c.words) || errors.As(err, &refused) != c.refused && c.refused || errors.As(err, &transient) && transient.Unchanged != c.unchanged {
				t.Fatalf("got %#v (%v)", err, err)
			}
			if got := s.Running(); got != before && !strings.Contains(err.Error(), "undoes it by") {
				t.Errorf("the running configuration is not what it was:\n%s", got)
			}
		})
	}
}

// A trial that is confirmed or ended by another hand meanwhile is not ours to confirm.
func TestVRPTrialIsGone(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{System: clitest.VRP})
	a, d := cli.New(vrp.Dialect{}, cli.Options{}), target(s)
	t.Cleanup(func() { _ = a.Close() })
	settle(t, a, d, list(2))
	com, err := a.Apply(t.Context(), d, device.Diff(list(2), list(4)), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s.Fail(`^commit persist`, clitest.Fault{Words: "Error: The persist ID is wrong."})
	var transient *device.Transient
	if err := a.Confirm(t.Context(), d, com); !errors.As(err, &transient) || !strings.Contains(err.Error(), "does not confirm") {
		t.Errorf("got %v", err)
	}
	if err := a.Confirm(t.Context(), d, com); err != nil {
		t.Errorf("the next time: %v", err)
	}
	if err := a.Cancel(t.Context(), d, com); err != nil {
		t.Errorf("what is confirmed needs no cancelling: %v", err)
	}
}
