package netconf_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/internal/sshtest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// holding returns a state of one filter with n entries.
func holding(n int) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		f.Entries = append(f.Entries, adaptertest.Entry(junos.Dialect{}.Semantics(), i))
	}
	return device.State{Filters: []filter.Filter{f}}
}

func ctx(t *testing.T) context.Context {
	c, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return c
}

// toward applies the change from have to want.
func toward(t *testing.T, a device.Adapter, target device.Target, have, want device.State) (device.Commit, error) {
	t.Helper()
	return a.Apply(ctx(t), target, device.Diff(have, want), 30*time.Second)
}

// settled applies and confirms.
func settled(t *testing.T, a device.Adapter, target device.Target, have, want device.State) {
	t.Helper()
	com, err := toward(t, a, target, have, want)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Confirm(ctx(t), target, com); err != nil {
		t.Fatal(err)
	}
}

func wantTransient(t *testing.T, err error, words string) {
	t.Helper()
	var transient *device.Transient
	if !errors.As(err, &transient) || !strings.Contains(err.Error(), words) {
		t.Errorf("got %v, want *device.Transient with %q", err, words)
	}
}

func entries(t *testing.T, a device.Adapter, target device.Target) int {
	t.Helper()
	st, err := a.Read(ctx(t), target)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, f := range st.Filters {
		n += len(f.Entries)
	}
	return n
}

// TestBadDays: whatever goes wrong with whichever request, the error is transient, nothing is left pending, and the next attempt works.
func TestBadDays(t *testing.T) {
	t.Parallel()
	for _, rpc := range []string{"lock", "get-config", "edit-config", "commit"} {
		for name, f := range map[string]netconftest.Fault{
			"drop":          {Drop: true},
			"drop after":    {DropAfter: true},
			"hang":          {Hang: true},
			"wrong id":      {WrongID: true},
			"busy":          {Words: "locked by somebody", Tag: "in-use"},
			"lost":          {Lose: true},
			"no more disks": {Words: "no space left", Tag: "resource-denied"},
		} {
			if f.Lose && rpc != "commit" {
				continue
			}
			t.Run(rpc+" "+name, func(t *testing.T) {
				t.Parallel()
				clock := &netconftest.ManualClock{}
				s := start(t, netconftest.Options{Clock: clock})
				a, target := newAdapter(t), target(s)
				target.Timeout = 500 * time.Millisecond
				settled(t, a, target, device.State{}, holding(3))
				s.Fail(rpc, f)
				if rpc == "lock" && (f.Drop || f.DropAfter || f.WrongID) {
					s.Fail(rpc, f) // on a session from before, the first exchange of a call is tried twice
				}
				_, err := toward(t, a, target, holding(3), holding(5))
				wantTransient(t, err, "")
				clock.Advance(time.Minute)
				if got := entries(t, a, target); got != 3 {
					t.Errorf("the router holds %d entries, want the 3 from before", got)
				}
				for deadline := time.Now().Add(20 * time.Second); s.Locked(); { // until the router notices that the session is gone
					if time.Now().After(deadline) {
						t.Fatal("the candidate stays locked")
					}
					time.Sleep(time.Millisecond)
				}
				settled(t, a, target, holding(3), holding(5))
				if got := entries(t, a, target); got != 5 || s.Pending() || s.Locked() {
					t.Errorf("in the end: %d entries, pending %v, locked %v", got, s.Pending(), s.Locked())
				}
			})
		}
	}
}

func TestOneSessionIsKept(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a, target := newAdapter(t), target(s)
	settled(t, a, target, device.State{}, holding(3))
	entries(t, a, target)
	if n := s.Sessions(); n != 1 {
		t.Errorf("a change and a read made %d sessions, want 1", n)
	}
	s.DropSessions() // nobody is told
	if got := entries(t, a, target); got != 3 {
		t.Errorf("over a new session: %d entries, want 3", got)
	}
	if n := s.Sessions(); n != 2 {
		t.Errorf("after a broken connection there were %d sessions, want 2", n)
	}
}

