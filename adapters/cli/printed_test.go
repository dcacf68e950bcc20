package cli

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/eos"
	"github.com/sluice-gateway/sluice/adapters/eosacl"
	"github.com/sluice-gateway/sluice/adapters/iosxr"
	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/device"
)

// FuzzPrinted reads whatever a device may print: nothing of it may end the process, and nothing may be taken for what it is not.
func FuzzPrinted(f *testing.F) {
	for _, seed := range []string{
		"leaf1#", "! Command: show running-config\nip access-list sluice-v4\n   counters per-entry\n   2147483640 permit ip any any\n!\nend\nleaf1#", "% Invalid input\nleaf1(config-s-sluice)#",
		"traffic-policies\n   traffic-policy sluice-in\n      match ipv4-all-default ipv4\nend\nleaf1#", "Session with pending commit timer: sluice-abcdefghij\n  sluice-zzzzzzzzzz pending\nleaf1#",
		"ipv4 access-list sluice-v4\n 2147483640 permit ipv4 any any\n!\nend\n\nleaf1#", "% WARNING: Policy object exists\nleaf1(config)#", "  2) Session: 0001\n User: x  Client: commit-confirm\nleaf1#",
		"0   2026-09-20 UTC by a via cli commit confirmed, rollback in 2mins\n    sluice-abcdefghij\n    rollback pending\n\n{master}\nleaf1>",
		"firewall {\n    family inet {\n        filter sluice-v4 {\n            term rest {\n                then accept;\n            }\n        }\n    }\n}\n\n[edit]\nleaf1#", "error: configuration database locked by:\n  a\nleaf1>",
		"Do you want to proceed? [no]: ", " --More-- ", "Password:",
	} {
		f.Add([]byte(seed))
	}
	var all []*Adapter
	for _, d := range []Dialect{eos.Dialect{}, eosacl.Dialect{}, iosxr.Dialect{}, junos.Dialect{}} {
		all = append(all, New(d, Options{Logger: slog.New(slog.DiscardHandler)}))
	}
	f.Fuzz(func(t *testing.T, printed []byte) {
		for _, a := range all {
			s := &shell{platform: &a.platform, host: "leaf1", target: device.Target{Password: "hunter2"}}
			got := s.split(string(printed))
			if got.prompt != "" && !strings.HasSuffix(strings.TrimRight(string(printed), " \t\n"), "leaf1"+got.prompt) {
				t.Fatalf("%q is taken for the prompt", got.prompt)
			}
			for line := range strings.Lines(got.text) {
				if strings.HasPrefix(line, "% ") && (a.platform.Harmless == nil || !a.platform.Harmless.MatchString(line)) && refusal(got.text, a.platform.Harmless) == "" {
					t.Fatalf("%q is no failure", line)
				}
			}
			if words := s.words(got.text + "hunter2"); strings.Contains(words, "hunter2") || len(words) > mostWords+len("...") {
				t.Fatalf("%q is quoted", words)
			}
			if m := a.platform.Waiting.FindStringSubmatch(got.text); m != nil && !strings.Contains(got.text, m[1]) {
				t.Fatalf("%q waits", m[1])
			}
			filters, err := device.Understood(a.dialect, []byte(got.text), a.log())
			for _, f := range filters {
				if err == nil && !strings.Contains(got.text, "sluice-") {
					t.Fatalf("filter %s was found in %q", f.Name, got.text)
				}
			}
		}
	})
}
