package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/core/reconcile"
)

// watchReceipts prints how far rules come on each device, a line for each change, until all of them are gone or ctx ends.
func (c *client) watchReceipts(ctx context.Context, ids []string) error {
	quiet := &client{base: c.base, out: io.Discard}
	told, ids := map[[2]string]string{}, slices.Clone(ids)
	for len(ids) > 0 {
		for i := len(ids) - 1; i >= 0; i-- {
			id := ids[i]
			var r struct {
				Receipts []reconcile.Receipt `json:"receipts"`
			}
			status, err := quiet.call(ctx, http.MethodGet, "/v1/rules/"+url.PathEscape(id), nil, &r)
			switch {
			case ctx.Err() != nil:
				return nil
			case status == http.StatusNotFound:
				c.printGone(id)
				ids = slices.Delete(ids, i, i+1)
				continue
			case err != nil:
				return err
			}
			for _, receipt := range r.Receipts {
				at := [2]string{id, receipt.Device}
				now := string(receipt.State) + receipt.Error
				if p := receipt.Progress; p != nil {
					now += string(p.Call) + string(p.Stage) // not each count
				}
				if told[at] != now {
					told[at] = now
					c.printWatched(id, receipt)
				}
			}
		}
		select {
		case <-time.After(watchAgain):
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (c *client) printWatched(id string, r reconcile.Receipt) {
	if c.json {
		r.Attempts = nil
		b, _ := json.Marshal(map[string]any{"rule": id, "receipt": r}) // plain data
		fmt.Fprintf(c.out, "%s\n", b)
		return
	}
	text := fmt.Sprintf("%s  %s  %s", id, r.Device, r.State)
	if r.Count != nil {
		text += ": " + countText(*r.Count)
	}
	if r.Progress != nil {
		text += ": " + r.Progress.String()
	}
	if r.Error != "" {
		text += ": " + oneLine(r.Error)
	}
	fmt.Fprintln(c.out, text)
}

func (c *client) printGone(id string) {
	if c.json {
		fmt.Fprintf(c.out, `{"rule":%q,"receipt":null}`+"\n", id)
		return
	}
	fmt.Fprintf(c.out, "%s  no such rule, or not any more\n", id)
}
