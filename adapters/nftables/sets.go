package nftables

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// setKinds are the kinds of lists that sets are made for, and their types. A kind is the beginning of the set's name.
var setKinds = map[string]string{
	"proto":       "type inet_proto",
	"port":        "type inet_service",
	"icmp-type":   "type icmp_type",
	"icmp-code":   "type icmp_code",
	"icmpv6-type": "type icmpv6_type",
	"icmpv6-code": "type icmpv6_code",
	"length":      "typeof meta length",
	"dscp":        "type dscp",
	"label":       "typeof ip6 flowlabel",
	"frag":        "typeof ip frag-off",
	"flags":       "type tcp_flag",
	"wide-flags":  "typeof " + rawFlags,
}

// longestName is where the name of a set stops spelling out its elements.
const longestName = 60

// manySets is how many sets a table has before lists are written otherwise: the kernel finds a set by walking the list of all of them, twice for each.
const manySets = 1000

// roomFor says whether the list vs may be a set: there is one already, or there are not many yet.
func (b *builder) roomFor(kind string, vs packet.Values) bool {
	return len(b.t.sets) < b.mostSets || b.have[setName(kind, vs)]
}

// setName is the name of the set of kind that holds vs: it spells them out where that is short.
func setName(kind string, vs packet.Values) string {
	names := make([]string, len(vs))
	for i, span := range vs {
		names[i] = number(span).String()
	}
	name := kind + "-" + strings.Join(names, "_")
	if len(name) > longestName {
		sum := sha256.Sum256([]byte(name))
		name = kind + "-" + names[0] + "_and_" + strconv.Itoa(len(vs)-1) + "_more-" + hex.EncodeToString(sum[:8])
	}
	return name
}

// set returns the name of the set of kind that holds vs, which all rules share that ask for the same list.
func (b *builder) set(kind string, vs packet.Values) string {
	s := &set{name: setName(kind, vs), typ: setKinds[kind]}
	if b.have[s.name] {
		return s.name
	}
	for _, span := range vs {
		if kind != "flags" {
			s.interval = s.interval || span.Lo != span.Hi
			s.elements = append(s.elements, number(span))
			continue
		}
		for v := span.Lo; v <= span.Hi; v++ { // nft 1.0.6 crashes when it lists a set of ranges of flags
			word := flagSum(uint16(v), "", "")
			s.elements = append(s.elements, element{word, word})
		}
	}
	b.have[s.name] = true
	b.t.sets = append(b.t.sets, s)
	return s.name
}
