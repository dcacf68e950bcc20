package slx_test

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// router reads the text line by line, as the guide says: "The first rule that matches the traffic stops further processing of the rules". It returns the name of that
// line; "deny" where no line matches: "There is an implicit deny rule at the end of every Layer 3 ACL applied to a user interface".
func router(_ filter.Filter, text string, h packet.Header) []string {
	names := map[string]string{}
	for _, l := range strings.Split(text, "\n") {
		switch w := strings.Fields(l); {
		case len(w) == 5 && w[0] == "!":
			names[w[2]] = w[4]
		case len(w) > 4 && w[0] == "seq" && takes(w[3:], h):
			return []string{names[w[1]]}
		}
	}
	return []string{"deny"}
}

// takes looks at one word after the other: a protocol and two addresses.
func takes(w []string, h packet.Header) bool {
	number, named := map[string]int{"icmp": 1, "tcp": 6, "udp": 17}[w[0]]
	if !named {
		number, _ = strconv.Atoi(w[0])
	}
	ok := w[0] == "ip" || w[0] == "ipv6" || number == int(h.Proto)
	w = w[1:]
	for _, a := range []netip.Addr{h.Src, h.Dst} {
		switch {
		case w[0] == "any":
			w = w[1:]
		case w[0] == "host":
			ok = ok && a == netip.MustParseAddr(w[1])
			w = w[2:]
		case strings.Contains(w[0], "/"):
			ok = ok && netip.MustParsePrefix(w[0]).Contains(a)
			w = w[1:]
		default:
			is, want, mask := a.As4(), netip.MustParseAddr(w[0]).As4(), netip.MustParseAddr(w[1]).As4()
			for i := range is {
				ok = ok && is[i]&^mask[i] == want[i]&^mask[i]
			}
			w = w[2:]
		}
	}
	return ok
}

// The sentences of a list: "seq (rules in IPv4 extended ACLs)" and its twin for IPv6, command reference 20.6.1; that source and destination stand one behind the other is in
// brocade-ip-access-list (PySwitchLib) and in public configurations. Comments are no sentences.
var sentences = map[packet.Version]*regexp.Regexp{
	packet.IPv4: regexp.MustCompile(`^ seq \d{1,5} (permit|deny) (ip|tcp|udp|icmp|\d{1,3})( any| host [0-9.]+| [0-9.]+ [0-9.]+){2}( count)?$`),
	packet.IPv6: regexp.MustCompile(`^ seq \d{1,5} (permit|deny) ipv6( any| host [0-9a-f:.]+| [0-9a-f:.]+/\d{1,3}) any( count)?$`),
}

// grammar says which line of text is none of those, and whether the numbers rise.
func grammar(f filter.Filter, text string) error {
	list := text[strings.Index(text, "ip"):]
	lines := strings.Split(strings.TrimSuffix(list, "!\n"), "\n")
	last := 0
	for _, l := range lines[1 : len(lines)-1] {
		if !sentences[f.Version].MatchString(l) {
			return fmt.Errorf("no such line: %q", l)
		}
		n, err := strconv.Atoi(strings.Fields(l)[1])
		if err != nil || n <= last || n > 65535 {
			return fmt.Errorf("number %d behind %d", n, last)
		}
		last = n
	}
	if last != 65535 {
		return errors.New("the rest is not permitted")
	}
	return nil
}
