package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

func adapterLockCmd() *cobra.Command {
	var file string
	var check, start bool
	cmd := &cobra.Command{
		Use: "lock [NAME...]", Short: "Pin the files of plugins: write their checksums into the lock file",
		Long: `Write the checksums of the files of all plugins of the configuration, or of those named, into its lock file (plugins.lock beside it, or what its key lock says). The
gateway runs a plugin only if its files have these checksums; a plugin whose entry has a sha256 of its own is left alone. The file is read by sha256sum --check as well.

What changed is printed: read it before you restart the gateway. --check writes nothing; exit status 1: some file is not as it was pinned.

--start then starts each of them once, as the gateway would and without a device, and prints which version of the plugin protocol was agreed on; exit status 1: one did not
start. Without it nothing of a plugin is executed here.`,
		Example: "sluice adapter lock -c /etc/sluice/sluice.yaml acme",
	}
	cmd.Flags().StringVarP(&file, "config", "c", "/etc/sluice/sluice.yaml", "configuration file")
	cmd.Flags().BoolVar(&check, "check", false, "write nothing, and say what is not as it was pinned")
	cmd.Flags().BoolVar(&start, "start", false, "start each plugin once, and say which version of the plugin protocol was agreed on")
	cmd.RunE = func(cmd *cobra.Command, names []string) error {
		plugins, path, err := config.LoadPlugins(file)
		if err != nil {
			return usage(err)
		}
		if plugins, err = pinned(plugins, names, file); err != nil {
			return usage(err)
		}
		lock, err := readLock(path)
		if err != nil {
			return usage(err)
		}
		before := lock.String()
		if len(names) == 0 {
			unpin(lock, plugins, cmd.OutOrStdout())
		}
		for _, p := range plugins {
			if err := pin(lock, p, func(format string, args ...any) { fmt.Fprintf(cmd.OutOrStdout(), format, args...) }); err != nil {
				return failed(fmt.Errorf("plugin %s: %w", p.Name, err))
			}
		}
		switch {
		case lock.String() == before:
		case check:
			return failed(fmt.Errorf("%s is not up to date: nothing was written", path))
		default:
			if err := writeLock(path, lock); err != nil {
				return err
			}
		}
		if !start {
			return nil
		}
		return tryPlugins(cmd.Context(), cmd.OutOrStdout(), plugins, lock)
	}
	return cmd
}

// tryPlugins starts each plugin once, from the files that are pinned.
func tryPlugins(ctx context.Context, out io.Writer, plugins []config.Plugin, lock config.Lock) error {
	ctx, stop := untilSignal(ctx)
	defer stop()
	for _, p := range plugins {
		p.Pins = lock
		r, err := launch(ctx, slog.New(slog.DiscardHandler), hostPlugin(p))
		if err != nil {
			return failed(err)
		}
		info, err := r.Info(ctx)
		version := r.Status()[0].Version
		r.end()
		if err != nil {
			return failed(fmt.Errorf("plugin %s: %w", p.Name, err))
		}
		fmt.Fprintf(out, "%s: version %d of the plugin protocol was agreed on; the plugin speaks %s\n", p.Name, version, sdk.Say(info.Versions))
	}
	return nil
}

// pinned are the plugins that belong into the lock file: all, or those named.
func pinned(all []config.Plugin, names []string, file string) ([]config.Plugin, error) {
	var out []config.Plugin
	for _, p := range all {
		if p.Pins == nil && !p.Unlocked && (len(names) == 0 || slices.Contains(names, p.Name)) {
			out = append(out, p)
		}
	}
	for _, name := range names {
		if !slices.ContainsFunc(out, func(p config.Plugin) bool { return p.Name == name }) {
			return nil, fmt.Errorf("%s has no plugin %q that the lock file could pin: it is not there, is unlocked, or has its own sha256", file, name)
		}
	}
	return out, nil
}

func readLock(path string) (config.Lock, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return config.Lock{}, nil
	}
	if err != nil {
		return nil, err
	}
	return config.ReadLock(path, text)
}

// pin puts the files of p into lock, and says what is new.
func pin(lock config.Lock, p config.Plugin, say func(string, ...any)) error {
	for _, f := range append([]string{p.File}, p.With...) {
		text, err := host.Checksum(f)
		if err != nil {
			return err
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return err
		}
		sum := [sha256.Size]byte(b)
		old, there := lock[f]
		switch {
		case !there:
			say("%s: %s pinned: %x\n", p.Name, f, sum)
		case old != sum:
			say("%s: %s changed: it was %x, and is %x\n", p.Name, f, old, sum)
		default:
			say("%s: %s is as it was\n", p.Name, f)
		}
		lock[f] = sum
	}
	return nil
}

// unpin takes out what no plugin of the configuration has any more.
func unpin(lock config.Lock, plugins []config.Plugin, out io.Writer) {
	used := map[string]bool{}
	for _, p := range plugins {
		for _, f := range append([]string{p.File}, p.With...) {
			used[f] = true
		}
	}
	for _, f := range slices.Sorted(maps.Keys(lock)) {
		if !used[f] {
			fmt.Fprintf(out, "%s belongs to no plugin that is pinned here: taken out\n", f)
			delete(lock, f)
		}
	}
}

// writeLock replaces the file in one step.
func writeLock(path string, lock config.Lock) error {
	next := path + ".new"
	err := os.WriteFile(next, []byte(lock.String()), 0o644)
	if err == nil {
		err = os.Rename(next, path)
	}
	if err != nil {
		return failed(err)
	}
	return nil
}
