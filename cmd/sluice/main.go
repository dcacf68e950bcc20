// Command sluice is the gateway between whoever decides that traffic must be filtered and the routers that
// have to do it. `sluice validate` says beforehand what each router can carry; `sluice serve` delivers.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

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
