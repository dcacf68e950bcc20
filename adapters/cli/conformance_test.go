package cli_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/cli"
	"github.com/sluice-gateway/sluice/adapters/cli/clitest"
	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/adapters/sros"
	"github.com/sluice-gateway/sluice/adapters/vrp"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// junosOperators is the same on Junos.
const junosOperators = `set system host-name leaf1
set interfaces ge-0/0/0 unit 0 description "to the # world > {"
set interfaces ge-0/0/0 unit 0 family inet filter input EDGE-IN
set firewall family inet filter EDGE-IN term all then accept
`

// srosOperators is the same on SR OS.
const srosOperators = `/configure system name "leaf1"
/configure filter ip-filter "EDGE-IN" default-action accept
/configure filter ip-filter "EDGE-IN" entry 10 description "to the # world { [/]"
/configure filter ip-filter "EDGE-IN" entry 10 action accept
/configure router "Base" interface "west" ingress filter ip "EDGE-IN"
`

// vrpOperators is the same on VRP.
const vrpOperators = `#
sysname leaf1
#
acl name EDGE-IN advance
 rule 10 permit ip
#
traffic classifier edge operator or
 if-match acl name EDGE-IN
#
interface GigabitEthernet0/1/0
 description to the <world> #
#
`

// vrpDrops are the lines that delete a filter of ours and all that belongs to it, whatever classifiers it has.
var vrpDrops = []string{
	"undo traffic policy sluice-in", "undo traffic classifier sluice-v4-16", "undo traffic classifier sluice-v4-32", "undo traffic classifier sluice-v4-48", "undo traffic classifier sluice-v4-rest",
	"undo traffic classifier sluice-v6-rest", "undo traffic behavior sluice-deny", "undo traffic behavior sluice-permit", "undo acl name sluice-v4-16", "undo acl name sluice-v4-32", "undo acl name sluice-v4-48",
}

// operators is what stands on the switch besides ours. No test may change it.
const operators = `hostname leaf1
!
interface Ethernet1
   description to the % world #
   ip access-group EDGE-IN in
!
ip access-list EDGE-IN
   10 permit ip any any
!
`

