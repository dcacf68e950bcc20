package plan

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"slices"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan/split"
	"github.com/sluice-gateway/sluice/core/table"
)

// drafter looks at rules alone, one after the other, and makes their cards. What it needs only while it looks at a rule it uses again for the next; a card has
// memory of its own. It serves one goroutine.
type drafter struct {
	*platform
	rule       *flowspec.Rule
	components []flowspec.Component // of the rule
	terms      []flowspec.Term      // of components
	reader     flowspec.Reader
	cutter     split.Cutter
	octets     []byte   // of the lists of pieces and of pieces
	ends       []int    // in octets
	lists      [][]byte // the octets of each list
	piece      [][]byte // the octets of one piece
	matches    []flowspec.Match
	hashes     []uint64 // of the octets of matches
	told       map[cutting][]Reason
	wants      map[table.Outcome]*table.Outcome
	recent     [4]*table.Outcome // of wants
	turn       int               // of recent
	last       plainFinding      // that was kept, and what became of it
	lastKept   *finding
	finding    finding // in the making
	drafts     rooms[draft]
	plain      rooms[plainDraft]
}

// draft is a card with what nearly every rule has: a way by FlowSpec.
type draft struct {
	card
	way
}

// plainDraft is the draft of a rule that goes as it came.
type plainDraft struct {
	draft
	route [1]device.Route
}

// card looks at rule r alone.
func (d *drafter) card(r *flowspec.Rule) *card {
	d.begin(r)
	if d.fits(r.Match) {
		one := new(struct {
			plainDraft
			reading
		})
		one.card.reading = &one.reading
		return d.fill(&one.draft, one.route[:0])
	}
	one := new(struct {
		draft
		reading
	})
	one.card.reading = &one.reading
	return d.fill(&one.draft, nil)
}

// fill fills in one, whose rule was taken up; room is for its route where it goes as it came.
func (d *drafter) fill(one *draft, room []device.Route) *card {
	d.read(one.card.reading, d.rule)
	d.carry(one, room)
	return &one.card
}

// begin takes rule r up.
func (d *drafter) begin(r *flowspec.Rule) {
	d.rule = r
	d.components, d.terms = r.Match.AppendComponents(d.components[:0], d.terms[:0])
}

// read notes on c what rule r says, which was taken up.
func (d *drafter) read(c *reading, r *flowspec.Rule) {
	c.rule, c.kind, c.set, c.want = r, leaderOf(&d.components[0]).kind, r.Match.Set(), d.want(r)
	c.severity = c.want.Severity()
	c.nothing = c.set.Empty()
	for i := range d.components {
		switch component := &d.components[i]; {
		case component.Type == flowspec.DSCP:
			c.marked = true
		case component.Prefix.Offset > 0:
		case component.Type == flowspec.DstPrefix:
			c.dst = prefixOf(component.Prefix)
		case component.Type == flowspec.SrcPrefix:
			c.src = prefixOf(component.Prefix)
		}
	}
	c.bySrc = c.src.IsValid() && d.components[0].Type == flowspec.SrcPrefix
	if !c.nothing {
		c.glance = glanceOf(c, d.components)
	}
}

// carried returns a card of a rule that was read, which says how FlowSpec carries it. Cards of neighbours share memory.
func (d *drafter) carried(read *reading) *card {
	d.begin(read.rule)
	if d.fits(read.rule.Match) {
		one := d.plain.take()
		one.card.reading = read
		d.carry(&one.draft, one.route[:0])
		return &one.card
	}
	one := d.drafts.take()
	one.card.reading = read
	d.carry(one, nil)
	return &one.card
}

// want returns what rule r asks for. Rules that ask for one thing share it.
func (d *drafter) want(r *flowspec.Rule) *table.Outcome {
	one := table.Want(*r)
	if one.Policer != "" {
		return new(one)
	}
	for _, out := range d.recent {
		if out != nil && *out == one {
			return out
		}
	}
	out := d.wanted(one)
	d.recent[d.turn%len(d.recent)] = out
	d.turn++
	return out
}

// wanted returns what asks for the same as one and was asked for before, or one.
func (d *drafter) wanted(one table.Outcome) *table.Outcome {
	if out := d.wants[one]; out != nil {
		return out
	}
	if len(d.wants) == mostTold || d.wants == nil {
		d.wants = make(map[table.Outcome]*table.Outcome)
	}
	out := new(one)
	d.wants[one] = out
	return out
}

