package gnmi_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"

	"github.com/sluice-gateway/sluice/adapters/gnmi"
	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/core/device"
)

// want says that err has these words, and none of the password's.
func want(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want one with %q", words)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("got %q, want %q in it", err, w)
		}
	}
	if strings.Contains(err.Error(), password) {
		t.Errorf("the password is in %q", err)
	}
}

// Whoever is not the configured router gets no password; a router that does not let us in, and quotes the password, is not quoted.
func TestWhoIsWho(t *testing.T) {
	t.Parallel()
	other := newPKI(t)
	for name, c := range map[string]struct {
		change func(*router)
		words  []string // none: it works
	}{
		"as configured":       {func(*router) {}, nil},
		"another authority":   {func(r *router) { r.target.Options["ca-file"] = other.ca }, []string{"not who it should be", "unknown authority"}},
		"the system's":        {func(r *router) { delete(r.target.Options, "ca-file") }, []string{"not who it should be", "unknown authority"}},
		"another name":        {func(r *router) { r.target.Options["server-name"] = "r2.example.net" }, []string{"not who it should be", "r2.example.net"}},
		"its address":         {func(r *router) { delete(r.target.Options, "server-name") }, []string{"not who it should be", "127.0.0.1"}},
		"not verified":        {func(r *router) { r.target.Options, r.target.InsecureIgnoreHostKey = nil, true }, nil},
		"no authority in it":  {func(r *router) { r.target.Options["ca-file"] = r.pki.key }, []string{"ca-file", "no certificate"}},
		"no such file":        {func(r *router) { r.target.Options["ca-file"] = "/nonexistent" }, []string{"ca-file", "no such file"}},
		"another password":    {func(r *router) { r.target.Password = "hunter3hunter3" }, []string{"does not let us in", "[secret]"}},
		"no credentials":      {func(r *router) { r.target.Password = "" }, []string{"no credentials"}},
		"a certificate":       {certificate, nil},
		"its key as a secret": {secretKey, nil},
		"another certificate": {func(r *router) {
			certificate(r)
			r.target.Options["cert-file"], r.target.Options["key-file"] = other.cert, other.key
		}, []string{"unknown certificate authority"}},
		"no pair":                {func(r *router) { certificate(r); r.target.Options["key-file"] = other.key }, []string{"not a pair"}},
		"a certificate alone":    {func(r *router) { r.target.Options["cert-file"] = r.pki.cert }, []string{"no private key"}},
		"a key alone":            {func(r *router) { r.target.Options["key-file"] = r.pki.key }, []string{"no certificate"}},
		"a host key":             {func(r *router) { r.target.HostKey = "ssh-ed25519 AAAA" }, []string{"no host keys"}},
		"an option of NETCONF's": {func(r *router) { r.target.Options["validate"] = "true" }, []string{"option validate", "no such option"}},
		"another commit":         {func(r *router) { r.target.Options["commit"] = "junos" }, []string{"immediate or confirmed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := start(t)
			c.change(r)
			a := newAdapter(t)
			_, err := a.Read(t.Context(), r.target)
			for i := 0; i < 50 && err != nil && strings.Contains(err.Error(), "broken pipe"); i++ {
				_, err = a.Read(t.Context(), r.target) // the router hung up before its reason was read
			}
			var transient *device.Transient
			switch {
			case len(c.words) > 0:
				want(t, err, c.words...)
				if strings.Contains(err.Error(), "hunter3hunter3") {
					t.Errorf("the password is in %q", err)
				}
				if errors.As(err, &transient) != (name == "another certificate") { // TLS 1.3 refuses it when the connection is up
					t.Errorf("transient or not: %v", err)
				}
			case err != nil:
				t.Error(err)
			}
		})
	}
}

func certificate(r *router) {
	r.target.Password, r.target.Username = "", ""
	r.target.Options["cert-file"], r.target.Options["key-file"] = r.pki.cert, r.pki.key
}

func secretKey(r *router) {
	certificate(r)
	delete(r.target.Options, "key-file")
	key, err := os.ReadFile(r.pki.key)
	if err != nil {
		panic(err)
	}
	r.target.PrivateKey = device.Secret(key)
}

// A router that lacks what we need is refused by the name of it, before anything else is asked.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	for words, change := range map[string]func(*router){
		"[PROTO], and not JSON_IETF":       func(r *router) { r.encodings = []gpb.Encoding{gpb.Encoding_PROTO} },
		"1 models, and not openconfig-acl": func(r *router) { r.models = r.models[:1] },
	} {
		r := start(t, change)
		_, err := newAdapter(t).Apply(t.Context(), r.target, device.Diff(device.State{}, state(3)), 0)
		want(t, err, words)
		var refused *device.Refused
		if !errors.As(err, &refused) || len(r.rpcs) != 1 {
			t.Errorf("got %T %v after %v", err, err, r.rpcs)
		}
	}
}

