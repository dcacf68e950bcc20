package split

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// axesOf returns axes with m[i] tokens and k[i] in a piece.
func axesOf(m, k []int) (a axes) {
	for i := range m {
		a = a.add(m[i], k[i], i)
	}
	return a
}

// checkBoxes says what is wrong with pieces: too many tokens, or a cell that none holds. It looks at every cell by itself.
func checkBoxes(a axes, pieces []box) error {
	for n, p := range pieces {
		for j := range a.n {
			if x := a.of[j]; len(p[x.id]) > x.k || len(p[x.id]) == 0 {
				return fmt.Errorf("piece %d holds %d tokens of axis %d: want 1 to %d", n, len(p[x.id]), x.id, x.k)
			}
		}
	}
	cells := 1
	for j := range a.n {
		cells *= a.of[j].m
	}
	for cell := range cells {
		held := false
		for _, p := range pieces {
			rest, in := cell, true
			for j := range a.n {
				t := uint16(rest % a.of[j].m)
				rest /= a.of[j].m
				found := false
				for _, one := range p[a.of[j].id] {
					found = found || one == t
				}
				in = in && found
			}
			held = held || in
		}
		if !held {
			return fmt.Errorf("no piece holds cell %d", cell)
		}
	}
	return nil
}

// Blocks of a design, one for each axis, always meet: tried out for all of them.
func TestBlocksMeet(t *testing.T) {
	t.Parallel()
	for i := range designs {
		d := &designs[i]
		if len(d.block)*(len(d.block)-1)%(d.pieces-1) != 0 {
			t.Errorf("design of %d pieces: a block of %d is no difference set", d.pieces, len(d.block))
		}
		blocks := make([]int, d.axes)
		var check func(axis int)
		check = func(axis int) {
			if axis < d.axes {
				for b := range d.pieces {
					blocks[axis] = b
					check(axis + 1)
				}
				return
			}
			for p := range d.pieces {
				all := true
				for _, b := range blocks {
					all = all && d.has(b, p)
				}
				if all {
					return
				}
			}
			t.Fatalf("design of %d pieces: blocks %v do not meet", d.pieces, blocks)
		}
		check(0)
	}
}

// A design holds as many tokens as it says, and no piece more than k. Of the planes of order 2 and 3 the most are known.
func TestDesignsHoldWhatTheySay(t *testing.T) {
	t.Parallel()
	for i := range designs {
		d := &designs[i]
		for k := 1; k <= 2*len(d.block)+1; k++ {
			load := make([]int, d.pieces)
			for _, b := range d.blocks(d.holds(k), k) {
				for p := range d.pieces {
					if d.has(b, p) {
						load[p]++
					}
				}
			}
			for p, n := range load {
				if n > k {
					t.Errorf("design of %d pieces, %d a piece: piece %d holds %d", d.pieces, k, p, n)
				}
			}
		}
	}
	for _, c := range []struct{ pieces, k, most int }{
		{7, 1, 1}, {7, 2, 4}, {7, 3, 7}, {7, 5, 11}, {7, 6, 14}, {13, 2, 4}, {13, 3, 9}, {13, 4, 13}, {13, 5, 14}, {21, 2, 6}, {21, 4, 16}, {21, 5, 21}, {15, 7, 15},
	} {
		for i := range designs {
			if d := &designs[i]; d.pieces == c.pieces && d.holds(c.k) != c.most {
				t.Errorf("design of %d pieces, %d a piece: holds %d, want %d", c.pieces, c.k, d.holds(c.k), c.most)
			}
		}
	}
}

// The 400 products of two lists of 1 to 20 tokens, five in a piece: how many covers meet the lower bound, and how many have fewer pieces than the grid.
func TestCoversOfFiveValues(t *testing.T) {
	t.Parallel()
	optimal, better, sum, gridSum := 0, 0, 0, 0
	for m := 1; m <= 20; m++ {
		for n := 1; n <= 20; n++ {
			a := axesOf([]int{m, n}, []int{5, 5})
			pieces, least, grid := cover(a), a.least(), a.grid()
			if pieces < least || pieces > grid {
				t.Fatalf("%d x %d: %d pieces, at least %d, grid %d", m, n, pieces, least, grid)
			}
			if pieces == least {
				optimal++
			}
			if pieces < grid {
				better++
			}
			sum, gridSum = sum+pieces, gridSum+grid
			built := boxes(a)
			if len(built) > pieces {
				t.Errorf("%d x %d: %d pieces were promised, %d came", m, n, pieces, len(built))
			}
			if err := checkBoxes(a, built); err != nil {
				t.Errorf("%d x %d: %v", m, n, err)
			}
		}
	}
	if optimal < 366 || better < 36 || sum > 2460 {
		t.Errorf("%d meet the bound, %d beat the grid, %d pieces in all; want 366, 36, 2460", optimal, better, sum)
	}
	t.Logf("%d of 400 meet the bound, %d beat the grid; mean %.4f pieces, grid %.4f", optimal, better, float64(sum)/400, float64(gridSum)/400)
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		m, k          []int
		pieces, least int
	}{
		{[]int{5, 5}, []int{5, 5}, 1, 1},
		{[]int{12}, []int{5}, 3, 3},
		{[]int{7, 7}, []int{5, 5}, 3, 3},
		{[]int{11, 11}, []int{5, 5}, 7, 7},
		{[]int{12, 12}, []int{5, 5}, 8, 8},
		{[]int{16, 16}, []int{5, 5}, 14, 13},
		{[]int{6, 6, 6}, []int{5, 5, 5}, 4, 4},
		{[]int{13, 13}, []int{4, 4}, 13, 13},
		{[]int{21, 21}, []int{5, 5}, 21, 21},
		{[]int{3, 3}, []int{2, 2}, 3, 3},
		{[]int{15, 15, 15}, []int{7, 7, 7}, 15, 15},
		{[]int{7, 10}, []int{5, 7}, 3, 3}, // as many in a piece as each list takes
		{[]int{11, 14}, []int{5, 6}, 7, 7},
		{[]int{7, 7, 7, 7}, []int{5, 5, 5, 5}, 9, 7}, // three times three
		{[]int{100, 100}, []int{50, 50}, 4, 4},
		{[]int{130, 130}, []int{64, 64}, 7, 7}, // large, and still a plane
	} {
		a := axesOf(c.m, c.k)
		built := boxes(a)
		if n := cover(a); n != c.pieces || a.least() != c.least || len(built) != n {
			t.Errorf("%v, %v a piece: %d pieces (%d built), at least %d; want %d and %d", c.m, c.k, n, len(built), a.least(), c.pieces, c.least)
		}
		if err := checkBoxes(a, built); err != nil {
			t.Errorf("%v, %v a piece: %v", c.m, c.k, err)
		}
	}
}

