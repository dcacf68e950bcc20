package reconcile

import (
	"slices"
	"strings"
	"testing"
)

func (b *bench) untilNoted(note string) {
	b.t.Helper()
	b.until("note "+note, func() bool {
		s := b.status()
		return s.State == Shadow && s.Version == b.rules.Snapshot().Version && slices.ContainsFunc(s.Notes, func(n string) bool { return strings.Contains(n, note) })
	})
}

// A gateway that only looks says what it would do, follows rules and device, and never writes: not to the device, not to a session, and nothing that a later life would take
// for the truth.
func TestShadow(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.withPeer(true)
	b.shadow = true
	b.set(discard(t, 1, 53), discard(t, 2, 53))
	b.start()
	b.untilNoted("would announce 2 routes")
	b.untilNoted("would add filter sluice-v4, of 0 entries")
	b.set(discard(t, 1, 53))
	b.untilNoted("would announce 1 route")
	b.rec.Sync("mx1")
	b.stop()
	if lines := p.lines(); len(lines) > 0 || b.router.commits > 0 || len(b.memory.held) > 0 || len(b.memory.commits) > 0 {
		t.Errorf("told %v, %d commits, memory %+v", lines, b.router.commits, b.memory)
	}

	b.shadow = false
	b.start()
	b.wait(InSync)
	b.stop()
	b.shadow = true
	b.start()
	b.untilNoted("would announce 1 route")
	if s := b.status(); len(s.Notes) != 2 || !strings.Contains(s.Notes[1], "not attached") {
		t.Errorf("the filters are as they should be, and the notes are %q", s.Notes)
	}
}
