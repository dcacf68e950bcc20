package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/gnmi"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
	"github.com/sluice-gateway/sluice/adapters/iosxepolicy"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/nft"
	"github.com/sluice-gateway/sluice/adapters/nftables"
	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/plugins/sdk"
)

// shippedPlugins are the adapters that this binary can be a plugin process of.
func shippedPlugins() map[string]func() device.Adapter {
	return map[string]func() device.Adapter{
		"eos":          func() device.Adapter { return cli.New(eos.Dialect{}, cli.Options{}).WithCounters() },
		"eos-acl":      func() device.Adapter { return cli.New(eosacl.Dialect{}, cli.Options{}).WithCounters() },
		"iosxe":        func() device.Adapter { return netconf.New(iosxe.Dialect{}, netconf.Options{}) },
		"iosxe-policy": func() device.Adapter { return netconf.New(iosxepolicy.Dialect{}, netconf.Options{}) },
		"iosxr":        func() device.Adapter { return netconf.New(iosxr.Dialect{}, netconf.Options{}).WithCounters() },
		"iosxr-cli":    func() device.Adapter { return cli.New(iosxr.Dialect{}, cli.Options{}).WithCounters() },
		"junos":        func() device.Adapter { return netconf.New(junos.Dialect{}, netconf.Options{}).WithCounters() },
		"junos-cli":    func() device.Adapter { return cli.New(junos.Dialect{}, cli.Options{}).WithCounters() },
		"nftables":     func() device.Adapter { return nft.New(nftables.Dialect{}, nft.Options{}) },
		"openconfig":   func() device.Adapter { return gnmi.New(openconfig.Dialect{}, gnmi.Options{}) },
		"sros":         func() device.Adapter { return netconf.New(sros.Dialect{}, netconf.Options{}).WithCounters() },
		"sros-cli":     func() device.Adapter { return cli.New(sros.Dialect{}, cli.Options{}) },
		"vrp":          func() device.Adapter { return netconf.New(vrp.Dialect{}, netconf.Options{}) },
		"vrp-cli":      func() device.Adapter { return cli.New(vrp.Dialect{}, cli.Options{}) },
	}
}

func serveCmd() *cobra.Command {
	var file, level, format string
	var check, shadow, withdraw bool
	var unverified []string
	cmd := &cobra.Command{
		Use: "serve", Args: cobra.NoArgs,
		Short: "The gateway",
		Long:  "Run the gateway until it is interrupted. SIGHUP reads the rule files again, upgrades plugins whose files were pinned anew, and says what else of a changed configuration needs a restart; docs/configuration.md describes the configuration.",
	}
	cmd.Flags().StringVarP(&file, "config", "c", "/etc/sluice/sluice.yaml", "configuration file")
	cmd.Flags().StringVar(&level, "log-level", "info", "debug, info, warn or error")
	cmd.Flags().StringVar(&format, "log-format", "text", "text or json")
	cmd.Flags().BoolVar(&check, "check", false, "read the configuration, say whether it is right, and end")
	cmd.Flags().BoolVar(&shadow, "shadow", false, "send nothing to any device: sessions are up, rules are planned, devices are read, and sluice device show says what would be done")
	cmd.Flags().BoolVar(&withdraw, "withdraw", false, "when the gateway ends, have routers drop its rules at once, also those that would keep them for a while (graceful restart)")
	cmd.Flags().StringSliceVar(&unverified, "unverified-device", nil, "write filters to this device although nobody has reported that its platform was tried (docs/verified.md); may be given several times")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		log, err := logger(cmd.ErrOrStderr(), level, format)
		if err != nil {
			return usage(err)
		}
		cfg, err := config.Load(file, loadProfiles)
		if err != nil {
			return usage(err)
		}
		cfg.Withdraw, cfg.Shadow = withdraw, shadow
		if err := permitted(cfg, unverified, log); err != nil {
			return usage(err)
		}
		if check {
			for _, p := range cfg.Plugins {
				if err := host.Verify(hostPlugin(p)); err != nil {
					return failed(err)
				}
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%s is right; sources: %d, devices: %d\n", file, len(cfg.Sources), len(cfg.Devices))
			return nil
		}
		lib, err := loadProfiles(cfg.Profiles)
		if err != nil {
			return usage(err)
		}
		if shadow {
			log.Warn("shadow: nothing is sent to any device")
		}
		if cfg.Software, err = thisProgram(); err != nil {
			return failed(fmt.Errorf("find out which program this is: %w", err))
		}
		ctx, stop := untilSignal(cmd.Context())
		defer stop()
		reload := hangups(ctx)
		g, err := newGateway(ctx, cfg, lib, log, cmd.InOrStdin())
		if err != nil {
			return failed(err)
		}
		g.again = func() (*config.Config, error) { return config.Load(file, loadProfiles) }
		log.Info("sluice is up", "api", g.api.Addr().String(), "bgp", fmt.Sprint(g.speaker.Addrs()), "sources", len(cfg.Sources), "devices", len(cfg.Devices))
		if err := g.run(ctx, reload); err != nil {
			return failed(err)
		}
		return nil
	}
	return cmd
}

// hangups returns a channel of capacity one that is written to on SIGHUP.
func hangups(ctx context.Context) <-chan struct{} {
	signals, out := make(chan os.Signal, 1), make(chan struct{}, 1)
	signal.Notify(signals, syscall.SIGHUP)
	go func() {
		defer signal.Stop(signals)
		for {
			select {
			case <-signals:
				select {
				case out <- struct{}{}:
				default:
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	return out
}

func logger(w io.Writer, level, format string) (*slog.Logger, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(level)); err != nil {
		return nil, fmt.Errorf("--log-level %s: debug, info, warn or error", level)
	}
	opt := &slog.HandlerOptions{Level: l}
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(w, opt)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(w, opt)), nil
	}
	return nil, fmt.Errorf("--log-format %s: text or json", format)
}

// pluginRunCmd makes this process one of the plugins that the binary ships. Only the gateway starts it.
func pluginRunCmd() *cobra.Command {
	return &cobra.Command{
		Use: host.RunCommand + " NAME", Hidden: true, Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			signal.Ignore(syscall.SIGTERM) // a signal to the whole group is the gateway's: it ends us when no call is under way
			if err := sdk.ServeNamed(args[0], shippedPlugins()); err != nil {
				return usage(err)
			}
			return nil
		},
	}
}
