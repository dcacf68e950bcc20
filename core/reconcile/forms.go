package reconcile

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
)

// Forms remembers, across a restart, how plans carried each rule, by what the plans stand for, which plans each device is given, and how its routes leave. *store.Store is one.
type Forms interface {
	SaveForms(of string, puts map[flowspec.ID]device.Form, deletes []flowspec.ID) error
	Forms(of string) (map[flowspec.ID]device.Form, error)
	SaveAdopted(name, of string) error
	Adopted(name string) (of string, found bool, err error)
	SavePolicy(name string, p device.Policy) error
	Policy(name string) (p device.Policy, found bool, err error)
	// KeepForms forgets all plans but those, and all devices but those.
	KeepForms(of, devices []string) error
}

// basisOf says in short what the plans of devices like d rest on beside the rules: the program, the profile, and what the configuration says of such a device. Equal: a plan
// differs from an earlier one because the rules do.
func basisOf(software, key string, d Device) (string, error) {
	profile, err := json.Marshal(d.Profile)
	if err != nil {
		return "", fmt.Errorf("profile %s: %w", d.Profile.Name, err)
	}
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s", software, key, profile)
	return hex.EncodeToString(h.Sum(nil)[:8]), nil
}

// scribe notes how the newest plans carry each rule. It belongs to the goroutine of a planning.
type scribe struct {
	disk    Forms
	of      string // what the plans rest on; "": nothing is noted
	dialect filter.Dialect
	saved   *made // what is on disk; nil: nothing of this life
}

// save notes what differs from what it noted last.
func (s *scribe) save(m *made) error {
	if s.of == "" || m == nil || m.plan == nil || m == s.saved {
		return nil
	}
	var old map[flowspec.ID]device.Form // of the disk, where nobody knows what is there
	if s.saved == nil {
		var err error
		if old, err = s.disk.Forms(s.of); err != nil {
			return err
		}
	}
	puts := map[flowspec.ID]device.Form{}
	text := s.filterText(m.plan)
	before := s.verdicts()
	for i, r := range m.rules() {
		v := m.plan.Verdicts[i]
		if last, found := before[r.ID]; found && last == v && v.Carried != plan.InFilter {
			delete(before, r.ID)
			continue
		}
		delete(before, r.ID)
		f := formOf(r, v, text)
		if there, found := old[r.ID]; found && there.Rule == f.Rule && there.Carried == f.Carried && there.Same(f) {
			delete(old, r.ID)
			continue
		}
		delete(old, r.ID)
		puts[r.ID] = f
	}
	var deletes []flowspec.ID
	for id := range before {
		deletes = append(deletes, id)
	}
	for id := range old {
		deletes = append(deletes, id)
	}
	if len(puts)+len(deletes) > 0 {
		if err := s.disk.SaveForms(s.of, puts, deletes); err != nil {
			return err
		}
	}
	s.saved = m
	return nil
}

// verdicts returns those of the plan that is on disk.
func (s *scribe) verdicts() map[flowspec.ID]*plan.Verdict {
	out := map[flowspec.ID]*plan.Verdict{}
	if s.saved != nil {
		for _, v := range s.saved.plan.Verdicts {
			out[v.Rule] = v
		}
	}
	return out
}

// filterText returns what the filters of a plan say of each of their entries, in the language of the device.
func (s *scribe) filterText(p *plan.Plan) map[string]string { return filterText(s.dialect, p) }

func filterText(d filter.Dialect, p *plan.Plan) map[string]string {
	out := map[string]string{}
	if d == nil {
		return out
	}
	for _, f := range p.Desired.Filters {
		rendered, err := d.Render(f)
		for i, e := range f.Entries {
			if err == nil && i < len(rendered.Entries) {
				out[e.Name] = rendered.Entries[i]
			} else {
				out[e.Name] = e.Name // what keeps it from being rendered keeps it from being delivered
			}
		}
	}
	return out
}

// formOf returns how v carries r.
func formOf(r flowspec.Rule, v *plan.Verdict, text map[string]string) device.Form {
	var routes []*device.Route
	var entries []string
	for _, e := range v.Entries {
		switch {
		case e.Route != nil:
			routes = append(routes, e.Route)
		case e.Filter != nil:
			entries = append(entries, text[e.Filter.Name])
		}
	}
	f := device.FormOf(r, string(v.Carried), routes)
	if f.Entries = len(entries); f.Entries > 0 {
		sum := sha256.Sum256([]byte(strings.Join(entries, "\x00")))
		f.Filter = hex.EncodeToString(sum[:8])
	}
	return f
}
