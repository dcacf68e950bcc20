package netconf_test

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/netconf"
	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A device's option says which routing instance imports a route target: the same adapter writes one device's names and another's.
func TestInstancesOfADevice(t *testing.T) {
	t.Parallel()
	a := newAdapter(t)
	scrub := flowspec.Redirect{Form: flowspec.RedirectAS2, Global: 65000, Local: 666}
	want := holding(3)
	want.Filters[0].Entries[2].Do = filter.Do{Redirect: &scrub}
	for i, name := range []string{"SCRUB", "CLEANING"} {
		s := start(t, netconftest.Options{})
		d := target(s)
		d.Name += name
		if _, err := toward(t, a, d, device.State{}, want); err == nil || !strings.Contains(err.Error(), "which one imports 65000:666 is not said") {
			t.Errorf("without the option: got %v", err)
		}
		d.Options = map[string]string{"instances": "65000:666=" + name}
		settled(t, a, d, device.State{}, want)
		if !strings.Contains(s.Running(), "<routing-instance-name>"+name+"<") {
			t.Errorf("the device has no redirect into %s\n%.3000s", name, s.Running())
		}
		got, err := a.Read(ctx(t), d)
		if err != nil || len(got.Filters) != 1 || *got.Filters[0].Entries[2].Do.Redirect != scrub {
			t.Errorf("device %d: got %+v, %v", i, got, err)
		}
		sent, err := a.Render(ctx(t), d, device.Diff(device.State{}, want))
		if err != nil || !strings.Contains(string(sent), name) {
			t.Errorf("device %d: would send %s, %v", i, sent, err)
		}
		// Another map: what the device holds is none of what it knows, and is replaced whole.
		d.Options = map[string]string{"instances": "65000:777=" + name}
		if got, err = a.Read(ctx(t), d); err != nil || got.Filters[0].Entries[2].Do.Redirect.Local != 777 {
			t.Errorf("with another target: got %+v, %v", got, err)
		}
		d.Options = map[string]string{"instances": "65000:666=OTHER"}
		if got, err = a.Read(ctx(t), d); err != nil || len(got.Filters[0].Entries) != 0 {
			t.Errorf("an instance that nobody named: got %+v, %v", got, err)
		}
	}
	for value, want := range map[string]string{"SCRUB": "option instances", "65000:666=A,65000:666=B": "option instances"} {
		d := device.Target{Name: "r", Options: map[string]string{"instances": value}}
		if _, err := a.Read(ctx(t), d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", value, err)
		}
	}
	other := netconf.New(iosxr.Dialect{}, netconf.Options{})
	d := device.Target{Name: "r", Options: map[string]string{"instances": "65000:666=A"}}
	if _, err := other.Read(ctx(t), d); err == nil || !strings.Contains(err.Error(), "filters of the dialect iosxr do not redirect into routing instances") {
		t.Errorf("IOS XR: got %v", err)
	}
}
