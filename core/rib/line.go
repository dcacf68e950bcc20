package rib

import "github.com/sluice-gateway/sluice/core/flowspec"

// With returns s after changes, which are sorted by Match, each NLRI once, as the next snapshot of a line of its own: of one that began with Of. Versions of different lines
// have nothing to do with each other. Of one snapshot With is called once: the snapshots of a line share their history.
func (s Snapshot) With(changes []Change) Snapshot { return s.with(changes) }

// Changes returns what leads from s to another snapshot, of whatever line, sorted by Match, each NLRI once. A rule that was announced again as it is counts as changed:
// whoever takes over the changes has the very rules of next.
func (s Snapshot) Changes(next Snapshot) []Change {
	var out []Change
	old, new := s.chunks(), next.chunks()
	a, b := old.take(), new.take()
	for a != nil || b != nil {
		order := 0
		switch {
		case a == b:
		case a == nil:
			order = 1
		case b == nil:
			order = -1
		default:
			order = flowspec.Compare(a.Match, b.Match)
		}
		switch {
		case order < 0:
			out = append(out, Change{Match: a.Match, Old: a})
			a = old.take()
		case order > 0:
			out = append(out, Change{Match: b.Match, New: b})
			b = new.take()
		default:
			if a != b {
				out = append(out, Change{Match: b.Match, Old: a, New: b})
			}
			a, b = old.take(), new.take()
		}
	}
	return out
}

// walk goes through the chunks of a snapshot.
type walk struct {
	chunks [][]*flowspec.Rule
	at     int // in the first of them
}

func (s Snapshot) chunks() *walk {
	if s.state == nil {
		return &walk{}
	}
	return &walk{chunks: s.rules.chunks}
}

// take returns the next rule, or nil.
func (w *walk) take() *flowspec.Rule {
	if len(w.chunks) == 0 {
		return nil
	}
	r := w.chunks[0][w.at]
	if w.at++; w.at == len(w.chunks[0]) {
		w.chunks, w.at = w.chunks[1:], 0
	}
	return r
}
