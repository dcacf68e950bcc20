package ciscoacl

import "errors"

// Renumber gives the lines of l, which were shown in their order and without numbers, those of a list that was written like that: two parts, where a line without a remark
// permits the rest of the later fragments, and an entry for each remark, at one place in both parts. Of two entries that are in different parts it is not known any more which
// came first; no packet meets both.
func (l *ReadList) Renumber() {
	var a []ReadLine
	b := l.lines
	for i, one := range l.lines {
		if one.bare() && one.Word == "fragments" && lone(l.lines, i) {
			a, b = l.lines[:i], l.lines[i+1:]
			l.lines[i].Number = LaterEnd
			break
		}
	}
	if n := len(b) - 1; n >= 0 && lone(b, n) && (b[n].bare() && b[n].Word == "" || b[n].Remark == emptyRemark) {
		b[n].Number = ListEnd
		b = b[:n]
	}
	if !pairs(a) || !pairs(b) {
		l.Fail(errors.New("want a remark in front of each line, and a line behind it"))
		return
	}
	in := make(map[string]bool, len(b)/2) // the names of entries in b
	for i := 0; i < len(b); i += 2 {
		in[b[i].Remark] = true
	}
	for place := uint32(1); len(a)+len(b) > 0; place++ {
		same := len(a) > 0 && len(b) > 0 && a[0].Remark == b[0].Remark
		takeA := same || len(b) == 0 || len(a) > 0 && !in[a[0].Remark]
		if takeA {
			a = number(a, later, place)
		}
		if same || !takeA {
			delete(in, b[0].Remark)
			b = number(b, first, place)
		}
	}
}

// lone says whether the line at i has no remark above it.
func lone(lines []ReadLine, i int) bool { return i == 0 || lines[i-1].Grant != "" }

// pairs says whether lines are a remark and a line behind it, again and again.
func pairs(lines []ReadLine) bool {
	for i, one := range lines {
		if (one.Grant == "") != (i%2 == 0) {
			return false
		}
	}
	return len(lines)%2 == 0
}

// number gives the first two of lines, a remark and a line, their numbers in p, and returns the others.
func number(lines []ReadLine, p part, place uint32) []ReadLine {
	lines[0].Number = p.begin() + place*perPlace
	lines[1].Number = lines[0].Number + 1
	return lines[2:]
}
