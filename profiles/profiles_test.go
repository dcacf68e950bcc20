package profiles

import "testing"

// Every embedded profile loads, which is what `sluice profile lint` checks.
func TestEmbedded(t *testing.T) {
	t.Parallel()
	for _, p := range Embedded().All() {
		t.Logf("%s: %d facts", p.Name, len(p.Facts))
	}
}
