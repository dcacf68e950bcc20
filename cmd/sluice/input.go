package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/notation"
)

// readInput is what the rule files of a command hold: everything that could be judged, in the order of the command line.
type readInput struct {
	Items    []notation.Item
	Problems []notation.Problem // file by file, each in the order of its lines
}

// failed says whether a problem is an error, so that some rule could not be read.
func (in readInput) failed() bool {
	return slices.ContainsFunc(in.Problems, func(p notation.Problem) bool { return p.Severity == notation.Error })
}

// rulesFlags gives a command the flags of every command that reads rules, and returns what reads them. No file and "-" are standard
// input; each file is in the notation that --from names, or in the one it looks like.
func rulesFlags(cmd *cobra.Command) func(args []string) (readInput, error) {
	from := cmd.Flags().String("from", "", "notation of the files: "+formatNames()+" (default: detected for each file)")
	compat := cmd.Flags().StringSlice("compat", nil, "codes of guarded inputs to let through with a warning (docs/notations.md)")
	return func(args []string) (readInput, error) {
		opt := notation.Options{Format: notation.Format(*from), Compat: *compat}
		if err := checkReading(opt); err != nil {
			return readInput{}, usage(err)
		}
		if len(args) == 0 {
			args = []string{"-"}
		}
		var all readInput
		for _, file := range args {
			octets, err := readAll(cmd.InOrStdin(), file)
			if err != nil {
				return readInput{}, usage(err)
			}
			result := notation.Read(file, octets, opt)
			if len(result.Items) == 0 && len(result.Problems) == 0 {
				result.Problems = []notation.Problem{{Pos: notation.Position{File: file}, Severity: notation.Note, Code: "no-rules", Message: "there is no FlowSpec rule in it"}}
			}
			all.Items = append(all.Items, result.Items...)
			all.Problems = append(all.Problems, result.Problems...)
		}
		return all, nil
	}
}

func checkReading(opt notation.Options) error {
	if opt.Format != "" && !slices.Contains(notation.Formats(), opt.Format) {
		return notANotation(string(opt.Format))
	}
	for _, code := range opt.Compat {
		if err := notation.CheckCompat(code); err != nil {
			return err
		}
	}
	return nil
}

// notANotation refuses the name of a notation.
func notANotation(name string) error {
	return fmt.Errorf("unknown notation %q: one of %s", name, formatNames())
}

func formatNames() string {
	var names []string
	for _, f := range notation.Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// readAll reads a file, or standard input for "-".
func readAll(stdin io.Reader, file string) ([]byte, error) {
	if file == "-" {
		octets, err := io.ReadAll(stdin)
		if err != nil {
			return nil, fmt.Errorf("read standard input: %w", err)
		}
		return octets, nil
	}
	octets, err := os.ReadFile(file)
	var path *os.PathError
	if errors.As(err, &path) {
		return nil, fmt.Errorf("read %s: %w", file, path.Err)
	}
	return octets, err
}

// shownOfOneCode is how many warnings and how many notes of one code are printed; the rest is counted. Errors are printed all.
const shownOfOneCode = 10

// printProblems prints problems as compilers do, in colour on a terminal.
func printProblems(w io.Writer, problems []notation.Problem) {
	color := wantsColor(w)
	type kind struct{ severity, code string }
	count := map[kind]int{}
	var order []kind
	for _, p := range problems {
		k := kind{p.Severity, p.Code}
		if count[k]++; count[k] == shownOfOneCode+1 && p.Severity != notation.Error {
			order = append(order, k)
		}
		if p.Severity == notation.Error || count[k] <= shownOfOneCode {
			p.Render(w, color)
		}
	}
	for _, k := range order {
		fmt.Fprintf(w, "%d more of %s [%s]\n", count[k]-shownOfOneCode, k.severity, k.code)
	}
}
