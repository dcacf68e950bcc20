package eosacl_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The sentences of a list, as public sources show it: number, action, protocol, addresses with ports behind them, an ICMP type and code, fragments, DSCP (Arista AVD,
// ip-access-lists.cfg; batfish's Legacy_acl.g4).
var sentences = map[packet.Version]*regexp.Regexp{
	packet.IPv4: sentence(`(?:(?:tcp|udp)SIDEPORTSIDEPORT|icmpSIDESIDE(?: N(?: N)?)?|(?:ip|N)SIDESIDE)(?: fragments)?(?: dscp N)?`, `\d+\.\d+\.\d+\.\d+`),
	packet.IPv6: sentence(`ipv6SIDESIDE`, `[0-9a-f:]+`),
}

func sentence(entry, address string) *regexp.Regexp {
	words := strings.NewReplacer("PORT", `(?: (?:eq|gt|lt) N| range N N)?`, "SIDE", `(?: any| host `+address+`| `+address+`/N)`)
	line := `^   (?:counters per-entry|N (?:remark [A-Za-z0-9_-]+(?: uncounted)?|(?:permit|deny) ` + words.Replace(entry) + `))$`
	return regexp.MustCompile(strings.ReplaceAll(line, "N", `(?:0|[1-9]\d*)`))
}

// grammar says which line of text is none of those, and whether the list is closed.
func grammar(f filter.Filter, text string) error {
	lines := strings.Split(text, "\n")
	if len(lines) < 4 || !strings.HasSuffix(text, "\n!\n") {
		return errors.New("the list is not closed")
	}
	for _, l := range lines[1 : len(lines)-2] {
		if !sentences[f.Version].MatchString(l) {
			return fmt.Errorf("no such line: %q", l)
		}
	}
	return nil
}

func TestGrammar(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		"   10 permit gre any any eq 80", "   10 deny udp any any dscp 46 fragments", "   deny udp any any", "   10 deny ip any 203.0.113.9", "   10 deny udp any any log",
		" 10 deny udp any any", "   10 deny tcp any any syn", "   10 remark a b",
	} {
		if sentences[packet.IPv4].MatchString(wrong) {
			t.Errorf("the grammar takes %q", wrong)
		}
	}
	if sentences[packet.IPv6].MatchString("   10 deny udp any any") {
		t.Error("the grammar of IPv6 takes a protocol")
	}
}