// deliver makes the router hold n entries.
func deliver(t *testing.T, a *gnmi.Adapter, r *router, n int) device.State {
	t.Helper()
	have, err := a.Read(t.Context(), r.target)
	if err != nil {
		t.Fatal(err)
	}
	com, err := a.Apply(t.Context(), r.target, device.Diff(have, state(n)), time.Minute)
	if err == nil {
		err = a.Confirm(t.Context(), r.target, com)
	}
	if err != nil {
		t.Fatal(err)
	}
	return state(n)
}

// A router that says yes and holds something else gets back what it had, also what we do not understand.
func TestHoldsSomethingElse(t *testing.T) {
	t.Parallel()
	for _, confirmed := range []bool{false, true} {
		r := start(t, func(r *router) { r.confirms = confirmed })
		a := gnmi.New(openconfig.Dialect{}, gnmi.Options{Logger: slog.New(slog.DiscardHandler)})
		t.Cleanup(func() { _ = a.Close() })
		if confirmed {
			r.target.Options["commit"] = "confirmed"
		}
		deliver(t, a, r, 3)
		// Another hand has made an entry log, and a set of our name and another type.
		r.load(t, `{"openconfig-acl:acl":{"acl-sets":{"acl-set":[{"name":"sluice-v4","type":"openconfig-acl:ACL_IPV4","acl-entries":{"acl-entry":[{"sequence-id":200,"actions":{"config":{"log-action":"openconfig-acl:LOG_SYSLOG"}}}]}},
			{"name":"sluice-v4-b","type":"openconfig-acl:ACL_L2","config":{"name":"sluice-v4-b","type":"openconfig-acl:ACL_L2"}}]}}}`)
		before := r.config(t)
		have, err := a.Read(t.Context(), r.target)
		if err != nil || len(have.Filters) != 2 || len(have.Filters[0].Entries) != 0 {
			t.Fatalf("got %+v, %v", have, err)
		}
		r.spoil = func(r *router) { r.dropEntry("sluice-v4") }
		_, err = a.Apply(t.Context(), r.target, device.Diff(have, state(5)), time.Minute)
		want(t, err, "does not hold it", map[bool]string{false: "has been put back", true: "has been undone"}[confirmed])
		var transient *device.Transient
		if !errors.As(err, &transient) || transient.Unchanged {
			t.Errorf("got %T %v", err, err)
		}
		if after := r.config(t); after != before {
			t.Errorf("the router holds\n%s\nwant\n%s", after, before)
		}
		if r.waiting != nil {
			t.Error("a change waits for its confirmation")
		}
		// It behaves again: both sets go.
		com, err := a.Apply(t.Context(), r.target, device.Diff(have, state(5)), time.Minute)
		if err != nil || com.Confirmed == confirmed {
			t.Fatal(com, err)
		}
		if config := r.config(t); strings.Contains(config, "sluice-v4-b") || strings.Contains(config, "SYSLOG") {
			t.Errorf("the router holds\n%s", config)
		}
	}
}

// What cannot be put back is said.
func TestCannotPutBack(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := newAdapter(t)
	have := deliver(t, a, r, 3)
	r.spoil = func(r *router) {
		r.dropEntry("sluice-v4")
		r.spoil = func(r *router) { r.dropSet("sluice-v4") }
	}
	_, err := a.Apply(t.Context(), r.target, device.Diff(have, state(5)), 0)
	want(t, err, "does not hold it", "could not be put back", "0 of our sets, want 1")
}

// A router that does not know commit confirmed takes its confirmation for a Set of nothing. That is found out before anything is changed.
func TestTakesNoNoticeOfCommitConfirmed(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.target.Options["commit"] = "confirmed"
	_, err := newAdapter(t).Apply(t.Context(), r.target, device.Diff(device.State{}, state(3)), time.Minute)
	want(t, err, "takes no notice of commit confirmed")
	var refused *device.Refused
	if !errors.As(err, &refused) || strings.Contains(r.config(t), "sluice") {
		t.Errorf("got %T %v, and the router holds\n%s", err, err, r.config(t))
	}
}

// While a change waits, ours or another's, nothing is sent; the router undoes it by itself in the time that was asked for, in whole seconds.
func TestWaitsForAnotherChange(t *testing.T) {
	t.Parallel()
	r := start(t, confirming)
	r.target.Options["commit"] = "confirmed"
	a := newAdapter(t)
	com, err := a.Apply(t.Context(), r.target, device.Diff(device.State{}, state(3)), 29_500*time.Millisecond)
	if err != nil || r.window != 30*time.Second || time.Until(com.Deadline) > 30*time.Second || com.Confirmed {
		t.Fatalf("got %+v, %v; the window is %v", com, err, r.window)
	}
	_, err = a.Apply(t.Context(), r.target, device.Diff(state(3), state(4)), time.Minute)
	var transient *device.Transient
	if !errors.As(err, &transient) || !transient.Unchanged {
		t.Errorf("got %T %v", err, err)
	}
	want(t, err, "waits for its confirmation")
	immediate := r.target
	immediate.Options = map[string]string{"ca-file": r.pki.ca, "server-name": serverName}
	if _, err = a.Apply(t.Context(), immediate, device.Diff(state(3), state(4)), 0); !errors.As(err, &transient) || !transient.Unchanged {
		t.Errorf("got %T %v", err, err)
	}
	if err := a.Confirm(t.Context(), r.target, device.Commit{Token: "sluice-other"}); !errors.As(err, &transient) {
		t.Errorf("confirm another change: got %T %v", err, err)
	}
	if err := errors.Join(a.Cancel(t.Context(), r.target, com), a.Cancel(t.Context(), r.target, com)); err != nil {
		t.Error(err)
	}
	if err := a.Confirm(t.Context(), r.target, com); !errors.As(err, &transient) {
		t.Errorf("confirm what was cancelled: got %T %v", err, err)
	}
	want(t, a.Confirm(t.Context(), r.target, device.Commit{Token: "id=1"}), "not one of this adapter")
}