func TestCallsForOneDeviceTakeTurns(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a, target := newAdapter(t), target(s)
	answer := make(chan struct{})
	s.Fail("get-config", netconftest.Fault{Wait: answer})
	slow := make(chan error, 1)
	go func() { _, err := a.Read(ctx(t), target); slow <- err }()
	for s.Waiting() == 0 {
		time.Sleep(time.Millisecond)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := a.Read(short, target)
	wantTransient(t, err, "another call keeps the session busy")
	close(answer)
	if err := <-slow; err != nil {
		t.Errorf("the call that was first: %v", err)
	}
}

func TestWhoElseIsThere(t *testing.T) {
	t.Parallel()
	t.Run("lock held", func(t *testing.T) {
		t.Parallel()
		s := start(t, netconftest.Options{})
		a, target := newAdapter(t), target(s)
		unlock, err := s.Lock()
		if err != nil {
			t.Fatal(err)
		}
		_, err = toward(t, a, target, device.State{}, holding(3))
		wantTransient(t, err, "configuration database locked by session 4711")
		unlock()
		settled(t, a, target, device.State{}, holding(3))
	})
	t.Run("dirty candidate", func(t *testing.T) {
		t.Parallel()
		s := start(t, netconftest.Options{})
		a, target := newAdapter(t), target(s)
		s.Dirty(func(c *netconftest.Node) {
			c.Find("configuration", "firewall", "policer=gold", "if-exceeding", "bandwidth-limit").Text = "2g"
		})
		_, err := toward(t, a, target, device.State{}, holding(3))
		wantTransient(t, err, "neither committed nor discarded")
		if s.Commits() != 0 {
			t.Error("somebody's edits were committed")
		}
	})
	t.Run("deactivated", func(t *testing.T) {
		t.Parallel()
		s := start(t, netconftest.Options{})
		a, target := newAdapter(t), target(s)
		settled(t, a, target, device.State{}, holding(3))
		s.Edit(func(c *netconftest.Node) {
			c.Find("configuration", "firewall", "family", "inet", "filter=sluice-v4").Inactive = true
		})
		_, err := a.Read(ctx(t), target)
		var drifted *device.Drifted
		if !errors.As(err, &drifted) || !drifted.Gone || !strings.Contains(drifted.What, "sluice-v4: it is deactivated") {
			t.Errorf("a deactivated filter: got %v, want *device.Drifted with Gone", err)
		}
	})
	t.Run("a line we do not know", func(t *testing.T) {
		t.Parallel()
		s := start(t, netconftest.Options{})
		a, target := newAdapter(t), target(s)
		settled(t, a, target, device.State{}, holding(3))
		s.Edit(func(c *netconftest.Node) {
			term := c.Find("configuration", "firewall", "family", "inet", "filter=sluice-v4", "term")
			term.Kids = append(term.Kids, &netconftest.Node{Name: "surprise"})
		})
		have, err := a.Read(ctx(t), target)
		if err != nil || len(have.Filters) != 1 || have.Filters[0].Name != "sluice-v4" || len(have.Filters[0].Entries) != 0 {
			t.Fatalf("a filter with a line that the dialect does not know: got %v, %v; want it without entries", have, err)
		}
		settled(t, a, target, have, holding(3)) // replaced whole
		if strings.Contains(s.Running(), "surprise") {
			t.Error("the foreign line is still there")
		}
	})
}

func TestWrongOrUnknownHost(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a := newAdapter(t)
	host, port, err := net.SplitHostPort(s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	line := func(key string) string { return fmt.Sprintf("[%s]:%s %s\n", host, port, key) }
	_, _, stranger := keyPair(t)
	for name, c := range map[string]struct {
		change func(*device.Target)
		words  string // "": it works
	}{
		"pinned key":          {func(d *device.Target) {}, ""},
		"another pinned key":  {func(d *device.Target) { d.HostKey = stranger }, "another host key"},
		"known host":          {func(d *device.Target) { d.HostKey, d.KnownHosts = "", file("good", line(s.HostKey())) }, ""},
		"known by other key":  {func(d *device.Target) { d.HostKey, d.KnownHosts = "", file("bad", line(stranger)) }, "key mismatch"},
		"unknown host":        {func(d *device.Target) { d.HostKey, d.KnownHosts = "", file("none", "") }, "type `sluice device trust "},
		"no file":             {func(d *device.Target) { d.HostKey, d.KnownHosts = "", filepath.Join(dir, "missing") }, "known hosts"},
		"nothing said":        {func(d *device.Target) { d.HostKey = "" }, "configure host-key or known-hosts"},
		"verification off":    {func(d *device.Target) { d.HostKey, d.InsecureIgnoreHostKey = "", true }, ""},
		"wrong password":      {func(d *device.Target) { d.Password = "hunter2hunter2" }, "unable to authenticate"},
		"no credentials":      {func(d *device.Target) { d.Password = "" }, "no credentials"},
		"key that is no key":  {func(d *device.Target) { d.PrivateKey = "hunter2hunter2" }, "private key does not parse"},
		"host key that is no": {func(d *device.Target) { d.HostKey = "ssh-ed25519 ???" }, "configured host key"},
	} {
		t.Run(name, func(t *testing.T) {
			d := target(s)
			d.Name = name
			c.change(&d)
			_, err := a.Read(ctx(t), d)
			var transient *device.Transient
			switch {
			case c.words == "" && err != nil:
				t.Errorf("got %v, want an answer", err)
			case c.words != "" && (err == nil || !strings.Contains(err.Error(), c.words)):
				t.Errorf("got %v, want an error with %q", err, c.words)
			case c.words != "" && errors.As(err, &transient):
				t.Errorf("%v is called transient: nothing will change before the configuration does", err)
			}
			if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), s.Password())) {
				t.Error("a secret is in the error")
			}
		})
	}
}

