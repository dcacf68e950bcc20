package gnmi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"google.golang.org/grpc/codes"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Dialect is a language whose text is a document of openconfig-acl as JSON_IETF, and that reads the same.
type Dialect interface {
	filter.Dialect
	// Keep gives the entries of want the numbers that they have in have, and new ones numbers in between.
	Keep(have, want filter.Filter) filter.Filter
}

// Options are an adapter's own. The zero value is right for production. What differs from device to device is in Target.Options.
type Options struct {
	Logger *slog.Logger // nil: slog.Default, as it is when something is logged
}

// Adapter is a device.Adapter over gNMI. Close it to end its connections.
type Adapter struct {
	dialect Dialect
	opt     Options

	mu    sync.Mutex
	lines map[string]*line // by name of the target
}

var _ device.Adapter = (*Adapter)(nil)

// New returns the adapter that speaks d over gNMI.
func New(d Dialect, opt Options) *Adapter {
	return &Adapter{dialect: d, opt: opt, lines: map[string]*line{}}
}

// Close ends all connections, and the calls that are under way.
func (a *Adapter) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	var errs []error
	for _, l := range a.lines {
		errs = append(errs, l.conn.Close())
	}
	clear(a.lines)
	return errors.Join(errs...)
}

// Info describes the adapter.
func (a *Adapter) Info(context.Context) (device.Info, error) {
	return device.Info{Name: a.dialect.Name(), Version: "1", Dialect: a.dialect.Name()}, nil
}

func (a *Adapter) log() *slog.Logger { return cmp.Or(a.opt.Logger, slog.Default()) }

// Read returns our sets, by name, and where they are attached. Sets that somebody changed into what the dialect does not understand are shown without their entries.
func (a *Adapter) Read(ctx context.Context, t device.Target, names ...string) (device.State, error) {
	s, err := a.open(ctx, t)
	if err != nil {
		return device.State{}, err
	}
	device.Report(ctx, device.Reading)
	h, err := s.holdings(ctx)
	if err != nil {
		return device.State{}, err
	}
	var st device.State
	for _, f := range h.filters {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			st.Filters = append(st.Filters, f)
		}
	}
	st.Attached, err = s.attachments(ctx, st.Filters)
	return st, err
}

// holdings is what a device holds of ours: as it says it, and as it is understood.
type holdings struct {
	sets    []set
	filters []filter.Filter
}

func (s *session) holdings(ctx context.Context) (h holdings, err error) {
	entries, err := s.get(ctx, aclSets)
	if err != nil {
		return h, err
	}
	if h.sets, err = sets(entries); err != nil {
		return h, fmt.Errorf("read /acl/acl-sets: the answer is not understood: %w", err)
	}
	h.filters, err = device.Understood(s.adapter.dialect, document(h.sets), s.adapter.log())
	return h, err
}

// attachments reads where the sets of fs stand. A device that does not know the question leaves it open; where it may not answer it, they stand somewhere.
func (s *session) attachments(ctx context.Context, fs []filter.Filter) (map[string][]string, error) {
	entries, err := s.get(ctx, interfaces)
	switch {
	case is(err, codes.InvalidArgument, codes.Unimplemented):
		return nil, nil
	case is(err, codes.PermissionDenied):
		return device.SomewhereAll(fs), nil
	}
	if err != nil {
		return nil, err
	}
	return attached(entries)
}

// Render returns, in JSON, the SetRequest that Apply would send to a device that holds what c was computed from: the paths that it deletes, and the values that it replaces. Of a filter
// that is changed, c does not say what it was: the request replaces its set whole, where Apply sends what differs.
func (a *Adapter) Render(_ context.Context, _ device.Target, c device.Change) ([]byte, error) {
	written, err := a.written(c, nil)
	if err != nil {
		return nil, err
	}
	var have []set
	for _, s := range c.Steps {
		if s.Op == device.Remove {
			have = append(have, set{name: s.Filter.Name, kind: typeOf(s.Filter.Version)})
		}
	}
	return editOf(have, c, written).text()
}

// written returns the sets that the filters of c's steps become, as they are sent to a device that has the filters in have. They mean what they should: read back from there,
// each filter is the one asked for.
func (a *Adapter) written(c device.Change, have []filter.Filter) ([]set, error) {
	if _, err := c.Before(); err != nil {
		return nil, err
	}
	var out []set
	for _, step := range c.Steps {
		if step.Op == device.Remove {
			continue
		}
		f := *step.Filter
		if i := indexOf(have, f); i >= 0 {
			f = a.dialect.Keep(have[i], f)
		}
		s, err := a.rendered(f)
		if err != nil {
			return nil, fmt.Errorf("render %s: %w", step.Filter.Name, err)
		}
		out = append(out, s)
	}
	return out, nil
}

// indexOf returns where in filters the one is that stands in the same set as f, or -1.
func indexOf(filters []filter.Filter, f filter.Filter) int {
	return slices.IndexFunc(filters, func(g filter.Filter) bool { return g.Name == f.Name && g.Version == f.Version })
}

// rendered returns the set that f becomes, proven.
func (a *Adapter) rendered(f filter.Filter) (s set, err error) {
	r, err := a.dialect.Render(f)
	if err != nil {
		return s, err
	}
	list, err := parts([]byte(r.Text))
	if err != nil {
		return s, err
	}
	if len(list) != 1 || list[0].name != f.Name || list[0].kind != typeOf(f.Version) {
		return s, fmt.Errorf("it is %d sets, want one of its name and type", len(list))
	}
	s = list[0]
	if s.value, err = outermost(s.value); err != nil {
		return s, err
	}
	return s, device.ReadsBack(a.dialect, document([]set{s}), f)
}

func (a *Adapter) equal(want, got filter.Filter) error {
	return filter.Same(want, got, a.dialect.Semantics())
}
