package reconcile

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// attachedMark ends, in what is remembered of a device, the name of a filter that was seen on an interface.
const attachedMark = " attached"

// checkPresence finds out whether somebody removed a filter that the device was seen to hold, or took it off the last interface on which it was seen to stand.
func (w *worker) checkPresence(state device.State) error {
	held, err := w.tokens.Held(w.dev.Name)
	if err != nil {
		return err
	}
	for _, name := range held {
		if name, was := strings.CutSuffix(name, attachedMark); was {
			if !onInterface(state, name) {
				return &device.Drifted{What: "filter " + name + " is on no interface any more", Gone: true}
			}
			continue
		}
		there := slices.ContainsFunc(state.Filters, func(f filter.Filter) bool { return f.Name == name })
		if !there {
			return &device.Drifted{What: "filter " + name + " is gone", Gone: true}
		}
	}
	return nil
}

// onInterface says whether the device shows a filter on any interface, or does not show where it is.
func onInterface(state device.State, name string) bool {
	return len(state.Attached[name])+len(state.Misplaced[name]) > 0
}

// seenOn says whether a filter was seen on an interface.
func seenOn(state device.State, name string) bool {
	return onInterface(state, name) && !slices.Contains(state.Attached[name], device.Somewhere)
}

// noteHeld remembers which filters the device holds, and which of them stand somewhere, so that their absence later is known to be somebody's act.
func (w *worker) noteHeld(filters []filter.Filter) error {
	held, err := w.tokens.Held(w.dev.Name)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range filters {
		names = append(names, f.Name)
		if mark := f.Name + attachedMark; seenOn(w.filters.observed, f.Name) || slices.Contains(held, mark) { // taken off since: for the next read to say
			names = append(names, mark)
		}
	}
	if slices.Equal(held, names) {
		return nil
	}
	return w.tokens.SaveHeld(w.dev.Name, names)
}

// detached says for people on which interfaces a filter stood when the device was last read, and does not now.
func (w *worker) detached(before, now device.State) {
	for name, places := range before.Attached {
		if slices.Contains(now.Attached[name], device.Somewhere) {
			continue
		}
		for _, place := range places {
			if place != device.Somewhere && !slices.Contains(now.Attached[name], place) && onInterface(now, name) {
				w.log.Error("the filter was taken off an interface, and is left so", "filter", name, "interface", place)
			}
		}
	}
}