func keyPair(t *testing.T) (pemKey string, private ed25519.PrivateKey, public string) {
	t.Helper()
	pub, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(block)), private, string(ssh.MarshalAuthorizedKey(key))
}

func TestLoginByKeyAndLoudLog(t *testing.T) {
	t.Parallel()
	pemKey, _, public := keyPair(t)
	s := start(t, netconftest.Options{AuthorizedKey: public})
	var log strings.Builder
	a := netconf.New(junos.Dialect{}, netconf.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	d := target(s)
	d.Password, d.PrivateKey, d.HostKey, d.InsecureIgnoreHostKey = "", device.Secret(pemKey), "", true
	if _, err := a.Read(ctx(t), d); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(log.String(), "HOST KEY NOT VERIFIED") {
		t.Errorf("a connection without verification is not said loudly: %s", log.String())
	}
}

func TestLoginByAgent(t *testing.T) {
	t.Parallel()
	_, private, public := keyPair(t)
	s := start(t, netconftest.Options{AuthorizedKey: public})
	socket, stop, err := sshtest.ServeAgent(t.TempDir(), private)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	d := target(s)
	d.Password, d.Options = "", map[string]string{"agent": socket}
	if _, err := newAdapter(t).Read(ctx(t), d); err != nil {
		t.Error(err)
	}
	d.Options["agent"] += "-none"
	if _, err := newAdapter(t).Read(ctx(t), d); err == nil || !strings.Contains(err.Error(), "the SSH agent") {
		t.Errorf("without an agent: %v", err)
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	d := target(s)
	s.Close()
	_, err := newAdapter(t).Read(ctx(t), d)
	wantTransient(t, err, "refused")
}

// TestDeafPeers: something listens on the port, and it is no router.
func TestDeafPeers(t *testing.T) {
	t.Parallel()
	for name, talk := range map[string]func(net.Conn){
		"says nothing": func(c net.Conn) { _, _ = c.Read(make([]byte, 1)); _, _ = c.Read(make([]byte, 1<<20)); select {} },
		"says http":    func(c net.Conn) { _, _ = c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); _ = c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			go func() {
				for {
					c, err := l.Accept()
					if err != nil {
						return
					}
					go talk(c)
				}
			}()
			d := device.Target{Name: "r1", Address: l.Addr().String(), Username: "u", Password: "hunter2hunter2", InsecureIgnoreHostKey: true, Timeout: 300 * time.Millisecond}
			begin := time.Now()
			_, err = newAdapter(t).Read(ctx(t), d)
			wantTransient(t, err, "")
			if d := time.Since(begin); d > 10*time.Second {
				t.Errorf("it took %s", d)
			}
		})
	}
}

