package notation

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// readDocument reads the one document of sluice's own notation: a mapping with the key rules.
func readDocument(in *input, root *node) {
	d := document{in: in}
	if root.kind != 'm' {
		in.fail("schema", root.start, root.end, "a mapping with the key rules is expected, not "+root.what(), "rules: [...]")
		return
	}
	rules := d.fields(root, "rules")["rules"]
	if rules == nil {
		in.fail("schema", root.start, root.end, "the key rules is missing", "rules:")
		return
	}
	if rules.kind != 'l' {
		in.fail("schema", rules.start, rules.end, "rules is a list, not "+rules.what(), "rules: []")
		return
	}
	for _, n := range rules.values {
		d.rule(n)
	}
}

// document reads rules; bad says whether a problem of the present one makes it unusable.
type document struct {
	in  *input
	bad bool
}

func (d *document) fail(n *node, message, hint string) {
	d.in.fail("schema", n.start, n.end, message, hint)
	d.bad = true
}

// fields returns the values of a mapping by key, and refuses every key that is not known.
func (d *document) fields(n *node, known ...string) map[string]*node {
	m := make(map[string]*node, len(n.keys))
	if n.kind != 'm' {
		d.fail(n, "a mapping is expected, not "+n.what(), strings.Join(known, ": ..., ")+": ...")
		return m
	}
	for i, key := range n.keys {
		if !slices.Contains(known, key.text) {
			hint := "one of " + strings.Join(known, ", ")
			if word := likely(key.text); word != "" && slices.Contains(known, word) {
				hint = word
			}
			d.in.fail("unknown-key", key.start, key.end, "unknown key "+quote(key.text), hint)
			d.bad = true
			continue
		}
		m[key.text] = n.values[i]
	}
	return m
}

// rule reads one rule.
func (d *document) rule(n *node) {
	d.bad = false
	f := d.fields(n, "match", "family", "nlri", "action", "communities", "large-communities", "extended-communities", "ttl", "expires", "note")
	if d.bad {
		return
	}
	var r flowspec.Rule
	r.Match = d.matchOf(n, f)
	d.communities(f, &r)
	d.action(n, f, &r)
	d.lifetime(f, &r)
	if note := f["note"]; note != nil {
		if note.kind != 's' {
			d.fail(note, "a note is text, not "+note.what(), "")
		}
		r.Note = note.text
	}
	if d.bad || !r.Match.Valid() {
		return
	}
	text := d.in.src[n.start:]
	text, _, _ = strings.Cut(text, "\n")
	d.in.items = append(d.in.items, Item{Rule: r, Pos: d.in.position(n.start), Text: shorten(strings.TrimSpace(text))})
}

// families are the values of the key family.
var families = map[string]flowspec.Family{"ipv4": flowspec.IPv4, "ipv6": flowspec.IPv6, "vpnv4": flowspec.VPNv4, "vpnv6": flowspec.VPNv6}

// matchOf reads match, or nlri, and decides the family.
func (d *document) matchOf(n *node, f map[string]*node) flowspec.Match {
	family := flowspec.Family(0)
	if v := f["family"]; v != nil {
		if family = families[v.text]; family == 0 || v.kind != 's' {
			d.fail(v, v.what()+" is no family", "ipv4, ipv6, vpnv4 or vpnv6")
			return flowspec.Match{}
		}
	}
	match, nlri := f["match"], f["nlri"]
	switch {
	case match != nil && nlri != nil:
		d.fail(nlri, "match and nlri exclude each other", "remove one of them")
	case nlri != nil:
		return d.octets(nlri, family)
	case match == nil || match.kind == 'z' || match.kind == 'm' && len(match.keys) == 0:
		at := n
		if match != nil {
			at = match
		}
		d.in.guard("empty-match", at.start, at.end, "no condition at all would match every packet", "match: {destination: 203.0.113.10/32}")
		d.bad = true
	default:
		return d.match(match, family)
	}
	return flowspec.Match{}
}

