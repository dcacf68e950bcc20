package nftables

import (
	"net/netip"
	"strconv"
	"strings"
)

// table is an nft table: what is rendered, and what was read. Objects are in the order in which they stand.
type table struct {
	family, name string
	dormant      bool
	counters     []string
	limits       []limit
	sets         []*set
	maps         []*verdictMap
	chains       []*chain
	err          error // what was not understood of it
}

// limit is a named limit object: it matches packets that are over the rate, as sluice writes it.
type limit struct {
	name  string
	rate  uint64
	bytes bool // else packets
	burst uint64
	over  bool
}

// set is a named set. Elements are words, since what they mean depends on the field that is looked up.
type set struct {
	name     string
	typ      string // with its keyword: "type inet_service", "typeof meta length"
	interval bool
	elements []element
}

// element is a value, or a range, of a set or of a condition.
type element struct{ lo, hi string }

func (e element) String() string {
	if e.lo == e.hi {
		return e.lo
	}
	return e.lo + "-" + e.hi
}

// verdictMap leads from an address, masked by the rule that looks it up, to a chain.
type verdictMap struct {
	name     string
	typ      string // ipv4_addr or ipv6_addr
	elements []jump
}

type jump struct{ key, chain string }

type chain struct {
	name  string
	base  string // of a base chain: "type filter hook prerouting priority -450; policy accept;"
	rules []rule
}

// rule is a list of statements, and its comment.
type rule struct {
	statements []statement
	comment    string
}

// statement is one statement of a rule. Which of the fields count depends on the verb.
type statement struct {
	verb  verb
	name  string // of a counter, limit, map, chain; the address of dup
	cond  cond   // of match and lookup
	value uint32 // of mark
}

type verb uint8

const (
	match  verb = iota // cond
	lookup             // cond.field, masked, in the map name
	count              // counter name
	police             // limit name
	mark               // FIELD set VALUE
	dup                // dup to name
	accept
	drop
	goOn     // continue
	turnAway // return
	jumpTo   // jump name
)

// cond is a condition on one field.
type cond struct {
	field  string // "ip saddr", "th dport", "@th,96,16"
	masked bool
	mask   string // a number, or an address in a lookup
	not    bool
	set    string  // name of the set, without @
	value  element // where there is no set
}

// is returns the condition that field is v.
func is(field, v string) cond { return cond{field: field, value: element{v, v}} }

func when(c cond) statement { return statement{verb: match, cond: c} }

// String writes c as nft reads it.
func (c cond) String() string {
	var b strings.Builder
	b.WriteString(c.field)
	if c.masked {
		b.WriteString(" & " + c.mask)
	}
	switch {
	case c.not:
		b.WriteString(" !=")
	case c.masked || c.field == "tcp flags": // without a sign, a value of flags means any of them
		b.WriteString(" ==")
	}
	if c.set != "" {
		return b.String() + " @" + c.set
	}
	return b.String() + " " + c.value.String()
}

func (s statement) String() string {
	switch s.verb {
	case match:
		return s.cond.String()
	case lookup:
		if s.cond.masked {
			return s.cond.field + " & " + s.cond.mask + " vmap @" + s.name
		}
		return s.cond.field + " vmap @" + s.name
	case count:
		return "counter name " + strconv.Quote(s.name)
	case police:
		return "limit name " + strconv.Quote(s.name)
	case mark:
		return s.cond.field + " set " + strconv.Itoa(int(s.value))
	case dup:
		return "dup to " + s.name
	case jumpTo:
		return "jump " + s.name
	}
	return verdicts[s.verb]
}

// verdicts are the words of statements that stand alone.
var verdicts = map[verb]string{accept: "accept", drop: "drop", goOn: "continue", turnAway: "return"}

func (r rule) String() string {
	words := make([]string, 0, len(r.statements)+1)
	for _, s := range r.statements {
		words = append(words, s.String())
	}
	if r.comment != "" {
		words = append(words, "comment "+strconv.Quote(r.comment))
	}
	return strings.Join(words, " ")
}

// String writes l as a declaration. A burst of 0 is nft's own for bytes, and is not written: versions differ in whether they take it.
func (l limit) String() string {
	s := "limit " + l.name + " { rate over " + strconv.FormatUint(l.rate, 10)
	switch {
	case !l.bytes:
		s += "/second burst " + strconv.FormatUint(l.burst, 10) + " packets"
	case l.burst == 0:
		s += " bytes/second"
	default:
		s += " bytes/second burst " + strconv.FormatUint(l.burst, 10) + " bytes"
	}
	return s + "; }"
}

func (s *set) String() string {
	words := make([]string, len(s.elements))
	for i, e := range s.elements {
		words[i] = e.String()
	}
	flags := ""
	if s.interval {
		flags = " flags interval;"
	}
	return "set " + s.name + " { " + s.typ + ";" + flags + " elements = { " + strings.Join(words, ", ") + " }; }"
}

// script writes t so that `nft -f` replaces what stands under its name, in one transaction: the first line makes sure that there is
// something to delete.
func (t *table) script() string {
	var b strings.Builder
	head := "table " + t.family + " " + t.name
	b.WriteString(head + "\ndelete " + head + "\n" + head + " {\n")
	for _, c := range t.counters {
		b.WriteString("\tcounter " + c + " { }\n")
	}
	for _, l := range t.limits {
		b.WriteString("\t" + l.String() + "\n")
	}
	for _, s := range t.sets {
		b.WriteString("\t" + s.String() + "\n")
	}
	for _, m := range t.maps {
		m.write(&b)
	}
	for _, c := range t.chains {
		c.write(&b)
	}
	b.WriteString("}\n")
	return b.String()
}

func (m *verdictMap) write(b *strings.Builder) {
	b.WriteString("\tmap " + m.name + " {\n\t\ttype " + m.typ + " : verdict;\n\t\telements = {\n")
	for _, e := range m.elements {
		b.WriteString("\t\t\t" + e.key + " : jump " + e.chain + ",\n")
	}
	b.WriteString("\t\t}\n\t}\n")
}

func (c *chain) write(b *strings.Builder) {
	b.WriteString("\tchain " + c.name + " {\n")
	if c.base != "" {
		b.WriteString("\t\t" + c.base + "\n")
	}
	for _, r := range c.rules {
		b.WriteString("\t\t" + r.String() + "\n")
	}
	b.WriteString("\t}\n")
}

// address writes a prefix as nft shows it: a whole address without its length.
func address(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}
