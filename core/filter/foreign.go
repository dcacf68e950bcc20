package filter

// ForeignError says that objects that bear our mark hold what the dialect does not write: another hand was there. What such an object does
// is not known; that it is ours is. It can be shown, or replaced whole by an entry that is understood.
type ForeignError struct {
	// Filters is every filter that was found. Those that were not understood have a name and a version, and nothing else.
	Filters []Filter
	// Deactivated is set when one of our objects stands there switched off. That is a person's decision, and not undone.
	Deactivated bool
	Err         error
}

func (e *ForeignError) Error() string { return e.Err.Error() }

// Unwrap returns what was not understood, object by object.
func (e *ForeignError) Unwrap() error { return e.Err }
