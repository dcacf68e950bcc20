package flowtext

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// JunosFilter is the filter that Junos makes of the IPv4 FlowSpec routes of its default instance. Its counters bear the names that Junos reads.
const JunosFilter = "__flowspec_default_inet__"

// longestJunos is the longest name that a source shows whole (mx counters in the tests of a public parser): one that was cut short would be the name of a wider rule.
const longestJunos = 73

// junosWords are the components that sources show, and how each is called. Those with bits (tcp-flag:18, tcp-flag=02, frag:02) are shown in two ways, and no source says which bits of the operator make
// the difference; dscp and icmp-code are shown nowhere.
var junosWords = map[string]flowspec.Type{
	"proto": flowspec.Protocol, "port": flowspec.Port, "dstport": flowspec.DstPort, "srcport": flowspec.SrcPort, "icmp-type": flowspec.ICMPType, "len": flowspec.PacketLength,
}

// Junos reads the name of a counter in JunosFilter, as `198.51.100.7,*,proto=17,dstport=53,=123,>=1024&<=2047`: destination, source, and the other components, whose alternatives stand behind commas as
// well; * is a prefix that is not there, an address without a length a host. Sources: `show firewall` of vMX 21.4 and of an MX (net4fungr.github.io, "kustom-metrics"; the tests of
// router_flowspec_parser), jnxFWCounterDisplayName in the tests of Observium, a Juniper techpost on MX301.
func Junos(name string) (flowspec.Match, error) {
	if len(name) > longestJunos {
		return flowspec.Match{}, fmt.Errorf("it is longer than any name that a source shows whole (%d octets)", longestJunos)
	}
	words := strings.Split(name, ",")
	if len(words) < 2 {
		return flowspec.Match{}, fmt.Errorf("no destination and source")
	}
	var list []flowspec.Component
	for i, t := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		if words[i] == "*" {
			continue
		}
		c, err := junosPrefix(words[i], t)
		if err != nil {
			return flowspec.Match{}, err
		}
		list = append(list, c)
	}
	for _, word := range words[2:] {
		at := strings.IndexAny(word, "=<>")
		if at < 0 {
			return flowspec.Match{}, fmt.Errorf("%q has no operator that is known", word)
		}
		last := len(list) - 1
		switch t, known := junosWords[word[:at]]; {
		case known:
			list = append(list, flowspec.Component{Type: t})
			last++
		case at > 0:
			return flowspec.Match{}, fmt.Errorf("no source shows how %q is meant", word[:at])
		case last < 0 || list[last].Type.Prefix():
			return flowspec.Match{}, fmt.Errorf("%q belongs to nothing", word)
		}
		terms, err := alternative(word[at:], list[last].Type)
		if err != nil {
			return flowspec.Match{}, err
		}
		list[last].Terms = append(list[last].Terms, terms...)
	}
	return match(list)
}

func junosPrefix(text string, t flowspec.Type) (flowspec.Component, error) {
	if host, err := netip.ParseAddr(text); err == nil && host.Is4() {
		text += "/32"
	}
	return prefix(text, t)
}
