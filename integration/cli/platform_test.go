package cli_test

import (
	_ "embed"
	"fmt"
	"regexp"
	"time"

	"github.com/sluice-gateway/sluice/adapters/cli"
)

//go:embed testdata/frr.yaml
var definition []byte

// transactional is how FRR's transaction-based command line is spoken to (--tcli, lib/northbound_cli.c): one exclusive candidate, whose commit is undone when its session ends or after minutes, and which
// the same session confirms.
var transactional = cli.Platform{
	System:     "FRR",
	Definition: definition,
	Setup:      []string{"terminal length 0"},
	Exec:       "#",
	Config:     regexp.MustCompile(`^\(config[^()\n]*\)#$`),
	Question:   regexp.MustCompile(`(?:--More--|[Pp]assword:)\s*\z`),
	Harmless:   regexp.MustCompile(`^\s*% (?:Configuration committed successfully|Commit complete)`),
	Show:       "show configuration running",
	End:        "end",
	Enter:      "configure exclusive",
	Busy:       regexp.MustCompile(`locked by other client`),
	Staged:     "show configuration candidate",
	Commit:     "commit confirmed WINDOW",
	Window:     func(w time.Duration) string { return fmt.Sprint(int(w / time.Minute)) },
	Unit:       time.Minute,
	Done:       regexp.MustCompile(`Configuration committed successfully`),
	Leave:      []string{"end"},
	Held:       true,
	Inside:     "do ",
	Confirm:    "commit",
	Sure:       regexp.MustCompile(`Commit complete`),
	Cancel:     "end",
}

// vtysh is FRR's shell, whose lines take effect at once: it is read, and what it says to a line that it does not know.
var vtysh = func() cli.Platform {
	p := transactional
	p.Show, p.Enter, p.Staged = "show running-config", "configure terminal", "do show running-config"
	return p
}()
