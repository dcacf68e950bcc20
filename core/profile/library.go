package profile

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// Library is a set of profiles that can be asked for by name. It never changes.
type Library struct {
	byName map[string]*title // canonical names
}

// title is a profile on the shelf: what it is called, and what reads it.
type title struct {
	name    string
	aliases []string
	file    string
	read    func() *Profile
}

// titled puts p, which came from file, on the shelf.
func titled(p *Profile, file string) *title {
	return &title{name: p.Name, aliases: p.Aliases, file: file, read: func() *Profile { return p }}
}

// LoadFS reads every *.yaml file at the top of fsys. dir is the name of that directory in messages. A file that does not load fails
// the whole: half a library would plan for the wrong platform.
func LoadFS(fsys fs.FS, dir string) (*Library, error) {
	return new(Library).Overlay(fsys, dir)
}

// Overlay returns a library in which the profiles of fsys stand beside those of l; one with the same name replaces it. A profile may extend one of l, also
// the one that it replaces, or one of fsys that extends nothing itself.
func (l *Library) Overlay(fsys fs.FS, dir string) (*Library, error) {
	out := &Library{byName: maps.Clone(l.byName)}
	if out.byName == nil {
		out.byName = map[string]*title{}
	}
	drafts, problems, err := l.drafts(fsys, dir)
	if err != nil {
		return nil, err
	}
	fresh := map[string]string{}
	for _, d := range drafts {
		p, err := l.finish(d, drafts)
		var ps Problems
		if errors.As(err, &ps) {
			problems = append(problems, ps...)
			continue
		}
		if other, twice := fresh[p.Name]; twice {
			problems = append(problems, Problem{Line: 1, Column: 1,
				Message: fmt.Sprintf("profile %q is in %s as well", p.Name, other)}.in(d.Src.file, d.Src.text))
			continue
		}
		fresh[p.Name] = d.Src.file
		out.byName[p.Name] = titled(p, d.Src.file)
	}
	problems = append(problems, out.collisions(fresh)...)
	if len(problems) > 0 {
		return nil, problems
	}
	return out, nil
}

// drafts reads the files at the top of fsys as they are written.
func (l *Library) drafts(fsys fs.FS, dir string) (out []*node[rawProfile], problems Problems, err error) {
	for _, f := range FilesIn(fsys) {
		b, err := fs.ReadFile(fsys, f)
		if err != nil {
			return nil, nil, fmt.Errorf("read profile %s: %w", path.Join(dir, f), err)
		}
		raw, err := parse(path.Join(dir, f), b)
		var ps Problems
		if errors.As(err, &ps) {
			problems = append(problems, ps...)
			continue
		}
		out = append(out, raw)
	}
	return out, problems, nil
}

// finish makes a profile of d, which may extend one of siblings or of l.
func (l *Library) finish(d *node[rawProfile], siblings []*node[rawProfile]) (*Profile, error) {
	name := d.V.Extends
	if name.s == "" {
		return build(d, nil)
	}
	for _, s := range siblings {
		if s == d || s.V.Name.s != name.s {
			continue
		}
		if s.V.Extends.s != "" {
			return nil, Problems{Problem{Line: name.line, Column: name.col,
				Message: fmt.Sprintf("%s extends %s itself: one level is all there is, so extend that", name.s, s.V.Extends.s)}.in(d.Src.file, d.Src.text)}
		}
		base, err := build(s, nil)
		if err != nil {
			return nil, err
		}
		return build(d, base)
	}
	return build(d, l.named(name.s))
}

// named returns the profile with that canonical name, or nil.
func (l *Library) named(name string) *Profile {
	if t, ok := l.byName[name]; ok {
		return t.read()
	}
	return nil
}

// Read reads the profile in one file at the top of fsys, as Overlay would. The error is Problems, or about reading.
func (l *Library) Read(fsys fs.FS, dir, file string) (*Profile, error) {
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		return nil, fmt.Errorf("read profile %s: %w", path.Join(dir, file), err)
	}
	raw, err := parse(path.Join(dir, file), b)
	if err != nil {
		return nil, err
	}
	var siblings []*node[rawProfile]
	if raw.V.Extends.s != "" {
		siblings, _, err = l.drafts(fsys, dir)
		if err != nil {
			return nil, err
		}
		siblings = slices.DeleteFunc(siblings, func(s *node[rawProfile]) bool { return s.Src.file == raw.Src.file })
	}
	return l.finish(raw, siblings)
}

