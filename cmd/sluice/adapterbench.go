package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/host"
	"github.com/sluice-gateway/sluice/core/config"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// benchUndo is the confirm window of a test whose file names none: long enough for ten thousand entries, short enough to be waited for.
const benchUndo = 10 * time.Second

// bench is a plugin on trial: a process of it that is tried, and killed where the story says so; where nobody else can be another hand on the device, a
// second process is. It is itself the adapter that goes through the story.
type bench struct {
	*running
	target   device.Target
	faults   adaptertest.Faults
	info     device.Info
	sum      string
	protocol int      // the version of the plugin protocol that was agreed on
	notes    []string // how faults are made, for people
	log      *lockedBuffer
	other    *running

	mu   sync.Mutex
	lose bool // the process is killed at the moment when it answers the next Apply
}

// openBench starts the plugin of a command line.
func openBench(ctx context.Context, args []string, protocol int, b *config.Bench) (*bench, error) {
	plugin, err := pluginOf(args)
	if err != nil {
		return nil, usage(err)
	}
	if protocol != 0 {
		plugin.Versions = []int{protocol}
	}
	l := &bench{target: b.Target, log: &lockedBuffer{}}
	log := slog.New(slog.NewTextHandler(l.log, nil))
	if l.running, err = launch(ctx, log, plugin); err != nil {
		return nil, failed(err)
	}
	l.sum, l.protocol = l.Status()[0].SHA256, l.Status()[0].Version
	if l.info, err = l.Info(ctx); err != nil {
		return nil, errors.Join(failed(fmt.Errorf("%s: %w", args[0], err)), l.close())
	}
	if err := l.tell(b); err != nil {
		return nil, errors.Join(usage(err), l.close())
	}
	if b.Edit == nil {
		if l.other, err = launch(ctx, log, plugin); err != nil {
			return nil, errors.Join(failed(err), l.close())
		}
		l.faults.Edit = adaptertest.OtherHand(l.other, l.target)
	}
	return l, nil
}

// pluginOf is the plugin of a command line: a file with its arguments, or the name of one that is built in.
func pluginOf(args []string) (host.Plugin, error) {
	if shippedPlugins()[args[0]] != nil {
		return host.Plugin{Name: args[0], Args: args[1:]}, nil
	}
	path, err := filepath.Abs(args[0])
	if err != nil {
		return host.Plugin{}, err
	}
	sum, err := host.Checksum(path)
	if err != nil {
		return host.Plugin{}, fmt.Errorf("%w: name the plugin's file, or an adapter that is built in (`sluice adapter list`)", err)
	}
	return host.Plugin{Name: filepath.Base(path), Path: path, Args: args[1:], SHA256: sum}, nil
}

// tell makes what the file says of the device into the suite's faults, and fills in what the command can do by itself.
func (l *bench) tell(b *config.Bench) error {
	l.faults = adaptertest.Faults{
		Entries: b.Entries, Burst: b.Burst, Undo: b.Undo, Patience: b.Patience, Words: b.Refused.Words,
		SessionBound: b.SessionBound, NoCancel: b.NoCancel, NoUndo: b.NoUndo, Plain: b.Plain,
		Restart: func(ctx context.Context) (device.Adapter, error) { return l, l.kill(ctx) }, Expire: l.expire, LoseAnswer: l.loseAnswer,
	}
	if l.faults.Undo == 0 {
		l.faults.Undo = benchUndo
	}
	if err := l.semantics(b); err != nil {
		return err
	}
	if err := l.refused(b.Refused); err != nil {
		return err
	}
	if b.Edit != nil {
		l.faults.Edit = func(ctx context.Context, e adaptertest.Edit, name string) error {
			what := map[adaptertest.Edit]string{adaptertest.DropEntry: "drop-entry", adaptertest.DropFilter: "drop-filter"}[e]
			return helper(ctx, b.Edit, what, name)
		}
	} else {
		l.notes = append(l.notes, "the other hand is a second process of the plugin; `edit` of the target's file names a program that edits the device")
	}
	if b.LoseAnswer != nil {
		l.faults.LoseAnswer = func(ctx context.Context) error { return helper(ctx, b.LoseAnswer) }
	} else {
		l.notes = append(l.notes, "the answer is lost by killing the plugin when it answers; `lose-answer` names a program that has the device lose the session")
	}
	return nil
}

// semantics finds what entries of the device mean: as the file says, or as the dialect does that the file or the adapter names.
func (l *bench) semantics(b *config.Bench) error {
	if b.Semantics != nil {
		l.faults.Semantics = *b.Semantics
		return nil
	}
	name := b.Dialect
	if name == "" {
		name = l.info.Dialect
	}
	d, known := dialects[name]
	if known {
		l.faults.Semantics = d.Semantics()
		return nil
	}
	if b.Dialect != "" {
		return fmt.Errorf("there is no dialect %q", b.Dialect)
	}
	l.notes = append(l.notes, "no dialect is named: entries are taken to check nothing that they do not say (`semantics` of the target's file)")
	return nil
}

func (l *bench) refused(r config.Refused) error {
	if r == (config.Refused{}) {
		return nil // the step says what is missing
	}
	e, err := adaptertest.Odd(r.Entry, l.faults.Semantics)
	if err != nil {
		return fmt.Errorf("story.refused.entry: %w", err)
	}
	if r.Name != "" {
		e.Name = r.Name
	}
	if r.Destination != "" {
		if e.Match.Dst, err = parsePrefix(r.Destination); err != nil {
			return fmt.Errorf("story.refused.destination: %w", err)
		}
	}
	if l.faults.Plain {
		e.Match.Src = adaptertest.PlainEntry(filter.Semantics{}, 3).Match.Src
	}
	l.faults.Refused = e
	return nil
}

// expire waits until the window of the last change has passed.
func (l *bench) expire(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(l.faults.Undo + 100*time.Millisecond):
		return nil
	}
}

func (l *bench) loseAnswer(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lose = true
	return nil
}

// Apply is the plugin's; where the answer is to be lost, the process dies with it on its lips, and what the gateway would know then is returned.
func (l *bench) Apply(ctx context.Context, t device.Target, c device.Change, undo time.Duration) (device.Commit, error) {
	com, err := l.running.Apply(ctx, t, c, undo)
	l.mu.Lock()
	lose := l.lose && err == nil
	l.lose = l.lose && !lose
	l.mu.Unlock()
	if !lose {
		return com, err
	}
	if err := l.kill(ctx); err != nil {
		return device.Commit{}, err
	}
	return device.Commit{}, &device.Transient{Err: errors.New("the plugin was killed when it answered")}
}

// secrets is the last step: the log of the plugin has none in it.
func (l *bench) secrets() adaptertest.Result {
	r := adaptertest.Result{Step: adaptertest.Step{Name: "log", Asks: "No password or key of the target stands in what the plugin logs or prints."}}
	for _, s := range []device.Secret{l.target.Password, l.target.PrivateKey} {
		if s != "" && strings.Contains(l.log.String(), string(s)) {
			r.Problem = []string{"the plugin's log has a secret of the target in it"}
		}
	}
	return r
}

func (l *bench) close() error {
	if l.other != nil {
		l.other.end()
	}
	l.running.end()
	return nil
}

// lockedBuffer keeps what two processes log.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
