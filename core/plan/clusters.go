package plan

// carried returns the clusters among the rules that are carried, lone rules too.
func (pl *plane) carried() [][]int32 {
	among := func(i int32) bool { return pl.state[i].carried() }
	return pl.connected(among, func(i, _ int32) bool { return among(i) })
}

// connected returns the connected parts of the graph of rules that are tied and fare differently, taking only the rules among, and
// of those parts only the ones to keep. Parts stand in the order of their first rules, and their members ascend.
func (pl *plane) connected(among func(i int32) bool, keep func(i, size int32) bool) [][]int32 {
	pl.index()
	parent := make([]int32, len(pl.cards))
	for i := range parent {
		parent[i] = int32(i)
	}
	root := func(i int32) int32 {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	for i := range pl.cards {
		me := int32(i)
		if !among(me) {
			continue
		}
		mine := root(me)
		pl.below(me, true, func(j int32) bool {
			if parent[j] == mine || !among(j) {
				return true
			}
			if its := root(j); its != mine && pl.cards[me].tied(pl.cards[j]) {
				mine, its = min(mine, its), max(mine, its)
				parent[its] = mine
			}
			return true
		})
	}
	return members(parent, root, keep)
}

// members gathers what hangs together in parent.
func members(parent []int32, root func(int32) int32, keep func(i, size int32) bool) [][]int32 {
	size := make([]int32, len(parent))
	for i := range parent {
		size[root(int32(i))]++
	}
	var out [][]int32
	at := make([]int32, len(parent)) // 1 + place in out
	for i := range parent {
		r := root(int32(i))
		if !keep(int32(i), size[r]) {
			continue
		}
		if at[r] == 0 {
			out = append(out, make([]int32, 0, size[r]))
			at[r] = int32(len(out))
		}
		out[at[r]-1] = append(out[at[r]-1], int32(i))
	}
	return out
}
