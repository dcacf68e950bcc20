package verify

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/packet"
)

// entry is a route or an entry of a filter.
type entry struct {
	nlri  // of an entry of a filter only plane and set
	at    int
	place string
	owner *rule
	does  outcome
	pos   int // place in the order of its stage
	// measured is its place in the measured order, from 1; 0: it has none.
	measured int
	after    packet.Set // what packets may be when they leave it: as they came, or with another DSCP
}

// readEntries reads the entries, and establishes (a) and (e).
func (k *checker) readEntries() error {
	policers := map[string]certificate.Policer{}
	for _, p := range k.c.Policers {
		if policers[p.Name].Name != "" || p.Name == "" || !(p.Rate > 0) || p.Unit != "bytes/s" && p.Unit != "packets/s" {
			return refuse("policer "+p.Name, "it is there twice, or has no name, no rate or no unit")
		}
		policers[p.Name] = p
	}
	holder := map[string]*entry{} // first entry of each bucket
	for i := range k.c.Entries {
		given := &k.c.Entries[i]
		if given.Rule < 0 || given.Rule >= len(k.rules) {
			return refuse(fmt.Sprintf("entry %d", i), "there is no rule %d", given.Rule)
		}
		e := &entry{at: i, place: fmt.Sprintf("entry %d", i), owner: k.rules[given.Rule]}
		bucket, err := k.readEntry(e, given, policers)
		switch {
		case err != nil:
			return refuse(e.place, "%v", err)
		case !e.owner.carried():
			return refuse(e.place, "it is for %s, which is rejected", e.owner.place)
		case e.plane != e.owner.plane:
			return refuse(e.place, "it is not of the family of %s", e.owner.place)
		}
		if err := k.inside(e.place, "it takes a packet that is none of "+e.owner.place, e.set, e.owner.set); err != nil {
			return err
		}
		if err := e.asAsked(); err != nil {
			return err
		}
		if first := holder[bucket]; e.does.rate > 0 && first != nil && (first.owner != e.owner || !k.c.Platform.Filter.SharedPolicer) {
			return refuse(e.place, "its token bucket is also that of %s", first.place)
		}
		if n := len(e.owner.entries); e.does.rate > 0 && n > 0 && holder[bucket] == nil {
			return refuse(e.place, "%s has another token bucket: %d entries do not share one", e.owner.entries[0].place, n+1)
		}
		holder[bucket] = cmp.Or(holder[bucket], e)
		e.owner.entries, k.entries = append(e.owner.entries, e), append(k.entries, e)
	}
	return nil
}

// readEntry reads one entry, and returns the name of its token bucket.
func (k *checker) readEntry(e *entry, given *certificate.Entry, policers map[string]certificate.Policer) (bucket string, err error) {
	native := given.NLRI != ""
	if native {
		if given.Match != nil || given.Do != nil || given.Name != "" {
			return "", errors.New("both a route and an entry of a filter")
		}
		if e.nlri, err = readNLRI(e.owner.Family, given.NLRI); err != nil {
			return "", err
		}
		e.does, err = readActions(given.Actions, given.NextHop)
		bucket = "route " + e.place
	} else {
		f, version := k.c.Platform.Filter, map[string]packet.Version{"ipv4": packet.IPv4, "ipv6": packet.IPv6}[e.owner.Family]
		if f == nil || given.Match == nil || given.Do == nil || given.Actions != nil || given.NextHop != "" || version == 0 {
			return "", errors.New("no entry of a filter, or there is none for this family")
		}
		e.plane = e.owner.Family
		if e.set, err = readMatch(given.Match, version, *f); err != nil {
			return "", err
		}
		e.does, err = readDo(given.Do, policers)
		bucket = "policer " + given.Do.Policer
		if k.c.Platform.Placement != "alone" && !e.does.discard && !e.does.goesOn {
			return "", errors.New("it would keep packets from the operator's filter behind it")
		}
	}
	e.after = e.set
	if e.does.marks {
		boxes := e.set.Boxes()
		for i := range boxes {
			boxes[i].DSCP = packet.NewValues(packet.Span{Lo: uint32(e.does.mark), Hi: uint32(e.does.mark)})
		}
		e.after = e.set.Or(packet.Of(boxes...))
	}
	one := e.owner.Carried
	if native != (one == "native" || one == "rewritten") || one == "native" && given.NLRI != e.owner.NLRI {
		return "", fmt.Errorf("%s is said to be carried otherwise (%s)", e.owner.place, one)
	}
	return bucket, err
}

// asAsked refuses an entry that does something else than its rule asks. A rate may be higher, and is not exact when it is by more than 1 %.
func (e *entry) asAsked() error {
	got, want := e.does, e.owner.does
	limit := math.Nextafter32(want.rate*1.01, math.MaxFloat32) // the last place of a float32 is nobody's fault
	got.rate, want.rate = 0, 0
	switch {
	case got != want || got.unknown || (e.does.rate > 0) != (e.owner.does.rate > 0):
		return refuse(e.place, "it does something else than %s asks", e.owner.place)
	case e.does.rate < e.owner.does.rate:
		return refuse(e.place, "its rate is below the one of %s", e.owner.place)
	case e.owner.Exact && e.does.rate > limit:
		return refuse(e.place, "its rate is more than 1 %% above the one of %s, which is said to be exact", e.owner.place)
	}
	return nil
}
