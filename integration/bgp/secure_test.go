package bgp_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// dropped is one of the kernel's counters of TCP segments that were thrown away (/proc/net/netstat).
func dropped(t *testing.T, counter string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/net/netstat")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(b), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		names, values := strings.Fields(lines[i]), strings.Fields(lines[i+1])
		for k, name := range names {
			if name == counter {
				n, err := strconv.Atoi(values[k])
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
		}
	}
	t.Fatalf("the kernel does not count %s", counter)
	return 0
}

// A session with a password or with TTL security comes up with a real neighbour whichever side calls, and does not where the neighbour has another password, none, or too low a TTL.
// What the kernel threw away shows that something was tried.
func TestPasswordsAndTTLSecurity(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		password session.Password
		hops     int
		bird     string
		counter  string // of what is dropped; "": the session comes up
	}{
		"password":          {"hunter2", 0, `password "hunter2";`, ""},
		"both":              {"hunter2", 1, `password "hunter2"; ttl security yes;`, ""},
		"TTL security":      {"", 1, "ttl security yes;", ""},
		"another password":  {"hunter2", 0, `password "hunter3";`, "TCPMD5Failure"},
		"no password there": {"hunter2", 0, "", "TCPMD5NotFound"},
		"TTL too low":       {"", 1, "ttl security no;", "TCPMinTTLDrop"},
	} {
		for _, passive := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, passive %t", name, passive), func(t *testing.T) {
				if c.counter == "" {
					t.Parallel() // the others share a counter
				}
				host := rig.Subnet()
				body, before := c.bird+imports, 0
				if !passive {
					body = "passive yes;" + body
				}
				counter := c.counter
				if !passive && c.bird == "" {
					counter = "TCPMD5Unexpected" // at the neighbour's
				}
				if counter != "" {
					before = dropped(t, counter)
				}
				g := newGateway(t, host(1), nil)
				g.peer(bgp.PeerConfig{Name: "edge", Address: host(2), Port: rig.BIRDPort, LocalAddress: host(1), RemoteAS: 64502, Passive: passive, Families: both, Device: true, Password: c.password, Hops: c.hops})
				g.run()
				b := rig.StartBIRD(t, 64502, host(2), host(1), body, "")
				if c.counter == "" {
					g.give("edge", "0601200a000001")
					b.Holds("f4", 1)
					return
				}
				rig.Until(t, "the kernel to drop segments", func() (bool, string) {
					now := dropped(t, counter)
					return now >= before+3, fmt.Sprint(now - before)
				})
				if st := g.speaker.Status()[0].Session; st.Established != 0 {
					t.Errorf("there was a session: %+v", st)
				}
			})
		}
	}
}
