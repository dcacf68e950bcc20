package filter

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// A filter crosses the boundary to a plugin as JSON. A plugin built before a condition existed would otherwise skip its key, and the
// entry would match more than it should; so every type refuses keys that it does not know, also when it is part of something larger.

// UnmarshalJSON reads a filter and refuses unknown keys.
func (f *Filter) UnmarshalJSON(b []byte) error {
	type plain Filter
	return strict(b, (*plain)(f))
}

// UnmarshalJSON reads an entry and refuses unknown keys.
func (e *Entry) UnmarshalJSON(b []byte) error {
	type plain Entry
	return strict(b, (*plain)(e))
}

// strict decodes exactly one JSON value into v, which must know all its keys.
func strict(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}
