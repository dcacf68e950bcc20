package reconcile

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/profiles"
)

// onePort returns a profile that takes one source port in a rule: rules with two are split. order is what is known of the order of its rules.
func onePort(t *testing.T, order string) *profile.Profile {
	t.Helper()
	p, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	next, native := *p, *p.Native
	native.Components = map[flowspec.Type]profile.Component{}
	for c, limits := range p.Native.Components {
		if c == flowspec.SrcPort {
			limits.MaxValues = 1
		}
		native.Components[c] = limits
	}
	native.Order.Kind = order
	next.Native = &native
	return &next
}

// become gives all devices another profile.
func (f *fleet) become(p *profile.Profile) {
	for i := range f.cfg.Devices {
		f.cfg.Devices[i].Profile = p
	}
}

// A plan that only another profile makes differ is proposed. The device has what it had, new rules beside it, until a person wants the new one; also over a restart.
func TestPlansOfAnotherProfileAreProposed(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.cfg.Groups, f.cfg.Software = nil, "v1"
		two, one, fresh := discard(f.t, 1, 53, 123), discard(f.t, 2, 53), discard(f.t, 3, 53)
		pieces := []flowspec.Rule{discard(f.t, 1, 53), discard(f.t, 1, 123)}
		f.set(two, one)
		f.start()
		f.holds("lone edge1", two, one)
		f.settle(time.Minute)
		f.stop()

		f.become(onePort(f.t, "rfc8955"))
		f.start()
		f.holds("lone edge1", two, one)
		if s := f.device("lone"); s.State != Behind || s.Proposed != 1 {
			f.t.Errorf("lone: %+v", s)
		}
		list, err := f.rec.Proposals("lone")
		if err != nil || len(list) != 1 || list[0].ID != two.ID || !list[0].Was.AsCame || len(list[0].Is.Routes) != 2 {
			f.t.Errorf("proposed %+v, error %v", list, err)
		}
		f.set(two, one, fresh)
		f.holds("lone edge1", two, one, fresh)
		f.set(two, fresh)
		f.holds("lone edge1", two, fresh)
		if r := f.rec.Receipts(fresh)[3]; r.State != RuleSent {
			f.t.Errorf("receipt %+v", r)
		}
		f.settle(time.Minute)
		f.stop()
		f.start()
		f.holds("lone edge1", two, fresh)
		if err := f.rec.Adopt("lone"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(0)
		f.holds("lone", append(pieces, fresh)...)
		f.holds("edge1", two, fresh)
		if err := f.rec.Adopt("lone"); !errors.Is(err, ErrNotProposed) {
			f.t.Errorf("adopted twice: %v", err)
		}
		if err := f.rec.Adopt(""); err != nil {
			f.t.Fatal(err)
		}
		f.settle(time.Minute)
		f.stop()
		f.start()
		f.holds("lone edge1", append(pieces, fresh)...)
		if s := f.device("lone"); s.State != InSync || len(f.memory.forms) != 1 {
			f.t.Errorf("lone: %+v; %d generations of plans are kept", s, len(f.memory.forms))
		}
	})
}

// Where the old routes and the new ones cannot be proven to filter together what they should, the device keeps what it has, and loses only what has ended.
func TestWhatIsNotProvenTogetherWaits(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.cfg.Groups, f.cfg.Software = nil, "v1"
		two, one, fresh := discard(f.t, 1, 53, 123), discard(f.t, 2, 53), discard(f.t, 3, 53)
		f.set(two, one)
		f.start()
		f.settle(time.Minute)
		f.stop()
		f.become(onePort(f.t, "unknown"))
		f.start()
		f.set(two, one, fresh)
		f.holds("lone", two, one)
		if r := f.rec.Receipts(fresh)[3]; r.State != RulePending || !strings.Contains(r.Error, "sluice device adopt lone") {
			f.t.Errorf("receipt %+v", r)
		}
		if r := f.rec.Receipts(two)[3]; r.State != RuleSent {
			f.t.Errorf("receipt %+v", r)
		}
		f.set(two, fresh)
		f.holds("lone", two)
		if err := f.rec.Adopt("lone"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(0)
		f.holds("lone", discard(f.t, 1, 53), discard(f.t, 1, 123), fresh)
	})
}