// carry says on the card of one, which was read, how FlowSpec carries the rule, which was taken up.
func (d *drafter) carry(one *draft, room []device.Route) {
	c := &one.card
	if c.nothing {
		return
	}
	c.native = &one.way
	d.fillNative(c, room)
	if !c.keepsLead(c.native.routes) {
		c.native.routes = nil
		c.native.refuse(unproven("a piece begins with another component than the rule, so that nothing is known of its place"))
	}
}

// fits says whether FlowSpec carries the match with d.components as it came.
func (d *drafter) fits(m flowspec.Match) bool {
	if d.native == nil {
		return false
	}
	l := d.native.families[m.Family()]
	return l != nil && split.Fits(m.Family(), d.components, &l.limits) && !tooLong(d.native, m)
}

// build encodes pieces, and decodes the octets again: what is proven is what will be sent. A piece that comes up twice (both sides of a
// rewritten port can give it) is built once. The matches are good until the next call; their octets stay.
func (d *drafter) build(m flowspec.Match, pieces *split.Pieces) ([]flowspec.Match, error) {
	if err := d.encode(m, pieces); err != nil {
		return nil, err
	}
	octets := slices.Clip(bytes.Clone(d.octets))
	d.matches, d.hashes = d.matches[:0], d.hashes[:0]
	from := 0
	for _, to := range d.ends {
		one, err := flowspec.ParseNLRI(m.Family(), octets[from:to:to])
		if err != nil {
			return nil, err
		}
		if !d.has(one) {
			d.matches = append(d.matches, one)
		}
		from = to
	}
	return d.matches, nil
}

// encode writes the NLRIs of pieces to d.octets. Their lists are encoded once each.
func (d *drafter) encode(m flowspec.Match, pieces *split.Pieces) (err error) {
	d.octets, d.ends = d.octets[:0], d.ends[:0]
	for i := range pieces.Lists {
		if d.octets, err = flowspec.AppendComponent(d.octets, m.Family(), &pieces.Lists[i]); err != nil {
			return err
		}
		d.ends = append(d.ends, len(d.octets))
	}
	d.lists = d.lists[:0]
	from := 0
	for _, to := range d.ends {
		d.lists, from = append(d.lists, d.octets[from:to]), to
	}
	whole := d.octets[len(d.octets):]
	d.ends = d.ends[:0]
	for _, numbers := range pieces.Of {
		d.piece = d.piece[:0]
		for _, n := range numbers {
			d.piece = append(d.piece, d.lists[n])
		}
		if whole, err = flowspec.AppendNLRI(whole, m.Family(), m.RD(), d.piece...); err != nil {
			return err
		}
		d.ends = append(d.ends, len(whole))
	}
	d.octets = whole
	return nil
}

// seed is for hashes that are not kept.
var seed = maphash.MakeSeed()

// has says whether m is one of d.matches, and notes its hash for the next question.
func (d *drafter) has(m flowspec.Match) bool {
	hash := maphash.Bytes(seed, m.NLRI())
	for i, other := range d.hashes {
		if other == hash && d.matches[i].Equal(m) {
			return true
		}
	}
	d.hashes = append(d.hashes, hash)
	return false
}

// cutting is all that is said of how a rule was cut.
type cutting struct {
	limits              *familyLimits
	changes             [4]split.Change
	pieces, grid, bound int
}

// mostTold bounds what is remembered of cuttings.
const mostTold = 1 << 12

// tell returns what there is to say of a rule that was cut into n pieces. Rules that were cut alike are told the same, in the same memory.
func (d *drafter) tell(l *familyLimits, n int, done *split.Tally) []Reason {
	key := cutting{limits: l, pieces: n, grid: done.Grid, bound: done.Bound}
	if copy(key.changes[:], done.Changes) < len(done.Changes) {
		return d.cutReasons(l, n, done)
	}
	out, ok := d.told[key]
	if !ok {
		if len(d.told) == mostTold || d.told == nil {
			d.told = make(map[cutting][]Reason)
		}
		out = slices.Clip(d.cutReasons(l, n, done))
		d.told[key] = out
	}
	return out
}

// cutReasons is tell in new memory.
func (p *platform) cutReasons(l *familyLimits, n int, done *split.Tally) []Reason {
	out := append(p.changed(l, done.Changes), pieceCount(n, done)...)
	for _, c := range done.Changes {
		if c.Kind == split.Cut && l.guessed[c.Type] { // cut because nobody knows how long it may be
			out = append(out, Reason{Code: "assumed-values", Severity: Note, Component: typeWord(c.Type),
				Message: fmt.Sprintf("%s: how many values %s takes in one list is not known; one is right in any case", typeWord(c.Type), p.profile.Name),
				Source:  p.facts.source(or(l.values[c.Type], l.facts[c.Type]))})
		}
	}
	return out
}
