package nftables

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Rules of the base chain that are no entries, and where the chain stands.
const (
	// Priority -450 is NF_IP_PRI_RAW_BEFORE_DEFRAG (linux/netfilter_ipv4.h), the one that exists to see fragments.
	baseHook = "type filter hook prerouting priority -450; policy accept;"
	restRule = "accept-rest" // comment of the last rule of a filter that stands alone
)

// ours is the first rule of every base chain: packets of the host to itself come from no wire, and are passed over.
var ours = rule{statements: []statement{when(is("iifname", `"lo"`)), {verb: accept}}}

// rest is the last rule of a filter that stands alone.
var rest = rule{statements: []statement{{verb: accept}}, comment: restRule}

// Dialect is the language of nft. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct {
	// MostSets is how many lists of numbers get a named set, before further ones are written range by range, which takes more rules and is as exact. 0: 1000.
	MostSets int
}

var _ filter.Dialect = Dialect{}

// Name returns "nftables", the word that profiles use.
func (Dialect) Name() string { return "nftables" }

// Semantics returns what rules mean. Nothing is checked that an entry does not say: `th dport` reads any protocol, and whether later fragments
// are read as well depends on the kernel (see the package comment). The base chain accepts what no rule decides.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{} }

// Render writes f as a script for `nft -f`, which is both its text and its payload. It refuses a filter that fails Check, and every entry that the
// language cannot say exactly; all of them are named in the error.
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	b, err := d.build(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	script := b.t.script()
	return filter.Rendered{Text: script, Payload: []byte(script), Entries: b.text}, nil
}

// build returns the table that f becomes, with the text of each entry.
func (d Dialect) build(f filter.Filter) (*builder, error) {
	if err := f.Check(); err != nil {
		return nil, err
	}
	b := &builder{t: &table{family: family(f.Version), name: f.Name}, v: f.Version, have: map[string]bool{}, mostSets: cmp.Or(d.MostSets, manySets)}
	if err := checkName(f.Name); err != nil {
		b.errs = append(b.errs, err)
	}
	for _, p := range f.Policers {
		l, err := limitOf(p)
		if err != nil {
			b.errs = append(b.errs, fmt.Errorf("policer %s: %w", p.Name, err))
		}
		b.t.limits = append(b.t.limits, l)
	}
	base := &chain{name: f.Name, base: baseHook, rules: []rule{ours}}
	b.place(base, f.Entries, axes, "")
	if f.Placement == filter.Alone {
		base.rules = append(base.rules, rest)
	}
	b.t.chains = append(b.t.chains, base)
	for i, err := range b.errs {
		b.errs[i] = prefixed("filter "+f.Name, err)
	}
	return b, errors.Join(b.errs...)
}

// prefixed puts what in front of each line of err, which may be several errors joined.
func prefixed(what string, err error) error {
	head, _, _ := strings.Cut(err.Error(), ": ")
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		if i > 0 {
			lines[i] = head + ": " + lines[i]
		}
		lines[i] = what + ", " + lines[i]
	}
	return errors.New(strings.Join(lines, "\n"))
}

// checkName holds names to what nft takes for a word that is not one of its own: every name begins as sluice's do, and goes on in letters, digits and hyphens.
// The kernel keeps 128 octets of a comment and 255 of a name (linux/netfilter/nf_tables.h); the shorter bound leaves room for a tag.
func checkName(name string) error {
	if err := filter.CheckName(name, false); err != nil {
		return err
	}
	if !strings.HasPrefix(name, "r-") && !strings.HasPrefix(name, filter.Mark) {
		return fmt.Errorf("name %q: want a name that begins with r- or %s, which no word of nft does", name, filter.Mark)
	}
	return nil
}

// family is the word for IP version v.
func family(v packet.Version) string {
	if v == packet.IPv6 {
		return "ip6"
	}
	return "ip"
}
