package reconcile

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A device that takes the rules of some sources has those and no others, and says of the others that they are left out. A rule that comes to be of a source that it takes is new to it, and goes to the
// canary first.
func TestSourcesOfADevice(t *testing.T) {
	bubble(t, func(f *fleet) {
		for i := range f.cfg.Devices {
			if f.cfg.Devices[i].Name != "lone" {
				f.cfg.Devices[i].Options.Sources = []flowspec.Source{"customer"}
			}
		}
		of := func(r flowspec.Rule, s flowspec.Source) flowspec.Rule { r.Source = s; return r }
		mine, theirs := of(discard(f.t, 1, 53), "customer"), of(discard(f.t, 2, 53), "detector")
		f.set(mine, theirs)
		f.start()
		f.holds("canary edge1 edge2", mine)
		f.holds("lone", mine, theirs)
		if s := f.device("edge1"); s.State != InSync || s.Summary["left-out"] != 1 || s.Summary["rejected"] != 0 {
			f.t.Errorf("edge1: %+v", s)
		}
		for _, r := range f.rec.Receipts(theirs) {
			if want := map[bool]ReceiptState{true: RuleSent, false: RuleLeftOut}[r.Device == "lone"]; r.State != want {
				f.t.Errorf("%+v, want %s", r, want)
			}
			if r.State == RuleLeftOut && !strings.Contains(r.Error, "does not take rules of detector") {
				f.t.Errorf("%+v", r)
			}
		}
		f.set(mine, of(theirs, "customer"))
		f.holds("canary lone", mine, theirs)
		f.holds("edge1 edge2", mine)
		f.settle(watched)
		f.holds("canary edge1 edge2 lone", mine, theirs)
		f.set(mine, theirs)
		f.settle(2 * watched)
		f.holds("edge1 edge2", mine)
		f.holds("lone", mine, theirs)
	})
}
