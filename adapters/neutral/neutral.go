// Package neutral is the dialect of platforms whose language only their plugin knows: filters as JSON, with every condition written out. A profile with
// `dialect: neutral` is planned for by its capabilities, and its plugin is handed filters as they are; what the plugin makes of them for its device, it parses itself.
package neutral

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Dialect writes and reads filters as JSON, one object for each, one line for each entry.
type Dialect struct{}

// Name is the word for it in profiles.
func (Dialect) Name() string { return "neutral" }

// Semantics of an entry: it checks what it says and nothing else, so that every condition stands in it.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{} }

// Render writes f.
func (Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	if err := f.Check(); err != nil {
		return filter.Rendered{}, err
	}
	head, err := json.Marshal(struct {
		Name      string           `json:"name"`
		Version   any              `json:"version"`
		Placement filter.Placement `json:"placement"`
		Policers  []filter.Policer `json:"policers,omitempty"`
	}{f.Name, f.Version, f.Placement, f.Policers})
	if err != nil {
		return filter.Rendered{}, err
	}
	var out filter.Rendered
	var text bytes.Buffer
	text.Write(bytes.TrimSuffix(head, []byte("}")))
	text.WriteString(",\"entries\":[")
	for i, e := range f.Entries {
		line, err := json.Marshal(e)
		if err != nil {
			return filter.Rendered{}, fmt.Errorf("entry %s: %w", e.Name, err)
		}
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString("\n ")
		text.Write(line)
		out.Entries = append(out.Entries, string(line))
	}
	text.WriteString("\n]}\n")
	out.Text, out.Payload = text.String(), text.Bytes()
	return out, readsBack(f, out.Payload)
}

// readsBack says whether what was written is f again; its places, which go nowhere, are not looked at.
func readsBack(f filter.Filter, b []byte) error {
	back, err := Dialect{}.Parse(b)
	if err != nil {
		return err
	}
	want := f
	want.Entries = make([]filter.Entry, len(f.Entries))
	copy(want.Entries, f.Entries)
	for i := range want.Entries {
		want.Entries[i].Place = 0
	}
	if len(want.Policers) == 0 {
		want.Policers = nil
	}
	if len(back) != 1 || !reflect.DeepEqual(back[0], want) {
		return fmt.Errorf("filter %s does not survive being written as JSON", f.Name)
	}
	return nil
}

// Parse reads filters, one after the other. A key or a value that no filter has makes all of it refused.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	var out []filter.Filter
	for {
		f := filter.Filter{Entries: []filter.Entry{}}
		if err := dec.Decode(&f); errors.Is(err, io.EOF) {
			return out, nil
		} else if err != nil {
			return nil, fmt.Errorf("byte %d: %w", dec.InputOffset(), err)
		}
		if err := f.Check(); err != nil {
			return nil, err
		}
		out = append(out, f)
	}
}
