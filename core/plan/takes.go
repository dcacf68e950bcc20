package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// takes says whether the device takes rules of a source. A neighbour that came from a prefix, detectors@192.0.2.65, counts as its source, detectors.
func (p *platform) takes(s flowspec.Source) bool {
	if p.opt.Sources == nil || slices.Contains(p.opt.Sources, s) {
		return true
	}
	at := strings.LastIndexByte(string(s), '@')
	return at >= 0 && slices.Contains(p.opt.Sources, s[:at])
}

// leftOut says why r is none of the device's business; nil: it is.
func (p *platform) leftOut(r *flowspec.Rule) *Reason {
	if p.takes(r.Source) {
		return nil
	}
	var names []string
	for _, s := range p.opt.Sources {
		names = append(names, string(s))
	}
	return &Reason{Code: "source-not-taken", Severity: Note, Message: fmt.Sprintf("the device does not take rules of %s, by its configuration: it takes those of %s", r.Source, strings.Join(names, ", "))}
}

// LeftOut says whether v is that of a rule whose source the device does not take: nobody wanted it there.
func (v *Verdict) LeftOut() bool {
	return v.Carried == Rejected && len(v.Reasons) > 0 && v.Reasons[0].Code == "source-not-taken"
}
