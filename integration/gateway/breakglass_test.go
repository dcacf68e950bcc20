package gateway_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// breaks are the lines of docs/operations.md that the tests type.
const (
	breakBIRD = "disable sluice"
	breakFRR  = "neighbor %s shutdown"
)

// What the tests type is what the page says.
func TestBreakGlassIsDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/operations.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"`birdc " + strings.Replace(breakBIRD, "sluice", "NAME-OF-THE-PROTOCOL", 1) + "`", "-c '" + fmt.Sprintf(breakFRR, "192.0.2.1") + "'`"} {
		if !strings.Contains(string(page), line) {
			t.Errorf("docs/operations.md does not say %s", line)
		}
	}
}

// device returns the state of a device.
func (g *gateway) device(name string) (s reconcile.Status) {
	g.t.Helper()
	if _, err := g.call(g.t.Context(), http.MethodGet, "/v1/devices/"+name, nil, &s); err != nil {
		g.t.Fatal(err)
	}
	return s
}

// With the gateway dead, one line typed at a router takes away what the gateway did there, also where graceful restart keeps it; nothing is put back when the gateway comes again, and others keep what they
// have.
func TestBreakGlass(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	text := "flow route { match { " + reflection + " } then { discard; } }"
	if status, err := s.g.call(t.Context(), http.MethodPost, "/v1/rules", api.Request{Rule: text}, nil); status != http.StatusCreated || err != nil {
		t.Fatal(status, err)
	}
	s.asr.Holds("f4", 2)
	s.mx.Holds("f4", 1)
	s.filter([]string{target10}, nil)
	s.g.inSync()
	s.g.kill()
	s.asr.Holds("f4", 2)

	s.asr.Ctl(strings.Fields(breakBIRD)...)
	s.asr.Holds("f4", 0)
	// A filter that cannot be detached from an interface, because this server has none, is deleted whole.
	for _, rpc := range []string{
		`<edit-config><target><candidate/></target><config><configuration xmlns="http://yang.juniper.net/junos/conf/root"><firewall xmlns="http://yang.juniper.net/junos/conf/firewall"><family><inet>` +
			`<filter xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="delete"><name>sluice-v4</name></filter></inet></family></firewall></configuration></config></edit-config>`, "<commit/>",
	} {
		if reply := s.hand.Do(t, rpc); !strings.Contains(reply, "<ok/>") {
			t.Fatal(reply)
		}
	}
	s.filter(nil, []string{target10})

	s.g = serve(t, s.config, s.key)
	until(t, "the device whose filter is gone to be left alone", s.g.state, func() bool { return s.g.device("old-mx").State == reconcile.Frozen })
	until(t, "the device whose session is shut", s.g.state, func() bool { return s.g.device("asr").State == reconcile.Unreachable })
	s.mx.Holds("f4", 1)
	s.asr.Holds("f4", 0)
	s.filter(nil, []string{target10})

	s.asr.Ctl("enable", "sluice")
	s.asr.Holds("f4", 2)
	if status, err := s.g.call(t.Context(), http.MethodPost, "/v1/devices/old-mx/sync", nil, nil); status != http.StatusAccepted || err != nil {
		t.Fatal(status, err)
	}
	s.filter([]string{target10}, nil)
	s.g.stop()
}

// The same at FRR.
func TestBreakGlassAtFRR(t *testing.T) {
	t.Parallel()
	host, dir := rig.Subnet(), t.TempDir()
	us, at := host(1), host(23)
	frr := rig.StartFRR(t, 64523, at, us)
	config := file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - {name: api, api: true, allow: {destinations: [203.0.113.0/24]}}
devices:
  - name: frr
    profile: frr
    max-routes: unlimited
    bgp: {address: %[4]s, local-address: %[1]s, port: %[5]d, as: 64523, families: [ipv4]}
`, us, dir, rig.SpeakerPort, at, rig.BIRDPort))
	g := serve(t, config)
	text := "flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }"
	if status, err := g.call(t.Context(), http.MethodPost, "/v1/rules", api.Request{Rule: text}, nil); status != http.StatusCreated || err != nil {
		t.Fatal(status, err)
	}
	frr.Holds(1)
	g.kill()
	frr.Ctl("configure terminal", "router bgp 64523", fmt.Sprintf(breakFRR, us))
	frr.Holds(0)
	g = serve(t, config)
	until(t, "the device whose session is shut", g.state, func() bool { return g.device("frr").State == reconcile.Unreachable })
	frr.Holds(0)
	frr.Ctl("configure terminal", "router bgp 64523", "no "+fmt.Sprintf(breakFRR, us))
	frr.Holds(1)
	g.stop()
}
