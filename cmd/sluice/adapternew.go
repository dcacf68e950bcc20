package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/plugins"
)

func adapterNewCmd() *cobra.Command {
	var o plugins.Options
	cmd := &cobra.Command{
		Use: "new NAME", Short: "Write the beginning of a plugin of one's own, which builds and passes the suite", Args: cobra.ExactArgs(1),
		Long: `Write a Go module into the new directory NAME: an adapter plugin that builds, and passes the conformance suite on a device that is a directory. Then make it your
device's, a step at a time, with the suite to say what is missing. docs/plugins.md goes through it.`,
		Example: "sluice adapter new acme",
	}
	cmd.Flags().StringVar(&o.Path, "module", "", "path of the Go module, such as example.net/acme; - writes no go.mod: the directory is in a module already (default NAME)")
	cmd.Flags().StringVar(&o.Replace, "replace", "", "directory with the source of sluice, to build with instead of a release")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if o.Name = args[0]; shippedPlugins()[o.Name] != nil {
			return usage(fmt.Errorf("an adapter %s is built in: choose another name", o.Name))
		}
		if err := complete(&o); err != nil {
			return usage(err)
		}
		written, err := plugins.Skeleton(o)
		if err != nil {
			return usage(fmt.Errorf("%w (--replace DIR)", err))
		}
		if o.Replace != "" && o.Path != "-" { // what the tree is built with, the plugin is
			if err := asTheTree(written, o.Replace); err != nil {
				return usage(err)
			}
		}
		if err := writeNew(o.Name, written); err != nil {
			return failed(err)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %s\nwhat to type next stands in %s\n", o.Name, strings.Join(slices.Sorted(maps.Keys(written)), ", "), filepath.Join(o.Name, "README.md"))
		return nil
	}
	return cmd
}

// complete fills in what the flags do not say: versions, from this build.
func complete(o *plugins.Options) (err error) {
	if o.Here, err = filepath.Abs(o.Name); err != nil {
		return err
	}
	o.Checked = time.Now().Format("2006-01")
	if info, ok := debug.ReadBuildInfo(); ok {
		o.Go = strings.TrimPrefix(info.GoVersion, "go")
		if v := info.Main.Version; strings.HasPrefix(v, "v") && !strings.Contains(v, "+dirty") {
			o.Version = v
		}
	}
	if o.Replace != "" {
		if o.Replace, err = filepath.Abs(o.Replace); err != nil {
			return err
		}
		if b, err := os.ReadFile(filepath.Join(o.Replace, "go.mod")); err != nil || !strings.HasPrefix(string(b), "module "+plugins.Module+"\n") {
			return fmt.Errorf("--replace %s: the source of sluice is not there", o.Replace)
		}
	}
	return nil
}

var requireBlock = regexp.MustCompile(`(?ms)^require \(\n.*?^\)\n`)

// asTheTree takes over from the source tree which versions of other modules it is built with, so that nothing has to be asked of the network.
func asTheTree(written map[string][]byte, tree string) (err error) {
	if written["go.sum"], err = os.ReadFile(filepath.Join(tree, "go.sum")); err != nil {
		return err
	}
	module, err := os.ReadFile(filepath.Join(tree, "go.mod"))
	if err != nil {
		return err
	}
	for _, block := range requireBlock.FindAll(module, -1) {
		written["go.mod"] = append(append(written["go.mod"], '\n'), block...)
	}
	return nil
}

// writeNew writes files into a directory that is not there yet.
func writeNew(dir string, files map[string][]byte) error {
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already, and is left as it is", dir)
	} else if err != nil {
		return err
	}
	for name, b := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, b, 0o644); err != nil {
			return err
		}
	}
	return nil
}
