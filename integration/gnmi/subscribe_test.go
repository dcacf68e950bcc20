package gnmi_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/openconfig/gnmi/cache"
	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"github.com/openconfig/gnmi/subscribe"
	"github.com/openconfig/goyang/pkg/yang"
	"github.com/openconfig/ygot/ygot"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/gnmi/oc"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// dut is what the router is called in the cache that answers Subscribe.
const dut = "dut"

// speech answers Subscribe: the cache and the server of github.com/openconfig/gnmi, which the router feeds with what changes.
type speech struct {
	gpb.GNMIServer
	cache  *cache.Cache
	told   *oc.Device // that the cache has
	refuse error      // to subscribe
	begun  int
	asked  []*gpb.SubscribeRequest
}

func speaking(t testing.TB) func(*router) {
	return func(r *router) {
		c := cache.New([]string{dut})
		server, err := subscribe.NewServer(c)
		if err != nil {
			t.Fatal(err)
		}
		c.SetClient(server.Update)
		c.GetTarget(dut).Sync()
		r.speech = &speech{GNMIServer: server, cache: c, told: &oc.Device{}}
	}
}

// speak tells the cache what is new. The caller holds mu, or nobody else knows the router yet.
func (r *router) speak() {
	if r.speech == nil {
		return
	}
	n, err := ygot.Diff(r.speech.told, r.root)
	if err != nil {
		panic(err)
	}
	copied, err := ygot.DeepCopy(r.root)
	if err != nil {
		panic(err)
	}
	r.speech.told = copied.(*oc.Device)
	n.Timestamp, n.Prefix = time.Now().UnixNano(), &gpb.Path{Target: dut, Origin: "openconfig"}
	if err := r.speech.cache.GnmiUpdate(n); err != nil {
		panic(err)
	}
}

