package device

import (
	"cmp"
	"errors"
	"log/slog"
	"slices"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Understood returns the filters of ours that d reads in what a device showed, by name. One that somebody changed into what d does not understand has no entries: so it differs from whatever is
// wanted, and is replaced whole; log says what was found. A filter that was switched off, and what cannot be read at all, is a *Drifted.
func Understood(d filter.Dialect, shown []byte, log *slog.Logger) ([]filter.Filter, error) {
	filters, err := d.Parse(shown)
	var foreign *filter.ForeignError
	switch {
	case errors.As(err, &foreign) && foreign.Deactivated:
		return nil, &Drifted{What: err.Error(), Gone: true}
	case foreign != nil:
		log.Warn("somebody changed our filters into what we do not understand", "what", err)
		filters = foreign.Filters
	case err != nil:
		return nil, &Drifted{What: err.Error()}
	}
	slices.SortStableFunc(filters, func(a, b filter.Filter) int { return cmp.Compare(a.Name, b.Name) })
	return filters, nil
}
