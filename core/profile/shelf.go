package profile

import (
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// headLine is a line at the top of a profile file that says what the profile is called, and what it extends.
var headLine = regexp.MustCompile(`(?m)^(name|aliases|extends): (.*)$`)

// Shelf returns the profiles of every *.yaml file at the top of fsys, as LoadFS would, and reads each when it is first asked for: a command that
// plans for one platform need not read twenty. It is for files that a test has loaded; it panics over one that does not load, or that does not say
// `name: NAME`, and where it has them `extends: NAME` and `aliases: [A, B]`, each on a line of its own.
func Shelf(fsys fs.FS, dir string) *Library {
	l := &Library{byName: map[string]*title{}}
	for _, f := range FilesIn(fsys) {
		file := path.Join(dir, f)
		b, err := fs.ReadFile(fsys, f)
		if err != nil {
			panic(fmt.Errorf("read profile %s: %w", file, err))
		}
		head := map[string]string{}
		for _, m := range headLine.FindAllStringSubmatch(string(b), -1) {
			head[m[1]] = strings.TrimSpace(m[2])
		}
		t := &title{name: head["name"], aliases: flowList(head["aliases"]), file: file}
		t.read = sync.OnceValue(func() *Profile { return l.fetch(t, b, head["extends"]) })
		l.byName[t.name] = t
	}
	if problems := l.collisions(nil); len(problems) > 0 {
		panic(problems)
	}
	return l
}

// fetch reads the profile of t from b; base names the one that it extends, or is "".
func (l *Library) fetch(t *title, b []byte, base string) *Profile {
	raw, err := parse(t.file, b)
	if err != nil {
		panic(err)
	}
	p, err := build(raw, l.named(base))
	if err != nil {
		panic(err)
	}
	if p.Name != t.name || !slices.Equal(p.Aliases, t.aliases) || p.Extends != base {
		panic(fmt.Errorf("%s: the lines name, aliases and extends are not where Shelf looks for them", t.file))
	}
	return p
}

// flowList reads `[a, b]`.
func flowList(s string) []string {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	return strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ' ' })
}
