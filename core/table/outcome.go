package table

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Outcome is what an entry does to a packet. Outcomes are comparable; the zero Outcome is accept.
type Outcome struct {
	Discard  bool
	Policer  string        // identity of the token bucket, "" for none; two entries with one name share it
	Rate     flowspec.Rate // limit of that bucket (AS is zero)
	Redirect string        // where to, in canonical text; "" for nowhere
	Copy     bool
	Mark     uint8
	Marked   bool
	Sample   bool
}

// Severity says how badly a packet fares, for the order of changes (docs/semantics.md).
type Severity uint8

// The severities, ascending.
const (
	Accepts Severity = iota
	Marks            // mark or sample
	Redirects
	Limits
	Discards
)

var severityWords = [...]string{"accept", "mark", "redirect", "rate-limit", "discard"}

// String returns the action that s stands for, such as "rate-limit".
func (s Severity) String() string { return severityWords[min(s, Discards)] }

// limits says whether o polices. A limit without a named policer is one all the same; all of those share the nameless one.
func (o Outcome) limits() bool { return o.Policer != "" || o.Rate.Amount > 0 }

// Severity returns the severity of o: that of its worst part.
func (o Outcome) Severity() Severity {
	switch {
	case o.Discard:
		return Discards
	case o.limits():
		return Limits
	case o.Redirect != "":
		return Redirects
	case o.Marked || o.Sample:
		return Marks
	}
	return Accepts
}

// String prints o in the words of an operator: "discard", "rate-limit 12500000 bytes/s (policer r42)", "accept".
func (o Outcome) String() string {
	var parts []string
	if o.Discard {
		parts = append(parts, "discard")
	}
	if o.limits() {
		name := ""
		if o.Policer != "" {
			name = " (policer " + o.Policer + ")"
		}
		parts = append(parts, "rate-limit "+rateString(o.Rate)+name)
	}
	if o.Redirect != "" {
		verb := "redirect to "
		if o.Copy {
			verb = "copy to "
		}
		parts = append(parts, verb+o.Redirect)
	}
	if o.Marked {
		parts = append(parts, fmt.Sprintf("mark %d", o.Mark))
	}
	if o.Sample {
		parts = append(parts, "sample")
	}
	if parts == nil {
		return "accept"
	}
	return strings.Join(parts, ", ")
}

func rateString(r flowspec.Rate) string {
	unit := "bytes/s"
	if r.Unit == flowspec.Packets {
		unit = "packets/s"
	}
	return strconv.FormatFloat(float64(r.Amount), 'f', -1, 32) + " " + unit
}

// target returns the one text of where r sends packets. A next hop is the same place however it travels in BGP; so is a route
// target, except that the forms are different communities and a VRF imports one of them.
func target(r flowspec.Redirect) string {
	if r.NextHop() {
		return r.Addr.String()
	}
	switch r.Form {
	case flowspec.RedirectIPv4, flowspec.RedirectIPv6:
		return fmt.Sprintf("target:%s:%d", r.Addr, r.Local)
	case flowspec.RedirectAS4:
		return fmt.Sprintf("target:%dL:%d", r.Global, r.Local)
	}
	return fmt.Sprintf("target:%d:%d", r.Global, r.Local)
}

// bare returns o with the name of its policer left out: what it does, apart from whom it shares a bucket with.
func (o Outcome) bare() Outcome {
	if o.limits() {
		o.Policer = "policer"
	}
	o.Rate.AS = 0
	return o
}

// worse says whether a packet that fares got is treated worse than one that fares want. Both are what the matching entries do
// together. A higher severity is worse. Within one severity, up to limits, got is worse when it does something that
// want does not: limits more tightly (or in a unit that want does not limit in), redirects elsewhere, marks otherwise, samples.
func worse(want, got []Outcome) bool {
	w, g := severity(want), severity(got)
	if w != g || w == Discards {
		return g > w
	}
	for _, o := range got {
		if !allowed(want, o) {
			return true
		}
	}
	return false
}

func severity(does []Outcome) (s Severity) {
	for _, o := range does {
		s = max(s, o.Severity())
	}
	return s
}

// allowed says whether every part of o is one that does has as well, a rate being no lower than one of does in its unit.
func allowed(does []Outcome, o Outcome) bool {
	rate, redirect, mark, sample := !o.limits(), o.Redirect == "", !o.Marked, !o.Sample
	for _, d := range does {
		rate = rate || d.limits() && d.Rate.Unit == o.Rate.Unit && d.Rate.Amount <= o.Rate.Amount
		redirect = redirect || d.Redirect == o.Redirect && (!d.Copy || o.Copy)
		mark = mark || d.Marked && d.Mark == o.Mark
		sample = sample || d.Sample
	}
	return rate && redirect && mark && sample
}