func start(t testing.TB, opt clitest.Options) *clitest.Server {
	t.Helper()
	switch opt.System {
	case clitest.Junos:
		opt.Config = junosOperators + opt.Config
	case clitest.SROS:
		opt.Config = srosOperators + opt.Config
	case clitest.VRP:
		opt.Config = vrpOperators + opt.Config
	default:
		opt.Config = operators + opt.Config
	}
	s, err := clitest.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func target(s *clitest.Server) device.Target {
	return device.Target{Name: "leaf1", Address: s.Addr(), Username: s.Username(), Password: device.Secret(s.Password()), HostKey: s.HostKey(), Timeout: 20 * time.Second}
}

// spoken is a dialect on a system, with what another hand types there.
type spoken struct {
	cli.Dialect
	system                clitest.System
	dropEntry, dropFilter []string
	form                  func(filter.Entry) filter.Entry
	entries               int    // of the big table
	commit                string // the line
}

var dialects = map[string]spoken{
	"EOS access lists": {
		eosacl.Dialect{}, clitest.EOS, []string{"ip access-list sluice-v4", "no 10001001"}, []string{"no ip access-list sluice-v4"}, anySource, 300, "commit timer",
	},
	"EOS traffic policies": { // which have seven lines for an entry
		eos.Dialect{}, clitest.EOS, []string{"traffic-policies", "traffic-policy sluice-in", "no match r-0000000000000001 ipv4"},
		[]string{"traffic-policies", "no traffic-policy sluice-in"}, offsets, 60, "commit timer",
	},
	"IOS XR access lists": {
		iosxr.Dialect{}, clitest.IOSXR, []string{"ipv4 access-list sluice-v4", "no 10001001"}, []string{"no ipv4 access-list sluice-v4"}, anySource, 300, "commit confirmed",
	},
	"Junos": {
		junos.Dialect{}, clitest.Junos, []string{"delete firewall family inet filter sluice-v4 term r-0000000000000001"}, []string{"delete firewall family inet filter sluice-v4"}, nil, 60, "commit confirmed",
	},
	"VRP": {
		vrp.Dialect{}, clitest.VRP, []string{"acl name sluice-v4-16 advance", "undo rule 100"}, vrpDrops, anySource, 60, "commit trial",
	},
	"SR OS": {
		sros.Dialect{}, clitest.SROS, []string{`delete /configure filter ip-filter "sluice-v4" entry 1000`}, []string{`delete /configure filter ip-filter "sluice-v4"`}, anySource, 60, "commit confirmed [0-9]",
	},
}

// refusals are how systems begin what they say of a line that they do not take, where that is not with %.
var refusals = map[clitest.System]string{clitest.Junos: "error: the line is too clever", clitest.SROS: "MINOR: MGMT_CORE #2301: the line is too clever", clitest.VRP: "Error: the line is too clever"}

// anySource leaves a source out that is every address: it reads back like that.
func anySource(e filter.Entry) filter.Entry {
	if e.Match.Src.Bits() == 0 {
		e.Match.Src = nil
	}
	return e
}

// offsets also says what a traffic policy says by its part for later fragments.
func offsets(e filter.Entry) filter.Entry {
	if e = anySource(e); e.Match.Transport() {
		e.Match.Fragments = packet.OffsetZero
	}
	return e
}

// refused is an entry with an address that the device is told to refuse.
func refused(d spoken) filter.Entry {
	const i = 250<<8 | 250
	if d.form == nil {
		return adaptertest.Entry(d.Semantics(), i)
	}
	return d.form(adaptertest.PlainEntry(d.Semantics(), i))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, d := range dialects {
		for _, opt := range []clitest.Options{{}, {Slow: true}} {
			if opt.Slow && name != "EOS access lists" {
				continue
			}
			t.Run(fmt.Sprintf("%s, slow %v", name, opt.Slow), func(t *testing.T) {
				t.Parallel()
				clock := &netconftest.ManualClock{}
				opt.Clock, opt.System = clock, d.system
				s := start(t, opt)
				s.Refuse("10.66.250.250", cmp.Or(refusals[d.system], "% Error: the line is too clever"))
				adapter := func(t *testing.T) device.Adapter {
					a := cli.New(d.Dialect, cli.Options{})
					t.Cleanup(func() { _ = a.Close() })
					return sdktest.Loopback(t, a.WithCounters())
				}
				outer, entries, before := t, d.entries, s.Running()
				timed := d.system == clitest.IOSXR || d.system == clitest.Junos // only time undoes a change there
				if opt.Slow {
					entries = 10
				}
				adaptertest.Run(t, adapter(t), target(s), adaptertest.Faults{
					Semantics: d.Semantics(), Plain: d.form != nil, Form: d.form, Entries: entries,
					Restart: func(context.Context) (device.Adapter, error) {
						s.DropSessions()
						return adapter(outer), nil
					},
					Edit: func(_ context.Context, e adaptertest.Edit, _ string) error {
						typed := d.dropEntry
						if e == adaptertest.DropFilter {
							typed = d.dropFilter
						}
						if words := s.Edit(typed...); strings.ReplaceAll(words, "Error: It does not exist.\n", "") != "" {
							return errors.New(words)
						}
						return nil
					},
					LoseAnswer: func(context.Context) error { s.Fail(d.commit, clitest.Fault{DropAfter: true}); return nil },
					Refused:    refused(d), Words: "the line is too clever",
					Expire: func(context.Context) error { clock.Advance(2 * time.Minute); return nil },
					Slow: func(context.Context) (func(), error) {
						held := make(chan struct{})
						s.Fail(d.commit, clitest.Fault{Wait: held})
						return func() { close(held) }, nil
					},
					Stages:        []device.Stage{device.Validating, device.Connecting, device.Locking, device.Reading, device.Loading, device.Validating, device.Committing, device.Checking},
					Unconfirmable: timed, NoCancel: timed, SessionBound: d.system == clitest.SROS,
				})
				if got := s.Running(); got != before {
					t.Errorf("the operator's configuration is not what it was:\n%.2000s\nwant\n%s", got, before)
				}
				if left := s.Sessions(); len(left) > 0 {
					t.Errorf("configuration sessions are left behind: %s", strings.Join(left, " "))
				}
			})
		}
	}
}
