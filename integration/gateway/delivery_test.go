package gateway_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/api"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// site is a whole site of real programs: an ExaBGP that says rules, two BIRDs in the places of an ASR 9000 and an MX, and a router with NETCONF.
type site struct {
	t      *testing.T
	config string
	key    string // environment that holds the router's key
	exa    *rig.ExaBGP
	asr    *rig.BIRD
	mx     *rig.BIRD
	router *rig.Router
	hand   *rig.Hand // another session to the router, to see what it holds
	g      *gateway
}

const flow4 = `flow4 { table f4; import all; export none; };`

func newSite(t *testing.T) *site {
	t.Helper()
	host, dir := rig.Subnet(), t.TempDir()
	us, exa, asr, mx := host(1), host(10), host(21), host(22)
	s := &site{t: t, router: rig.Boot(t, true)}
	s.key = "ROUTER_KEY=" + string(s.router.Target.PrivateKey)
	s.config = file(t, dir, "sluice.yaml", fmt.Sprintf(`
router-id: %[1]s
as: 64500
store: %[2]s/sluice.db
listen: {api: "127.0.0.1:0", bgp: ["%[1]s:%[3]d"]}
sources:
  - name: exabgp
    bgp: {address: %[4]s, local-address: %[1]s, as: 64500, families: [ipv4, ipv6], passive: true}
    resync: quiet 5s
    on-loss: withdraw
    allow: {destinations: [203.0.113.0/24]}
  - name: api
    api: true
    allow: {destinations: [203.0.113.0/24]}
devices:
  - name: asr
    profile: asr9k
    bgp: {address: %[5]s, local-address: %[1]s, port: %[7]d, as: 64521, families: [ipv4]}
  - name: mx
    profile: junos-mx
    max-routes: 1000
    bgp: {address: %[6]s, local-address: %[1]s, port: %[7]d, as: 64522, families: [ipv4]}
  - name: old-mx
    profile: junos-mx
    filter:
      adapter: junos
      unverified-device: true
      address: %[8]s
      username: root
      private-key: {env: ROUTER_KEY}
      host-key: %[9]q
      commit-interval: 100ms
      confirm-within: 20s
`, us, dir, rig.SpeakerPort, exa, asr, mx, rig.BIRDPort, s.router.Target.Address, s.router.Target.HostKey))
	s.asr = rig.StartBIRD(t, 64521, asr, us, flow4, "")
	s.mx = rig.StartBIRD(t, 64522, mx, us, flow4, "")
	s.g = serve(t, s.config, s.key)
	s.exa = rig.StartExaBGP(t, 64500, exa, us)
	s.hand = s.router.Another(t)
	return s
}

// filter waits until the router's configuration has each of want and none of gone. It does not ask too often: netconfd looks at its undo timers only
// when nobody has asked it anything for a second.
func (s *site) filter(want, gone []string) {
	s.t.Helper()
	pause := 100 * time.Millisecond
	for end := time.Now().Add(rig.Patience); ; pause = min(2*pause, 2*time.Second) {
		config := s.hand.Do(s.t, `<get-config><source><running/></source></get-config>`)
		holds := func(text string) bool { return strings.Contains(config, text) }
		if !slices.ContainsFunc(gone, holds) && !slices.ContainsFunc(want, func(text string) bool { return !holds(text) }) {
			return
		}
		if time.Now().After(end) {
			s.t.Fatalf("the router should hold %q and not %q:\n%s\n%s", want, gone, config, s.g.state())
		}
		<-time.After(pause)
	}
}

const (
	reflection = `destination 203.0.113.10/32; protocol =udp; source-port [ =19 =53 =111 =123 =161 =389 =1900 =11211 ]; packet-length >=400;`
	game       = `destination 203.0.113.20/32; protocol =udp; destination-port [ =80 =443 =3074 =7777 =9987 =27015 =30120 ];`
	target10   = `203.0.113.10/32`
	target20   = `203.0.113.20/32`
)