// A connection that is lost before the router has done anything, or a router that does not answer, leaves everything open; the next call works.
func TestLostInTheMiddle(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := newAdapter(t)
	have := deliver(t, a, r, 3)
	r.with(func() { r.loseFirst = true })
	_, err := a.Apply(t.Context(), r.target, device.Diff(have, state(5)), 0)
	var transient *device.Transient
	if !errors.As(err, &transient) || transient.Unchanged {
		t.Errorf("got %T %v", err, err)
	}
	have = deliver(t, a, r, 4)

	r.with(func() { r.hang = true })
	r.target.Timeout = 50 * time.Millisecond
	began := time.Now()
	_, err = a.Apply(t.Context(), r.target, device.Diff(have, state(5)), 0)
	if !errors.As(err, &transient) || !transient.Unchanged || time.Since(began) > 10*time.Second {
		t.Errorf("after %v: got %T %v", time.Since(began), err, err)
	}
	want(t, err, "DeadlineExceeded")
	r.with(func() { r.hang = false })
	r.target.Timeout = time.Minute
	deliver(t, a, r, 5)
}

// One connection serves all calls; one that broke, or whose certificates changed, is made anew.
func TestKeepsItsConnection(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := newAdapter(t)
	connections := func() (n int) {
		deliver(t, a, r, 3)
		r.with(func() { n = len(r.conns) })
		return n
	}
	if connections(); connections() != 1 {
		t.Errorf("%d connections, want 1", len(r.conns))
	}
	pem, err := os.ReadFile(r.pki.ca)
	if err == nil {
		err = os.WriteFile(r.pki.ca, append(pem, '\n'), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	if connections() != 2 {
		t.Errorf("%d connections after the file of the authorities was written, want 2", len(r.conns))
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if connections() != 3 {
		t.Errorf("%d connections after Close, want 3", len(r.conns))
	}
}

// Where a set stands is read, as the router calls interfaces.
func TestAttached(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := newAdapter(t)
	deliver(t, a, r, 3)
	r.load(t, `{"openconfig-interfaces:interfaces":{"interface":[{"name":"Ethernet1","config":{"name":"Ethernet1"},"subinterfaces":{"subinterface":[{"index":7,"config":{"index":7}}]}}]},
		"openconfig-acl:acl":{"interfaces":{"interface":[
		{"id":"uplink","config":{"id":"uplink"},"interface-ref":{"config":{"interface":"Ethernet1","subinterface":7}},"ingress-acl-sets":{"ingress-acl-set":[
			{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4","config":{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4"}}]}},
		{"id":"Ethernet2","config":{"id":"Ethernet2"},"ingress-acl-sets":{"ingress-acl-set":[
			{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4","config":{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4"}}]}},
		{"id":"Ethernet3","config":{"id":"Ethernet3"},"egress-acl-sets":{"egress-acl-set":[
			{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4","config":{"set-name":"sluice-v4","type":"openconfig-acl:ACL_IPV4"}}]}}]}}}`)
	st, err := a.Read(t.Context(), r.target)
	if got := strings.Join(st.Attached["sluice-v4"], " "); err != nil || got != "Ethernet1.7 Ethernet2" {
		t.Errorf("got %q, %v", got, err)
	}
}

// What is rendered is what is sent.
func TestRendersWhatItSends(t *testing.T) {
	t.Parallel()
	r := start(t)
	a := newAdapter(t)
	text, err := a.Render(t.Context(), r.target, device.Diff(state(3), device.State{}))
	if got := string(text); err != nil || got != "{\n  \"delete\": [\n    \"/acl/acl-sets/acl-set[name=sluice-v4][type=ACL_IPV4]\"\n  ]\n}" {
		t.Errorf("got %s, %v", got, err)
	}
	if len(r.rpcs) > 0 {
		t.Errorf("the router was asked %v", r.rpcs)
	}
	text, err = a.Render(t.Context(), r.target, device.Diff(device.State{}, state(3)))
	for _, w := range []string{`"path": "/acl/acl-sets/acl-set[name=sluice-v4][type=ACL_IPV4]"`, `"openconfig-acl:acl-entries": {`, `"sequence-id": 4294967295`} {
		if err != nil || !bytes.Contains(text, []byte(w)) {
			t.Errorf("want %s in %s, %v", w, text, err)
		}
	}
}
