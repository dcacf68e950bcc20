package cli_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/internal/sshtest"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

func newAdapter(t *testing.T, opt cli.Options) *cli.Adapter {
	a := cli.New(eosacl.Dialect{}, opt)
	t.Cleanup(func() { _ = a.Close() })
	return a
}

func newXR(t *testing.T) *cli.Adapter {
	a := cli.New(iosxr.Dialect{}, cli.Options{})
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// list returns a state of one access list with n entries.
func list(n int) device.State {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone}
	for i := range n {
		f.Entries = append(f.Entries, anySource(adaptertest.PlainEntry(eosacl.Dialect{}.Semantics(), i)))
	}
	return device.State{Filters: []filter.Filter{f}}
}

func settle(t *testing.T, a *cli.Adapter, d device.Target, want device.State) {
	t.Helper()
	have, err := a.Read(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	com, err := a.Apply(t.Context(), d, device.Diff(have, want), 30*time.Second)
	if err == nil {
		err = a.Confirm(t.Context(), d, com)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Whatever goes wrong on the way to the commit, what runs stays what it was, nothing is left half entered, the error says what to do, and the same change succeeds afterwards.
func TestFaultsBeforeTheCommit(t *testing.T) {
	t.Parallel()
	type fault struct {
		line string
		clitest.Fault
		refused bool
		words   string // in the error
	}
	for name, f := range map[string]fault{
		"cut in the middle of a line":              {`^10006001 deny tc`, clitest.Fault{Cut: true}, false, "the connection broke"},
		"cut after a line":                         {`^10006001`, clitest.Fault{DropAfter: true}, false, "the connection broke"},
		"an octet gets lost":                       {`^10006001 d`, clitest.Fault{Garble: true}, false, "no answer"},
		"a line that hangs":                        {`^10006001`, clitest.Fault{Hang: true}, false, "no answer"},
		"a line that is lost":                      {`^10006001`, clitest.Fault{Lose: true}, true, "would hold something else"},
		"a question":                               {`^10006001`, clitest.Fault{Ask: "Do you really want that? [no]: "}, false, "asks something"},
		"another question":                         {`^show session-config`, clitest.Fault{Ask: " --More-- "}, false, "asks something"},
		"a refused line":                           {`^10006001`, clitest.Fault{Words: "          ^\n% Invalid input"}, true, "% Invalid input"},
		"a refusal without a mark":                 {`^10006001`, clitest.Fault{Words: "Maximum number of pending sessions has been reached"}, true, "Maximum number of pending"},
		"no session":                               {`^configure session \S+$`, clitest.Fault{Words: "% Error: no more sessions"}, true, "no more sessions"},
		"no session, and no word":                  {`^configure session \S+$`, clitest.Fault{Lose: true}, false, "another prompt"},
		"a listing that ends early":                {`^show session-config`, clitest.Fault{Truncate: 3}, false, "not printed whole"},
		"a refused commit":                         {`commit timer`, clitest.Fault{Words: "% Cannot commit: hardware resources"}, true, "hardware resources"},
		"a list of sessions that is not permitted": {`^show configuration sessions`, clitest.Fault{Words: "% Authorization denied for command"}, true, "Authorization denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, clitest.Options{})
			a, d := newAdapter(t, cli.Options{}), target(s)
			settle(t, a, d, list(4))
			before := s.Running()
			if d.Timeout = 20 * time.Second; strings.Contains(f.words, "no answer") {
				d.Timeout = 500 * time.Millisecond
			}
			change := device.Diff(list(4), list(9))
			s.Fail(f.line, f.Fault)
			_, err := a.Apply(t.Context(), d, change, 30*time.Second)
			var transient *device.Transient
			var refused *device.Refused
			switch {
			case f.refused && !errors.As(err, &refused), !f.refused && !errors.As(err, &transient):
				t.Fatalf("got %T: %v", err, err)
			case transient != nil && !transient.Unchanged:
				t.Errorf("%v does not say that nothing was changed", err)
			case !strings.Contains(err.Error(), f.words):
				t.Errorf("got %v, want %q in it", err, f.words)
			}
			if got := s.Running(); got != before {
				t.Errorf("the running configuration is not what it was:\n%s", got)
			}
			d.Timeout = 20 * time.Second
			settle(t, a, d, list(9))
			if left := s.Sessions(); len(left) > 0 {
				t.Errorf("sessions are left behind: %v", left)
			}
		})
	}
}

// A commit is believed when the device shows that it will undo it, and holds it.
func TestCommitIsNotBelieved(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]struct {
		line string
		clitest.Fault
		words string
	}{
		"nothing happened":             {`commit timer`, clitest.Fault{Lose: true}, "does not show that the change waits"},
		"no word of a timer":           {`^show configuration sessions`, clitest.Fault{Words: "Maximum number of completed sessions: 1"}, "does not show that the change waits"},
		"what runs cannot be read":     {`^show running-config`, clitest.Fault{Hang: true}, "no answer"},
		"what runs is something else":  {`^show running-config`, clitest.Fault{Words: "hostname leaf1\nend"}, "does not hold the change"},
		"what runs is shown in part":   {`^show running-config`, clitest.Fault{Truncate: 9}, "not printed whole"},
		"cut in the middle of it":      {`commit tim`, clitest.Fault{Cut: true}, "the connection broke"},
		"the connection is gone again": {`commit timer`, clitest.Fault{DropAfter: true}, "the connection broke"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, clitest.Options{})
			a, d := newAdapter(t, cli.Options{}), target(s)
			change := device.Diff(device.State{}, list(4))
			if strings.HasPrefix(f.line, `^show configuration`) { // the second one: the first asks whether anybody waits
				s.Fail(f.line, clitest.Fault{Unasked: "a message"})
			}
			s.Fail(f.line, f.Fault)
			if f.Hang {
				d.Timeout = time.Second
			}
			_, err := a.Apply(t.Context(), d, change, 30*time.Second)
			var transient *device.Transient
			if !errors.As(err, &transient) || transient.Unchanged || !strings.Contains(err.Error(), f.words) {
				t.Fatalf("got %#v (%v), want a *device.Transient in doubt with %q in it", err, err, f.words)
			}
		})
	}
}

