package filter_test

import (
	"encoding/json"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
)

// FuzzJSON: what comes across the plugin boundary never makes anything panic, and a filter that Check accepts means the same after
// another crossing.
func FuzzJSON(f *testing.F) {
	for seed := range 20 {
		b, err := json.Marshal(filters().Example(seed))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	b, err := json.Marshal(good())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		var got filter.Filter
		if json.Unmarshal(b, &got) != nil || got.Check() != nil {
			return
		}
		for _, s := range []filter.Semantics{{}, {PortsCheckProtocol: true, TransportChecksOffset: true, FlagsCheckProtocol: true, ICMPChecksProtocol: true}} {
			got.Table(s)
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		var back filter.Filter
		if err := json.Unmarshal(again, &back); err != nil {
			t.Fatal(err)
		}
		if err := filter.Same(got, back, filter.Semantics{}); err != nil {
			t.Fatal(err)
		}
	})
}
