package notation

import (
	"bytes"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Format names a notation.
type Format string

// The notations. The zero Format asks Read to detect it.
const (
	ExaBGP   Format = "exabgp" // API lines, bare `flow route { }`, whole configuration files
	YAML     Format = "yaml"   // sluice's own schema
	JSON     Format = "json"   // the same schema
	GoBGP    Format = "gobgp"  // commands: `gobgp global rib -a ipv4-flowspec add match ... then ...`
	HexLines Format = "hex"    // AFI/SAFI NLRI [COMMUNITY...], and whole UPDATE messages
)

// Formats lists the notations in the order that help shows them.
func Formats() []Format { return []Format{ExaBGP, GoBGP, HexLines, JSON, YAML} }

// Position is a place in an input. Line and Column count from 1; columns are characters, not octets.
type Position struct {
	File         string
	Line, Column int
}

// Item is one thing read: a rule to announce, or a withdrawal.
type Item struct {
	Rule     flowspec.Rule // of a withdrawal only the Match counts
	Withdraw bool
	Pos      Position
	Text     string // the source text of it, at most some 200 octets
}

// Options say how to read.
type Options struct {
	Format Format    // "" detects
	Compat []string  // codes of guards that let through with a warning; see Guards
	Now    time.Time // what a `ttl` counts from; zero is the present
}

// Result is what Read found: everything that could be judged on its own.
type Result struct {
	Items    []Item
	Problems []Problem
	Format   Format // the notation that was read
}

// Failed says whether a problem of r is an error.
func (r Result) Failed() bool {
	for i := range r.Problems {
		if r.Problems[i].Severity == Error {
			return true
		}
	}
	return false
}

// Read reads all of b, the content of file (a name for messages; its ending helps to detect the notation). Errors do not
// stop it: what can be judged separately is, and each bad rule is a Problem and no Item. Read keeps nothing of b.
func Read(file string, b []byte, opt Options) Result {
	format := opt.Format
	if format == "" {
		format = Detect(file, b)
	}
	in := newInput(file, string(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))), opt) // a byte order mark is no character
	switch format {
	case ExaBGP:
		readExaBGP(in)
	case YAML:
		readYAML(in)
	case JSON:
		readJSON(in)
	case HexLines:
		readHex(in)
	case GoBGP:
		readGoBGP(in)
	default:
		in.report(Problem{Pos: Position{File: file, Line: 1, Column: 1}, Code: "unknown-notation", Severity: Error,
			Message: "unknown notation " + string(format), Hint: "one of exabgp, gobgp, hex, json, yaml"})
	}
	return Result{Items: in.items, Problems: in.sorted(), Format: format}
}

// ReadLine reads one line as ExaBGP takes it from a process: `announce flow route { ... }`. The Item is good only if no
// problem is an error; then its Rule.Match is valid.
func ReadLine(line string, opt Options) (Item, []Problem) {
	in := newInput("", line, opt)
	readLine(in)
	if len(in.items) == 0 {
		return Item{}, in.sorted()
	}
	return in.items[0], in.sorted()
}