// A change of somebody else that waits for its confirmation is not confirmed in passing.
func TestSomebodyElseWaits(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{})
	a, d := newAdapter(t, cli.Options{}), target(s)
	theirs := newAdapter(t, cli.Options{})
	if _, err := theirs.Apply(t.Context(), d, device.Diff(device.State{}, list(2)), time.Minute); err != nil {
		t.Fatal(err)
	}
	_, err := a.Apply(t.Context(), d, device.Diff(list(2), list(3)), time.Minute)
	var transient *device.Transient
	if !errors.As(err, &transient) || !transient.Unchanged || !strings.Contains(err.Error(), "waits for its confirmation") {
		t.Errorf("got %v", err)
	}
}

// heldDialects are those of the systems but IOS XR where only the session that made a change can confirm it.
var heldDialects = map[clitest.System]cli.Dialect{clitest.Junos: junos.Dialect{}, clitest.SROS: sros.Dialect{}}

// On IOS XR only the session that made a change can confirm it. What becomes of a change without it, and of one that meets somebody else, is said.
func TestHeld(t *testing.T) {
	t.Parallel()
	type fault struct {
		line string
		clitest.Fault
		words     string
		unchanged bool
		system    clitest.System // "": IOS XR
	}
	for name, c := range map[string]fault{
		"Junos: the commit fails":        {`^commit confirmed`, clitest.Fault{Words: "[edit]\n  'system'\n    Missing mandatory statement: 'root-authentication'\nerror: configuration check-out failed: (missing mandatory statements)"}, "check-out failed", false, clitest.Junos},
		"Junos: a line is refused":       {`^set firewall .* term r-0000000000000003`, clitest.Fault{Words: "                  ^\nsyntax error."}, "syntax error", false, clitest.Junos},
		"Junos: somebody has the lock":   {`^configure exclusive`, clitest.Fault{Words: "error: configuration database locked by:\n  admin terminal p0 (pid 1) on since x, idle y\n      exclusive [edit]"}, "somebody else is at work", true, clitest.Junos},
		"Junos: somebody edits":          {`^configure exclusive`, clitest.Fault{Words: "error: configuration database modified"}, "somebody else is at work", true, clitest.Junos},
		"Junos: somebody's commit waits": {`^show system commit`, clitest.Fault{Words: "0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    rollback pending"}, "waits for its confirmation", true, clitest.Junos},
		"Junos: the commit is lost":      {`^commit confirmed`, clitest.Fault{Lose: true}, "it does not say so", false, clitest.Junos},
		"Junos: a page":                  {`^show \| display`, clitest.Fault{Ask: "---(more 12%)---"}, "asks something", true, clitest.Junos},
		"SR OS: the commit fails":        {`^commit confirmed \d`, clitest.Fault{Words: "MINOR: MGMT_CORE #4001: configure filter - commit failed"}, "commit failed", false, clitest.SROS},
		"SR OS: a line is refused":       {`entry 3000 action`, clitest.Fault{Words: "                    ^^\nMINOR: MGMT_CORE #2203: Invalid element - currently not allowed"}, "currently not allowed", false, clitest.SROS},
		"SR OS: somebody edits":          {`^edit-config`, clitest.Fault{Words: "MINOR: MGMT_CORE #2052: Exclusive datastore access unavailable - model-driven interface editing global candidate"}, "somebody else is at work", true, clitest.SROS},
		"SR OS: the commit is lost":      {`^commit confirmed \d`, clitest.Fault{Lose: true}, "it does not say so", false, clitest.SROS},
		"SR OS: another mode":            {`^edit-config`, clitest.Fault{Lose: true}, "another prompt", true, clitest.SROS},
		"SR OS: a page":                  {`^info`, clitest.Fault{Ask: "Press any key to continue (Q to quit)"}, "asks something", true, clitest.SROS},
		"the commit fails":               {`^commit confirmed`, clitest.Fault{Words: "% Failed to commit one or more configuration items during a pseudo-atomic operation."}, "Failed to commit", false, ""},
		"nothing to commit":              {`^commit confirmed`, clitest.Fault{Words: "No configuration changes to commit."}, "No configuration changes", false, ""},
		"the commit is lost":             {`^commit confirmed`, clitest.Fault{Lose: true}, "does not show that the change waits", false, ""},
		"cut in the middle of the lock":  {`^configure excl`, clitest.Fault{Cut: true}, "the connection broke", true, ""},
		"somebody has the lock":          {`^configure exclusive`, clitest.Fault{Words: "Cannot enter exclusive mode. The Configuration Namespace is locked by another agent."}, "somebody else is at work", true, ""},
		"somebody's commit waits":        {`^show configuration sessions`, clitest.Fault{Words: "     User: clab                           Client: commit-confirm"}, "waits for its confirmation", true, ""},
		"uncommitted changes":            {`^show configuration merge`, clitest.Fault{Ask: "Uncommitted changes found, commit them before exiting(yes/no/cancel)? [cancel]:"}, "asks something", true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			system := cmp.Or(c.system, clitest.IOSXR)
			s := start(t, clitest.Options{System: system})
			a, d := newXR(t), target(s)
			if dialect := heldDialects[system]; dialect != nil {
				a = cli.New(dialect, cli.Options{})
				t.Cleanup(func() { _ = a.Close() })
			}
			before := s.Running()
			s.Fail(c.line, c.Fault)
			_, err := a.Apply(t.Context(), d, device.Diff(device.State{}, list(4)), 30*time.Second)
			var transient *device.Transient
			if err == nil || !strings.Contains(err.Error(), c.words) || errors.As(err, &transient) && transient.Unchanged != c.unchanged {
				t.Fatalf("got %#v (%v)", err, err)
			}
			if got := s.Running(); got != before {
				t.Errorf("the running configuration is not what it was:\n%s", got)
			}
			settle(t, a, d, list(4))
		})
	}
}

