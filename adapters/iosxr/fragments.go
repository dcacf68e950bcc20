package iosxr

import (
	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// fragmentWords are the conditions of IPv4, the shorter first. `fragments` is an offset above zero; the types are the table of "ACL IP Fragments Matching - NCS55xx and
// NCS5xx": dont-fragment DF=1, first-fragment MF=1 and offset 0, is-fragment any fragment, last-fragment MF=0 and an offset. Mind that is-fragment of FlowSpec (RFC
// 8955 section 4.2.2.12) is `fragments` here: the first fragment is none.
var fragmentWords = []ciscoacl.FragmentWord{
	{Word: "", States: packet.AnyFrags},
	{Word: "fragments", States: ciscoacl.LaterFragments},
	{Word: "first-fragment", States: 0x22},
	{Word: "last-fragment", States: 0x88},
	{Word: "is-fragment", States: 0xee},
	{Word: "dont-fragment", States: 0xf0},
	{Word: "dont-fragment first-fragment", States: 0x20},
	{Word: "dont-fragment last-fragment", States: 0x80},
	{Word: "dont-fragment is-fragment", States: 0xe0},
	{Word: offsetWord, States: packet.OffsetZero, Last: true},
}

// offsetWord is a feature of the model that not every line card has; one without it refuses the configuration. It is used where nothing else will do: in front of another list.
const offsetWord = "fragment-offset eq 0"

// wordsFor returns the conditions of version v. The types of IPv6 (first-fragment, is-fragment) are left alone: what they say of a packet with a fragment header that is whole
// (RFC 8200 section 4.5) is not written down.
func wordsFor(v packet.Version) []ciscoacl.FragmentWord {
	if v == packet.IPv6 {
		return fragmentWords[:2]
	}
	return fragmentWords
}
