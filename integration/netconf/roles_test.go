package netconf_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
)

var (
	ruleOf = regexp.MustCompile(`(?m)^ *<rule><name>([^<]+)</name>.*</rule>\n`)
	pathOf = regexp.MustCompile(`<path xmlns:ios="[^"]*">[^<]*</path>`)
)

// role returns the access control of docs/roles.md for a router of these tests: whoever logs in is root there, and what he may change are Juniper's filters.
func role(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/roles.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(page), "```xml\n")
	nacm, _, ended := strings.Cut(rest, "```\n")
	if !found || !ended || strings.Count(nacm, "<rule>") != len(ruleOf.FindAllString(nacm, -1)) {
		t.Fatal("docs/roles.md has another form than this test knows")
	}
	nacm = strings.Replace(nacm, "<groups>", "<read-default>deny</read-default><write-default>deny</write-default><exec-default>deny</exec-default><groups>", 1)
	nacm = strings.Replace(nacm, "<user-name>sluice<", "<user-name>root<", 1)
	return pathOf.ReplaceAllString(nacm, `<path xmlns:jc="http://yang.juniper.net/junos/conf/root">/jc:configuration</path>`)
}

// lead takes a router through all that a role is for, and returns the first thing that does not work. The undoing comes last: netconfd forgets its access control over it.
func lead(t *testing.T, a device.Adapter, r *rig.Router) error {
	t.Helper()
	for _, step := range []struct {
		want device.State
		keep bool
	}{{filters(4, 1_250_000), true}, {filters(3, 1_250_000), true}, {filters(4, 1_250_000), false}} {
		have, err := a.Read(within(t), r.Target)
		if err != nil {
			return err
		}
		com, err := a.Apply(within(t), r.Target, device.Diff(have, step.want), time.Minute)
		if err != nil {
			return err
		}
		end := a.Cancel
		if step.keep {
			end, have = a.Confirm, step.want
		}
		if err := end(within(t), r.Target, com); err != nil {
			return err
		}
		got, err := a.Read(within(t), r.Target)
		if err != nil {
			return err
		}
		if err := differs(got, have); err != nil {
			return err
		}
	}
	return nil
}

// TestLeastRole: the role on the page is enough, gives nothing else, and has nothing too much.
func TestLeastRole(t *testing.T) {
	t.Parallel()
	nacm := role(t)
	a, _ := plugin(t)
	t.Run("enough", func(t *testing.T) {
		t.Parallel()
		r := rig.BootRestricted(t, nacm)
		hand := r.Another(t)
		for _, rpc := range []string{
			`<edit-config><target><candidate/></target><config><nacm xmlns="urn:ietf:params:xml:ns:yang:ietf-netconf-acm"><enable-nacm>false</enable-nacm></nacm></config></edit-config>`,
			`<copy-config><target><candidate/></target><source><running/></source></copy-config>`,
			`<kill-session><session-id>1</session-id></kill-session>`,
		} {
			if reply := hand.Do(t, rpc); !strings.Contains(reply, "access-denied") {
				t.Errorf("%s should be denied: %s", rpc, reply)
			}
		}
		if err := lead(t, a, r); err != nil {
			t.Fatal(err)
		}
	})
	rules := ruleOf.FindAllStringSubmatch(nacm, -1)
	for _, m := range rules {
		switch m[1] {
		case "lists-v6", "nothing-else", // the same path here twice; what else the defaults deny
			"discard", "unlock": // what is left behind where an edit was refused
			continue
		}
		t.Run("without-"+m[1], func(t *testing.T) {
			t.Parallel()
			less := strings.Replace(nacm, m[0], "", 1)
			if m[1] == "lists" {
				less = strings.Replace(less, rules[len(rules)-2][0], "", 1)
			}
			if err := lead(t, a, rig.BootRestricted(t, less)); err == nil {
				t.Error("nothing needs this rule")
			} else {
				t.Log(err)
			}
		})
	}
}
