package verify

import (
	"cmp"
	"math"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/verify/octets"
)

// read reads what a clause asks of packets and does, and puts it behind the others of its stage: in the order of RFC 8955, if it is no filter.
func (k *checker) read(c *clause, family string, given *certificate.Clause, checks certificate.Semantics) {
	m, err := octets.ReadMatch(family, given.NLRI, checks)
	k.refuse(err != nil, c, "%v", err)
	c.Match, c.does, c.stage.plane = m, octets.ReadActions(given.Actions, given.NextHop), m.Plane
	c.reach, _ = m.Set.Reach(m.Version)
	list := k.stages[c.stage]
	if n := len(list); n > 0 && c.stage.name != certificate.Filter {
		k.refuse(c.Key <= list[n-1].Key, c, "%s is evaluated after it, or has the same NLRI", list[n-1])
	}
	k.stages[c.stage] = append(list, c)
}

// readRules reads the rules.
func (k *checker) readRules() {
	for i, given := range k.Rules {
		r := &clause{at: i, id: given.ID, stage: stage{name: "rules"}, rejected: given.Rejected}
		r.owner = r
		k.read(r, given.Family, &given.Clause, octets.Routes)
		k.refuse(r.does.Unknown && !r.rejected, r, "an action of it is not understood, and it is said to be carried")
		k.refuse(given.Exact && r.rejected, r, "a rejected rule is said to be carried exactly")
		k.rules = append(k.rules, r)
	}
}

// readEntries reads the entries, and establishes (a) and (e).
func (k *checker) readEntries() {
	drawing := map[string]*clause{} // the last entry of each policer
	for i, given := range k.Entries {
		e := &clause{at: i, stage: stage{name: given.Stage}}
		if k.refuse(given.Rule < 0 || given.Rule >= len(k.rules), e, "there is no rule %d", given.Rule) {
			return
		}
		e.owner = k.rules[given.Rule]
		k.refuse(e.owner.rejected, e, "it is for %s, which is rejected", e.owner)
		k.readEntry(e, &given)
		if given.Policer != "" {
			first := cmp.Or(drawing[given.Policer], e)
			k.refuse(first.owner != e.owner, e, "its token bucket is also that of %s", first)
			drawing[given.Policer] = e
		}
		k.inside(e.Set, []packet.Set{e.owner.Set}, e, "it takes a packet that is none of %s", e.owner)
		e.owner.entries, k.entries = append(e.owner.entries, e), append(k.entries, e)
	}
}

// readEntry reads one entry, which must do what its rule asks. A rate may be higher, and is not exact when it is by more than 1 %.
func (k *checker) readEntry(e *clause, given *certificate.Entry) {
	r, p, checks, filter := e.owner, &k.Platform, octets.Routes, given.Stage == certificate.Filter
	if filter && p.Filter != nil {
		checks = *p.Filter
	}
	k.read(e, k.Rules[r.at].Family, &given.Clause, checks)
	exists := given.Stage == certificate.FlowSpec || filter && p.Filter != nil && !strings.HasPrefix(e.Plane, "vpn")
	k.refuse(!exists, e, "the device has no stage %q for it", given.Stage)
	k.refuse(e.Plane != r.Plane, e, "it is not of the family of %s", r)
	k.refuse(filter && p.Placement != "alone" && !e.does.Discard && !e.does.GoesOn, e, "it would keep packets from the operator's filter behind it")

	got, want := e.does, r.does
	got.Rate, want.Rate = 0, 0
	k.refuse(got != want, e, "it does something else than %s asks", r)
	rate, asked := e.does.Rate, r.does.Rate
	k.refuse(rate < asked, e, "its rate is below the one of %s", r)
	most := math.Nextafter32(asked*1.01, math.MaxFloat32) // the last place of a float32 is nobody's fault
	k.refuse(k.Rules[r.at].Exact && rate > most, e, "its rate is more than 1 %% above the one of %s, which is said to be exact", r)

	k.refuse(given.Policer != "" && (!filter || rate == 0), e, "there is nothing for policer %q to police", given.Policer)
	if rate > 0 && len(r.entries) > 0 {
		first := r.entries[0]
		one := checks.SharedPolicer && given.Policer != "" && given.Policer == k.Entries[first.at].Policer && rate == first.does.Rate
		k.refuse(!one, e, "%s has another token bucket: they do not share one", first)
	}
}
