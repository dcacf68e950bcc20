package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Dialect is one vendor's language of filters, as it is typed.
type Dialect interface {
	filter.Dialect
	// Commands returns the lines that lead from have to want, both complete, typed where configuration begins and ending there; nil when there is nothing to do.
	Commands(have, want []filter.Filter) ([]string, error)
}

// Options are an adapter's own. The zero value is right for production. What differs from device to device is in Target.Options, see the package's page.
type Options struct {
	Platform    Platform      // zero: the one known for the dialect
	Logger      *slog.Logger  // nil: slog.Default, as it is when something is logged
	IdleTimeout time.Duration // after which an unused session is closed; 0: 5 min
}

// Adapter is a device.Adapter for terminals. Close it to end its sessions.
type Adapter struct {
	*shared
	dialect Dialect
}

// shared is what an adapter keeps for all devices.
type shared struct {
	platform Platform
	opt      Options
	lines    *sessions.Lines[line]
}

var _ device.Adapter = (*Adapter)(nil)

// New returns the adapter that types d.
func New(d Dialect, opt Options) *Adapter {
	if opt.Platform.System == "" {
		opt.Platform = platforms[d.Name()]
	}
	opt.IdleTimeout = cmp.Or(opt.IdleTimeout, 5*time.Minute)
	return &Adapter{&shared{platform: opt.Platform, opt: opt, lines: sessions.Of(newLine)}, d}
}

// forDevice returns the adapter as it speaks to t: its dialect knows the routing instances of that device.
func (a *Adapter) forDevice(t device.Target) (*Adapter, details, error) {
	d, err := readDetails(t)
	if err != nil || len(d.instances) == 0 {
		return a, d, err
	}
	dialect, ok := filter.ForDevice(a.dialect, d.instances).(Dialect)
	if _, can := a.dialect.(filter.Instanced); !can || !ok {
		return a, d, fmt.Errorf("device %s, option instances: filters of the dialect %s do not redirect into routing instances", t.Name, a.dialect.Name())
	}
	return &Adapter{a.shared, dialect}, d, nil
}

// log returns the logger. In a plugin the default becomes the host's log only after the adapter was made.
func (a *Adapter) log() *slog.Logger { return cmp.Or(a.opt.Logger, slog.Default()) }

// Close ends all sessions, after the calls that are under way.
func (a *Adapter) Close() error {
	for _, l := range a.lines.Clear() {
		l.Later(func() {
			l.HangUp()
			l.letGo(errors.New("closed"))
		})
	}
	return nil
}

// Info describes the adapter.
func (a *Adapter) Info(context.Context) (device.Info, error) {
	late := a.platform.Late
	return device.Info{Name: a.dialect.Name(), Version: "1", Dialect: a.dialect.Name(), Late: &late}, nil
}

// Read returns what the running configuration holds of ours, by name. Filters that somebody switched off are *device.Drifted; those that somebody changed into something the dialect does
// not understand are shown without their entries.
func (a *Adapter) Read(ctx context.Context, t device.Target, names ...string) (device.State, error) {
	a, d, err := a.forDevice(t)
	if err != nil {
		return device.State{}, err
	}
	l, err := a.acquire(ctx, t)
	if err != nil {
		return device.State{}, err
	}
	defer a.release(l)
	var filters []filter.Filter
	var out device.State
	_, err = a.first(ctx, l, d, func(s *shell) error {
		device.Report(ctx, device.Reading)
		text, err := a.look(ctx, s, a.platform.Show)
		if err != nil {
			return err
		}
		filters, err = a.whole(s, a.platform.Show, text)
		out.Attached, out.Misplaced = a.attachments(text, filters, t.Placement)
		return err
	})
	if err != nil {
		return device.State{}, err
	}
	for _, f := range filters {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			out.Filters = append(out.Filters, f)
		}
	}
	return out, nil
}

// running returns our filters in the running configuration.
func (a *Adapter) running(ctx context.Context, s *shell) ([]filter.Filter, error) {
	text, err := a.look(ctx, s, a.platform.Show)
	if err != nil {
		return nil, err
	}
	return a.whole(s, a.platform.Show, text)
}

// look types a command wherever the session is.
func (a *Adapter) look(ctx context.Context, s *shell, command string) (string, error) {
	if s.prompt == a.platform.Exec {
		return s.ask(ctx, command)
	}
	return s.inside(ctx, a.platform.Inside+command)
}

// whole returns our filters in the configuration that a command printed.
func (a *Adapter) whole(s *shell, command, text string) ([]filter.Filter, error) {
	if a.platform.End != "" && strings.TrimSpace(lastLine(text)) != a.platform.End {
		err := &device.Transient{Err: fmt.Errorf("%s: the configuration does not end in %q, so it was not printed whole", quote(command), a.platform.End)}
		s.Kill(err)
		return nil, err
	}
	return device.Understood(a.dialect, []byte(text), a.log())
}

// Render returns the lines that Apply would type on a device that holds what c was computed from.
func (a *Adapter) Render(_ context.Context, t device.Target, c device.Change) ([]byte, error) {
	a, _, err := a.forDevice(t)
	if err != nil {
		return nil, err
	}
	have, err := c.Before()
	if err != nil {
		return nil, err
	}
	lines, err := a.commands(have, c.Desired.Filters)
	if err != nil || len(lines) == 0 {
		return nil, err
	}
	return []byte(strings.Join(lines, "\n") + "\n"), nil
}

// commands returns what is typed. A line that would be more than one, or that a terminal would act on, is not typed at all.
func (a *Adapter) commands(have, want []filter.Filter) ([]string, error) {
	lines, err := a.dialect.Commands(have, want)
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		if strings.TrimSpace(line) == "" || len(line) > terminalWidth-64 || strings.ContainsFunc(line, func(c rune) bool { return c < ' ' || c > '~' || c == '?' }) {
			return nil, fmt.Errorf("the line %q cannot be typed", line)
		}
	}
	return lines, nil
}

// sum identifies what filters say, in the device's own language.
func (a *Adapter) sum(filters []filter.Filter) (string, error) {
	h := sha256.New()
	for _, f := range filters {
		r, err := a.dialect.Render(f)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%d\n", len(r.Payload))
		h.Write(r.Payload)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func (a *Adapter) equal(want, got filter.Filter) error {
	return filter.Same(want, got, a.dialect.Semantics())
}
