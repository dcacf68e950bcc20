package nftables

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// flagNames are the words of nft for the eight flags of octet 13, the lowest bit first. NS and the reserved bits are reached as raw octets.
var flagNames = [8]string{"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"}

// rawFlags is the field of the sixteen bits from the data offset to the flags (RFC 9293 §3.1), of which the lower twelve count as flags here.
const rawFlags = "@th,96,16"

// named returns the bits that terms look at, and those of the terms that some word fulfils.
func named(terms []filter.FlagTerm) (mask uint16, possible []filter.FlagTerm) {
	for _, t := range terms {
		if t.Set&t.Clear == 0 {
			mask |= t.Set | t.Clear
			possible = append(possible, t)
		}
	}
	return mask, possible
}

// low says whether terms are written with the field `tcp flags`, which asks for TCP by itself.
func low(terms []filter.FlagTerm) bool {
	mask, possible := named(terms)
	return mask&0xff != 0 && (mask <= 0xff || len(possible) == 1) && !anything(terms)
}

// anything says whether terms let every word through between them.
func anything(terms []filter.FlagTerm) bool {
	mask, possible := named(terms)
	every := 1 << bits.OnesCount16(mask)
	return len(possible) > 0 && flagValues(mask, possible).Count(1<<16-1) == uint64(every)
}

// flags writes a condition on the TCP flags: the bits that the terms look at, compared with one value, or looked up in the set of all values that fulfil
// one of the terms.
//
// What lies beyond the eight flags is compared on its own: listed under one mask with them, nft 1.0.6 shows other bits than the kernel compares. In a set it is looked up
// with all twelve bits, which is shown as it is.
func (w *writer) flags(terms []filter.FlagTerm) {
	if terms == nil || anything(terms) {
		return // of TCP, as protocol has it
	}
	mask, possible := named(terms)
	if len(possible) == 0 {
		w.refuse("tcp-flags: no packet has a flag set and clear at once, the entry matches nothing")
		return
	}
	octet := cond{field: "tcp flags", masked: mask&0xff != 0xff, mask: flagSum(mask&0xff, "(", ")")}
	wide := cond{field: rawFlags, masked: true, mask: fmt.Sprintf("%#x", mask&0xf00)}
	switch {
	case len(possible) == 1:
		v := possible[0].Set
		if mask&0xff != 0 {
			word := flagSum(v&0xff, "", "")
			octet.value = element{word, word}
			w.out = append(w.out, when(octet))
		}
		if mask&0xf00 != 0 {
			word := fmt.Sprintf("%#x", v&0xf00)
			wide.value = element{word, word}
			w.out = append(w.out, when(wide))
		}
	case mask <= 0xff:
		octet.set = w.b.set("flags", flagValues(mask, possible))
		w.out = append(w.out, when(octet))
	default:
		wide.mask, wide.set = "0xfff", w.b.set("wide-flags", flagValues(0xfff, possible))
		w.out = append(w.out, when(wide))
	}
}

// flagValues returns the words within mask that fulfil one of terms.
func flagValues(mask uint16, terms []filter.FlagTerm) packet.Values {
	var spans []packet.Span
	for word := uint32(0); word <= uint32(mask); word++ {
		if uint16(word)&^mask != 0 {
			continue
		}
		for _, t := range terms {
			if uint16(word)&t.Set == t.Set && uint16(word)&t.Clear == 0 {
				spans = append(spans, packet.Span{Lo: word, Hi: word})
				break
			}
		}
	}
	return packet.NewValues(spans...)
}

// flagSum writes flags as nft does: syn | ack; brackets stand around more than one.
func flagSum(word uint16, open, end string) string {
	var names []string
	for bit, name := range flagNames {
		if word>>bit&1 == 1 {
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return "0x0"
	case 1:
		return names[0]
	}
	return open + strings.Join(names, " | ") + end
}
