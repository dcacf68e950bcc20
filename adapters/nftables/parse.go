package nftables

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// errDormant is what stands against a table that somebody switched off.
var errDormant = errors.New("the table is dormant: somebody switched it off")

// Parse reads the filters that bear our mark, in the order of their names: from a script of Render, from what `nft list table` or `nft list ruleset` prints, or from
// the same in JSON (`nft -j`). Tables of other names are passed over. Inside ours everything must be understood: an object, a rule or a condition that is not, or a
// dormant table, is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	tables, err := readTables(b)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tables, func(a, b *table) int { return strings.Compare(a.name, b.name) })
	var out []filter.Filter
	var errs []error
	for i, t := range tables {
		f, err := t.filter()
		if err == nil && i > 0 && tables[i-1].name == t.name {
			err = errors.New("the name stands there twice")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("table %s %s: %w", t.family, t.name, err))
			f = filter.Filter{Name: t.name, Version: f.Version}
		}
		out = append(out, f)
	}
	if len(errs) > 0 {
		err := errors.Join(errs...)
		return nil, &filter.ForeignError{Filters: out, Deactivated: errors.Is(err, errDormant), Err: err}
	}
	return out, nil
}

func readTables(b []byte) ([]*table, error) {
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("{")) {
		return readJSON(trimmed)
	}
	return readText(string(b))
}

// filter returns the filter that t says. Its version is right even where there is an error.
func (t *table) filter() (filter.Filter, error) {
	f := filter.Filter{Name: t.name, Version: packet.IPv4, Placement: filter.Before}
	switch t.family {
	case "ip":
	case "ip6":
		f.Version = packet.IPv6
	default:
		return filter.Filter{}, fmt.Errorf("sluice makes no table of family %s", t.family)
	}
	if t.dormant {
		return f, errDormant
	}
	if t.err != nil {
		return f, t.err
	}
	r, err := newReader(t, f.Version)
	if err != nil {
		return f, err
	}
	base := r.chains[t.name]
	if base == nil {
		return f, fmt.Errorf("its base chain %s is missing", t.name)
	}
	rules := base.rules
	if base.base != baseHook || len(rules) == 0 || rules[0].String() != ours.String() {
		return f, fmt.Errorf("chain %s does not begin as sluice writes it", t.name)
	}
	if rules = rules[1:]; len(rules) > 0 && rules[len(rules)-1].String() == rest.String() {
		f.Placement, rules = filter.Alone, rules[:len(rules)-1]
	}
	r.used["chain "+t.name] = true
	if err := r.walk(rules, filter.Match{}); err != nil {
		return f, err
	}
	if err := r.left(); err != nil {
		return f, err
	}
	f.Entries, f.Policers = r.entries, r.policers
	return f, nil
}

// reader puts the entries of a table together.
type reader struct {
	t        *table
	v        packet.Version
	sets     map[string]*set
	maps     map[string]*verdictMap
	chains   map[string]*chain
	limits   map[string]limit
	counters map[string]bool
	used     map[string]bool              // by kind and name
	frags    map[string]packet.Frags      // what conditions on fragments mean that were read already
	terms    map[string][]filter.FlagTerm // the same of conditions on flags
	entries  []filter.Entry
	policers []filter.Policer
}

// newReader indexes the objects of t by their names.
func newReader(t *table, v packet.Version) (*reader, error) {
	r := &reader{t: t, v: v, sets: map[string]*set{}, maps: map[string]*verdictMap{}, chains: map[string]*chain{}, limits: map[string]limit{},
		counters: map[string]bool{}, used: map[string]bool{}, frags: map[string]packet.Frags{}, terms: map[string][]filter.FlagTerm{}}
	total := 0
	for _, c := range t.counters {
		r.counters[c] = true
	}
	for _, l := range t.limits {
		r.limits[l.name] = l
	}
	for _, s := range t.sets {
		r.sets[s.name] = s
	}
	for _, m := range t.maps {
		r.maps[m.name] = m
	}
	for _, c := range t.chains {
		r.chains[c.name] = c
	}
	total = len(t.counters) + len(t.limits) + len(t.sets) + len(t.maps) + len(t.chains)
	if total != len(r.counters)+len(r.limits)+len(r.sets)+len(r.maps)+len(r.chains) {
		return nil, errors.New("two objects of one kind have the same name")
	}
	return r, nil
}

// take notes that an object is used. A chain is reached in one way only, so that each of its entries stands in one place of the order.
func (r *reader) take(kind, name string) (first bool) {
	first = !r.used[kind+" "+name]
	r.used[kind+" "+name] = true
	return first
}

