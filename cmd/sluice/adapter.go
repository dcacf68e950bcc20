package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func adapterCmd() *cobra.Command {
	cmd := &cobra.Command{Use: "adapter", Short: "Adapter plugins: new ones, the conformance suite, the lock file, and those of a running gateway"}
	cmd.AddCommand(adapterListCmd(), adapterTestCmd(), adapterLockCmd(), adapterNewCmd(), adapterStatusCmd(), adapterStartCmd(), adapterVerifiedCmd())
	return cmd
}

func adapterListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "The adapters that are built in, and their dialects", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 8, 2, ' ', 0)
			fmt.Fprintln(w, "ADAPTER\tDIALECT\tREADS COUNTERS")
			for _, s := range shippedInfo(cmd.Context()) {
				fmt.Fprintf(w, "%s\t%s\t%s\n", s.name, s.dialect, s.counters)
			}
			return w.Flush()
		},
	}
}

func adapterTestCmd() *cobra.Command {
	var target, format string
	var story bool
	var protocol int
	cmd := &cobra.Command{
		Use: "test FILE [ARG...]", Short: "Take a plugin through the conformance suite on a device",
		Long: `Start the plugin FILE as the gateway would, and take it through the conformance suite on the device that --target describes: what an adapter must do to
be trusted with a router, as one story. FILE is a path, or the name of an adapter that is built in. The device must hold nothing of ours, and holds nothing of ours
afterwards. Exit status 0: every step went well; 1: some step failed, and the output says what it asks for and what happened.

docs/plugins.md describes the file of --target ("Taking the suite").`,
		Example: "sluice adapter test ./acme --target r1.yaml",
	}
	cmd.Flags().StringVar(&target, "target", "", "file that describes the device and what can be made to go wrong there")
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().IntVar(&protocol, "protocol", 0, "offer the plugin this version of the protocol alone; 0: all that sluice speaks, of which the newest that both speak is chosen")
	cmd.Flags().BoolVar(&story, "story", false, "print what the suite asks for, and do nothing")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		switch {
		case format != "text" && format != "json":
			return usage(fmt.Errorf("--format %s: text or json", format))
		case story:
			printStory(cmd.OutOrStdout())
			return nil
		case len(args) == 0:
			return usage(errors.New("name the plugin's file, such as ./acme"))
		case target == "":
			return usage(errors.New("--target FILE says on which device; docs/plugins.md describes it"))
		}
		if protocol != 0 && !slices.Contains(sdk.Versions, protocol) {
			return usage(fmt.Errorf("--protocol %d: sluice speaks %s", protocol, sdk.Say(sdk.Versions)))
		}
		b, err := config.LoadBench(target)
		if err != nil {
			return usage(err)
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		return testAdapter(ctx, cmd.OutOrStdout(), args, protocol, b, format == "json")
	}
	return cmd
}

func printStory(w io.Writer) {
	for _, s := range adaptertest.Steps {
		fmt.Fprintf(w, "%s\n    %s\n", s.Name, s.Asks)
	}
}

// adapterReport is the JSON form of a test.
type adapterReport struct {
	Adapter string `json:"adapter"`
	Version string `json:"version"`
	Dialect string `json:"dialect"`
	SHA256  string `json:"sha256"`
	Device  string `json:"device"`
	// Protocol is the version of the plugin protocol that was agreed on, Protocols are those that the plugin speaks.
	Protocol  int          `json:"protocol"`
	Protocols []int        `json:"protocols"`
	Passed    bool         `json:"passed"`
	Ended     string       `json:"ended,omitempty"` // why the story ended early
	Steps     []stepReport `json:"steps"`
}

type stepReport struct {
	Step     string   `json:"step"`
	Passed   bool     `json:"passed"`
	Seconds  float64  `json:"seconds"`
	Asks     string   `json:"asks"`
	Problems []string `json:"problems"`
	Advice   []string `json:"advice"`
}

// testAdapter tells the story to the plugin of args, and prints how it went.
func testAdapter(ctx context.Context, out io.Writer, args []string, protocol int, b *config.Bench, asJSON bool) error {
	l, err := openBench(ctx, args, protocol, b)
	if err != nil {
		return err
	}
	defer func() { _ = l.close() }()
	if !asJSON {
		fmt.Fprintf(out, "%s %s (%s, sha256 %s) on %s\n", l.info.Name, l.info.Version, args[0], l.sum, b.Target.Name)
		fmt.Fprintf(out, "  version %d of the plugin protocol was agreed on; the plugin speaks %s\n", l.protocol, sdk.Say(l.info.Versions))
		for _, note := range l.notes {
			fmt.Fprintln(out, "  "+note)
		}
	}
	told := adaptertest.NewTelling(ctx, func(r adaptertest.Result) {
		if !asJSON {
			printResult(out, r)
		}
	})
	told.Tell(func(t *adaptertest.Telling) { adaptertest.Run(t, l, b.Target, l.faults) })
	told.Add(l.secrets())
	if asJSON {
		err = json.NewEncoder(out).Encode(l.report(told))
	} else {
		summarize(out, told)
	}
	if err == nil && !told.Passed() {
		err = silent(exitFailed)
	}
	return err
}

func printResult(w io.Writer, r adaptertest.Result) {
	word := "ok  "
	if !r.Passed() {
		word = "FAIL"
	}
	fmt.Fprintf(w, "%s  %-22s %6.1fs\n", word, r.Step.Name, r.Took.Seconds())
	say := func(what, text string) {
		fmt.Fprintf(w, "        %-10s %s\n", what, strings.ReplaceAll(text, "\n", "\n                   "))
	}
	if !r.Passed() {
		say("asked for:", r.Step.Asks)
	}
	for _, p := range r.Problem {
		say("happened:", p)
	}
	for _, a := range r.Advice {
		say("advice:", a)
	}
}

func summarize(w io.Writer, told *adaptertest.Telling) {
	var missing []string
	for _, r := range told.Results {
		if !r.Passed() {
			missing = append(missing, r.Step.Name)
		}
	}
	untold := told.Untold()
	switch {
	case told.Passed():
		fmt.Fprintf(w, "all %d steps went well: this adapter is done\n", len(told.Results))
	case len(untold) > 0:
		fmt.Fprintf(w, "%s\nnot told: %s\n", told.Ended, strings.Join(untold, "; "))
		fallthrough
	default:
		fmt.Fprintf(w, "missing: %s\n", strings.Join(missing, "; "))
	}
}

func (l *bench) report(told *adaptertest.Telling) adapterReport {
	out := adapterReport{Adapter: l.info.Name, Version: l.info.Version, Dialect: l.info.Dialect, SHA256: l.sum, Device: l.target.Name, Protocol: l.protocol, Protocols: l.info.Versions, Passed: told.Passed(), Ended: told.Ended}
	for _, r := range told.Results {
		out.Steps = append(out.Steps, stepReport{Step: r.Step.Name, Passed: r.Passed(), Seconds: r.Took.Round(time.Millisecond).Seconds(), Asks: r.Step.Asks, Problems: append([]string{}, r.Problem...), Advice: append([]string{}, r.Advice...)})
	}
	return out
}