// A new version of the program that plans as the old one did is adopted without a word, and one without a memory of the old has nothing to propose.
func TestSamePlansAreAdopted(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.cfg.Groups, f.cfg.Software = nil, "v1"
		f.set(discard(f.t, 1, 53, 123))
		f.start()
		f.settle(time.Minute)
		f.stop()
		f.cfg.Software = "v2"
		f.start()
		for _, s := range f.rec.Status() {
			if s.State != InSync {
				f.t.Errorf("%+v", s)
			}
		}
		f.stop()
		f.memory.forms = map[string]map[flowspec.ID]device.Form{}
		f.become(onePort(f.t, "rfc8955"))
		f.start()
		f.holds("lone", discard(f.t, 1, 53), discard(f.t, 1, 123))
	})
}

// Canaries adopt at once; the others when these have stood with it for soak, and not while a canary is in trouble.
func TestCanariesAdoptFirst(t *testing.T) {
	bubble(t, func(f *fleet) {
		f.cfg.Software, f.cfg.Groups[0].Soak = "v1", 10*time.Minute
		two := discard(f.t, 1, 53, 123)
		pieces := []flowspec.Rule{discard(f.t, 1, 53), discard(f.t, 1, 123)}
		f.set(two)
		f.start()
		f.settle(time.Minute)
		f.stop()
		f.become(onePort(f.t, "rfc8955"))
		f.start()
		f.settle(time.Minute)
		f.holds("canary", pieces...)
		f.holds("edge1 edge2 lone", two)
		f.wantRollout(Soaking, "watched for 10m0s")
		f.peers["canary"].set(true)
		f.settle(2 * time.Second)
		f.peers["canary"].set(false)
		f.settle(time.Hour)
		f.wantRollout(Stopped, "canary does not answer any more")
		f.holds("edge1 edge2", two)
		if err := f.rec.ResumeRollout("edge"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(9 * time.Minute)
		f.holds("edge1 edge2", two)
		f.settle(2 * time.Minute)
		f.holds("canary edge1 edge2", pieces...)
		f.wantRollout(RolledOut, "")
		f.holds("lone", two)
	})
}

// versioned is a dialect of which each version writes its entries otherwise.
type versioned struct {
	plainDialect
	version string
}

func (v versioned) Render(f filter.Filter) (filter.Rendered, error) {
	r, err := v.plainDialect.Render(f)
	for _, e := range f.Entries {
		r.Entries = append(r.Entries, v.version+" "+e.Name)
	}
	return r, err
}

// A filter that another version would write otherwise is read, and left alone until somebody wants the new one.
func TestFilterOfAnotherVersionIsLeftAlone(t *testing.T) {
	bubble(t, func(f *fleet) {
		prof, err := profiles.Embedded().Get("junos-mx")
		if err != nil {
			f.t.Fatal(err)
		}
		r := &router{now: time.Now}
		f.cfg.Groups, f.cfg.Software = nil, "v1"
		f.cfg.Devices = []Device{{Name: "mx1", Profile: prof, Options: plan.Options{NoNative: true}, Filter: r, Dialect: versioned{version: "1"}, Confirm: 30 * time.Second}}
		one, fresh := discard(f.t, 1, 53), discard(f.t, 2, 53)
		f.set(one)
		f.start()
		f.settle(time.Minute)
		f.stop()
		f.cfg.Software, f.cfg.Devices[0].Dialect = "v2", versioned{version: "2"}
		f.start()
		f.set(one, fresh)
		if s := f.device("mx1"); s.State != Behind || s.Entries != 1 || r.committed() != 1 {
			f.t.Errorf("%d commits, %+v", r.committed(), s)
		}
		if got := f.rec.Receipts(one)[0]; got.State != RuleHeld {
			f.t.Errorf("receipt %+v", got)
		}
		if got := f.rec.Receipts(fresh)[0]; got.State != RulePending {
			f.t.Errorf("receipt %+v", got)
		}
		if err := f.rec.Adopt("mx1"); err != nil {
			f.t.Fatal(err)
		}
		f.settle(time.Minute)
		if s := f.device("mx1"); s.State != InSync || s.Entries != 2 {
			f.t.Errorf("%+v", s)
		}
	})
}
