package sros_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/filter"
)

// What is typed leads from any filter to any other, as a router that knows paths alone takes it: what it then holds is what Render writes, line for line.
func TestCommandsLeadToWhatIsRendered(t *testing.T) {
	t.Parallel()
	generator := rapid.Custom(suite.Sayable)
	for seed := range 200 {
		have, want := generator.Example(2*seed), generator.Example(2*seed+1)
		held := paths{}
		for _, step := range [][2][]filter.Filter{{nil, {have}}, {{have}, {want}}, {{want}, {want}}, {{want}, nil}} {
			lines, err := dialect.Commands(read(t, step[0]), step[1])
			if err != nil {
				t.Fatal(err)
			}
			if len(lines) > 0 && lines[len(lines)-1] != "exit all" {
				t.Errorf("it ends in %q", lines[len(lines)-1])
			}
			for _, line := range lines {
				held.take(t, line)
			}
			if len(step[1]) == 0 {
				if len(held) > 0 {
					t.Fatalf("left: %v", slices.Sorted(maps.Keys(held)))
				}
				continue
			}
			filters, err := dialect.Parse([]byte(held.text()))
			if err != nil {
				t.Fatalf("%v\n%s", err, held.text())
			}
			if len(filters) != 1 || filter.Same(step[1][0], filters[0], dialect.Semantics()) != nil {
				t.Fatalf("%v\n%s", filter.Same(step[1][0], filters[0], dialect.Semantics()), held.text())
			}
		}
	}
}

// One entry more is that entry's lines; nothing to do is nothing typed.
func TestCommandsNameOnlyWhatDiffers(t *testing.T) {
	t.Parallel()
	have, want := busy(), busy()
	if lines, err := dialect.Commands(read(t, []filter.Filter{have}), []filter.Filter{want}); err != nil || lines != nil {
		t.Errorf("got %v, %v", lines, err)
	}
	want.Entries = want.Entries[:len(want.Entries)-1]
	lines, err := dialect.Commands(read(t, []filter.Filter{have}), []filter.Filter{want})
	if err != nil || len(lines) < 2 || len(lines) > 3 || !strings.HasPrefix(lines[0], "delete /configure filter ") {
		t.Errorf("got %q, %v", lines, err)
	}
}

// read returns filters as they read back, which is with the places of their entries.
func read(t *testing.T, filters []filter.Filter) (out []filter.Filter) {
	t.Helper()
	for _, f := range filters {
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := dialect.Parse(r.Payload)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, back...)
	}
	return out
}

// paths are the leaves of a configuration, whole: a router that knows no syntax.
type paths map[string]bool

func (p paths) take(t *testing.T, line string) {
	t.Helper()
	if line == "exit all" {
		return
	}
	path, deletes := strings.CutPrefix(line, "delete ")
	if !strings.HasPrefix(path, "/configure filter ") {
		t.Fatalf("%s is not ours to type", line)
	}
	if !deletes {
		p[path] = true
		return
	}
	gone := 0
	for leaf := range p {
		if strings.HasPrefix(leaf, path+" ") {
			delete(p, leaf)
			gone++
		}
	}
	if gone == 0 {
		t.Fatalf("%s: nothing is there", line)
	}
}

// text writes the leaves as `info` does: what has more behind it is a block, one within another.
func (p paths) text() string {
	var b strings.Builder
	open := []string(nil)
	lists := map[string]bool{"ip-filter": true, "ipv6-filter": true, "entry": true, "policer": true}
	leaves := slices.SortedFunc(maps.Keys(p), func(x, y string) int { return strings.Compare(natural(x), natural(y)) })
	for _, leaf := range leaves {
		words := strings.Fields(leaf[1:])
		var blocks []string
		for i := 0; i < len(words); i++ {
			switch {
			case lists[words[i]] && (words[i] != "policer" || words[i-1] == "filter"): // in an entry it is a leaf
				blocks = append(blocks, words[i]+" "+words[i+1])
				i++
			case blocksOf[words[i]]:
				blocks = append(blocks, words[i])
			default:
				same := 0
				for same < len(open) && same < len(blocks) && open[same] == blocks[same] {
					same++
				}
				b.WriteString(strings.Repeat("}\n", len(open)-same))
				for _, block := range blocks[same:] {
					b.WriteString(block + " {\n")
				}
				open = blocks
				b.WriteString(strings.Join(words[i:], " ") + "\n")
				i = len(words)
			}
		}
	}
	return b.String() + strings.Repeat("}\n", len(open))
}

// natural makes numbers sort as numbers.
func natural(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if len(w) < 8 && strings.Trim(w, "0123456789") == "" {
			words[i] = strings.Repeat("0", 8-len(w)) + w
		}
	}
	return strings.Join(words, " ")
}

// blocksOf are the containers that stand in filters.
var blocksOf = map[string]bool{
	"configure": true, "filter": true, "match": true, "action": true, "dst-ip": true, "src-ip": true, "dst-port": true, "src-port": true, "port": true, "range": true, "packet-length": true, "icmp": true, "tcp-flags": true,
	"rate-limit": true, "forward": true, "next-hop": true, "nh-ip": true, "remark": true,
}