// state tells the cache a counter, as operational state.
func (r *router) state(t *testing.T, set string, number int, hits uint64) {
	t.Helper()
	p, err := ygot.StringToStructuredPath(fmt.Sprintf("/acl/acl-sets/acl-set[name=%s][type=ACL_IPV4]/acl-entries/acl-entry[sequence-id=%d]/state/matched-packets", set, number))
	if err == nil {
		err = r.speech.cache.GnmiUpdate(&gpb.Notification{Timestamp: time.Now().UnixNano(), Prefix: &gpb.Path{Target: dut, Origin: "openconfig"},
			Update: []*gpb.Update{{Path: p, Val: &gpb.TypedValue{Value: &gpb.TypedValue_UintVal{UintVal: hits}}}}})
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (r *router) admitStream(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	if err := known(stream.Context()); err != nil {
		return err
	}
	return next(srv, stream)
}

// Subscribe hands the stream to the server of the cache, under the name that the router has there.
func (r *router) Subscribe(stream gpb.GNMI_SubscribeServer) error {
	r.mu.Lock()
	s := r.speech
	var refuse error
	if s != nil {
		s.begun++
		refuse = s.refuse
	}
	r.mu.Unlock()
	switch {
	case s == nil:
		return status.Error(codes.Unimplemented, "method Subscribe not implemented")
	case refuse != nil:
		return refuse
	}
	return s.Subscribe(&named{stream, r})
}

// named is a stream whose subscriptions are about the router.
type named struct {
	gpb.GNMI_SubscribeServer
	r *router
}

func (n *named) Recv() (*gpb.SubscribeRequest, error) {
	req, err := n.GNMI_SubscribeServer.Recv()
	if err != nil {
		return nil, err
	}
	n.r.mu.Lock()
	n.r.speech.asked = append(n.r.speech.asked, req)
	n.r.mu.Unlock()
	req.GetSubscribe().GetPrefix().Target = dut
	return req, nil
}

// watching is a Watch under way.
type watching struct {
	said  atomic.Int64
	told  chan struct{}
	ended chan error
	stop  context.CancelFunc
}

func watch(t *testing.T, a device.Adapter, target device.Target) *watching {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watching{told: make(chan struct{}, 1), ended: make(chan error, 1), stop: cancel}
	go func() {
		w.ended <- a.(device.Watcher).Watch(ctx, target, func() {
			w.said.Add(1)
			select {
			case w.told <- struct{}{}:
			default:
			}
		})
	}()
	t.Cleanup(cancel)
	return w
}

// hears waits until something is said.
func (w *watching) hears(t *testing.T, what string) {
	t.Helper()
	select {
	case <-w.told:
	case err := <-w.ended:
		t.Fatalf("%s: the watch ended: %v", what, err)
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: nothing is said", what)
	}
}

// end waits until the watch is over.
func (w *watching) end(t *testing.T) error {
	t.Helper()
	select {
	case err := <-w.ended:
		return err
	case <-time.After(20 * time.Second):
		t.Fatal("the watch does not end")
		return nil
	}
}

// What anybody changes in our sets, or where they stand, is said; counters and sets of others are not. What is there already is not said again, however much it is.
func TestWatch(t *testing.T) {
	t.Parallel()
	r := start(t, speaking(t))
	r.load(t, operators)
	a := newAdapter(t)
	deliver(t, a, r, 300)
	w := watch(t, a, r.target)
	w.hears(t, "the beginning")

	for i := range 100 {
		r.state(t, "sluice-v4", 100*(i+1), 7)
	}
	r.load(t, strings.ReplaceAll(operators, "LOG_SYSLOG", "LOG_NONE"))
	if n := w.said.Load(); n != 1 {
		t.Errorf("before any change, it is said %d times that something changed", n)
	}
	r.with(func() { r.dropEntry("sluice-v4") })
	w.hears(t, "a dropped entry")
	w.stop()
	want(t, w.end(t), "canceled")

	// Each on a stream of its own, which says nothing of what was before.
	for _, c := range []struct {
		what string
		do   func()
	}{
		{"a set that was put on an interface", func() {
			r.load(t, `{"openconfig-interfaces:interfaces":{"interface":[{"name":"Ethernet2","config":{"name":"Ethernet2"}}]},
				"openconfig-acl:acl":{"interfaces":{"interface":[{"id":"Ethernet2","config":{"id":"Ethernet2"},"ingress-acl-sets":{"ingress-acl-set":[
				{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4","config":{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4"}}]}}]}}}`)
		}},
		{"a set that was taken off an interface", func() { r.with(func() { r.root.Acl.Interfaces.Interface["Ethernet2"].IngressAclSets = nil }) }},
		{"a dropped set", func() { r.with(func() { r.dropSet("sluice-v4") }) }},
	} {
		w := watch(t, a, r.target)
		w.hears(t, "the beginning")
		c.do()
		w.hears(t, c.what)
		w.stop()
		want(t, w.end(t), "canceled")
	}

	r.with(func() {
		list := r.speech.asked[0].GetSubscribe()
		if len(r.speech.asked) != 4 || !list.GetUpdatesOnly() || list.GetMode() != gpb.SubscriptionList_STREAM {
			t.Errorf("it was asked %v", r.speech.asked)
		}
	})
}

// What is subscribed to is all configuration that the model has of sets and of where they stand for incoming packets.
func TestSubscribesToAllConfiguration(t *testing.T) {
	t.Parallel()
	r := start(t, speaking(t))
	w := watch(t, newAdapter(t), r.target)
	w.hears(t, "the beginning")
	subscribed := map[string]bool{}
	r.with(func() {
		for _, s := range r.speech.asked[0].GetSubscribe().GetSubscription() {
			way := "acl"
			for _, e := range s.GetPath().GetElem() {
				way += "/" + e.GetName()
				for _, value := range e.GetKey() {
					if value != "*" {
						t.Errorf("a key is %q", value)
					}
				}
			}
			subscribed[way] = true
		}
	})
	found := 0
	var walk func(e *yang.Entry, way string)
	walk = func(e *yang.Entry, way string) {
		if e.Name == "config" && e.IsDir() {
			found++
			if !subscribed[way] && !strings.Contains(way, "egress") && way != "acl/config" {
				t.Errorf("%s is not subscribed to", way)
			}
			delete(subscribed, way)
			return
		}
		for name, in := range e.Dir {
			walk(in, way+"/"+name)
		}
	}
	walk(oc.SchemaTree["OpenconfigAcl_Acl"], "acl")
	if len(subscribed) > 0 || found < 10 {
		t.Errorf("the model has %d containers, and not %v", found, subscribed)
	}
}

// A router that does not say what changes is refused in its words; one that goes away is no more than that. Neither costs the calls beside it their connection.
func TestNotWatched(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := newAdapter(t)
	deliver(t, a, r, 3)
	err := watch(t, sdktest.Loopback(t, a), r.target).end(t)
	want(t, err, "Unimplemented", "Subscribe not implemented")
	var refused *device.Refused
	if !errors.As(err, &refused) {
		t.Errorf("got %T %v", err, err)
	}
	connections := func(r *router) (n int) {
		r.with(func() { n = len(r.conns) })
		return n
	}
	if deliver(t, a, r, 4); connections(r) != 1 {
		t.Errorf("%d connections, want 1", connections(r))
	}

	r = start(t, speaking(t))
	for _, code := range []codes.Code{codes.InvalidArgument, codes.PermissionDenied} {
		r.with(func() { r.speech.refuse = status.Errorf(code, "no ON_CHANGE for %s", password) })
		if err = watch(t, a, r.target).end(t); !errors.As(err, &refused) {
			t.Errorf("got %T %v", err, err)
		}
		want(t, err, "no ON_CHANGE for [secret]", code.String())
	}
	r.with(func() { r.speech.refuse = nil })
	w := watch(t, a, r.target)
	w.hears(t, "the beginning")
	deliver(t, a, r, 3)
	if connections(r) != 1 {
		t.Errorf("%d connections, want the one that calls have", connections(r))
	}
	r.with(r.lose)
	var transient *device.Transient
	if err := w.end(t); !errors.As(err, &transient) {
		t.Errorf("got %T %v", err, err)
	}
	w = watch(t, a, r.target)
	w.hears(t, "the beginning after a lost connection")

	// A call without an answer ends the connection, and the stream with it.
	r.with(func() { r.hang = true })
	hasty := r.target
	hasty.Timeout = 50 * time.Millisecond
	if _, err := a.Read(t.Context(), hasty); err == nil {
		t.Error("a router that hangs answered")
	}
	if err := w.end(t); !errors.As(err, &transient) {
		t.Errorf("got %T %v", err, err)
	}
}
