// Package api is the HTTP/JSON interface of the gateway: rules in and out, devices with their plans and verdicts, pre-flight, health and metrics. It
// describes itself at /openapi.json.
//
// It reads immutable copies (the Loc-RIB snapshot, plans, device status) and writes by sending an event to the RIB and waiting for the answer of the
// store: a 201 means that the rule is on disk. It listens on loopback only: it has no users and no TLS yet.
package api

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path"
	"reflect"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/store"
)

// maxBody is the largest request: ten thousand rules as text are about 2 MB.
const maxBody = 64 << 20

// Gateway is the running gateway as the API sees it.
type Gateway struct {
	Rules    Rules
	Devices  Devices
	Dialects map[string]filter.Dialect
	Profiles *profile.Library
	Adapters Adapters // nil: there are none
	// Source is the source that API rules belong to; "" where the configuration has none, and then rules cannot be created.
	Source flowspec.Source
	Admit  admit.Policy
	Compat []string
	// DefaultTTL is the lifetime of a rule that names none, 0 for ever; MaxTTL the longest, 0 unlimited.
	DefaultTTL, MaxTTL time.Duration
	// Sources tells what is known of every source.
	Sources func() []Source
	// IdleAfter is how long the rules of a source have to match nothing to be idle.
	IdleAfter func(flowspec.Source) time.Duration
	// Ended lists the rules that the gateway ended by itself, oldest first.
	Ended func() ([]store.Ended, error)
	// Ready says why the gateway is not ready yet, or nil.
	Ready   func() error
	Metrics *prometheus.Registry
	Version string
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

// Rules is the RIB.
type Rules interface {
	rib.Input
	Snapshot() rib.Snapshot
	Watch() (changed <-chan struct{}, stop func())
	Find(id flowspec.ID) (flowspec.Rule, bool)
}

// Devices is the reconciler.
type Devices interface {
	Status() []reconcile.Status
	Reach(ctx context.Context)
	Plan(device string) *plan.Plan
	Planned(device string) (reconcile.Planned, bool)
	Preview(rules []flowspec.Rule) ([]reconcile.Preview, error)
	Sync(device string) bool
	Freeze(ctx context.Context, device string, order device.Freeze) (busy []string, err error)
	Thaw(device string) error
	Rollouts() []reconcile.RolloutStatus
	StopRollout(group, reason string) error
	ResumeRollout(group string) error
	ReleaseRollout(group string) error
	Proposals(device string) ([]reconcile.Proposed, error)
	Adopt(device string) error
	Receipts(rule flowspec.Rule) []reconcile.Receipt
	Counts() map[flowspec.ID]reconcile.Count
	Activities(after func(flowspec.Source) time.Duration) (rib.Snapshot, []reconcile.Activity)
	Activity(rule flowspec.Rule, after time.Duration) reconcile.Activity
	Tally(device string) (map[reconcile.ReceiptState]int, error)
	Given(device string) (sent, held int, err error)
	Overdue(id flowspec.ID) (flowspec.Rule, []reconcile.Receipt, bool)
	History(device string) ([]device.Attempt, error)
	Sent(device string) ([]device.Route, error)
}

// New returns the handler of the API.
func New(g Gateway) http.Handler {
	if g.Now == nil {
		g.Now = time.Now
	}
	if g.IdleAfter == nil {
		g.IdleAfter = func(flowspec.Source) time.Duration { return time.Hour }
	}
	if g.Ended == nil {
		g.Ended = func() ([]store.Ended, error) { return nil, nil }
	}
	mux := http.NewServeMux()
	config := huma.DefaultConfig("sluice", g.Version)
	config.Info.Description = "Rules in, verdicts out. Every rule is proven exact on every device, or refused there."
	config.CreateHooks = nil // no $schema member in answers: their forms are documented, and stable
	config.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	h := humago.New(mux, config)

	registerRules(h, &g)
	registerEnded(h, &g)
	registerSources(h, &g)
	registerDevices(h, &g)
	registerFreeze(h, &g)
	registerRollouts(h, &g)
	registerProposals(h, &g)
	registerAdapters(h, &g)
	registerCertificate(h, &g)
	registerTrace(h, &g)
	registerValidate(h, &g)
	registerHealth(h, &g)
	mux.Handle("GET /metrics", promhttp.HandlerFor(g.Metrics, promhttp.HandlerOpts{}))
	return http.MaxBytesHandler(mux, maxBody)
}

// schemaName keeps types of one name apart in the OpenAPI document: those of other packages bear the package's name in front.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if pkg := path.Base(t.PkgPath()); t.Name() != "" && pkg != "api" && strings.Contains(t.PkgPath(), "/core/") {
		return strings.ToUpper(pkg[:1]) + pkg[1:] + name
	}
	return name
}

// Serve answers on l until ctx ends. Requests that wait for something end with it; one that does not is cut off after a few seconds.
func Serve(ctx context.Context, l net.Listener, h http.Handler) error {
	server := &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := server.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = server.Close() // a client that does not read, or does not finish what it says
	}
	if served := <-done; !errors.Is(served, http.ErrServerClosed) {
		return served
	}
	return err
}
