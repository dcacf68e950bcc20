package profile

import (
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// redirectWords are the names of the redirect forms in profiles.
var redirectWords = map[string]flowspec.RedirectForm{
	"rt-as2":             flowspec.RedirectAS2,
	"rt-ipv4":            flowspec.RedirectIPv4,
	"rt-as4":             flowspec.RedirectAS4,
	"rt-ipv6":            flowspec.RedirectIPv6,
	"next-hop-simpson":   flowspec.NextHopSimpson,
	"next-hop-ietf-ipv4": flowspec.NextHopIETFv4,
	"next-hop-ietf-ipv6": flowspec.NextHopIETFv6,
}

// RedirectWord returns the name that profiles use for a redirect form: "rt-as2", "next-hop-simpson".
func RedirectWord(f flowspec.RedirectForm) string {
	for w, form := range redirectWords {
		if form == f {
			return w
		}
	}
	return "unknown"
}

// actionWords are the names of actions in exclusions.
var actionWords = []string{"discard", "redirect-vrf", "redirect-ip", "rate", "mark", "sample", "continue"}

func (l *loader) actions(where at, n node[rawActions], stage string, fams []flowspec.Family) Actions {
	raw := n.V
	if !n.written() {
		l.bad(where, "`actions` is missing under %s", stage)
		return Actions{}
	}
	can := func(c node[rawCan], key string) Can { return l.can(c, stage+".actions."+key, fams) }
	out := Actions{
		Accept:      can(raw.Accept, "accept"),
		Discard:     can(raw.Discard, "discard"),
		RateBytes:   l.rate(raw.RateBytes, stage+".actions.rate-bytes", "bytes/s", "bits/s", "kbits/s"),
		RatePackets: l.rate(raw.RatePackets, stage+".actions.rate-packets", "packets/s"),
		Mark:        can(raw.Mark, "mark"),
		Sample:      can(raw.Sample, "sample"),
		Continue:    can(raw.Continue, "continue"),
		Copy:        can(raw.Copy, "copy"),
		Redirects:   map[flowspec.RedirectForm]Can{},
	}
	for _, e := range raw.Redirects {
		form, ok := redirectWords[e.Key.s]
		if !ok {
			l.bad(e.Key.at, "%q is not a form of redirect: write one of %s", e.Key.s,
				strings.Join(slices.Sorted(maps.Keys(redirectWords)), ", "))
			continue
		}
		c := can(e.Val, "redirects."+e.Key.s)
		if c.Instance = e.Val.V.Instance; c.Instance && (stage != "filter" || (flowspec.Redirect{Form: form}).NextHop() || !c.OK) {
			l.bad(e.Val.at, "instance is about a filter that redirects to a route target, which %s.actions.redirects.%s is not", stage, e.Key.s)
		}
		out.Redirects[form] = c
	}
	for _, x := range raw.Exclude {
		out.Exclude = append(out.Exclude, l.actionExclusion(x, stage))
	}
	return out
}

// can reads one capability. One that is not written is "cannot".
func (l *loader) can(n node[rawCan], path string, fams []flowspec.Family) Can {
	if !n.written() {
		return Can{}
	}
	return Can{OK: !n.V.Cannot, Families: l.within(n.V.Families, fams), Fact: l.ref(n.at, n.V.Fact, path)}
}

func (l *loader) rate(n node[rawRate], path string, units ...string) RateLimit {
	if !n.written() {
		return RateLimit{}
	}
	raw := n.V
	out := RateLimit{OK: !raw.Cannot, Unit: raw.Unit.s, Fact: l.ref(n.at, raw.Fact, path)}
	if raw.Cannot {
		if raw.Unit.s != "" || raw.Step.set || raw.Floor.set || raw.Ceiling.set || raw.BelowFloor.line != 0 {
			l.bad(n.at, "%s says `cannot` and then what it can", path)
		}
		return out
	}
	if !slices.Contains(units, raw.Unit.s) {
		where := n.at
		if raw.Unit.line != 0 {
			where = raw.Unit.at
		}
		l.bad(where, "%q is not a unit of %s: write %s", raw.Unit.s, path, strings.Join(units, ", "))
	}
	limit := func(v number, key string) (float64, string) {
		if !v.set {
			l.bad(n.at, "%s does not name its %s: write a number, unknown or none", path, key)
			return 0, ""
		}
		return l.whole(v, 1, 1e15, "none"), l.limitFact(v, path+"."+key)
	}
	out.Step, out.StepFact = limit(raw.Step, "step")
	out.Floor, out.FloorFact = limit(raw.Floor, "floor")
	l.belowFloor(&out, raw, path)
	out.Ceiling, out.CeilingFact = limit(raw.Ceiling, "ceiling")
	if out.Ceiling > 0 && (out.Floor > out.Ceiling || out.Step > out.Ceiling) {
		l.bad(raw.Ceiling.at, "%s contradicts itself: the ceiling is below the floor or the step", path)
	}
	return out
}

// floorWords say what becomes of a rate below the floor.
var floorWords = []string{"raised", "refused"}

func (l *loader) belowFloor(out *RateLimit, raw rawRate, path string) {
	w := raw.BelowFloor
	if w.line == 0 {
		return
	}
	if !slices.Contains(floorWords, w.s) {
		l.bad(w.at, "%q does not say what becomes of a rate below the floor: write %s", w.s, strings.Join(floorWords, " or "))
	}
	if out.Floor <= 0 {
		l.bad(w.at, "%s has no floor that a rate could be below", path)
	}
	out.RefuseBelow = w.s == "refused"
}

func (l *loader) actionExclusion(n node[rawActionExclusion], stage string) ActionExclusion {
	x := ActionExclusion{Fact: l.ref(n.at, n.V.Fact, stage+".actions.exclude")}
	for _, w := range n.V.Actions {
		if !slices.Contains(actionWords, w.s) {
			l.bad(w.at, "%q is not an action: write %s", w.s, strings.Join(actionWords, ", "))
		}
	}
	if len(n.V.Actions) != 2 {
		l.bad(n.at, "an exclusion of actions names two of them")
		return x
	}
	x.A, x.B = n.V.Actions[0].s, n.V.Actions[1].s
	return x
}

// failWords say what a rule does whose redirect does not work.
var failWords = []string{"accept", "discard", "unknown"}

func (l *loader) fails(n node[rawFails]) Fails {
	if !n.written() {
		return Fails{}
	}
	if !slices.Contains(failWords, n.V.To.s) {
		l.bad(n.at, "%q is not what a rule does whose redirect does not work: write %s", n.V.To.s, strings.Join(failWords, ", "))
	}
	return Fails{To: strings.TrimPrefix(n.V.To.s, "unknown"), Fact: l.ref(n.at, n.V.Fact, "native.redirect-fails")}
}
