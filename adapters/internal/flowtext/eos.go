package flowtext

import (
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// eosWords are the components that sources show. TCP and FRAG are numbers of which no source says which operator they stand for.
var eosWords = map[string]flowspec.Type{"IP": flowspec.Protocol, "DP": flowspec.DstPort, "SP": flowspec.SrcPort, "LEN": flowspec.PacketLength}

// EOS reads a rule of IPv4 as `show flow-spec ipv4` of Arista EOS prints it: `198.51.100.7/32;*;IP:=17;DP:=53;`, destination and source first, * where there is none. Sources: cEOS (a public lab on BGP
// FlowSpec), the tests of router_flowspec_parser. Of components with several values there is no example, so they are not read.
func EOS(rule string) (flowspec.Match, error) {
	words := strings.Split(rule, ";")
	if n := len(words); n < 3 || words[n-1] != "" {
		return flowspec.Match{}, fmt.Errorf("no destination and source, each with a semicolon behind it")
	}
	var list []flowspec.Component
	for i, t := range []flowspec.Type{flowspec.DstPrefix, flowspec.SrcPrefix} {
		if words[i] == "*" {
			continue
		}
		c, err := prefix(words[i], t)
		if err != nil {
			return flowspec.Match{}, err
		}
		list = append(list, c)
	}
	for _, word := range words[2 : len(words)-1] {
		name, value, _ := strings.Cut(word, ":")
		t, known := eosWords[name]
		if !known || !strings.HasPrefix(value, "=") {
			return flowspec.Match{}, fmt.Errorf("no source shows how %q is meant", word)
		}
		one, err := term(value, t)
		if err != nil {
			return flowspec.Match{}, err
		}
		list = append(list, flowspec.Component{Type: t, Terms: []flowspec.Term{one}})
	}
	return match(list)
}
