package gateway_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Where a source wants it, the rule that the kernel never counted a packet for ends after its minute, with the reason on record; the one that is hit stays.
func TestIdleRuleEnds(t *testing.T) {
	t.Parallel()
	router, send := linked(t, "idle")
	g, add := counting(t, router, "idle: {after: 1m, then: expire}, ")
	quiet, busy := add("=4443"), add("=4444")
	g.inSync()
	cli := func(args ...string) string {
		out, _ := exec.Command(binary, append(args, "--gateway", g.base)...).CombinedOutput()
		return string(out)
	}
	said, next := "", time.NewTicker(time.Second)
	defer next.Stop()
	for end := time.Now().Add(3 * time.Minute); !strings.Contains(said, quiet); said = cli("rule", "ended") {
		if time.Now().After(end) {
			t.Fatalf("the rule is still there\n%s\n%s", cli("rule", "show", quiet), cli("rule", "list"))
		}
		send("4444")
		<-next.C
	}
	if !strings.Contains(said, "no device has counted a packet for it since") || strings.Contains(said, busy) {
		t.Errorf("rule ended says\n%s", said)
	}
	if out := cli("rule", "show", quiet); !strings.Contains(out, "was ended at") {
		t.Errorf("rule show says\n%s", out)
	}
	if out := cli("rule", "list"); !strings.HasPrefix(out, busy) || !strings.HasSuffix(out, "1 rule in force\n") {
		t.Errorf("rule list says\n%s", out)
	}
	g.stop()
}
