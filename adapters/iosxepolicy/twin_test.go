package iosxepolicy_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// says is what a policy does to the packets of an entry, in the words of its text.
func says(e filter.Entry) string {
	out := e.Name
	switch {
	case e.Do.Discard:
		return out + " drop"
	case e.Do.Policer != "":
		out += " police"
	}
	if e.Do.Mark != nil {
		out += fmt.Sprintf(" dscp %d", *e.Do.Mark)
	}
	return out
}

// router reads text as the manuals say: the policy asks its classes one after the other; a class takes a packet that its list permits and whose DSCP is one of its own; a list
// permits what one of its lines matches.
func router(f filter.Filter, text string, h packet.Header) []string {
	objects := map[string][]string{}
	name := ""
	for _, l := range strings.Split(text, "\n") {
		switch {
		case l == "!" || l == "":
		case l[0] != ' ':
			name = l
		default:
			objects[name] = append(objects[name], l)
		}
	}
	class, out := "", ""
	for _, l := range objects["policy-map "+f.Name] {
		if c, begins := strings.CutPrefix(l, " class "); begins {
			if class != "" {
				return []string{out}
			}
			if permits(objects["ip access-list extended "+c], h) && classTakes(objects["class-map match-all "+c], c, h) {
				class, out = c, strings.TrimPrefix(c, f.Name+"-")
			}
			continue
		}
		w := strings.Fields(l)
		switch {
		case class == "":
		case w[0] == "drop":
			out += " drop"
		case w[0] == "exceed-action" && w[1] == "drop":
			out += " police"
		case w[0] == "set":
			out += " dscp " + w[2]
		}
	}
	if class == "" {
		return []string{"passes"}
	}
	return []string{out}
}

func classTakes(lines []string, list string, h packet.Header) bool {
	ok, lists := true, 0
	for _, l := range lines {
		w := strings.Fields(l)
		switch {
		case l == " match access-group name "+list:
			lists++
		case w[1] == "dscp":
			ok = ok && slices.Contains(w[2:], strconv.Itoa(int(h.DSCP)))
		case w[0] != "description":
			panic(l)
		}
	}
	return ok && lists == 1
}

// permits says whether a line of a list matches: protocol and addresses are in every packet and in every fragment of one.
func permits(lines []string, h packet.Header) bool {
	numbers := map[string]string{"tcp": "6", "udp": "17", "icmp": "1", "gre": "47", "esp": "50", "ip": strconv.Itoa(int(h.Proto))}
	for _, l := range lines {
		w := strings.Fields(l)[2:] // number and permit
		if n, named := numbers[w[0]]; named {
			w[0] = n
		}
		ok := w[0] == strconv.Itoa(int(h.Proto))
		w = w[1:]
		for _, a := range []netip.Addr{h.Src, h.Dst} {
			switch w[0] {
			case "any":
				w = w[1:]
			case "host":
				ok = ok && netip.MustParseAddr(w[1]) == a
				w = w[2:]
			default:
				ok = ok && withMask(w[0], w[1], a)
				w = w[2:]
			}
		}
		if len(w) > 0 {
			panic(l)
		}
		if ok {
			return true
		}
	}
	return false
}

// withMask says whether a is address in all bits that mask leaves clear.
func withMask(address, mask string, a netip.Addr) bool {
	x, m, y := netip.MustParseAddr(address).As4(), netip.MustParseAddr(mask).As4(), a.As4()
	for i := range x {
		if (x[i]^y[i])&^m[i] != 0 {
			return false
		}
	}
	return true
}
