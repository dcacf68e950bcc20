package nftables

import (
	"fmt"
	"strconv"
	"strings"
)

// Words that nft shows in place of numbers. sluice writes numbers, but for flags; a device may show either. A word that is not here is an error, never
// a guess.

// protocolWords are the names of Debian's /etc/protocols, which nft asks for protocols.
var protocolWords = map[string]uint32{
	"ip": 0, "hopopt": 0, "icmp": 1, "igmp": 2, "ggp": 3, "ipencap": 4, "st": 5, "tcp": 6, "egp": 8, "igp": 9, "pup": 12, "udp": 17, "hmp": 20,
	"xns-idp": 22, "rdp": 27, "iso-tp4": 29, "dccp": 33, "xtp": 36, "ddp": 37, "idpr-cmtp": 38, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44,
	"idrp": 45, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "skip": 57, "ipv6-icmp": 58, "icmpv6": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "rspf": 73,
	"vmtp": 81, "eigrp": 88, "ospf": 89, "ax.25": 93, "ipip": 94, "etherip": 97, "encap": 98, "pim": 103, "ipcomp": 108, "comp": 108, "vrrp": 112,
	"l2tp": 115, "isis": 124, "sctp": 132, "fc": 133, "mobility-header": 135, "udplite": 136, "mpls-in-ip": 137, "manet": 138, "hip": 139,
	"shim6": 140, "wesp": 141, "rohc": 142, "ethernet": 143, "mptcp": 262,
}

var dscpWords = map[string]uint32{
	"cs0": 0, "cs1": 8, "cs2": 16, "cs3": 24, "cs4": 32, "cs5": 40, "cs6": 48, "cs7": 56, "df": 0, "be": 0, "lephb": 1, "af11": 10, "af12": 12,
	"af13": 14, "af21": 18, "af22": 20, "af23": 22, "af31": 26, "af32": 28, "af33": 30, "af41": 34, "af42": 36, "af43": 38, "va": 44, "ef": 46,
}

var icmpTypeWords = map[string]uint32{
	"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8, "router-advertisement": 9,
	"router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12, "timestamp-request": 13, "timestamp-reply": 14, "info-request": 15,
	"info-reply": 16, "address-mask-request": 17, "address-mask-reply": 18,
}

var icmpCodeWords = map[string]uint32{
	"net-unreachable": 0, "host-unreachable": 1, "prot-unreachable": 2, "port-unreachable": 3, "frag-needed": 4, "net-prohibited": 9,
	"host-prohibited": 10, "admin-prohibited": 13,
}

var icmpv6TypeWords = map[string]uint32{
	"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128, "echo-reply": 129,
	"mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133,
	"nd-router-advert": 134, "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
	"ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
}

var icmpv6CodeWords = map[string]uint32{
	"no-route": 0, "admin-prohibited": 1, "addr-unreachable": 3, "port-unreachable": 4, "policy-fail": 5, "reject-route": 6,
}

var flagWords = func() map[string]uint32 {
	out := map[string]uint32{}
	for bit, name := range flagNames {
		out[name] = 1 << bit
	}
	return out
}()

// wordNumber reads a number of 0 to most, decimal or hexadecimal, or one of words.
func wordNumber(words map[string]uint32, s string, most uint32) (uint32, error) {
	if n, ok := words[s]; ok && n <= most {
		return n, nil
	}
	digits, base := s, 10
	if hex, found := strings.CutPrefix(s, "0x"); found {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n > uint64(most) {
		return 0, fmt.Errorf("%q is no number of 0 to %d, and no word that sluice knows", s, most)
	}
	return uint32(n), nil
}

// flagNumber reads flags joined by |, each by its word or as a number.
func flagNumber(s string, most uint32) (uint32, error) {
	var all uint32
	for _, word := range strings.Split(s, " | ") {
		n, err := wordNumber(flagWords, word, most)
		if err != nil {
			return 0, err
		}
		all |= n
	}
	return all, nil
}
