package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// defaultGateway is where `sluice serve` listens unless its configuration says otherwise.
const defaultGateway = "http://127.0.0.1:8330"

// client speaks to the API of a running gateway.
type client struct {
	base string
	json bool // print what the API answered instead of text for people
	out  io.Writer
}

// withClient adds the flags of every command that speaks to a gateway.
func withClient(cmd *cobra.Command, run func(ctx context.Context, c *client, args []string) error) *cobra.Command {
	gateway := cmd.Flags().String("gateway", gatewayDefault(), "URL of the gateway's API; or set SLUICE_GATEWAY")
	format := cmd.Flags().String("format", "text", "text or json")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if *format != "text" && *format != "json" {
			return usage(fmt.Errorf("--format %s: text or json", *format))
		}
		if err := checkGateway(*gateway); err != nil {
			return err
		}
		return run(cmd.Context(), &client{strings.TrimSuffix(*gateway, "/"), *format == "json", cmd.OutOrStdout()}, args)
	}
	return cmd
}

// gatewayDefault is the URL of the gateway where none is given.
func gatewayDefault() string {
	if base := os.Getenv("SLUICE_GATEWAY"); base != "" {
		return base
	}
	return defaultGateway
}

func checkGateway(base string) error {
	if u, err := url.Parse(base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return usage(fmt.Errorf("--gateway %q is no URL, such as %s", base, defaultGateway))
	}
	return nil
}

// apiError is what the API answers to what it does not do (RFC 9457).
type apiError struct {
	Title  string `json:"title"`
	Detail string `json:"detail"`
	Errors []struct {
		Message string `json:"message"`
	} `json:"errors"`
}

// call sends a request and decodes the answer into result, where that is not nil. An answer that lists rules is one, whatever its status.
func (c *client) call(ctx context.Context, method, path string, body, result any) (status int, err error) {
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return 0, err
		}
		text = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, text)
	if err != nil {
		return 0, usage(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, failed(fmt.Errorf("no gateway at %s (is `sluice serve` running? elsewhere: --gateway URL or SLUICE_GATEWAY): %w", c.base, err))
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return resp.StatusCode, failed(err)
	}
	if resp.StatusCode >= 300 && !bytes.Contains(b, []byte(`"rules":`)) {
		return resp.StatusCode, failed(refusal(resp.Status, b))
	}
	if c.json && len(b) > 0 {
		_, err = c.out.Write(append(bytes.TrimRight(b, "\n"), '\n'))
		if err != nil {
			return resp.StatusCode, err
		}
	}
	if result == nil {
		return resp.StatusCode, nil
	}
	if err := json.Unmarshal(b, result); err != nil {
		return resp.StatusCode, failed(fmt.Errorf("the answer of %s is not understood: %w", c.base, err))
	}
	return resp.StatusCode, nil
}

func refusal(status string, body []byte) error {
	var e apiError
	if json.Unmarshal(body, &e) != nil || e.Detail == "" && e.Title == "" {
		return fmt.Errorf("the gateway answered %s", status)
	}
	text := e.Detail
	if text == "" {
		text = e.Title
	}
	for _, m := range e.Errors {
		text += ": " + m.Message
	}
	return fmt.Errorf("%s", text)
}
