package filter_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
)

func TestPossibleFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		terms, want []filter.FlagTerm
		err         string
	}{
		{terms: []filter.FlagTerm{{Set: 2, Clear: 0x10}, {Set: 4, Clear: 4}, {Clear: 1}}, want: []filter.FlagTerm{{Set: 2, Clear: 0x10}, {Clear: 1}}},
		{terms: []filter.FlagTerm{{Set: 2}, {}}, err: "tcp-flags: one of the terms lets every packet through"},
		{terms: []filter.FlagTerm{{Set: 2, Clear: 0x40}}, err: "tcp-flags: bits 0x0040; six are named"},
		{terms: []filter.FlagTerm{{Set: 2, Clear: 2}}, err: "tcp-flags: no packet has a flag set and clear at once"},
		{terms: []filter.FlagTerm{}, err: "tcp-flags: no packet"},
	} {
		got, err := filter.PossibleFlags(c.terms, 0x3f, "six are named")
		if !slices.Equal(got, c.want) || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
			t.Errorf("%v: got %v, %v; want %v, %q", c.terms, got, err, c.want, c.err)
		}
	}
}
