package table

import "slices"

// Clusters returns groups of indexes of t whose inner order matters: they overlap, directly or through others of the group,
// and would fare differently. Entries alone in their group are left out. Groups come by their first index, each ascending.
func Clusters(t Table) [][]int {
	group := make([]int, len(t)) // a parent, up to the first entry of the group
	for i := range group {
		group[i] = i
	}
	root := func(i int) int {
		for group[i] != i {
			group[i] = group[group[i]]
			i = group[i]
		}
		return i
	}
	ix := newIndex(t, all(t))
	var near []int
	for i := range t {
		near = ix.near(t[i].Match, near)
		for _, k := range near {
			if k >= i {
				break
			}
			a, b := root(i), root(k)
			if a != b && orderMatters(&t[i], &t[k]) && t[i].Match.Overlaps(t[k].Match) {
				group[max(a, b)] = min(a, b)
			}
		}
	}
	members := map[int][]int{}
	for i := range t {
		members[root(i)] = append(members[root(i)], i)
	}
	var out [][]int
	for _, m := range members {
		if len(m) > 1 {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b []int) int { return a[0] - b[0] })
	return out
}

// orderMatters says whether a packet that a and b both match may fare differently when they change places. One policer is one
// outcome; two of one rate are two.
func orderMatters(a, b *Entry) bool { return a.Do != b.Do || a.Continue != b.Continue }
