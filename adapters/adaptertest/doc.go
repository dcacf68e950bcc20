// Package adaptertest is the conformance suite of adapters: what an adapter must do to be trusted with a router, as one story that every adapter goes
// through, ours and vendors'. An adapter that passes Run is done.
//
//	func TestConformance(t *testing.T) {
//		adaptertest.Run(t, myadapter.New(), target, adaptertest.Faults{ ... })
//	}
//
// The command `sluice adapter test` tells the same story to a plugin's binary.
//
// The story needs a device (or something that behaves like one) and somebody who makes things go wrong there: Faults. Every part that is left nil
// fails the step that needs it, so that a passing suite means the same for everyone.
package adaptertest
