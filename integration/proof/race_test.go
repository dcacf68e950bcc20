//go:build race

package proof_test

// underRace says that the race detector is at work.
const underRace = true
