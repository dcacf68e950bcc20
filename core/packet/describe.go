package packet

import (
	"fmt"
	"strings"
)

// String describes a in words an operator would use, shortened where it is long.
func (a Set) String() string {
	if len(a.boxes) == 0 {
		return "nothing"
	}
	var parts []string
	for i := range a.boxes {
		if i == maxShown && len(a.boxes) > maxShown+1 {
			parts = append(parts, fmt.Sprintf("%d more", len(a.boxes)-i))
			break
		}
		parts = append(parts, a.boxes[i].unpack().String())
	}
	return strings.Join(parts, "; or ")
}

// String describes b: `ipv4 dst 203.0.113.9/32 proto 17 sport 53,123`.
func (b Box) String() string {
	p := b.pack()
	if p.empty() {
		return "nothing"
	}
	var out strings.Builder
	out.WriteString(p.version.String())
	names := [sides]string{"proto", "sport", "dport", "icmp-type", "icmp-code", "len", "dscp", "label", "dst", "src", "flags", "frag"}
	for _, d := range []int{dst, src, proto, srcPort, dstPort, icmpType, icmpCode, flagBits, length, dscp, label, frag} {
		if text := p.sideString(d); text != "any" {
			out.WriteString(" " + names[d] + " " + text)
		}
	}
	return out.String()
}

func (b *box) sideString(d int) string {
	switch d {
	case dst, src:
		return b.addrs[d-dst].String()
	case flagBits:
		return b.flags.String()
	case frag:
		if b.frags == b.version.frags() {
			return "any"
		}
		if b.version == IPv6 {
			return (b.frags | b.frags<<4).String() // no DF bit to speak of
		}
		return b.frags.String()
	}
	return b.list(d).String()
}

// String prints f as fragment states: `first,middle`; with DF set as `whole+df`. States allowed with and without DF
// are named once.
func (f Frags) String() string {
	var parts []string
	for s := Whole; s <= Last; s++ {
		clear, set := f&FragsOf(s, false) != 0, f&FragsOf(s, true) != 0
		switch {
		case clear && set:
			parts = append(parts, s.String())
		case clear:
			parts = append(parts, s.String()+"-df")
		case set:
			parts = append(parts, s.String()+"+df")
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ",")
}

// String prints f as flags that are set and flags that are clear, `S&!A`, where f is such a pattern, else how many words it holds.
func (f Flags) String() string {
	n := f.Count()
	switch n {
	case 4096:
		return "any"
	case 0:
		return "none"
	}
	set, clear := uint16(0xfff), uint16(0xfff) // bits that all words have, that no word has
	for w := range uint16(4096) {
		if f.Has(w) {
			set &= w
			clear &^= w
		}
	}
	if 1<<(12-popcount(set|clear)) == n { // a pattern: some bits set, some clear, the others free
		var parts []string
		if set != 0 {
			parts = append(parts, FlagString(set))
		}
		if clear != 0 {
			parts = append(parts, "!"+FlagString(clear))
		}
		return strings.Join(parts, "&")
	}
	return fmt.Sprintf("%d of 4096 flag words", n)
}

func popcount(w uint16) (n int) {
	for ; w != 0; w &= w - 1 {
		n++
	}
	return n
}
