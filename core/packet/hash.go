package packet

// Hash returns a number that sets of the same boxes in the same order have in common, as equal sets usually are. It serves to find
// candidates for Equal; it is the same in every process.
func (a Set) Hash() uint64 {
	h := hash(1469598103934665603)
	for i := range a.boxes {
		b := &a.boxes[i]
		h.add(uint64(b.version)<<8 | uint64(b.frags))
		h.addrs(b)
		for d := range numbered {
			v := b.list(d)
			if v == nil {
				continue
			}
			h.add(uint64(d))
			for _, s := range v {
				h.add(uint64(s.Lo)<<32 | uint64(s.Hi))
			}
		}
		if b.flags.words != nil {
			for _, w := range b.flags.words {
				h.add(w)
			}
		}
	}
	return uint64(h)
}

// HashAddrs is Hash for the addresses of the first box of a alone: parts of a set that was divided along other fields have it in common.
func (a Set) HashAddrs() uint64 {
	h := hash(1469598103934665603)
	if len(a.boxes) > 0 {
		h.add(uint64(a.boxes[0].version))
		h.addrs(&a.boxes[0])
	}
	return uint64(h)
}

// hash is FNV-1a over words, with the high half folded in so that both halves of a word count.
type hash uint64

func (h *hash) add(w uint64) {
	x := (uint64(*h) ^ w) * 1099511628211
	*h = hash(x ^ x>>32)
}

func (h *hash) addrs(b *box) {
	for _, addrs := range b.addrs {
		if addrs.set == nil {
			h.add(1)
			continue
		}
		for _, s := range addrs.set.spans() {
			h.add(s.lo.hi)
			h.add(s.lo.lo)
			h.add(s.hi.hi)
			h.add(s.hi.lo)
		}
		h.add(2) // cubes of one set can be cut in several ways: they take no part
	}
}
