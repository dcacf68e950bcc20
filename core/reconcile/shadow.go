package reconcile

import (
	"context"
	"fmt"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// shadow finds out what would be done to the device, and does nothing: it is planned, rendered, proven and compared with what the device holds. It returns after how
// long to look again.
func (w *worker) shadow(ctx context.Context, m *made) time.Duration {
	var would []string
	if w.dev.Native != nil {
		if n := len(m.plan.Desired.Routes); n > 0 {
			would = append(would, "would announce "+routes(n))
		}
	}
	if w.dev.Filter != nil {
		steps, err := w.shadowFilters(ctx, m)
		if ctx.Err() != nil {
			return 0
		}
		if err != nil {
			return w.failed(m, err)
		}
		would = append(would, steps...)
	}
	if would == nil {
		would = []string{"would change nothing"}
	}
	w.retry = retry{}
	w.report(m, Shadow, nil)
	w.update(func(s *Status) { s.Version, s.made, s.Notes = m.live, m.version, append(would, s.Notes...) })
	return w.dev.Audit
}

// shadowFilters says what would be changed in the filters of the device.
func (w *worker) shadowFilters(ctx context.Context, m *made) ([]string, error) {
	want, err := w.provenForm(m.plan.Desired.Filters)
	if err != nil {
		return nil, err
	}
	if !w.filters.known || w.auditDue() {
		state, err := w.read(ctx, Reading)
		if err != nil {
			return nil, err
		}
		w.observe(state)
	}
	var out []string
	for _, s := range device.Diff(device.State{Filters: w.filters.observed.Filters}, device.State{Filters: want}).Steps {
		name, entries := s.Filter.Name, len(s.Filter.Entries)
		switch s.Op {
		case device.Add:
			out = append(out, fmt.Sprintf("would add filter %s, of %d entries", name, entries))
		case device.Replace:
			out = append(out, fmt.Sprintf("would change filter %s, to %d entries", name, entries))
		case device.Remove:
			out = append(out, "would remove filter "+name)
		}
	}
	return out, nil
}
