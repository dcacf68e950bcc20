package notation

import (
	"strings"
	"unicode/utf8"
)

// yamlPiece is how many rules of a long YAML file are parsed at a time: the library's tree takes some 15 kB a rule.
const yamlPiece = 256

// readPieces reads a file that plainly consists of `rules:` and a block list below it, some rules at a time. It returns false, with
// nothing read, when the file is short, not of that kind, or holds a piece that is no YAML: then it is parsed as a whole, and
// its errors are about the whole.
func readPieces(in *input, size int) bool {
	cuts := cutYAML(in.src, size)
	if len(cuts) < 3 {
		return false
	}
	items, problems := len(in.items), len(in.problems)
	d := document{in: in}
	for i := 0; i+1 < len(cuts); i++ {
		line, _ := in.lineOf(cuts[i])
		root, failure := yamlDocument(in, "rules:\n"+in.src[cuts[i]:cuts[i+1]], line-1)
		if failure != nil || root.kind != 'm' || len(root.keys) != 1 || root.values[0].kind != 'l' {
			in.items, in.problems = in.items[:items], in.problems[:problems]
			return false
		}
		for _, n := range root.values[0].values {
			d.rule(n)
		}
	}
	return true
}

// cutYAML returns the octets where pieces of size rules begin, and the end; or nil for a file that is more than `rules:` and a block
// list. A line of an item stands deeper than its dash (YAML 1.2.2 §8.2.1), so a dash at the depth of the first one begins an
// item, whatever stands in front of it; a quote or a bracket left open there makes the piece in front unreadable.
func cutYAML(src string, size int) (cuts []int) {
	depth, items, headed := -1, 0, false
	for at := 0; at < len(src); {
		end := len(src)
		if i := strings.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		line := strings.TrimRight(strings.TrimSuffix(strings.TrimSuffix(src[at:end], "\n"), "\r"), " ")
		indent := len(line) - len(strings.TrimLeft(line, " "))
		rest := line[indent:]
		switch {
		case strings.ContainsFunc(line, unusual), blockText(line):
			return nil
		case rest == "" || rest[0] == '#':
		case !headed:
			if line != "rules:" {
				return nil
			}
			headed = true
		case depth < 0 || indent == depth:
			if len(rest) < 3 || rest[:2] != "- " || rest[2] != '{' && (rest[2] < 'a' || rest[2] > 'z') {
				return nil // no item, or none that begins with a key or a brace
			}
			if depth = indent; items%size == 0 {
				cuts = append(cuts, at)
			}
			items++
		case indent < depth:
			return nil
		}
		at = end
	}
	return append(cuts, len(src))
}

// unusual says whether r is a character that some reader of YAML takes for a space, the end of a line or nothing.
func unusual(r rune) bool {
	return r < ' ' || r >= 0x7f && r <= 0xa0 || r == 0x2028 || r == 0x2029 || r == 0xfeff || r == utf8.RuneError
}

// blockText says whether a line may begin a block of text (YAML 1.2.2 §8.1), in which lines are not what they look like.
func blockText(line string) bool {
	for _, sign := range []string{": |", ": >", "- |", "- >", "? "} {
		if strings.Contains(line, sign) {
			return true
		}
	}
	return false
}