// octets reads a match as its NLRI in hexadecimal: the way to say what components cannot, such as the width of a value.
func (d *document) octets(n *node, family flowspec.Family) flowspec.Match {
	b, err := hex.DecodeString(n.text)
	switch {
	case n.kind != 's' && n.kind != 'n' || err != nil || len(b) == 0:
		d.fail(n, "an NLRI in hexadecimal is expected, its length octets included", "")
		return flowspec.Match{}
	case family == 0:
		d.fail(n, "nlri needs a family", "family: ipv4")
		return flowspec.Match{}
	}
	m, err := flowspec.ParseNLRI(family, b)
	if err != nil {
		d.fail(n, err.Error(), "")
	}
	return m
}

// matchKeys are the keys of match, by component type.
var matchKeys = func() (keys []string) {
	for t := flowspec.DstPrefix; t <= flowspec.FlowLabel; t++ {
		keys = append(keys, t.String())
	}
	return append(keys, "rd")
}()

// match reads the components of a rule.
func (d *document) match(n *node, family flowspec.Family) flowspec.Match {
	f := d.fields(n, matchKeys...)
	var rd flowspec.RD
	hasRD := f["rd"] != nil
	if hasRD {
		var ok bool
		if rd, ok = parseRD(f["rd"].text); !ok || f["rd"].kind != 's' {
			d.fail(f["rd"], f["rd"].what()+" is no route distinguisher", "\"65000:1\", in quotes")
		}
	}
	list, places := d.prefixes(f)
	v6 := d.version(n, family, list, places)
	for t := flowspec.Protocol; t <= flowspec.FlowLabel; t++ {
		if v := f[t.String()]; v != nil {
			list, places = append(list, flowspec.Component{Type: t, Terms: d.terms(v, t, v6)}), append(places, v)
		}
	}
	if d.bad {
		return flowspec.Match{}
	}
	family = withRD(v6, hasRD || family.VPN())
	if family.VPN() && !hasRD {
		d.fail(n, "the family "+family.String()+" needs a route distinguisher", "rd: \"65000:1\"")
		return flowspec.Match{}
	}
	m, err := flowspec.NewMatch(family, rd, list...)
	if err != nil {
		at := n
		for i, c := range list {
			if _, alone := flowspec.NewMatch(family, rd, c); alone != nil {
				at = places[i]
				break
			}
		}
		d.fail(at, err.Error(), "")
		return flowspec.Match{}
	}
	if f["destination"] == nil {
		d.in.tell(Warning, "no-destination", n.start, n.end, "no destination: a rule for traffic to everywhere", "destination: 203.0.113.10/32")
	}
	return m
}

func withRD(v6, vpn bool) flowspec.Family {
	switch {
	case v6 && vpn:
		return flowspec.VPNv6
	case vpn:
		return flowspec.VPNv4
	case v6:
		return flowspec.IPv6
	}
	return flowspec.IPv4
}

// prefixes reads destination and source.
func (d *document) prefixes(f map[string]*node) (list []flowspec.Component, places []*node) {
	for t := flowspec.DstPrefix; t <= flowspec.SrcPrefix; t++ {
		n := f[t.String()]
		if n == nil {
			continue
		}
		if n.kind != 's' {
			hint := "203.0.113.10/32"
			if n.kind == 'l' {
				hint = "one rule for each prefix"
			}
			d.fail(n, t.String()+" is one prefix, not "+n.what(), hint)
			continue
		}
		p, problem := parsePrefix(n.text)
		if problem != nil {
			d.in.fail(problem.code, n.start, n.end, problem.message, problem.hint)
			d.bad = true
			continue
		}
		if clean := cleanPrefix(p); clean != p {
			if !d.in.guard("host-bits", n.start, n.end, n.text+" has bits outside the prefix", clean.String()) {
				d.bad = true
				continue
			}
			p = clean
		}
		if p.Len == 0 {
			d.in.tell(Warning, "any-prefix", n.start, n.end, "a prefix of length 0 matches every address", "")
		}
		list, places = append(list, flowspec.Component{Type: t, Prefix: p}), append(places, n)
	}
	return list, places
}