// What the router shows to be waiting must be our change, by its name.
func TestAnotherChangeWaits(t *testing.T) {
	t.Parallel()
	clock := &netconftest.ManualClock{}
	s := start(t, clitest.Options{System: clitest.Junos, Clock: clock})
	a, d, before := cli.New(junos.Dialect{}, cli.Options{}), target(s), s.Running()
	t.Cleanup(func() { _ = a.Close() })
	s.Fail(`^run show system commit`, clitest.Fault{Words: "0   2026-09-20 23:16:51 UTC by admin via cli commit confirmed, rollback in 2mins\n    rollback pending"})
	_, err := a.Apply(t.Context(), d, device.Diff(device.State{}, list(4)), 30*time.Second)
	var transient *device.Transient
	if !errors.As(err, &transient) || transient.Unchanged || !strings.Contains(err.Error(), "does not show that the change waits") {
		t.Errorf("got %v", err)
	}
	clock.Advance(time.Minute)
	if got := s.Running(); got != before {
		t.Errorf("the router holds\n%s", got)
	}
}

// A change can be confirmed for as long as the router was told to wait. What Junos is late by does not count.
func TestDeadlineIsTheTimerOfTheRouter(t *testing.T) {
	t.Parallel()
	for system, c := range map[clitest.System]struct {
		adapter *cli.Adapter
		want    time.Duration
	}{
		clitest.Junos: {cli.New(junos.Dialect{}, cli.Options{}), time.Minute},
		clitest.IOSXR: {newXR(t), 31 * time.Second},
	} {
		t.Cleanup(func() { _ = c.adapter.Close() })
		begin := time.Now()
		com, err := c.adapter.Apply(t.Context(), target(start(t, clitest.Options{System: system})), device.Diff(device.State{}, list(4)), 31*time.Second)
		if earliest, latest := begin.Add(c.want), time.Now().Add(c.want); err != nil || com.Deadline.Before(earliest) || com.Deadline.After(latest) {
			t.Errorf("%s: to be confirmed within %v, error %v; want %v", system, com.Deadline.Sub(begin), err, c.want)
		}
	}
}