// collisions finds names that lead to two profiles, and blames the one in fresh.
func (l *Library) collisions(fresh map[string]string) Problems {
	var problems Problems
	owner := map[string]string{}
	for _, t := range l.titles() {
		owner[t.name] = t.name
	}
	for _, t := range l.titles() {
		for _, a := range t.aliases {
			other, taken := owner[a]
			if !taken {
				owner[a] = t.name
				continue
			}
			one := Problem{File: t.file, Line: 1, Column: 1, Message: fmt.Sprintf("alias %q already leads to profile %q", a, other)}
			if fresh[t.name] == "" && fresh[other] != "" {
				one.File, one.Message = fresh[other], fmt.Sprintf("%q is already an alias of profile %q: choose another name", a, t.name)
			}
			problems = append(problems, one)
		}
	}
	return problems
}

// FilesIn returns the names of the profile files at the top of fsys: *.yaml and *.yml.
func FilesIn(fsys fs.FS) []string {
	yaml, _ := fs.Glob(fsys, "*.yaml") // the only error is a wrong pattern
	yml, _ := fs.Glob(fsys, "*.yml")
	return slices.Sorted(slices.Values(append(yaml, yml...)))
}

// titles returns what is on the shelf, by name.
func (l *Library) titles() []*title {
	return slices.SortedFunc(maps.Values(l.byName), func(a, b *title) int { return strings.Compare(a.name, b.name) })
}

// All returns the profiles by name.
func (l *Library) All() []*Profile {
	var out []*Profile
	for _, t := range l.titles() {
		out = append(out, t.read())
	}
	return out
}

// File returns the file that profile name came from.
func (l *Library) File(name string) string {
	if t, ok := l.byName[name]; ok {
		return t.file
	}
	return ""
}

// Get returns the profile with that name or alias.
func (l *Library) Get(name string) (*Profile, error) {
	if p := l.named(name); p != nil {
		return p, nil
	}
	var known, words []string
	for _, t := range l.titles() {
		if slices.Contains(t.aliases, name) {
			return t.read(), nil
		}
		words = append(append(words, t.name), t.aliases...)
		if len(t.aliases) > 0 {
			known = append(known, fmt.Sprintf("%s (%s)", t.name, strings.Join(t.aliases, ", ")))
			continue
		}
		known = append(known, t.name)
	}
	return nil, fmt.Errorf("unknown profile %q%s (known: %s)", name, didYouMean(name, words), strings.Join(known, ", "))
}

// Select reads `NAME[:OPTION=VALUE]...`, such as "junos-mx:term-order=legacy", and returns the profile with these settings, and the settings. Several of them with "+" in between are the
// profile of routers that are given one set of rules (Together), which has no settings of its own.
func (l *Library) Select(spec string) (*Profile, map[string]string, error) {
	if strings.Contains(spec, together) {
		var members []*Profile
		for _, one := range strings.Split(spec, together) {
			p, _, err := l.Select(one)
			if err != nil {
				return nil, nil, err
			}
			members = append(members, p)
		}
		p, err := Together(members...)
		return p, nil, err
	}
	parts := strings.Split(strings.TrimSpace(spec), ":")
	p, err := l.Get(parts[0])
	if err != nil {
		return nil, nil, err
	}
	var settings map[string]string
	for _, part := range parts[1:] {
		name, value, ok := strings.Cut(part, "=")
		if !ok {
			return nil, nil, fmt.Errorf("profile %s: %q is not a setting: write OPTION=VALUE", p.Name, part)
		}
		if _, twice := settings[name]; twice {
			return nil, nil, fmt.Errorf("profile %s: option %q is set twice", p.Name, name)
		}
		if settings == nil {
			settings = map[string]string{}
		}
		settings[name] = value
	}
	if p, err = p.With(settings); err != nil {
		return nil, nil, err
	}
	return p, settings, nil
}
