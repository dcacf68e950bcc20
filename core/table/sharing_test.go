package table

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

// Two entries of one policer that have one each are told of at a glance as a search tells of them.
func TestTwoOfOne(t *testing.T) {
	t.Parallel()
	glances := 0
	rapid.Check(t, func(t *rapid.T) {
		want := make(Table, 2)
		for i := range want {
			want[i] = Entry{ID: "rule", Match: drawSet(t), Do: limit("p", 10)}
		}
		got := Table{want[0], want[1]}
		for i, name := range []string{"a", "b"} {
			got[i].ID, got[i].Do.Policer = name, name
		}
		a, b, found := twoOfOne(want, got)
		if !found {
			return
		}
		glances++
		if glance, d := differsInSharing(want, got, a, b), search(want, got); !reflect.DeepEqual(glance, d) {
			t.Fatalf("at a glance %v, by a search %v", glance, d)
		}
	})
	if glances == 0 {
		t.Error("nothing was seen at a glance")
	}
}