// A change whose session breaks while it waits cannot be confirmed, and is left to the router's timer.
func TestHeldSessionBreaks(t *testing.T) {
	t.Parallel()
	clock := &netconftest.ManualClock{}
	s := start(t, clitest.Options{System: clitest.IOSXR, Clock: clock})
	a, d := newXR(t), target(s)
	settle(t, a, d, list(2))
	before := s.Running()
	com, err := a.Apply(t.Context(), d, device.Diff(list(2), list(3)), 30*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	s.DropSessions()
	var transient *device.Transient
	if err := a.Confirm(t.Context(), d, com); !errors.As(err, &transient) {
		t.Errorf("got %v", err)
	}
	if _, err := a.Apply(t.Context(), d, device.Diff(list(3), list(4)), 30*time.Second); !errors.As(err, &transient) || !transient.Unchanged {
		t.Errorf("a change while another waits: got %v", err)
	}
	clock.Advance(30 * time.Second)
	if got := s.Running(); got != before {
		t.Errorf("the router holds\n%s", got)
	}
	settle(t, a, d, list(4))
}

// Sessions that other people have open are theirs.
func TestOtherSessionsStay(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{})
	a, d := newAdapter(t, cli.Options{}), target(s)
	s.Open("maintenance", "sluice-abcdefghij")
	settle(t, a, d, list(2))
	if left := s.Sessions(); len(left) != 1 || left[0] != "maintenance" {
		t.Errorf("open sessions: %v, want that of the operator only", left)
	}
}

// A banner may look like a prompt, and somebody's description like a failure or a prompt.
func TestMisleadingText(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{
		Banner: "% Error: this is a banner\nleaf9# \nroot@somewhere> \nEND#\n",
		Config: "interface Ethernet2\n   description leaf1#\ninterface Ethernet3\n   description % Invalid input\nleaf1#\nend\n",
	})
	a, d := newAdapter(t, cli.Options{}), target(s)
	settle(t, a, d, list(3))
	settle(t, a, d, device.State{})
}

// A user without privileges is told so, at once when the system asks for a password.
func TestUnprivileged(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{Unprivileged: true})
	a, d := newAdapter(t, cli.Options{}), target(s)
	d.Timeout = 500 * time.Millisecond
	if _, err := a.Read(t.Context(), d); err == nil || !strings.Contains(err.Error(), "privilege") {
		t.Errorf("got %v", err)
	}
}

