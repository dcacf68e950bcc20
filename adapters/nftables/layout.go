package nftables

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// many is how many entries in a row a verdict map is made for. Fewer are read faster one by one, by the kernel and by people.
const many = 16

// builder puts entries into a table.
//
// Rules are read one after the other, which for ten thousand takes a fraction of a millisecond a packet. So a run of entries that all name
// a destination, in the order of RFC 8955 §5.1, is reached by its destinations: a chain for each prefix, and a map from address to chain for each prefix
// length, looked up from the longest to the shortest. A packet comes to the chains of all prefixes that hold its destination, the most specific first, which is the
// order of the run. Prefixes that do not hold one another have no order to keep, and whoever reads the table puts them into that of the RFC again.
// An entry of another destination is then one chain and one element more.
type builder struct {
	t    *table
	v    packet.Version
	have map[string]bool // sets and counters that are there
	text []string        // of each entry
	errs []error

	mostSets int
}

// axis is an address that entries are reached by.
type axis struct {
	tag    string // of maps and chains
	v4, v6 string
	of     func(*filter.Match) **netip.Prefix
}

var axes = []axis{
	{"to", "ip daddr", "ip6 daddr", func(m *filter.Match) **netip.Prefix { return &m.Dst }},
	{"from", "ip saddr", "ip6 saddr", func(m *filter.Match) **netip.Prefix { return &m.Src }},
}

func (a axis) field(v packet.Version) string {
	if v == packet.IPv6 {
		return a.v6
	}
	return a.v4
}

// place appends rules for entries to c. The axes that are not in left have been decided on the way to c, whose name is path where that is not the base chain.
func (b *builder) place(c *chain, entries []filter.Entry, left []axis, path string) {
	blocks := 0
	for len(entries) > 0 {
		n, a := 0, 0
		for a = range left {
			if n = inOrder(entries, left[a]); n >= many {
				break
			}
		}
		if n < many {
			b.entry(c, entries[0])
			entries = entries[1:]
			continue
		}
		blocks++
		b.block(c, entries[:n], left[a], slices.Delete(slices.Clone(left), a, a+1), path, blocks)
		entries = entries[n:]
	}
}

// inOrder returns how many entries at the beginning of the list have a prefix on axis a, none of them in front of the one before.
func inOrder(entries []filter.Entry, a axis) int {
	var last *netip.Prefix
	for i := range entries {
		p := *a.of(&entries[i].Match)
		if p == nil || p.Bits() == 0 || last != nil && precedence(*last, *p) > 0 {
			return i
		}
		last = p
	}
	return len(entries)
}

// precedence compares prefixes as RFC 8955 §5.1 does: the more specific of two that overlap comes first, else the lower one.
func precedence(a, b netip.Prefix) int {
	if a.Overlaps(b) {
		return cmp.Compare(b.Bits(), a.Bits())
	}
	return a.Addr().Compare(b.Addr())
}

// block appends lookups of the prefixes that entries have on axis a.
func (b *builder) block(c *chain, entries []filter.Entry, a axis, left []axis, path string, number int) {
	tag := a.tag
	if number > 1 {
		tag += strconv.Itoa(number)
	}
	maps := map[int]*verdictMap{}
	for len(entries) > 0 {
		p := **a.of(&entries[0].Match)
		n := 1
		for n < len(entries) && **a.of(&entries[n].Match) == p {
			n++
		}
		group := &chain{name: chainName(path, tag, p)}
		m := maps[p.Bits()]
		if m == nil {
			m = &verdictMap{name: strings.TrimSuffix(fmt.Sprintf("%s-%d-%s", tag, p.Bits(), path), "-"), typ: addressType(b.v)}
			maps[p.Bits()] = m
		}
		m.elements = append(m.elements, jump{p.Addr().String(), group.name})
		within := make([]filter.Entry, n)
		for i, e := range entries[:n] {
			*a.of(&e.Match) = nil
			within[i] = e
		}
		b.place(group, within, left, group.name)
		b.t.chains = append(b.t.chains, group)
		entries = entries[n:]
	}
	for bits := 128; bits > 0; bits-- {
		m := maps[bits]
		if m == nil {
			continue
		}
		b.t.maps = append(b.t.maps, m)
		s := statement{verb: lookup, name: m.name, cond: cond{field: a.field(b.v)}}
		if whole := netip.PrefixFrom(lowest(b.v), bits); !whole.IsSingleIP() {
			s.cond.masked, s.cond.mask = true, netmask(b.v, bits)
		}
		c.rules = append(c.rules, rule{statements: []statement{s}})
	}
}

// chainName is the name of the chain for prefix p: to-203.0.113.0/24. Names have no colons, so underscores stand for those of IPv6.
func chainName(path, tag string, p netip.Prefix) string {
	name := tag + "-" + strings.ReplaceAll(address(p), ":", "_")
	if path != "" {
		name = path + "-" + name
	}
	return name
}

func addressType(v packet.Version) string {
	if v == packet.IPv6 {
		return "ipv6_addr"
	}
	return "ipv4_addr"
}

// lowest is the address of all zeros.
func lowest(v packet.Version) netip.Addr {
	if v == packet.IPv6 {
		return netip.IPv6Unspecified()
	}
	return netip.IPv4Unspecified()
}

// netmask writes the mask of a prefix length as an address.
func netmask(v packet.Version, bits int) string {
	b := lowest(v).AsSlice()
	for i := range bits {
		b[i/8] |= 0x80 >> (i % 8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a.String()
}

// entry appends the rules of e to c. What cannot stand in them stands in a chain of its own.
func (b *builder) entry(c *chain, e filter.Entry) {
	if err := b.write(c, e); err != nil {
		b.errs = append(b.errs, fmt.Errorf("entry %s: %w", e.Name, err))
	}
}

func (b *builder) write(c *chain, e filter.Entry) error {
	if err := checkName(e.Name); err != nil {
		return err
	}
	if e.Name == restRule {
		return fmt.Errorf("the name %s is taken by the rule that accepts the rest", restRule)
	}
	heads, away, err := b.head(e.Match)
	does, err2 := actions(e, b.v)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	if e.Counter != "" && !b.have["counter "+e.Counter] {
		b.have["counter "+e.Counter] = true
		b.t.counters = append(b.t.counters, e.Counter)
	}
	var text strings.Builder
	if len(away) > 0 || e.Do.Policer != "" {
		own := &chain{name: "do-" + e.Name, rules: append(away, steps(does)...)}
		b.t.chains = append(b.t.chains, own)
		does = []statement{{verb: jumpTo, name: own.name}}
		own.write(&text)
	}
	lines := ""
	for _, head := range heads {
		r := rule{statements: append(head, does...), comment: e.Name}
		c.rules = append(c.rules, r)
		lines += r.String() + "\n"
	}
	b.text = append(b.text, lines+strings.ReplaceAll(strings.TrimPrefix(text.String(), "\t"), "\n\t", "\n"))
	return nil
}

// steps writes statements as the rules of a chain, one each: a limit ends a rule for packets that are within it. To go on is to return from the chain.
func steps(does []statement) []rule {
	var out []rule
	for _, s := range does {
		switch s.verb {
		case police:
			out = append(out, rule{statements: []statement{s, {verb: drop}}})
		case goOn:
			out = append(out, rule{statements: []statement{{verb: turnAway}}})
		default:
			out = append(out, rule{statements: []statement{s}})
		}
	}
	return out
}
