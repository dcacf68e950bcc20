package config

import (
	"fmt"
	"os"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Bench is a device on which an adapter is tried, and what the conformance suite has to know of it: the file behind `sluice adapter test --target`.
type Bench struct {
	Target device.Target
	// Dialect names the language whose semantics the device's filters have; "": what the adapter says, or Semantics.
	Dialect   string
	Semantics *filter.Semantics
	// Entries of the big table, Burst of policers in bytes, Undo and Patience are zero where the file leaves them out.
	Entries  int
	Burst    uint64
	Undo     time.Duration
	Patience time.Duration
	// What the device cannot do; adaptertest.Faults says what each means.
	SessionBound, NoCancel, NoUndo, Plain bool
	// Refused is what the device refuses.
	Refused Refused
	// Edit and LoseAnswer are programs with their arguments; nil: the command helps itself.
	Edit, LoseAnswer []string
}

// Refused describes an entry that a device refuses: one of a kind (adaptertest.Odd), with a name and a destination of its own where the device looks at those, and
// words of the refusal.
type Refused struct {
	Entry       string
	Name        string
	Destination string
	Words       string
}

type rawBench struct {
	Name      string            `yaml:"name"`
	Filter    rawFilter         `yaml:"filter"`
	Dialect   string            `yaml:"dialect"`
	Semantics *filter.Semantics `yaml:"semantics"`
	Story     rawStory          `yaml:"story"`
}

type rawStory struct {
	Entries      int      `yaml:"entries"`
	Burst        uint64   `yaml:"burst"`
	Undo         string   `yaml:"undo"`
	Patience     string   `yaml:"patience"`
	SessionBound bool     `yaml:"session-bound"`
	NoCancel     bool     `yaml:"no-cancel"`
	NoUndo       bool     `yaml:"no-undo"`
	Plain        bool     `yaml:"plain"`
	Edit         []string `yaml:"edit"`
	LoseAnswer   []string `yaml:"lose-answer"`
	Refused      struct {
		Entry       string `yaml:"entry"`
		Name        string `yaml:"name"`
		Destination string `yaml:"destination"`
		Words       string `yaml:"words"`
	} `yaml:"refused"`
}

// LoadBench reads and checks the file at path, with the secrets of this process's environment. The error joins every Problem that was found.
func LoadBench(path string) (*Bench, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the target: %w", err)
	}
	return ParseBench(path, text, Env{Getenv: os.Getenv, ReadFile: os.ReadFile, Command: runCommand})
}

// ParseBench checks the text of such a file; name is for messages.
func ParseBench(name string, text []byte, env Env) (*Bench, error) {
	raw, file, err := decode[rawBench](name, text)
	if err != nil {
		return nil, err
	}
	b := &builder{file: name, ast: file, env: env}
	if raw.Filter.Reach.Adapter != "" {
		b.fail("$.filter.adapter", "the adapter is the one on the command line")
	}
	raw.Filter.Reach.Adapter = "tried"
	b.name("$", raw.Name, map[string]bool{})
	s := raw.Story
	out := &Bench{
		Target: b.filter("$.filter", raw.Name, raw.Filter).Target, Dialect: raw.Dialect, Semantics: raw.Semantics,
		Entries: s.Entries, Burst: s.Burst, Undo: b.duration("$.story.undo", s.Undo, 0), Patience: b.duration("$.story.patience", s.Patience, 0),
		SessionBound: s.SessionBound, NoCancel: s.NoCancel, NoUndo: s.NoUndo, Plain: s.Plain, Edit: s.Edit, LoseAnswer: s.LoseAnswer, Refused: Refused(s.Refused),
	}
	if s.Entries < 0 {
		b.fail("$.story.entries", "%d is negative", s.Entries)
	}
	if raw.Dialect != "" && raw.Semantics != nil {
		b.fail("$.semantics", "the dialect %s has its own: write one of the two", raw.Dialect)
	}
	return out, b.trouble()
}