// Neither errors nor logs hold secrets, whatever the device says.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	s := start(t, clitest.Options{Config: "username admin secret sha512 $6$do.not.show\n"})
	a := newAdapter(t, cli.Options{Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	d := target(s)
	for line, f := range map[string]clitest.Fault{
		`^10001001`:            {Words: "% Error: you are " + s.Password()},
		`^show running-config`: {Truncate: 4},
	} {
		s.Fail(line, f)
		_, err := a.Apply(t.Context(), d, device.Diff(device.State{}, list(2)), 30*time.Second)
		if err == nil || strings.Contains(err.Error(), s.Password()) || strings.Contains(err.Error(), "do.not.show") {
			t.Errorf("got %v", err)
		}
	}
	if strings.Contains(log.String(), s.Password()) || strings.Contains(log.String(), "do.not.show") {
		t.Errorf("the log has a secret: %s", log.String())
	}
}

// Calls end when their context does.
func TestContext(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{})
	a, d := newAdapter(t, cli.Options{}), target(s)
	s.Fail(`^show running-config`, clitest.Fault{Hang: true})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := a.Read(ctx, d)
	var transient *device.Transient
	if !errors.As(err, &transient) || !errors.Is(err, context.DeadlineExceeded) || time.Since(begin) > 10*time.Second {
		t.Errorf("got %v after %s", err, time.Since(begin))
	}
}

// Who the device is, and who we are: keys, an agent, known hosts.
func TestLogin(t *testing.T) {
	t.Parallel()
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, clitest.Options{AuthorizedKey: string(ssh.MarshalAuthorizedKey(key))})
	other := start(t, clitest.Options{})
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	hostKey := func(s *clitest.Server) ssh.PublicKey {
		k, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.HostKey()))
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	right := write("right", knownhosts.Line([]string{knownhosts.Normalize(s.Addr())}, hostKey(s))+"\n")
	wrong := write("wrong", knownhosts.Line([]string{knownhosts.Normalize(s.Addr())}, hostKey(other))+"\n")
	pemKey := device.Secret(pem.EncodeToMemory(block))
	socket, stop, err := sshtest.ServeAgent(dir, private)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	for name, c := range map[string]struct {
		change func(*device.Target)
		words  string
	}{
		"password":                     {func(*device.Target) {}, ""},
		"key":                          {func(d *device.Target) { d.Password, d.PrivateKey = "", pemKey }, ""},
		"agent":                        {func(d *device.Target) { d.Password, d.Options = "", map[string]string{"agent": socket} }, ""},
		"known hosts":                  {func(d *device.Target) { d.HostKey, d.KnownHosts = "", right }, ""},
		"unverified":                   {func(d *device.Target) { d.HostKey, d.InsecureIgnoreHostKey = "", true }, ""},
		"wrong password":               {func(d *device.Target) { d.Password = "hunter2" }, "unable to authenticate"},
		"no agent":                     {func(d *device.Target) { d.Options = map[string]string{"agent": dir + "/none"} }, "the SSH agent"},
		"nobody":                       {func(d *device.Target) { d.Password = "" }, "no credentials"},
		"an impostor":                  {func(d *device.Target) { d.HostKey = other.HostKey() }, "another host key"},
		"known hosts with another key": {func(d *device.Target) { d.HostKey, d.KnownHosts = "", wrong }, "key mismatch"},
		"nothing about the host":       {func(d *device.Target) { d.HostKey = "" }, "host-key or known-hosts"},
		"no such option":               {func(d *device.Target) { d.Options = map[string]string{"enable": "x"} }, "there is no such option"},
	} {
		t.Run(name, func(t *testing.T) {
			d := target(s)
			c.change(&d)
			_, err := newAdapter(t, cli.Options{Logger: slog.New(slog.DiscardHandler)}).Read(t.Context(), d)
			switch {
			case c.words == "" && err != nil, c.words != "" && (err == nil || !strings.Contains(err.Error(), c.words)):
				t.Errorf("got %v, want %q", err, c.words)
			case err != nil && errors.As(err, new(*device.Transient)):
				t.Errorf("%v is not transient: it stays until somebody changes the configuration", err)
			}
		})
	}
}

// An adapter that confirms saves only when it is told to.
func TestSave(t *testing.T) {
	t.Parallel()
	s := start(t, clitest.Options{})
	a, d := newAdapter(t, cli.Options{}), target(s)
	settle(t, a, d, list(2))
	if n := s.Saved(); n != 0 {
		t.Errorf("saved %d times", n)
	}
	d.Options = map[string]string{"save": "true"}
	settle(t, a, d, list(3))
	if n := s.Saved(); n != 1 {
		t.Errorf("saved %d times, want once", n)
	}
}
