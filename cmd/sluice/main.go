// Command sluice is the gateway between whoever decides that traffic must be filtered and the routers that
// have to do it. `sluice validate` says beforehand what each router can carry; `sluice serve` delivers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// commands returns every subcommand, in the order that help shows them.
func commands() []*cobra.Command {
	return []*cobra.Command{
		serveCmd(),
		demoCmd(),
		validateCmd(),
		renderCmd(),
		convertCmd(),
		traceCmd(),
		compareCmd(),
		verifyCmd(),
		profileCmd(),
		ruleCmd(),
		sourceCmd(),
		deviceCmd(),
		planCmd(),
		rolloutCmd(),
		adapterCmd(),
		pluginRunCmd(),
		docsCmd(),
	}
}

// Exit statuses of every command.
const (
	exitDone   = 0
	exitFailed = 1 // what was asked failed; validate, trace and compare: some rule is not carried exactly, or the two differ
	exitUsage  = 2 // input that cannot be read, or usage
)

// exitError ends the process with a status. Its message, if any, goes to standard error.
type exitError struct {
	status int
	err    error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.status)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// failed ends a command with status 1.
func failed(err error) error { return &exitError{exitFailed, err} }

// usage ends a command with status 2.
func usage(err error) error { return &exitError{exitUsage, err} }

// silent ends a command with a status when everything has been said already.
func silent(status int) error { return &exitError{status: status} }

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) int {
	root := &cobra.Command{
		Use:           "sluice",
		Short:         "Deliver filtering rules to routers that each understand something different, exactly or not at all",
		Version:       version(),
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.AddCommand(commands()...)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), "{{if .Runnable}}", "{{if and .Runnable (not .HasAvailableSubCommands)}}", 1))
	for _, cmd := range root.Commands() {
		refuseUnknown(cmd)
		sayUsage(cmd)
	}

	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	exit := &exitError{status: exitUsage, err: err} // what cobra itself refuses is usage
	errors.As(err, &exit)
	if exit.err != nil {
		fmt.Fprintf(errOut, "sluice: %v\n", exit.err)
	}
	return exit.status
}

// refuseUnknown has a command with others below it refuse a word that is none of them: cobra would show the help, and be content.
func refuseUnknown(cmd *cobra.Command) {
	if !cmd.HasSubCommands() || cmd.Runnable() {
		return
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) == 0 {
			return cmd.Help()
		}
		return usage(fmt.Errorf("unknown command %q for %q\n`%s --help` shows those that there are", args[0], cmd.CommandPath(), cmd.CommandPath()))
	}
}

// sayUsage has a command, and all below it, say how it is used when it is given too many or too few arguments, or a flag that it does not have.
func sayUsage(cmd *cobra.Command) {
	wrong := func(cmd *cobra.Command, err error) error {
		return usage(fmt.Errorf("%w\nusage: %s", err, cmd.UseLine()))
	}
	cmd.SetFlagErrorFunc(wrong)
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return wrong(cmd, err)
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		sayUsage(sub)
	}
}
