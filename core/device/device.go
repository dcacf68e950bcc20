package device

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// Route is one FlowSpec rule as a device is to receive it by BGP.
type Route struct {
	Match            flowspec.Match
	Action           flowspec.Action
	Communities      []uint32
	LargeCommunities [][3]uint32
	Others           []flowspec.ExtComm
}

// State is what a device should hold, or what it said it holds, of ours.
type State struct {
	Routes  []*Route        // order of flowspec.Compare; shared and never changed, so that two states with one route hold the same pointer
	Filters []filter.Filter // by name
	// Attached lists where each filter stands, as the device names interfaces; filled by Read.
	Attached map[string][]string
	// Misplaced lists where a filter stands otherwise than its placement wants, and how, for people: "xe-0/0/1.100, behind EDGE". Filled by Read. Where filters
	// stand is the operator's act: nobody moves them.
	Misplaced map[string][]string
}

// Somewhere stands in Attached where it could not be read where a filter stands: that is not to be taken for nowhere.
const Somewhere = "? (where filters stand could not be read)"

// SomewhereAll says that of filters.
func SomewhereAll(fs []filter.Filter) map[string][]string {
	out := make(map[string][]string, len(fs))
	for _, f := range fs {
		out[f.Name] = []string{Somewhere}
	}
	return out
}

// Op is the kind of a step.
type Op = table.Op

// The kinds of steps.
const (
	Add     = table.Add
	Replace = table.Replace
	Remove  = table.Remove
)

// Step is one change of one object: of a route or of a filter. Remove needs the identity only.
type Step struct {
	Op     Op
	Route  *Route
	Filter *filter.Filter
	Why    string // for people: "rule 1a2b… added"
}

// Change is the ordered difference from observed to desired: additions in ascending severity, then removals in descending severity, so that at no
// moment a packet fares worse than in the worse of the two states.
type Change struct {
	Steps   []Step
	Desired State // what Read must show afterwards
	// Room is how many routes the device holds at one time; 0: any number. Where the additions would go beyond it, removals come first.
	Room int
	// First is how many steps that is. While it is not 0, an exception may be gone before the one that replaces it is there.
	First int
}

// Entries is how many entries the filters have that it adds or replaces.
func (c Change) Entries() int {
	n := 0
	for _, s := range c.Steps {
		if s.Op != Remove && s.Filter != nil {
			n += len(s.Filter.Entries)
		}
	}
	return n
}

// Empty says whether there is nothing to do.
func (c Change) Empty() bool { return len(c.Steps) == 0 }

// Secret is a password or key. It prints as "[secret]" everywhere.
type Secret string

// String hides the secret.
func (Secret) String() string { return "[secret]" }

// GoString hides the secret.
func (Secret) GoString() string { return "[secret]" }

// MarshalJSON hides the secret.
func (Secret) MarshalJSON() ([]byte, error) { return []byte(`"[secret]"`), nil }

// Target is everything an adapter needs to reach one device.
type Target struct {
	Name       string
	Address    string // host:port
	Username   string
	Password   Secret
	PrivateKey Secret // PEM
	KnownHosts string // file in OpenSSH form
	HostKey    string // or one public key in authorized_keys form
	// InsecureIgnoreHostKey turns verification off; the gateway says so loudly at each start.
	InsecureIgnoreHostKey bool
	Placement             filter.Placement
	Interfaces            []string          // where the operator attached, or will attach, our filter
	Options               map[string]string // adapter's own, from the configuration
	Timeout               time.Duration     // for one exchange with the device
}

// Info describes an adapter.
type Info struct {
	Name    string // "junos"
	Version string
	Dialect string
	// Versions are those of the plugin protocol that its process speaks. They are the boundary's to say (package plugins/sdk): adapters leave them empty.
	Versions []int
	// Late is how much later than asked its devices may undo a change that nobody confirmed, at most: later than undo after the commit, and than the deadline of the Commit. Where a device counts in
	// coarser units than it was asked in, that is part of it. So long nobody knows what the device holds, after a connection that was lost between commit and confirmation. nil: not known.
	Late *time.Duration
}

// MaxLate is how late a device may be that is given filters at all.
const MaxLate = 5 * time.Minute

// Commit identifies a change that a device applied and will undo unless it is confirmed.
type Commit struct {
	Token    string    // adapter's own; enough to confirm or cancel from another process
	Deadline time.Time // when the device undoes it
	// Confirmed is set by adapters whose device has no undo timer, or where nothing is pending.
	Confirmed bool
}

// Adapter reads and writes one kind of device. Calls carry everything they need: an adapter that is killed between any two
// calls has lost nothing. Safe for concurrent use with distinct targets. Errors are *Transient, *Refused or *Drifted where they can be.
type Adapter interface {
	Info(ctx context.Context) (Info, error)
	// Read returns the objects that bear our mark: all, or those named.
	Read(ctx context.Context, t Target, names ...string) (State, error)
	// Render returns exactly what Apply would send.
	Render(ctx context.Context, t Target, c Change) ([]byte, error)
	// Apply makes c and lets the device undo it after undo unless Confirm comes.
	Apply(ctx context.Context, t Target, c Change, undo time.Duration) (Commit, error)
	Confirm(ctx context.Context, t Target, c Commit) error
	Cancel(ctx context.Context, t Target, c Commit) error
}

// Counter counts what an entry matched.
type Counter struct{ Packets, Bytes uint64 }

// CounterReader is an adapter that can read counters: what entries have matched since the device last cleared them, by the name of the entry, or of its counter where the
// entries of a rule share one (Entry.Counter). errors.ErrUnsupported: this device has none.
//
// A target whose option OptionCount is CountRoutes asks for the FlowSpec routes that the device holds by BGP instead: by NLRIName where the device shows octets, by FlowName where it shows a text. Routes
// that the adapter cannot tell exactly are not in it.
type CounterReader interface {
	Counters(ctx context.Context, t Target) (map[string]Counter, error)
}

// OptionCount is the option of a Target that says what is counted; it is the gateway's own, and nobody's to configure. CountRoutes is its one value.
const (
	OptionCount = "count"
	CountRoutes = "flowspec"
)

// NLRIName returns the name of the counter of a route by its octets: AFI, SAFI and the NLRI with its length, as `1/133 0602200a000001`.
func NLRIName(m flowspec.Match) string {
	return fmt.Sprintf("%d/%d %x", m.Family().AFI(), m.Family().SAFI(), m.NLRI())
}

// FlowName returns the name of the counter of a route by what it matches, as `1/133 destination 10.0.0.1/32;`. Two routes of which a list has the same numbers in more octets have one.
func FlowName(m flowspec.Match) string {
	return fmt.Sprintf("%d/%d %s", m.Family().AFI(), m.Family().SAFI(), m)
}

// Transient is a failure that goes away by itself: a time-out, a lock held by somebody else. Back off, try again.
type Transient struct {
	Err error
	// Unchanged, of an Apply: the device is certain to be as it was, because nothing had been committed yet. Where it is not set, a commit may
	// be in flight, which the device will undo.
	Unchanged bool
}

// Refused is the router's own refusal, in its words. Stop until the desired state changes.
type Refused struct{ Words string }

// Drifted means that somebody else changed our objects. Read again, plan again. Gone says that an object or its attachment was removed or deactivated: freeze.
type Drifted struct {
	What string
	Gone bool
}

func (e *Transient) Error() string { return e.Err.Error() }
func (e *Transient) Unwrap() error { return e.Err }
func (e *Refused) Error() string   { return "refused by the device: " + e.Words }
func (e *Drifted) Error() string   { return "changed by another hand: " + e.What }
