package netconf

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/sluice-gateway/sluice/adapters/internal/sessions"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Dialect is one vendor's language of filters, as it travels over NETCONF.
type Dialect interface {
	filter.Dialect
	// Edit returns what stands in <config> of the <edit-config> that leads from have to want, with operation attributes; nil when there is nothing to do. Both
	// lists are complete.
	Edit(have, want []filter.Filter) ([]byte, error)
}

// Options are an adapter's own. The zero value is right for production. What differs from device to device is in Target.Options:
//
//	agent                 socket of an SSH agent, whose keys are offered before the target's private key and password; its whole path
//	commit                rfc6241 (default), or junos: <commit-configuration>, which counts minutes
//	validate              true: <validate> the candidate before the commit; default false, as one server in the field loses the commit after it
//	min-commit-interval   least time between two changes, such as 5s; a change that comes earlier is *device.Transient
//	instances             routing instances that filters may redirect into, as filter.ParseInstances reads them; not every dialect has them
type Options struct {
	Model       Model         // zero: the one known for the dialect
	Logger      *slog.Logger  // nil: slog.Default, as it is when something is logged
	IdleTimeout time.Duration // after which an unused session is closed; 0: 5 min
	Version     string        // of the adapter, for people; "": 1
}

// MaxWindow is the longest a change waits for its confirmation: the candidate is locked meanwhile.
const MaxWindow = 60 * time.Second

// Adapter is a device.Adapter over NETCONF. Close it to end its sessions.
type Adapter struct {
	*shared
	dialect Dialect
}

// shared is what an adapter keeps for all devices.
type shared struct {
	opt Options

	lines *sessions.Lines[line]
}

var _ device.Adapter = (*Adapter)(nil)

// New returns the adapter that speaks d over NETCONF.
func New(d Dialect, opt Options) *Adapter {
	if opt.Model.Subtree == "" {
		opt.Model = models[d.Name()]
	}
	opt.IdleTimeout = cmp.Or(opt.IdleTimeout, 5*time.Minute)
	opt.Version = cmp.Or(opt.Version, "1")
	return &Adapter{&shared{opt: opt, lines: sessions.Of(newLine)}, d}
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
func (a *Adapter) log() *slog.Logger {
	if a.opt.Logger != nil {
		return a.opt.Logger
	}
	return slog.Default()
}

// Close ends all sessions, after the calls that are under way. Pending changes without a persist-id are undone by their devices.
func (a *Adapter) Close() error {
	for _, l := range a.lines.Clear() {
		l.Later(func() {
			l.endWindow()
			l.HangUp()
		})
	}
	return nil
}

// Info describes the adapter.
func (a *Adapter) Info(context.Context) (device.Info, error) {
	out := device.Info{Name: a.dialect.Name(), Version: a.opt.Version, Dialect: a.dialect.Name()}
	if late := a.opt.Model.Late; late > 0 {
		out.Late = &late
	}
	return out, nil
}

// Read returns what running holds of ours. Filters that somebody deactivated are *device.Drifted; those that somebody changed into something the dialect does not
// understand are shown without their entries.
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
	s, err := a.first(ctx, l, d, func(s *session) error {
		device.Report(ctx, device.Reading)
		if err := a.alone(ctx, s); err != nil {
			return err
		}
		filters, err = a.running(ctx, s)
		return err
	})
	if err != nil {
		return device.State{}, err
	}
	var out device.State
	for _, f := range filters {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			out.Filters = append(out.Filters, f)
		}
	}
	out.Attached, out.Misplaced, err = a.attachments(ctx, s, filters, t.Placement)
	return out, err
}

// running reads our filters from the running configuration, by name.
func (a *Adapter) running(ctx context.Context, s *session) ([]filter.Filter, error) {
	reply, err := s.exec(ctx, "read the configuration", getConfig(a.opt.Model.Subtree))
	if err != nil {
		return nil, kind("read the configuration", err)
	}
	return device.Understood(a.dialect, []byte(reply.RawReply), a.log().With("session", s.SessionID))
}

// attacher is a Dialect that reads where filters are attached.
type attacher interface {
	// Attached returns where our filters stand as placement p wants it, and where otherwise and how; both by filter.
	Attached(config []byte, p filter.Placement) (stands, misplaced map[string][]string, err error)
}

// attachments reads where fs stand. A device that does not know the question leaves it open; where it does not answer, or is not understood, they stand somewhere.
func (a *Adapter) attachments(ctx context.Context, s *session, fs []filter.Filter, p filter.Placement) (stands, misplaced map[string][]string, err error) {
	dialect, ok := a.dialect.(attacher)
	if !ok || a.opt.Model.Attachments == "" {
		return nil, nil, nil
	}
	reply, err := s.exec(ctx, "read the attachments", getConfig(a.opt.Model.Attachments))
	if e, theirs := asRPCError(err); theirs {
		if e.has("operation-not-supported", "unknown-element", "unknown-namespace") {
			return nil, nil, nil
		}
		a.log().Warn("where our filters are attached is not answered", "session", s.SessionID, "what", err)
		return device.SomewhereAll(fs), nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	stands, misplaced, err = dialect.Attached([]byte(reply.RawReply), p)
	if err != nil {
		a.log().Warn("where our filters are attached is not understood", "session", s.SessionID, "what", err)
		return device.SomewhereAll(fs), nil, nil
	}
	return stands, misplaced, nil
}

func getConfig(subtree string) string {
	return `<get-config><source><running/></source><filter type="subtree">` + subtree + `</filter></get-config>`
}

// Render returns the <edit-config> that Apply would send to a device that holds what c was computed from. A policer that only the replaced form of a filter
// used is not in c: Apply finds it on the device, and deletes it as well.
func (a *Adapter) Render(_ context.Context, t device.Target, c device.Change) ([]byte, error) {
	a, _, err := a.forDevice(t)
	if err != nil {
		return nil, err
	}
	have, err := c.Before()
	if err != nil {
		return nil, err
	}
	edit, err := a.dialect.Edit(have, c.Desired.Filters)
	if err != nil || len(edit) == 0 {
		return nil, err
	}
	return []byte(editConfig(edit, false)), nil
}

func editConfig(edit []byte, rollback bool) string {
	option := ""
	if rollback {
		option = "<error-option>rollback-on-error</error-option>"
	}
	return "<edit-config><target><candidate/></target><default-operation>merge</default-operation>" + option + "<config>" + string(edit) + "</config></edit-config>"
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
