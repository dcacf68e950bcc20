package netconf_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/netconf/netconftest"
	"github.com/sluice-gateway/sluice/core/device"
)

const (
	root     = `<configuration xmlns="http://yang.juniper.net/junos/conf/root">`
	aPattern = `<groups><name>COMMON</name><firewall><family><inet><filter><name>&lt;*&gt;</name><term><name>icmp</name><then><accept/></then></term></filter></inet></family></firewall></groups>`
)

// A configuration group can add terms to our filters that a read does not show: a device that applies one is neither read nor written.
func TestConfigurationGroups(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ config, want string }{
		"a pattern, applied":       {aPattern + `<apply-groups>re0</apply-groups><apply-groups>COMMON</apply-groups>`, `group COMMON, applied to the whole configuration, has filter "<*>"`},
		"a pattern, not applied":   {aPattern + `<apply-groups>re0</apply-groups>`, ""},
		"a pattern, deactivated":   {aPattern + `<apply-groups inactive="inactive">COMMON</apply-groups>`, ""},
		"by a name of each engine": {aPattern + `<apply-groups>${node}</apply-groups>`, "group COMMON"},
		"through another group":    {aPattern + `<groups><name>ALL</name><system><apply-groups>x</apply-groups></system><apply-groups>COMMON</apply-groups></groups><apply-groups>ALL</apply-groups>`, "group COMMON"},
		"groups that apply each other": {`<groups><name>A</name><apply-groups>B</apply-groups></groups><groups><name>B</name><apply-groups>A</apply-groups></groups>` +
			`<apply-groups>A</apply-groups>`, ""},
		"our name":                  {strings.ReplaceAll(aPattern, "&lt;*&gt;", "sluice-v4") + `<apply-groups>COMMON</apply-groups>`, `filter "sluice-v4"`},
		"somebody else's filter":    {strings.ReplaceAll(aPattern, "&lt;*&gt;", "EDGE-IN") + `<apply-groups>COMMON</apply-groups>`, ""},
		"policers":                  {`<groups><name>P</name><firewall><policer><name>&lt;*&gt;</name><logical-interface-policer/></policer></firewall></groups><apply-groups>P</apply-groups>`, `policer "<*>"`},
		"a pattern of other things": {`<groups><name>I</name><interfaces><interface><name>&lt;ge-*&gt;</name><mtu>9000</mtu></interface></interfaces></groups><apply-groups>I</apply-groups>`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, netconftest.Options{Config: root + c.config + `</configuration>`})
			a, target := newAdapter(t), target(s)
			_, err := a.Read(ctx(t), target)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				settled(t, a, target, device.State{}, holding(2))
				return
			}
			_, applied := toward(t, a, target, device.State{}, holding(2))
			for _, err := range []error{err, applied} {
				var drifted *device.Drifted
				if !errors.As(err, &drifted) || drifted.Gone || !strings.Contains(err.Error(), c.want) {
					t.Errorf("got %v, want *device.Drifted with %q", err, c.want)
				}
			}
			if s.Commits() != 0 || s.Locked() {
				t.Errorf("%d commits, locked: %v", s.Commits(), s.Locked())
			}
		})
	}
}

// A group that comes later is found at the next read; a device without groups is not held against.
func TestGroupAppearsAndGoes(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{})
	a, target := newAdapter(t), target(s)
	settled(t, a, target, device.State{}, holding(3))
	var added []*netconftest.Node
	s.Edit(func(config *netconftest.Node) {
		conf := config.Find("configuration")
		added = []*netconftest.Node{
			{Name: "groups", Kids: []*netconftest.Node{{Name: "name", Text: "G"}, {Name: "firewall", Kids: []*netconftest.Node{{Name: "policer", Kids: []*netconftest.Node{{Name: "name", Text: "<sluice-*>"}}}}}}},
			{Name: "apply-groups", Text: "G"},
		}
		conf.Kids = append(conf.Kids, added...)
	})
	if _, err := a.Read(ctx(t), target); err == nil || !strings.Contains(err.Error(), `policer "<sluice-*>"`) {
		t.Errorf("got %v, want the policer of group G", err)
	}
	s.Edit(func(config *netconftest.Node) {
		for _, n := range added {
			config.Find("configuration").Remove(n)
		}
	})
	if got := entries(t, a, target); got != 3 {
		t.Errorf("%d entries when the group is gone, want 3", got)
	}
}

func TestDeviceWithoutGroups(t *testing.T) {
	t.Parallel()
	s := start(t, netconftest.Options{NoGroups: true})
	a, plain := newAdapter(t), target(s)
	settled(t, a, plain, device.State{}, holding(3))

	// Junos has groups: when it does not say which, nothing is known.
	s = start(t, netconftest.Options{NoGroups: true, Old: true, Junos: true})
	if _, err := a.Read(ctx(t), target(s)); err == nil || !strings.Contains(err.Error(), "read the configuration groups") {
		t.Errorf("got %v, want an error about the groups", err)
	}
}