// TestJunosCommit: Junos's own commit counts minutes, knows no persist-id, and is confirmed by the next commit.
func TestJunosCommit(t *testing.T) {
	t.Parallel()
	clock := &netconftest.ManualClock{}
	s := start(t, netconftest.Options{Old: true, Junos: true, Clock: clock})
	a, d := newAdapter(t), target(s)
	d.Options = map[string]string{"commit": "junos"}
	com, err := a.Apply(ctx(t), d, device.Diff(device.State{}, holding(3)), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(com.Deadline); left < 50*time.Second || left > time.Minute {
		t.Errorf("the deadline is in %s, want a minute: ten seconds count as a whole one", left)
	}
	clock.Advance(59 * time.Second)
	if got := entries(t, a, d); got != 3 {
		t.Errorf("within the minute: %d entries, want 3", got)
	}
	if err := a.Confirm(ctx(t), d, com); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if got := entries(t, a, d); got != 3 || s.Pending() {
		t.Errorf("confirmed: %d entries, want 3", got)
	}
	if _, err = a.Apply(ctx(t), d, device.Diff(holding(3), holding(4)), 10*time.Second); err != nil {
		t.Fatal(err)
	}
	clock.Advance(61 * time.Second)
	if got := entries(t, a, d); got != 3 {
		t.Errorf("not confirmed: %d entries, want 3", got)
	}
}

// TestCommitComment: the history of a Junos device says which rules a commit was about, and not the whole table.
func TestCommitComment(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{Old: true, Junos: true})
	a, d := newAdapter(t), target(s)
	d.Options = map[string]string{"commit": "junos"}
	rule := func(n int) string { return holding(n + 1).Filters[0].Entries[n].Name }
	changed := holding(4)
	changed.Filters[0].Entries[1].Do = filter.Do{Discard: !changed.Filters[0].Entries[1].Do.Discard}
	changed.Filters[0].Entries = slices.Delete(changed.Filters[0].Entries, 0, 1)
	have := device.State{}
	for _, step := range []struct {
		want device.State
		says []string
	}{
		{holding(2), []string{"sluice: +" + rule(0) + " +" + rule(1)}},
		{changed, []string{"+" + rule(2), "+" + rule(3), "-" + rule(0), "~" + rule(1)}},
		{holding(40), []string{" and 26 more"}}, // 37 come and one is altered; twelve are named
	} {
		settled(t, a, d, have, step.want)
		for _, words := range step.says {
			if !strings.Contains(s.Comment(), words) {
				t.Errorf("the comment lacks %q: %s", words, s.Comment())
			}
		}
		have = step.want
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	clock := &netconftest.ManualClock{}
	s := start(t, netconftest.Options{Clock: clock})
	a, d := newAdapter(t), target(s)
	com, err := a.Apply(ctx(t), d, device.Diff(device.State{}, holding(3)), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(com.Deadline); left > netconf.MaxWindow {
		t.Errorf("the candidate would be locked for %s", left)
	}
	if !s.Locked() {
		t.Error("the candidate is not locked within the window")
	}
	_, err = toward(t, a, d, holding(3), holding(4))
	wantTransient(t, err, "waits for its confirmation")
	if err := a.Confirm(ctx(t), d, com); err != nil {
		t.Fatal(err)
	}
	if s.Locked() {
		t.Error("the candidate is still locked behind the confirmation")
	}
	if err := a.Confirm(ctx(t), d, com); err == nil {
		t.Error("a change was confirmed twice")
	}
	// A window that nobody ends gives the lock back by itself.
	if _, err := a.Apply(ctx(t), d, device.Diff(holding(3), holding(4)), time.Second); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); s.Locked(); {
		if time.Now().After(deadline) {
			t.Fatal("the lock outlives the window")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestLeastInterval(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a, d := newAdapter(t), target(s)
	d.Options = map[string]string{"min-commit-interval": "1h"}
	settled(t, a, d, device.State{}, holding(3))
	_, err := toward(t, a, d, holding(3), holding(4))
	wantTransient(t, err, "retry after")
	for name, value := range map[string]string{"min-commit-interval": "soon", "commit": "cisco", "validate": "perhaps", "vaildate": "true"} {
		d.Options = map[string]string{name: value}
		if _, err := toward(t, a, d, holding(3), holding(4)); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("option %s=%s: got %v, want an error that names it", name, value, err)
		}
	}
}

// TestConfirmWithoutLock: a device that gives no lock while a commit is pending is confirmed by persist-id, unless somebody edits the candidate.
func TestConfirmWithoutLock(t *testing.T) {
	t.Parallel()
	for _, dirty := range []bool{false, true} {
		t.Run(fmt.Sprintf("dirty %v", dirty), func(t *testing.T) {
			t.Parallel()
			s := start(t, netconftest.Options{NoLockWhilePending: true, Clock: &netconftest.ManualClock{}})
			d := target(s)
			com, err := toward(t, newAdapter(t), d, device.State{}, holding(3))
			if err != nil {
				t.Fatal(err)
			}
			s.DropSessions()
			for s.Locked() {
				time.Sleep(time.Millisecond)
			}
			if dirty {
				s.Dirty(func(c *netconftest.Node) {
					c.Find("configuration", "firewall", "policer=gold", "if-exceeding", "bandwidth-limit").Text = "2g"
				})
			}
			err = newAdapter(t).Confirm(ctx(t), d, com)
			if dirty {
				wantTransient(t, err, "neither committed nor discarded")
				if strings.Contains(s.Running(), "2g") {
					t.Error("somebody's edit was committed with our confirmation")
				}
				return
			}
			if err != nil || s.Pending() {
				t.Errorf("confirm over another session: %v, pending %v", err, s.Pending())
			}
		})
	}
}

func TestAttachments(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{Config: `<configuration xmlns="http://yang.juniper.net/junos/conf/root"><interfaces xmlns="http://yang.juniper.net/junos/conf/interfaces">` +
		`<interface><name>ge-0/0/0</name><description>sluice-v4 is not here</description><unit><name>0</name><family><inet><filter><input><filter-name>sluice-v4</filter-name></input></filter></inet></family></unit></interface>` +
		`<interface><name>ge-0/0/1</name><unit><name>7</name><family><inet><filter><input-list>sluice-v4</input-list><input-list>EDGE</input-list></filter></inet><inet6><filter><input><filter-name>sluice-v6</filter-name></input></filter></inet6></family></unit></interface>` +
		`<interface inactive="inactive"><name>ge-0/0/2</name><unit><name>0</name><family><inet><filter><input><filter-name>sluice-v4</filter-name></input></filter></inet></family></unit></interface>` +
		`</interfaces></configuration>`})
	st, err := newAdapter(t).Read(ctx(t), target(s))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"sluice-v4": {"ge-0/0/0.0", "ge-0/0/1.7"}, "sluice-v6": {"ge-0/0/1.7"}}
	if !reflect.DeepEqual(st.Attached, want) || len(st.Misplaced) > 0 {
		t.Errorf("attached %v, and otherwise %v, want %v", st.Attached, st.Misplaced, want)
	}
	d := target(s)
	d.Placement = filter.Alone // so that EDGE would see no packet
	if st, err = newAdapter(t).Read(ctx(t), d); err != nil {
		t.Fatal(err)
	}
	want["sluice-v4"] = []string{"ge-0/0/0.0"}
	if misplaced := map[string][]string{"sluice-v4": {"ge-0/0/1.7, in front of EDGE, which sees no packet"}}; !reflect.DeepEqual(st.Attached, want) || !reflect.DeepEqual(st.Misplaced, misplaced) {
		t.Errorf("attached %v, and otherwise %v, want %v and %v", st.Attached, st.Misplaced, want, misplaced)
	}
}

// TestAttachmentsAreNotAnswered: not to know where a filter stands is not to know that it stands nowhere, which would be somebody's act.
func TestAttachmentsAreNotAnswered(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a, d := newAdapter(t), target(s)
	settled(t, a, d, device.State{}, holding(3))
	for range 2 { // groups and filters are
		s.Fail("get-config", netconftest.Fault{})
	}
	s.Fail("get-config", netconftest.Fault{Words: "the interfaces are busy", Tag: "resource-denied"})
	st, err := a.Read(ctx(t), d)
	if want := map[string][]string{"sluice-v4": {device.Somewhere}}; err != nil || !reflect.DeepEqual(st.Attached, want) || len(st.Filters) != 1 {
		t.Errorf("got %v, %v, want %v", st.Attached, err, want)
	}
}

// TestRefusals are what a device says itself, and end at its words.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, rpc := range []string{"edit-config", "commit", "lock"} {
		t.Run(rpc, func(t *testing.T) {
			t.Parallel()
			s := start(t, netconftest.Options{})
			a, d := newAdapter(t), target(s)
			s.Fail(rpc, netconftest.Fault{Words: "permission denied: \"sluice\" may <not>", Tag: "access-denied"})
			_, err := toward(t, a, d, device.State{}, holding(3))
			var refused *device.Refused
			if !errors.As(err, &refused) || !strings.Contains(refused.Words, "permission denied: \"sluice\" may <not>") {
				t.Errorf("got %v, want *device.Refused in the router's words", err)
			}
			if s.Locked() || s.Pending() {
				t.Error("the candidate is still locked, or something is pending")
			}
			settled(t, a, d, device.State{}, holding(3))
		})
	}
}

