package device

import "context"

// Watcher is a filter adapter whose devices may say themselves that something changed.
type Watcher interface {
	// Watch calls changed when the device has begun to say what changes, and then whenever something of ours, or where it stands, may have changed by whatever hand: a Read that begins afterwards shows it. It
	// returns when the device says nothing any more, or ctx ends, and never changes anything. It may run while other calls for t do; changed returns at once.
	//
	// *Refused: this device does not say it, for the reason in its words. errors.ErrUnsupported: the adapter has no way to hear of it.
	Watch(ctx context.Context, t Target, changed func()) error
}
