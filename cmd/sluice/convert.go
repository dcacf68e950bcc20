package main

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/report"
)

// convertCmd translates between notations.
func convertCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "convert --to NOTATION [FILE...]",
		Short: "Translate rules from one notation into another",
		Long: "Translate rules from one notation into another: " + formatNames() + ".\n\n" +
			"Reads the files, or standard input for - and without a file. What stands at the end of the input is printed: a withdrawal\n" +
			"removes its rule, and a later rule with the same match replaces an earlier one. If a single rule cannot be read, nothing is\n" +
			"printed and the exit status is 2; if the notation cannot say a rule, nothing is printed and it is 1.",
		Example: "  sluice convert --to yaml /etc/exabgp/exabgp.conf\n  echo 'flow route { match { destination 203.0.113.10/32; } then { discard; } }' | sluice convert --to hex",
	}
	to := cmd.Flags().String("to", "", "notation to print: "+formatNames())
	read := rulesFlags(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error { return convert(cmd, notation.Format(*to), args, read) }
	return cmd
}

func convert(cmd *cobra.Command, to notation.Format, args []string, read func([]string) (readInput, error)) error {
	if to == "" {
		return usage(fmt.Errorf("--to is missing: one of %s", formatNames()))
	}
	if !slices.Contains(notation.Formats(), to) {
		return usage(notANotation(string(to)))
	}
	in, err := read(args)
	if err != nil {
		return err
	}
	printProblems(cmd.ErrOrStderr(), in.Problems)
	if in.failed() {
		return silent(exitUsage)
	}
	standing := report.Play(in.Items, nil).Rules
	rules := make([]flowspec.Rule, len(standing))
	for i, s := range standing {
		rules[i] = s.Rule
	}
	if err := notation.Write(cmd.OutOrStdout(), to, rules); err != nil {
		return failed(fmt.Errorf("convert to %s: %w", to, err))
	}
	return nil
}
