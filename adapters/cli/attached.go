package cli

import (
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// attacher is a Dialect that knows how its filters are attached.
type attacher interface {
	// Attachment returns the filters of ours that a line of an interface attaches, and in words how they stand there otherwise than placement p wants it; "": as it wants.
	Attachment(line string, p filter.Placement) (filters []string, misplaced string)
}

// finder is a Dialect that reads by itself where filters are attached.
type finder interface {
	Attached(config []byte, p filter.Placement) (stands, misplaced map[string][]string, err error)
}

// attachments returns where our filters fs stand in a configuration as placement p wants it, and where otherwise and how; both by filter, sorted.
func (a *Adapter) attachments(text string, fs []filter.Filter, p filter.Placement) (stands, misplaced map[string][]string) {
	if d, ok := a.dialect.(finder); ok {
		stands, misplaced, err := d.Attached([]byte(text), p)
		if err != nil {
			a.log().Warn("where our filters are attached is not understood", "what", err)
			return device.SomewhereAll(fs), nil
		}
		return stands, misplaced
	}
	d, ok := a.dialect.(attacher)
	if !ok {
		return nil, nil
	}
	stands, misplaced = map[string][]string{}, map[string][]string{}
	where := "" // the interface that the lines belong to
	for line := range strings.Lines(text) {
		if line[0] != ' ' {
			where, _ = strings.CutPrefix(strings.TrimSpace(line), "interface ")
			if !strings.HasPrefix(line, "interface ") {
				where = ""
			}
			continue
		}
		if where == "" {
			continue
		}
		filters, how := d.Attachment(strings.TrimSpace(line), p)
		for _, name := range filters {
			if how == "" {
				stands[name] = append(stands[name], where)
			} else {
				misplaced[name] = append(misplaced[name], where+", "+how)
			}
		}
	}
	for _, m := range []map[string][]string{stands, misplaced} {
		for _, list := range m {
			slices.Sort(list)
		}
	}
	return stands, misplaced
}