// Pieces that share no cell would not do with three for three and three tokens, two a piece: tried out. This is what overlapping is for.
func TestThreePiecesMustOverlap(t *testing.T) {
	t.Parallel()
	var all []uint16 // pieces as sets of the nine cells
	for rows := 1; rows < 7; rows++ {
		for cols := 1; cols < 7; cols++ {
			var cells uint16
			for r := range 3 {
				for c := range 3 {
					if rows&(1<<r) != 0 && cols&(1<<c) != 0 {
						cells |= 1 << (3*r + c)
					}
				}
			}
			all = append(all, cells)
		}
	}
	overlapping := false
	for _, x := range all {
		for _, y := range all {
			for _, z := range all {
				if x|y|z != 0x1ff {
					continue
				}
				overlapping = true
				if x&y|x&z|y&z == 0 {
					t.Fatalf("pieces %b, %b and %b share no cell", x, y, z)
				}
			}
		}
	}
	if !overlapping {
		t.Fatal("no three pieces cover the nine cells")
	}
}

// Whatever the shape: every cell is in a piece, no piece is too large, there are as many as promised, and as few as the bound or more; and equal
// shapes give equal pieces.
func TestCoversHoldEveryCell(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, maxAxes).Draw(t, "axes")
		most := []int{1, 300, 70, 16, 9}[n]
		var m, k []int
		for range n {
			m = append(m, rapid.IntRange(1, most).Draw(t, "m"))
			k = append(k, rapid.IntRange(max(1, m[len(m)-1]/12), most).Draw(t, "k"))
		}
		a := axesOf(m, k)
		built, promised := boxes(a), cover(a)
		if len(built) > promised || promised > a.grid() || promised < a.least() {
			t.Fatalf("%v, %v a piece: %d pieces, %d promised, grid %d, at least %d", m, k, len(built), promised, a.grid(), a.least())
		}
		if err := checkBoxes(a, built); err != nil {
			t.Fatalf("%v, %v a piece: %v", m, k, err)
		}
		if again := boxes(a); fmt.Sprint(again) != fmt.Sprint(built) {
			t.Fatalf("%v, %v a piece: %v, and then %v", m, k, built, again)
		}
	})
}

// No cover of small products has fewer pieces than the bound: tried out by exhaustive search.
func TestNoCoverIsBelowTheBound(t *testing.T) {
	t.Parallel()
	for m := 1; m <= 4; m++ {
		for n := 1; n <= 4; n++ {
			for k := 1; k <= 3; k++ {
				a := axesOf([]int{m, n}, []int{k, k})
				if fewest := fewestBoxes(m, n, k); fewest < a.least() || fewest > cover(a) {
					t.Errorf("%d x %d, %d a piece: %d pieces suffice; bound %d, cover %d", m, n, k, fewest, a.least(), cover(a))
				}
			}
		}
	}
}

// fewestBoxes returns the size of the smallest cover of m x n cells by k x k boxes, by trying all.
func fewestBoxes(m, n, k int) int {
	var all []uint16
	for rows := 1; rows < 1<<m; rows++ {
		for cols := 1; cols < 1<<n; cols++ {
			var cells uint16
			count := [2]int{}
			for r := range m {
				if rows&(1<<r) != 0 {
					count[0]++
					cells |= uint16(cols) << (n * r)
				}
			}
			for c := range n {
				count[1] += cols >> c & 1
			}
			if count[0] == min(k, m) && count[1] == min(k, n) {
				all = append(all, cells)
			}
		}
	}
	want := uint16(1<<(m*n) - 1)
	for most := 1; ; most++ {
		var covers func(have uint16, left int) bool
		covers = func(have uint16, left int) bool {
			if have == want || left == 0 {
				return have == want
			}
			missing := ^have & want
			missing &= -missing
			for _, b := range all {
				if b&missing != 0 && covers(have|b, left-1) {
					return true
				}
			}
			return false
		}
		if covers(0, most) {
			return most
		}
	}
}
