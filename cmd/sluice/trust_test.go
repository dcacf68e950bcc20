package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/sluice-gateway/sluice/adapters/hostkey"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
)

// trustLab is a router with SSH, and a configuration that names it, with a password that is not to be had here.
type trustLab struct {
	t             *testing.T
	router        *netconftest.Server
	key           ssh.PublicKey
	config, known string
}

func newTrustLab(t *testing.T) *trustLab {
	router, err := netconftest.Start(netconftest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(router.Close)
	key, _, _, _, err := ssh.ParseAuthorizedKey([]byte(router.HostKey()))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	l := &trustLab{t, router, key, filepath.Join(dir, "sluice.yaml"), filepath.Join(dir, "known_hosts")}
	text := fmt.Sprintf(`router-id: 192.0.2.1
as: 64512
store: %s/store
devices:
  - name: mx1
    profile: junos-mx
    filter: {adapter: junos, address: %q, username: sluice, password: {env: NOT_SET_IN_THIS_SHELL}, known-hosts: %q}
  - name: edge1
    profile: asr9k
    bgp: {address: 192.0.2.2, as: 64512, families: [ipv4]}
    max-routes: 1000
  - {name: here, profile: linux-nftables, filter: {adapter: nftables}}
  - name: mx2
    profile: junos-mx
    filter: {adapter: junos, address: %q, username: sluice, password: {file: /not/there}}
`, dir, router.Addr(), l.known, router.Addr())
	if err := os.WriteFile(l.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return l
}

// trust runs the command and wants a status and words in what it says.
func (l *trustLab) trust(status int, args []string, words ...string) {
	l.t.Helper()
	var out bytes.Buffer
	got := run(l.t.Context(), append([]string{"device", "trust", "-c", l.config}, args...), strings.NewReader(""), &out, &out)
	for _, w := range words {
		if got != status || !strings.Contains(out.String(), w) {
			l.t.Errorf("%v: status %d, want %d and %q:\n%s", args, got, status, w, out.String())
		}
	}
}

func (l *trustLab) file() string {
	b, err := os.ReadFile(l.known)
	if err != nil && !os.IsNotExist(err) {
		l.t.Fatal(err)
	}
	return string(b)
}

// A key is shown, and written once somebody names it.
func TestDeviceTrust(t *testing.T) {
	t.Parallel()
	l := newTrustLab(t)
	want := ssh.FingerprintSHA256(l.key)
	l.trust(1, []string{"mx1"}, "mx1 at "+l.router.Addr()+" shows", want+"  not trusted", "Nothing was written", "sluice device trust mx1 -c "+l.config+" --fingerprint "+want)
	l.trust(1, []string{"mx1", "--fingerprint", "SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s"}, "shows no key with fingerprint SHA256:uNiV")
	if l.file() != "" {
		t.Fatalf("written unasked: %s", l.file())
	}
	l.trust(0, []string{"mx1", "--fingerprint", want}, "trusted from now on: it is in "+l.known)
	once := l.file()
	l.trust(0, []string{"mx1", "--fingerprint", want}, "trusted: it is in "+l.known)
	l.trust(0, []string{"mx1"}, "trusted: it is in "+l.known)
	if known, err := hostkey.Known(l.known, l.router.Addr(), l.key); !known || l.file() != once {
		t.Errorf("known %v, %v; after the second time:\n%s", known, err, l.file())
	}
}

// Another key for the device is never replaced, and stands out.
func TestDeviceTrustRefusesAnotherKey(t *testing.T) {
	t.Parallel()
	l, other := newTrustLab(t), newTrustLab(t)
	before := "# routers\n" + knownhosts.Line([]string{knownhosts.Normalize(l.router.Addr())}, other.key) // without an end of line
	if err := os.WriteFile(l.known, []byte(before), 0o600); err != nil {
		t.Fatal(err)
	}
	l.trust(1, []string{"mx1"}, "NOT TRUSTED: another host key is known: line 2 of "+l.known+" has "+ssh.FingerprintSHA256(other.key))
	l.trust(1, []string{"mx1", "--fingerprint", ssh.FingerprintSHA256(l.key)}, "remove that line and come again")
	if l.file() != before {
		t.Errorf("the file was changed:\n%s", l.file())
	}
	if err := hostkey.Add(l.known, other.router.Addr(), other.key); err != nil { // a line of its own all the same
		t.Fatal(err)
	}
	if known, err := hostkey.Known(l.known, other.router.Addr(), other.key); !known {
		t.Errorf("%v in\n%s", err, l.file())
	}
}

func TestDeviceTrustUsage(t *testing.T) {
	t.Parallel()
	l := newTrustLab(t)
	l.trust(2, []string{"mx9"}, `has no device "mx9"`)
	l.trust(2, []string{"edge1"}, "edge1 is reached by BGP alone")
	l.trust(2, []string{"mx2"}, "mx2 has no known-hosts")
	l.trust(2, []string{"here"}, "here has no address")
	var out bytes.Buffer
	l.router.Close()
	if got := run(t.Context(), []string{"device", "trust", "-c", l.config, "mx1"}, nil, &out, &out); got != 1 || !strings.Contains(out.String(), "refused") {
		t.Errorf("nobody listens: %d %s", got, out.String())
	}
}

func TestDeviceTrustJSON(t *testing.T) {
	t.Parallel()
	l := newTrustLab(t)
	var out, problems bytes.Buffer
	want := ssh.FingerprintSHA256(l.key)
	if got := run(t.Context(), []string{"device", "trust", "-c", l.config, "mx1", "--format", "json", "--fingerprint", want}, nil, &out, &problems); got != 0 {
		t.Fatal(got, problems.String())
	}
	var answer trustAnswer
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || answer.Added != want || len(answer.Keys) != 1 || !answer.Keys[0].Known {
		t.Errorf("%v: %s", err, out.String())
	}
}