// A rule announced by a real ExaBGP arrives at each neighbour as that neighbour's profile has it, and as a filter in a real NETCONF server; and it
// leaves all of them when it is withdrawn.
func TestFromExaBGPToTwoBIRDsAndAFilter(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.exa.Say("announce flow route { match { %s } then { discard; } }", reflection)
	s.asr.Holds("f4", 2, "sport 19,53,111,123,161;", "sport 389,1900,11211;", "(generic, 0x80060000, 0x0)")
	s.mx.Holds("f4", 1, "sport 19,53,111,123,161,389,1900,11211;")
	s.filter([]string{"sluice-v4", target10, "<source-port>11211</source-port>", "<discard"}, nil)

	// Seven ports and one rate: whole on the MX, one term with one policer in the filter, and not on the ASR, where it would be two policers.
	s.exa.Say("announce flow route { match { %s } then { rate-limit 6250000; } }", game)
	s.mx.Holds("f4", 2, "dport 80,443,3074,7777,9987,27015,30120;", "(generic, 0x80060000, 0x4abebc20)")
	s.filter([]string{target20, "<bandwidth-limit>50000000</bandwidth-limit>"}, nil)
	s.g.inSync()
	s.asr.Holds("f4", 2)

	s.exa.Say("withdraw flow route { match { %s } then { discard; } }", reflection)
	s.asr.Holds("f4", 0)
	s.mx.Holds("f4", 1)
	s.filter([]string{target20}, []string{target10})

	s.exa.Say("withdraw flow route { match { %s } }", game)
	s.mx.Holds("f4", 0)
	s.filter([]string{"sluice-v4"}, []string{target20, "policer"})
}

// A rule with a lifetime goes by itself, everywhere.
func TestExpiry(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var a api.Answer
	text := "flow route { match { " + reflection + " } then { discard; } }"
	if status, err := s.g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: text, TTL: "6s"}, &a); status != 201 || err != nil {
		t.Fatal(status, err, a)
	}
	s.asr.Holds("f4", 2)
	s.mx.Holds("f4", 1)
	s.filter([]string{target10}, nil)
	s.asr.Holds("f4", 0)
	s.mx.Holds("f4", 0)
	s.filter([]string{"sluice-v4"}, []string{target10})
}

// The gateway dies in the middle of things and comes back; either side restarts. Everybody ends up with what is in force.
func TestRestarts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var a api.Answer
	text := "flow route { match { " + game + " } then { discard; } }"
	if status, err := s.g.call(t.Context(), "POST", "/v1/rules", api.Request{Rule: text}, &a); status != 201 || err != nil {
		t.Fatal(status, err, a)
	}
	s.exa.Say("announce flow route { match { %s } then { discard; } }", reflection)
	s.asr.Holds("f4", 4)
	s.filter([]string{target10, target20}, nil)

	s.g.kill()
	rig.Until(t, "BIRD to keep the rules while the gateway is away", func() (bool, string) {
		out := s.asr.Ctl("show", "protocols", "all", "sluice")
		return strings.Contains(out, "Neighbor graceful restart active"), out
	})
	s.asr.Holds("f4", 4)
	s.filter([]string{target10, target20}, nil) // what is on a router stays there
	s.g = serve(t, s.config, s.key)
	s.asr.Holds("f4", 4)
	s.mx.Holds("f4", 2)
	s.filter([]string{target10, target20}, nil)

	// A receiver that comes back gets everything again.
	s.mx.Stop(9)
	s.mx.Start()
	s.mx.Holds("f4", 2)

	// A source that dies takes its rules along (on-loss: withdraw); what came by API stays.
	until(t, "ExaBGP to be back", s.g.state, func() bool { return strings.Contains(s.g.log.String(), `msg="session established" peer=exabgp`) })
	s.exa.Stop(9)
	s.asr.Holds("f4", 2)
	s.filter([]string{target20}, []string{target10})
	s.g.stop()
	s.asr.Holds("f4", 2) // it comes back, for all that a router knows
}
