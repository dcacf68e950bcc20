package iosxe_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The grammar of a line, as Cisco's command references have it: number, action, protocol, addresses with a wildcard mask and ports behind them, then what IPv4 and IPv6
// lines take ("permit (IP)", "permit (IPv6)"; cisco.ios.ios_acls for the word sequence of IPv6).
var grammars = map[packet.Version]*regexp.Regexp{
	packet.IPv4: lineGrammar(`(?: any| host \d+\.\d+\.\d+\.\d+| \d+\.\d+\.\d+\.\d+ \d+\.\d+\.\d+\.\d+)`, "ip|gre|esp", `\d+`, `(?: eq(?: \d+){1,10}| neq \d+| [gl]t \d+| range \d+ \d+)?`,
		`(?: match-(?:all|any)(?: [+-](?:fin|syn|rst|psh|ack|urg))+)?`, `(?: dscp \d+)?(?: fragments)?`),
	packet.IPv6: lineGrammar(`(?: any| host [0-9a-f:]+| [0-9a-f:]+/\d+)`, "ipv6|esp", `sequence \d+`, `(?: (?:eq|gt|lt) \d+| neq \d+| range \d+ \d+)?`, ``, `(?: dscp \d+)?(?: flow-label \d+)?(?: fragments)?`),
}

func lineGrammar(side, family, number, port, flags, after string) *regexp.Regexp {
	transport := `(?:tcp|udp)` + side + port + side + port + flags
	message := `icmp` + side + side + `(?: \d+(?: \d+)?)?`
	other := `(?:` + family + `|\d+)` + side + side
	return regexp.MustCompile(`^ ` + number + ` (?:remark [A-Za-z0-9-]+(?: uncounted)?|(?:deny|permit) (?:` + transport + `|` + message + `|` + other + `)` + after + `)$`)
}

func keepsToGrammar(f filter.Filter, text string) error {
	lines := strings.Split(text, "\n")
	if len(lines) < 3 || !strings.HasSuffix(text, "\n!\n") {
		return fmt.Errorf("the list is not closed: %q", text)
	}
	for _, l := range lines[1 : len(lines)-2] {
		if !grammars[f.Version].MatchString(l) {
			return fmt.Errorf("no such line: %q", l)
		}
	}
	return nil
}

func TestGrammarRefuses(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{
		" 10 permit gre any any eq 80", " 10 deny ip any any eq 5", " 10 deny udp any any match-all syn", " deny udp any any", " 10 deny ip any 203.0.113.9", " 10 deny ip any 203.0.113.0/24",
		" 10 deny udp any any fragments dscp 1", " sequence 10 deny udp any any", " 10 deny udp any eq 1 2 3 4 5 6 7 8 9 10 11 any", " 10 deny udp any any packet-length eq 1",
	} {
		if grammars[packet.IPv4].MatchString(wrong) {
			t.Errorf("the grammar takes %q", wrong)
		}
	}
}
