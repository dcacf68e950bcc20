package iosxepolicy_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// newDevice returns a router without policies. What drops what exceeds a rate limits; what only lets pass does not.
func newDevice() dialecttest.Device {
	return &dialecttest.Store{
		Keys: map[string]string{"extended": "name", "access-list-seq-rule": "sequence", "class-map": "name", "policy-map": "name", "class": "name", "action-list": "action-type"},
		Limits: func(name, _ string) int {
			if name == "exceed-drop" {
				return 1
			}
			return 0
		},
	}
}

// What another hand changed is put right: what is understood in its own objects, what is not by everything anew.
func TestEditRepairsWhatAnotherHandChanged(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	all := 1 + 2*len(busy().Entries)
	for change, operations := range map[[2]string]int{
		{"permit udp", "permit 18"}:                   1,
		{"match dscp 0", "match dscp 1"}:              1,
		{"police cir 1000000", "police cir 2000000"}:  1,
		{"  drop\n", "  set dscp 1\n"}:                1,
		{"  drop\n", "  shape average 8000\n"}:        all,
		{"permit udp any", "permit udp any eq 53"}:    all,
		{" class sluice-v4-r-0000000000000001\n", ""}: all, // its actions are nobody's
		{"match dscp 0\n", "match dscp 0\n match x"}:  all,
	} {
		shown := strings.Replace(r.Text, change[0], change[1], 1)
		if shown == r.Text {
			t.Errorf("the text has no %s", change[0])
		}
		have, err := dialect.Parse([]byte(shown))
		var foreign *filter.ForeignError
		if errors.As(err, &foreign) {
			have = foreign.Filters
		} else if err != nil {
			t.Fatalf("%s: %v", change[1], err)
		}
		edit, err := dialect.Edit(have, []filter.Filter{busy()})
		if err != nil {
			t.Errorf("%s: %v", change[1], err)
		}
		if got := strings.Count(string(edit), `nc:operation="replace"`); got != operations {
			t.Errorf("%s: %d objects are replaced, want %d: %s", change[1], got, operations, edit)
		}
	}
}
