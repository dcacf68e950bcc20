package plan

import (
	"net/netip"
	"slices"
	"sync"

	"github.com/gaissmai/bart"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// domain is the rules of one family (and one route distinguisher) as a planner keeps them: in buckets. Rules of different domains never meet.
//
// Whatever sluice makes of a rule begins with the component that the rule begins with (see leads). RFC order compares first components first
// (RFC 8955 §5.1), so rules of different buckets keep their order whatever becomes of them, and only rules of one bucket can get into each other's way.
// What else a rule may do to rules of other buckets goes one way: a rule that is rejected leaves its packets to rules below it.
type domain struct {
	p        *platform
	limits   *familyLimits // of FlowSpec; nil where it does not take the family
	family   flowspec.Family
	rd       flowspec.RD
	match    flowspec.Match // of one rule: stands for all in comparisons with other domains
	byDst    bart.Table[*bucket]
	bySrc    bart.Table[*bucket] // those that begin with a source
	others   [bare + 1]*bucket   // those that begin with neither
	loose    sieve               // all rules that do not begin with a destination prefix
	neither  sieve               // those of them that do not begin with a source prefix either
	lossy    lossy
	order    stretches
	sends    int                     // routes
	filtered int                     // rules in the filter
	wants    map[table.Outcome]int   // rules by what they ask for, but for those that go on and those with a policer, which is their own
	policed  int                     // rules with a policer
	numbers  map[table.Outcome]uint8 // see number
	goOn     int                     // rules that go on to later ones

	council councils
	pending []*seat   // came, went, or carried otherwise than when verdicts were last gathered
	unmet   bool      // they are too many to list
	ripple  *ripple   // at work
	desks   sync.Pool // of *desk: each goroutine that settles has its own
	queue   queue     // buckets to settle
}

// leader is what the rules of a bucket have in common: their first component, if it is a prefix.
type leader struct {
	kind   leaderKind
	prefix netip.Prefix // of byDst and bySrc
}

type leaderKind uint8

// The kinds of leaders, in RFC order.
const (
	byDst      leaderKind = iota // a destination prefix
	dstPattern                   // one with an offset, whichever
	bySrc
	srcPattern
	bare // no prefix at all
)

// leads returns the leader of a match.
func leads(m flowspec.Match) leader {
	for c := range m.All() {
		return leaderOf(&c)
	}
	return leader{kind: bare}
}

// leaderOf returns the leader of the matches that begin with c.
func leaderOf(c *flowspec.Component) leader {
	var prefix, pattern leaderKind
	switch c.Type {
	case flowspec.DstPrefix:
		prefix, pattern = byDst, dstPattern
	case flowspec.SrcPrefix:
		prefix, pattern = bySrc, srcPattern
	default:
		return leader{kind: bare}
	}
	if c.Prefix.Offset > 0 {
		return leader{kind: pattern}
	}
	return leader{prefix, netip.PrefixFrom(c.Prefix.Addr, int(c.Prefix.Len))}
}

// bucket is the rules with one leader, in RFC order.
type bucket struct {
	leader
	row
	domain  *domain
	rule    *flowspec.Rule // one of its rules: stands for all in comparisons with other buckets
	stretch *stretch       // nil: it has no rule any more
	account
	// routes is what it sends where that is not simply one route for each rule, in the order of the device.
	routes   []sent
	laid     []sent      // the same with those that an earlier rule sends
	lost     int32       // rules in domain.lossy
	moved    int32       // one of ripple.moved, from 1 on; 0: none
	shares   bool        // routes and laid are not the same
	dirty    bool        // it waits to be settled
	crowd    bool        // it was settled as one
	whole    bool        // it was settled as a whole, as one that need not be a crowd
	left     []*seat     // went with the changes at hand
	remedied *[]remedied // when its rules were last settled with each other; nil: none
}

// row is rules in RFC order, with their glances in a row.
type row struct {
	seats []*seat
	at    []glance
}

func (r *row) search(m flowspec.Match) (int, bool) {
	if n := len(r.seats); n > 0 && flowspec.Compare(r.seats[n-1].rule.Match, m) < 0 {
		return n, false // rules mostly come in order
	}
	return slices.BinarySearchFunc(r.seats, m, func(s *seat, m flowspec.Match) int { return flowspec.Compare(s.rule.Match, m) })
}

// put puts s in at place i, to be seen at g.
func (r *row) put(i int, s *seat, g *glance) {
	r.seats, r.at = slices.Insert(r.seats, i, s), slices.Insert(r.at, i, *g)
	r.at[i].number = s.number
}

func (r *row) drop(i int) {
	r.seats, r.at = slices.Delete(r.seats, i, i+1), slices.Delete(r.at, i, i+1)
}

// near calls visit with every rule of r that g is near, until visit returns false; then it does so too.
func (r *row) near(g *glance, visit func(*seat) bool) bool {
	for i := range r.at {
		if g.near(&r.at[i]) && !visit(r.seats[i]) {
			return false
		}
	}
	return true
}

// others is near for rules that do not have a number, if it is not 0.
func (r *row) others(g *glance, but uint8, visit func(*seat) bool) bool {
	for i := range r.at {
		if (but == 0 || r.at[i].number != but) && g.near(&r.at[i]) && !visit(r.seats[i]) {
			return false
		}
	}
	return true
}

// sent is one route of a bucket, and whose it is.
type sent struct {
	route *device.Route
	seat  *seat
	part  int32
}

// seat is one rule in its bucket, and how it fares.
type seat struct {
	*card
	bucket *bucket
	gone   bool   // from its bucket
	waits  bool   // to be settled anew
	doubts bool   // in a crowd: some questions of trace are in doubt
	number uint8  // see domain.number
	filed  bool   // lossy has it among the rejected
	kept   bool   // ripple.moved has it
	counts bool   // it was carried when verdicts were last found that must be said anew
	trace  *trace // in a crowd: what its fate rests on; nil: on itself and on pairs
	own    fate   // as settled with the rules of its bucket
	fate          // as it is: that of its council where it is in one, or its own
	with   *council
	said   *Verdict // nil: to be said anew
	rival  *seat    // a rule that overlaps this one and fares differently, where one was found
	few    *extra
}

// extra is what few seats have.
type extra struct {
	taken  []*seat // by route: an earlier rule that sends the same NLRI; nil: nobody sends any of them
	probes []probe // for its witness: as long as nothing happens to their rules, it stands
	lostTo *seat   // the rule above its bucket for which it is rejected, as lossy has it
}

// extra returns what s has of such, to be changed.
func (s *seat) extra() *extra {
	if s.few == nil {
		s.few = &extra{}
	}
	return s.few
}

// taken returns who sends routes of s, see extra.
func (s *seat) taken() []*seat {
	if s.few == nil {
		return nil
	}
	return s.few.taken
}

// probes returns the packets that were looked at for the witness of s, see extra.
func (s *seat) probes() []probe {
	if s.few == nil {
		return nil
	}
	return s.few.probes
}

// filedTo returns what s is lost to, as lossy has it, see extra.
func (s *seat) filedTo() *seat {
	if s.few == nil {
		return nil
	}
	return s.few.lostTo
}

func (s *seat) forgetProbes() {
	if s.few != nil {
		s.few.probes = nil
	}
}

// fate is the outcome of settling for one rule.
type fate struct {
	state state
	note  *note // nil: nothing to say
}

// native returns how FlowSpec carries the rule.
func (s *seat) native() *way {
	if s.note != nil && s.note.mended != nil {
		return s.note.mended.way
	}
	return s.card.native
}

// decides says whether the rule is carried and ends the search for its packets.
func (s *seat) decides() bool { return s.own.state.carried() && !s.rule.Action.Continue }

// exposes says whether the rule leaves packets to others that it should have decided.
func (s *seat) exposes() bool { return s.own.state == asRejected && !s.rule.Action.Continue }

func newDomain(p *platform, m flowspec.Match) *domain {
	d := &domain{p: p, family: m.Family(), match: m, wants: make(map[table.Outcome]int), numbers: make(map[table.Outcome]uint8)}
	if d.family.VPN() {
		d.rd = m.RD()
	}
	for _, x := range []*sieve{&d.loose, &d.neither, &d.lossy.all, &d.lossy.watch, &d.lossy.victims} {
		x.version = d.family.Version()
	}
	d.lossy.all.twice = true
	if p.native != nil {
		d.limits = p.native.families[d.family]
	}
	return d
}

// holds says whether rules with match m stand in the domain.
func (d *domain) holds(m flowspec.Match) bool {
	return d.family == m.Family() && (!d.family.VPN() || d.rd == m.RD())
}

// find returns the bucket of a match, or nil, and the place in it that the rule with this match has, if there is one, or belongs.
func (d *domain) find(m flowspec.Match) (b *bucket, at int, found bool) {
	if b = d.bucket(leads(m)); b == nil {
		return nil, 0, false
	}
	at, found = b.search(m)
	return b, at, found
}

// put gives c a seat in b, at place i.
func (d *domain) put(b *bucket, i int, c *card) *seat {
	s := &seat{card: c, bucket: b, number: d.number(c)}
	d.enter(i, s)
	d.count(c, 1)
	return s
}

// enter puts s into its bucket, at place i.
func (d *domain) enter(i int, s *seat) {
	s.bucket.put(i, s, &s.glance)
	if s.bucket.kind != byDst {
		d.loose.put(s, &s.glance)
		if s.bucket.kind != bySrc {
			d.neither.put(s, &s.glance)
		}
	}
}

// drop takes s, which has place i, out of its bucket.
func (d *domain) drop(i int, s *seat) {
	s.bucket.drop(i)
	if s.bucket.kind != byDst {
		d.loose.drop(s)
		if s.bucket.kind != bySrc {
			d.neither.drop(s)
		}
	}
	s.gone = true
	d.count(s.card, -1)
}

// lose notes that s, which does not begin with a destination prefix, is lost to a rule, see sieve.lose.
func (d *domain) lose(s *seat, end uint64) {
	d.loose.lose(s, end)
	if s.bucket.kind != bySrc {
		d.neither.lose(s, end)
	}
}

// count keeps account of what the rules ask for.
func (d *domain) count(c *card, by int) {
	switch {
	case c.rule.Action.Continue:
		d.goOn += by
	case c.want.Policer != "":
		d.policed += by
	default:
		if d.wants[*c.want] += by; d.wants[*c.want] == 0 {
			delete(d.wants, *c.want)
		}
	}
}

// uniform says whether all rules fare alike, so that their order decides nothing.
func (d *domain) uniform() bool { return d.goOn == 0 && len(d.wants)+d.policed <= 1 }

// outcomes is how many numbers there are for what rules ask for, 0 included.
const outcomes = 64

// number returns the number of what c asks for: cards with one number do not differ. The number 0 says nothing.
func (d *domain) number(c *card) uint8 {
	if differ(c, c) {
		return 0
	}
	n, ok := d.numbers[*c.want]
	if !ok && len(d.numbers) < outcomes-1 {
		n = uint8(len(d.numbers) + 1)
		d.numbers[*c.want] = n
	}
	return n
}

// bucket returns the bucket of rules that lead leads, or nil.
func (d *domain) bucket(lead leader) (b *bucket) {
	switch lead.kind {
	case byDst:
		b, _ = d.byDst.Get(lead.prefix)
	case bySrc:
		b, _ = d.bySrc.Get(lead.prefix)
	default:
		b = d.others[lead.kind]
	}
	return b
}

// newBucket adds the bucket of the rule of c, which there is not.
func (d *domain) newBucket(c *card) *bucket {
	lead := c.lead()
	b := &bucket{leader: lead, domain: d, rule: c.rule}
	d.order.put(b)
	switch lead.kind {
	case byDst:
		d.byDst.Insert(lead.prefix, b)
	case bySrc:
		d.bySrc.Insert(lead.prefix, b)
	default:
		d.others[lead.kind] = b
	}
	return b
}

// forget takes an empty bucket out.
func (d *domain) forget(b *bucket) {
	d.order.drop(b)
	switch b.kind {
	case byDst:
		d.byDst.Delete(b.prefix)
	case bySrc:
		d.bySrc.Delete(b.prefix)
	default:
		d.others[b.kind] = nil
	}
}

// near calls visit with every rule that may share a packet with c, c itself too, in no order, until visit returns false. Rules that have a number are left out, if it is not 0.
func (d *domain) near(c *card, but uint8, visit func(*seat) bool) {
	lead := c.lead()
	if lead.kind == byDst {
		for _, b := range d.byDst.Supernets(lead.prefix) {
			if !b.others(&c.glance, but, visit) {
				return
			}
		}
	}
	if !d.nearLoose(c, but, visit) {
		return
	}
	if lead.kind == byDst {
		d.nearInside(c, lead, but, visit)
		return
	}
	for b := range d.order.all() {
		if b.kind != byDst || !b.others(&c.glance, but, visit) {
			return // those by destination come first
		}
	}
}

// nearInside is near for rules whose destinations lie inside that of c, which lead leads.
func (d *domain) nearInside(c *card, lead leader, but uint8, visit func(*seat) bool) {
	if lead.prefix.IsSingleIP() {
		return
	}
	for _, b := range d.byDst.Subnets(lead.prefix) {
		if b.leader != lead && !b.others(&c.glance, but, visit) {
			return
		}
	}
}

// nearLoose is near for rules that do not begin with a destination prefix. It returns false when visit did.
func (d *domain) nearLoose(c *card, but uint8, visit func(*seat) bool) bool {
	if !c.src.IsValid() {
		return d.loose.around(&c.glance, but, visit)
	}
	return d.nearSources(c, but, visit) && d.neither.around(&c.glance, but, visit)
}

// nearNews is nearLoose for all numbers, but for rules that are lost to one whose destination ends before the address from.
func (d *domain) nearNews(c *card, from uint64, visit func(*seat) bool) bool {
	if !c.src.IsValid() {
		return d.loose.nearNews(&c.glance, from, visit)
	}
	return d.nearSources(c, 0, visit) && d.neither.nearNews(&c.glance, from, visit)
}

// nearSources is nearLoose for rules that begin with a source prefix; that of c is valid.
func (d *domain) nearSources(c *card, but uint8, visit func(*seat) bool) bool {
	for _, b := range d.bySrc.Supernets(c.src) {
		if !b.others(&c.glance, but, visit) {
			return false
		}
	}
	for _, b := range d.bySrc.Subnets(c.src) {
		if b.prefix != c.src && !b.others(&c.glance, but, visit) {
			return false
		}
	}
	return true
}

// below calls visit with every rule of a bucket below that of s which may share a packet with s, but for rules without a destination that are lost to one whose
// destination ends before the address from.
func (d *domain) below(s *seat, from uint64, visit func(*seat)) {
	try := func(o *seat) bool {
		visit(o)
		return true
	}
	b := s.bucket
	if b.kind == byDst {
		for _, one := range d.byDst.Supernets(b.prefix) {
			if one != b {
				one.near(&s.glance, try)
			}
		}
		d.nearNews(s.card, from, try)
		return
	}
	d.nearNews(s.card, from, func(o *seat) bool {
		if o.bucket != b && compareBuckets(b, o.bucket) < 0 {
			visit(o)
		}
		return true
	})
}

// joined says whether c and d must be carried by one mechanism: they are tied and fare differently, or alike where doing that twice is not the same as doing
// it once.
func (p *platform) joined(c, d *card) bool {
	return (differ(c, d) || p.twice(c)) && c.tied(d)
}
