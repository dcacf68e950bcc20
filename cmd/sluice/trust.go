package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/hostkey"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
)

// trustAnswer is what `device trust --format json` prints.
type trustAnswer struct {
	Device     string     `json:"device"`
	Address    string     `json:"address"`
	KnownHosts string     `json:"known-hosts"`
	Keys       []trustKey `json:"keys"`
	Added      string     `json:"added"` // the fingerprint that was written, or ""
}

// trustKey is one host key that a device shows.
type trustKey struct {
	Type        string `json:"type"`
	Fingerprint string `json:"fingerprint"`
	Known       bool   `json:"known"`
	Other       string `json:"other"` // where the file has another key of this type, or ""

	key ssh.PublicKey
}

func deviceTrustCmd() *cobra.Command {
	var file, fingerprint string
	cmd := &cobra.Command{
		Use: "trust NAME", Args: cobra.ExactArgs(1),
		Short: "Show a device's SSH host keys, and write the one that you compared into its known-hosts file",
		Long: `Ask a device of the configuration for its SSH host keys. Nobody logs in, and nothing is written: compare a fingerprint with what the device says of itself, by
its console, and name it with --fingerprint. That key, and no other, goes into the file that known-hosts of the device names. The gateway need not run.

A key is never replaced: where the file has another one for the device, the file and the line are named, and you remove it once you know why it changed.

Exit status: 0 when a key that the device shows is trusted, 1 when none is, 2 for usage.`,
		Example: `  sluice device trust mx1 -c sluice.yaml
  sluice device trust mx1 -c sluice.yaml --fingerprint SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s`,
	}
	cmd.Flags().StringVarP(&file, "config", "c", "/etc/sluice/sluice.yaml", "configuration file")
	cmd.Flags().StringVar(&fingerprint, "fingerprint", "", "trust the key that has this fingerprint")
	format := formatFlag(cmd, "text", "json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		f, err := format()
		if err != nil {
			return err
		}
		t, err := trusted(file, args[0])
		if err != nil {
			return usage(err)
		}
		answer, err := lookAt(cmd.Context(), t)
		if err != nil {
			return failed(err)
		}
		if err = answer.add(fingerprint); err != nil {
			return failed(err)
		}
		if f == "json" {
			err = printJSON(cmd.OutOrStdout(), answer)
		} else {
			answer.print(cmd.OutOrStdout(), file)
		}
		if err == nil && !slices.ContainsFunc(answer.Keys, func(k trustKey) bool { return k.Known }) {
			return silent(exitFailed)
		}
		return err
	}
	return cmd
}

// trusted returns the device called name of a configuration file, if it has SSH host keys to look after. The secrets of the file are not needed.
func trusted(file, name string) (device.Target, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return device.Target{}, fmt.Errorf("read configuration: %w", err)
	}
	cfg, err := config.Parse(file, text, config.Env{ReadFile: os.ReadFile, NoSecrets: true, Profiles: loadProfiles})
	if err != nil {
		return device.Target{}, err
	}
	i := slices.IndexFunc(cfg.Devices, func(d config.Device) bool { return d.Name == name })
	switch {
	case i < 0:
		return device.Target{}, fmt.Errorf("%s has no device %q", file, name)
	case cfg.Devices[i].Filter == nil && cfg.Devices[i].Counters == nil:
		return device.Target{}, fmt.Errorf("%s is reached by BGP alone, which has no host keys", name)
	}
	t, adapter := reachedBy(cfg.Devices[i])
	switch {
	case t.Address == "":
		return t, fmt.Errorf("%s has no address: its filters are those of the host that the gateway runs on", name)
	case t.HostKey != "":
		return t, fmt.Errorf("host-key of %s stands in %s itself: change it there, or write known-hosts instead", name, file)
	case t.KnownHosts == "":
		return t, fmt.Errorf("%s has no known-hosts: name the file in %s, where its host keys are to stand", name, file)
	}
	if adapter == "openconfig" {
		return t, fmt.Errorf("%s is reached by gNMI, which has certificates and no host keys", name)
	}
	t.Address = listensAt(t, adapter)
	return t, nil
}

// reachedBy returns how a device is reached by a protocol that has host keys: for its filters, else for its counters.
func reachedBy(d config.Device) (t device.Target, adapter string) {
	if d.Filter != nil {
		return d.Filter.Target, d.Filter.Adapter
	}
	t = d.Counters.Target
	t.Name = d.Name
	return t, d.Counters.Adapter
}

// lookAt asks a device for its keys, and its file for what is known of them.
func lookAt(ctx context.Context, t device.Target) (*trustAnswer, error) {
	keys, err := hostkey.Shown(ctx, t.Address)
	if err != nil {
		return nil, err
	}
	out := &trustAnswer{Device: t.Name, Address: t.Address, KnownHosts: t.KnownHosts}
	for _, k := range keys {
		known, err := hostkey.Known(t.KnownHosts, t.Address, k)
		one := trustKey{Type: k.Type(), Fingerprint: ssh.FingerprintSHA256(k), Known: known, key: k}
		switch {
		case errors.Is(err, hostkey.ErrOther):
			one.Other = err.Error()
		case err != nil:
			return nil, err
		}
		out.Keys = append(out.Keys, one)
	}
	return out, nil
}

// add writes the key with that fingerprint into the device's file, where it is not there yet.
func (a *trustAnswer) add(fingerprint string) error {
	if fingerprint == "" {
		return nil
	}
	i := slices.IndexFunc(a.Keys, func(k trustKey) bool { return k.Fingerprint == strings.TrimSpace(fingerprint) })
	switch {
	case i < 0:
		return fmt.Errorf("%s at %s shows no key with fingerprint %s: nothing was written", a.Device, a.Address, fingerprint)
	case a.Keys[i].Known:
		return nil
	case a.Keys[i].Other != "":
		return fmt.Errorf("%s; if the device was replaced on purpose, remove that line and come again: nothing was written", a.Keys[i].Other)
	}
	if err := hostkey.Add(a.KnownHosts, a.Address, a.Keys[i].key); err != nil {
		return err
	}
	a.Keys[i].Known, a.Added = true, a.Keys[i].Fingerprint
	return nil
}

func (a *trustAnswer) print(w io.Writer, file string) {
	fmt.Fprintf(w, "%s at %s shows\n", a.Device, a.Address)
	known := false
	for _, k := range a.Keys {
		state := "not trusted"
		switch {
		case k.Fingerprint == a.Added:
			state = "trusted from now on: it is in " + a.KnownHosts
		case k.Known:
			state = "trusted: it is in " + a.KnownHosts
		case k.Other != "":
			state = "NOT TRUSTED: " + k.Other
		}
		known = known || k.Known
		fmt.Fprintf(w, "  %-19s  %s  %s\n", k.Type, k.Fingerprint, state)
	}
	if known {
		return
	}
	fmt.Fprintf(w, "Nothing was written. Compare a fingerprint with what the device says on its console; if they are the same:\n  sluice device trust %s -c %s --fingerprint %s\n",
		a.Device, file, a.Keys[0].Fingerprint)
}
