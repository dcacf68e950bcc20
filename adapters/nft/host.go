package nft

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// patience bounds one run of nft; a table of 100,000 entries loads in seconds.
const patience = time.Minute

// longestLoad is how long making a change may take: it is tried and loaded once as an edit and once whole.
const longestLoad = 4 * patience

// host is a Linux host that is being worked on.
type host struct {
	machine
	loaded bool // a script was loaded since open
}

// open begins to work on a host. What an undo process left undone is done first.
func (a *Adapter) open(ctx context.Context, t device.Target) (*host, error) {
	if ctx.Err() != nil {
		return nil, transient(true, "no time: %v", ctx.Err())
	}
	d, err := readDetails(t, a.opt.Program)
	if err != nil {
		return nil, err
	}
	var m machine
	if t.Address == "" {
		m, err = openLocal(ctx, d)
	} else {
		m, err = a.openFar(ctx, t, d)
	}
	if err != nil {
		return nil, err
	}
	return &host{machine: m}, nil
}

func (h *host) load(ctx context.Context, script []byte) error {
	_, err := h.nft(ctx, script, "-f", "-")
	h.loaded = h.loaded || err == nil
	return err
}

// try has the kernel say whether it would take a script.
func (h *host) try(ctx context.Context, script []byte) error {
	_, err := h.nft(ctx, script, "-c", "-f", "-")
	return err
}

// listing returns our tables as nft lists them, which is a script that makes them.
func (h *host) listing(ctx context.Context) ([]byte, error) {
	tables, err := h.nft(ctx, nil, "list", "tables")
	if err != nil {
		return nil, reading(err)
	}
	var out []byte
	for line := range strings.Lines(string(tables)) {
		w := strings.Fields(line) // table ip sluice-v4
		if len(w) != 3 || !strings.HasPrefix(w[2], filter.Mark) || w[1] != "ip" && w[1] != "ip6" {
			continue
		}
		one, err := h.nft(ctx, nil, "list", "table", w[1], w[2])
		if err != nil {
			return nil, reading(err)
		}
		out = append(out, one...)
	}
	return out, nil
}

// reading says of a failure to read that it is no refusal of a change: a table may have gone between two calls, or we may not read.
func reading(err error) error {
	var refused *device.Refused
	if errors.As(err, &refused) {
		return transient(true, "read the tables: %s", refused.Words)
	}
	return err
}

// secure notes what is there, and starts the process that puts it back after undo. It returns the token of the change.
func (h *host) secure(ctx context.Context, before []byte, have []filter.Filter, c device.Change, undo time.Duration) (token string, err error) {
	token = rand.Text()
	return token, h.arm(ctx, token, restore(before, have, c), undo)
}

// restore returns the script that brings back what was listed, whatever is there then of what c may leave.
func restore(listed []byte, have []filter.Filter, c device.Change) []byte {
	var out bytes.Buffer
	for _, f := range append(append([]filter.Filter{}, have...), c.Desired.Filters...) {
		out.WriteString(clearing(f))
	}
	out.Write(listed)
	return out.Bytes()
}

// failed ends a change that was not made, or not as it should be, and returns the error for it. What the kernel refused changed nothing; after anything else it is undone.
func (h *host) failed(ctx context.Context, token string, undo time.Duration, err error) error {
	if h.loaded || doubtful(err) {
		if _, unnoted := h.made(ctx, token, undo); unnoted != nil {
			return transient(false, "%v; it will be undone, which may take %v, for %v", err, longestLoad, unnoted)
		}
		return transient(false, "%v; it will be undone", err) // by its process
	}
	if gone := h.confirm(ctx, token); gone != nil {
		return transient(false, "%v; and %v", err, gone)
	}
	return err
}

// doubtful says whether an error leaves open what became of the host.
func doubtful(err error) bool {
	var doubt *device.Transient
	return errors.As(err, &doubt) && !doubt.Unchanged
}
