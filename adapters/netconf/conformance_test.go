package netconf_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// operators is what stands on the router besides ours. No test may change it.
const operators = `<configuration xmlns="http://yang.juniper.net/junos/conf/root"><firewall xmlns="http://yang.juniper.net/junos/conf/firewall">` +
	`<policer><name>gold</name><if-exceeding><bandwidth-limit>1g</bandwidth-limit><burst-size-limit>1m</burst-size-limit></if-exceeding><then><discard/></then></policer>` +
	`<family><inet><filter><name>EDGE-IN</name><term><name>all</name><then><accept/></then></term></filter></inet></family></firewall></configuration>`

func start(t *testing.T, opt netconftest.Options) *netconftest.Server {
	t.Helper()
	if opt.Config == "" {
		opt.Config = operators
	}
	s, err := netconftest.Start(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func target(s *netconftest.Server) device.Target {
	return device.Target{Name: "r1", Address: s.Addr(), Username: s.Username(), Password: device.Secret(s.Password()), HostKey: s.HostKey(), Timeout: 20 * time.Second}
}

func newAdapter(t *testing.T) *netconf.Adapter {
	a := netconf.New(junos.Dialect{}, netconf.Options{})
	t.Cleanup(func() { _ = a.Close() })
	return a
}

// foreign is another hand on the router.
func foreign(s *netconftest.Server) func(context.Context, adaptertest.Edit, string) error {
	return func(_ context.Context, e adaptertest.Edit, name string) (err error) {
		s.Edit(func(config *netconftest.Node) {
			list := config.Find("configuration", "firewall", "family", "inet")
			f := list.Find("filter=" + name)
			if f == nil {
				err = fmt.Errorf("the router has no filter %s", name)
				return
			}
			if e == adaptertest.DropFilter {
				list.Remove(f)
				return
			}
			f.Remove(f.Kid("term"))
		})
		return err
	}
}

func refused() filter.Entry {
	e := adaptertest.Entry(junos.Dialect{}.Semantics(), 6)
	e.Name = "r-refused"
	return e
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]netconftest.Options{
		"NETCONF 1.1 with persist-id": {},
		"NETCONF 1.0":                 {Old: true},
		"Junos":                       {Old: true, Junos: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &netconftest.ManualClock{}
			opt.Clock = clock
			s := start(t, opt)
			s.Refuse("r-refused", "syntax error, the term is too clever")
			outer, rpc := t, "commit"
			if opt.Junos {
				rpc = "commit-configuration"
			}
			f := adaptertest.Faults{
				Semantics: junos.Dialect{}.Semantics(),
				Restart: func(context.Context) (device.Adapter, error) {
					s.DropSessions()
					return sdktest.Loopback(outer, newAdapter(outer).WithCounters()), nil
				},
				Edit:         foreign(s),
				LoseAnswer:   func(context.Context) error { s.Fail(rpc, netconftest.Fault{DropAfter: true}); return nil },
				Refused:      refused(),
				Words:        "the term is too clever",
				Entries:      entriesOf(opt),
				Expire:       func(context.Context) error { clock.Advance(2 * time.Minute); return nil },
				SessionBound: opt.Old && !opt.Junos,
				NoCancel:     opt.Old,
				Slow:         holdBack(s, rpc),
				Stages:       []device.Stage{device.Validating, device.Connecting, device.Locking, device.Reading, device.Loading, device.Committing, device.Checking},
			}
			before := s.Running()
			d := target(s)
			if opt.Junos {
				d.Options = map[string]string{"commit": "junos"}
			}
			adaptertest.Run(t, sdktest.Loopback(t, newAdapter(t).WithCounters()), d, f)
			if got := s.Running(); got != before {
				t.Errorf("the operator's configuration is not what it was:\n%.2000s\nwant\n%s", got, before)
			}
		})
	}
}

// holdBack has the router carry out the next request of that name when it is released.
func holdBack(s *netconftest.Server, rpc string) func(context.Context) (func(), error) {
	return func(context.Context) (func(), error) {
		held := make(chan struct{})
		s.Fail(rpc, netconftest.Fault{Wait: held})
		return func() { close(held) }, nil
	}
}

// entriesOf is the size of the big table: ten thousand entries once, fewer in the other variants.
func entriesOf(opt netconftest.Options) int {
	if opt.Old {
		return 1_000
	}
	return 10_000
}