// left says which objects nothing leads to.
func (r *reader) left() error {
	total := len(r.counters) + len(r.limits) + len(r.sets) + len(r.maps) + len(r.chains)
	if total == len(r.used) {
		return nil
	}
	return fmt.Errorf("of its %d counters, limits, sets, maps and chains, %d are not used by any entry", total, total-len(r.used))
}

// walk reads the rules of a chain that leads to entries. What has been decided on the way there is in around.
func (r *reader) walk(rules []rule, around filter.Match) error {
	for len(rules) > 0 {
		n := 1
		var err error
		if rules[0].statements[0].verb == lookup {
			n, err = r.block(rules, around)
		} else {
			for n < len(rules) && rules[n].comment == rules[0].comment && rules[n].statements[0].verb != lookup {
				n++
			}
			err = r.entry(rules[:n], around)
		}
		if err != nil {
			return err
		}
		rules = rules[n:]
	}
	return nil
}

// group is the entries for one prefix.
type group struct {
	prefix netip.Prefix
	chain  *chain
}

// block reads lookups that belong together: of one field, of ever shorter prefixes, in maps whose names begin alike. It returns how many rules they are.
func (r *reader) block(rules []rule, around filter.Match) (int, error) {
	var groups []group
	tag, field, last := "", "", 129
	a := axes[0]
	n := 0
	for ; n < len(rules) && len(rules[n].statements) == 1 && rules[n].statements[0].verb == lookup; n++ {
		s := rules[n].statements[0]
		begin, _, _ := strings.Cut(s.name, "-")
		bits, err := r.maskBits(s.cond)
		if err != nil {
			return 0, err
		}
		if n > 0 && (begin != tag || s.cond.field != field || bits >= last) {
			break
		}
		tag, field, last = begin, s.cond.field, bits
		if i := slices.IndexFunc(axes, func(a axis) bool { return a.field(r.v) == field }); i >= 0 {
			a = axes[i]
		} else {
			return 0, fmt.Errorf("a map of %s is not as sluice writes it", field)
		}
		more, err := r.groups(s.name, bits)
		if err != nil {
			return 0, err
		}
		groups = append(groups, more...)
	}
	if n == 0 || *a.of(&around) != nil {
		return 0, errors.New("a lookup is not as sluice writes it")
	}
	slices.SortFunc(groups, func(a, b group) int { return precedence(a.prefix, b.prefix) })
	for _, g := range groups {
		within := around
		*a.of(&within) = &g.prefix
		if err := r.walk(g.chain.rules, within); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// maskBits returns the prefix length of the mask of a lookup.
func (r *reader) maskBits(c cond) (int, error) {
	if !c.masked {
		return lowest(r.v).BitLen(), nil
	}
	for bits := 1; bits < lowest(r.v).BitLen(); bits++ {
		if netmask(r.v, bits) == c.mask {
			return bits, nil
		}
	}
	return 0, fmt.Errorf("mask %s is that of no prefix", c.mask)
}

// groups returns what map name leads to.
func (r *reader) groups(name string, bits int) ([]group, error) {
	m := r.maps[name]
	if m == nil || m.typ != addressType(r.v) || !r.take("map", name) {
		return nil, fmt.Errorf("map %s is not there, of another type or used twice", name)
	}
	out := make([]group, 0, len(m.elements))
	for _, e := range m.elements {
		addr, err := netip.ParseAddr(e.key)
		if err != nil || addr.BitLen() != lowest(r.v).BitLen() || addr.Zone() != "" || addr.Is4In6() {
			return nil, fmt.Errorf("map %s: %s is no address of IPv%d", name, e.key, r.v)
		}
		p := netip.PrefixFrom(addr, bits)
		if p != p.Masked() {
			return nil, fmt.Errorf("map %s: %s has bits behind the mask", name, e.key)
		}
		c := r.chains[e.chain]
		if c == nil || c.base != "" || !r.take("chain", e.chain) {
			return nil, fmt.Errorf("chain %s is not there, of another kind or reached twice", e.chain)
		}
		out = append(out, group{p, c})
	}
	return out, nil
}

// entry adds the entry that rules with one comment say.
func (r *reader) entry(rules []rule, around filter.Match) error {
	e := filter.Entry{Name: rules[0].comment}
	if err := checkName(e.Name); err != nil {
		return fmt.Errorf("rule %q: %w", rules[0], err)
	}
	e.Rule = filter.RuleOf(e.Name)
	if err := r.meaning(&e, rules, around); err != nil {
		return fmt.Errorf("entry %s: %w", e.Name, err)
	}
	r.entries = append(r.entries, e)
	return nil
}