// TestRenderIsWhatApplySends compares the two by their effect: what Render returns is carried out by hand.
func TestRenderIsWhatApplySends(t *testing.T) {
	t.Parallel()
	a := newAdapter(t)
	b, err := a.Render(ctx(t), device.Target{Name: "r1"}, device.Diff(device.State{}, holding(2)))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<edit-config><target><candidate/></target>", `nc:operation="replace"`, "sluice-v4"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the rendered change lacks %s:\n%s", want, b)
		}
	}
	if _, err := a.Render(ctx(t), device.Target{}, device.Change{Steps: []device.Step{{Op: device.Add, Route: &device.Route{}}}}); err == nil {
		t.Error("a FlowSpec route was rendered for NETCONF")
	}
}

func BenchmarkTenThousandEntries(b *testing.B) {
	s, err := netconftest.Start(netconftest.Options{Config: operators})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	a := netconf.New(junos.Dialect{}, netconf.Options{})
	defer a.Close()
	d := target(s)
	have := device.State{}
	for i := 0; b.Loop(); i++ {
		want := holding(10_000 + i%2)
		com, err := a.Apply(b.Context(), d, device.Diff(have, want), time.Minute)
		if err != nil {
			b.Fatal(err)
		}
		if err := a.Confirm(b.Context(), d, com); err != nil {
			b.Fatal(err)
		}
		have = want
	}
}