// version decides between IPv4 and IPv6: by the prefixes, or by the key family when there are none.
func (d *document) version(n *node, family flowspec.Family, list []flowspec.Component, places []*node) (v6 bool) {
	if family != 0 {
		v6 = family.Version() == 6
	} else if len(list) > 0 {
		v6 = !list[0].Prefix.Addr.Is4()
	} else if !d.bad {
		d.fail(n, "nothing says whether this is an IPv4 or an IPv6 rule", "family: ipv4, beside match")
	}
	for i, c := range list {
		if c.Prefix.Addr.Is4() == v6 {
			d.in.fail("mixed-families", places[i].start, places[i].end, "IPv4 and IPv6 in one rule", "one rule for each")
			d.bad = true
		}
	}
	return v6
}

// terms reads one value, or a list of them.
func (d *document) terms(n *node, typ flowspec.Type, v6 bool) []flowspec.Term {
	e := expr{typ: typ, v6: v6, own: true}
	if len(n.items()) == 0 {
		d.fail(n, "a list without values", "values, or no "+typ.String()+" at all")
	}
	for _, v := range n.items() {
		text, ok := v.scalar()
		if !ok || text == "" {
			d.fail(v, "a number, a name or a comparison is expected, not "+v.what(), "80, \">=1024\" or \"1024-65535\"")
			continue
		}
		if !plainNumber(v.kind, text) {
			d.fail(v, text+" is no plain decimal number", "")
			continue
		}
		e.remarks = e.remarks[:0]
		e.read(text)
		for _, m := range e.remarks {
			if m.severity == Error {
				d.in.fail(m.code, v.start, v.end, m.message, m.hint)
				d.bad = true
				continue
			}
			d.in.tell(m.severity, m.code, v.start, v.end, m.message, m.hint)
		}
	}
	return e.terms
}

// plainNumber refuses the numbers that YAML's versions read in different ways (010, 1_000, 1e3). Text that is no number passes.
func plainNumber(kind byte, text string) bool {
	if len(text) > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9' {
		return false
	}
	return kind == 's' || strings.HasPrefix(text, "0x") || !strings.ContainsAny(text, ".eE_+-oO")
}

// communities reads what travels with the rule. Extended communities may be actions as well.
func (d *document) communities(f map[string]*node, r *flowspec.Rule) {
	d.texts(f["communities"], func(n *node) (ok bool) {
		c, ok := parseCommunity(n.text)
		r.Communities = append(r.Communities, c)
		return ok
	}, "community", "\"65000:1\" or no-export")
	d.texts(f["large-communities"], func(n *node) (ok bool) {
		c, ok := parseLargeCommunity(n.text)
		r.LargeCommunities = append(r.LargeCommunities, c)
		return ok
	}, "large community", "\"65000:1:2\"")
}

func (d *document) texts(n *node, take func(*node) bool, what, hint string) {
	if n == nil {
		return
	}
	for _, v := range n.items() {
		if v.kind != 's' || !take(v) {
			d.fail(v, v.what()+" is no "+what, hint)
		}
	}
}

// lifetime reads ttl or expires.
func (d *document) lifetime(f map[string]*node, r *flowspec.Rule) {
	ttl, expires := f["ttl"], f["expires"]
	switch {
	case ttl != nil && expires != nil:
		d.fail(ttl, "ttl and expires exclude each other", "remove one of them")
	case ttl != nil:
		v, err := time.ParseDuration(ttl.text)
		if ttl.kind != 's' || err != nil || v <= 0 {
			d.fail(ttl, ttl.what()+" is no lifetime", "10m, 1h30m or 24h")
			return
		}
		now := d.in.opt.Now
		if now.IsZero() {
			now = time.Now()
		}
		r.Expires = now.Add(v)
	case expires != nil:
		t, err := time.Parse(time.RFC3339Nano, expires.text)
		if err != nil {
			d.fail(expires, expires.what()+" is no time", "\"2026-11-23T08:15:00Z\"")
			return
		}
		r.Expires = t
	}
}

// address reads a text that is an address.
func (d *document) address(n *node) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(n.text)
	if n.kind != 's' || err != nil || addr.Zone() != "" {
		d.fail(n, fmt.Sprintf("%s is no address", n.what()), "192.0.2.1")
		return addr, false
	}
	return addr, true
}
