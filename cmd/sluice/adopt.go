package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"

	"github.com/spf13/cobra"

	"github.com/sluice-gateway/sluice/core/api"
)

func deviceAdoptCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "adopt NAME | --all", Args: cobra.MaximumNArgs(1),
		Short: "Give a device the plans of this version of the program, where they differ from those of the one before",
	}
	all := cmd.Flags().Bool("all", false, "every device for which something is proposed")
	return withClient(cmd, func(ctx context.Context, c *client, args []string) error {
		if *all == (len(args) == 1) {
			return usage(errors.New("name one device, or say --all"))
		}
		path, who := "/v1/adopt", "all devices are"
		if !*all {
			path, who = "/v1/devices/"+url.PathEscape(args[0])+"/adopt", args[0]+" is"
		}
		_, err := c.call(ctx, http.MethodPost, path, nil, nil)
		return c.say(err, "%s given the plans of this version", who)
	})
}

// showProposals prints what this version would change of what a device has.
func (c *client) showProposals(ctx context.Context, name string) error {
	var list struct {
		Proposals []api.Proposal `json:"proposals"`
	}
	if _, err := c.call(ctx, http.MethodGet, "/v1/devices/"+url.PathEscape(name)+"/proposals", nil, &list); err != nil || c.json {
		return err
	}
	for _, p := range list.Proposals {
		fmt.Fprintf(c.out, "%s %s\n", p.ID, p.Rule)
		c.printForm("-", p.Was)
		c.printForm("+", p.Is)
	}
	if len(list.Proposals) == 0 {
		fmt.Fprintf(c.out, "nothing: %s is given the plans of this version\n", name)
	} else {
		fmt.Fprintf(c.out, "%s would change: sluice device adopt %s\n", counted(len(list.Proposals), "rule"), name)
	}
	return nil
}

func (c *client) printForm(sign string, f api.Form) {
	fmt.Fprintf(c.out, "  %s %s", sign, f.Carried)
	if f.Entries > 0 {
		fmt.Fprintf(c.out, ", %s", counted(f.Entries, "filter entry"))
	}
	fmt.Fprintln(c.out)
	for _, r := range f.Routes {
		fmt.Fprintf(c.out, "  %s   %s\n", sign, r)
	}
}

// thisProgram says in short which program this is: two that could plan differently never say the same.
func thisProgram() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
