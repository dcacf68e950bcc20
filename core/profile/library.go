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
	byName map[string]*Profile // canonical names
	files  map[string]string   // canonical name -> the file it came from
}

// LoadFS reads every *.yaml file at the top of fsys. dir is the name of that directory in messages. A file that does not load fails
// the whole: half a library would plan for the wrong platform.
func LoadFS(fsys fs.FS, dir string) (*Library, error) {
	return new(Library).Overlay(fsys, dir)
}

// Overlay returns a library in which the profiles of fsys stand beside those of l; one with the same name replaces it. A profile may extend one of l, also
// the one that it replaces, or one of fsys that extends nothing itself.
func (l *Library) Overlay(fsys fs.FS, dir string) (*Library, error) {
	out := &Library{byName: maps.Clone(l.byName), files: maps.Clone(l.files)}
	if out.byName == nil {
		out.byName, out.files = map[string]*Profile{}, map[string]string{}
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
		out.byName[p.Name], out.files[p.Name] = p, d.Src.file
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
	return build(d, l.byName[name.s])
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
	for _, p := range l.All() {
		owner[p.Name] = p.Name
	}
	for _, p := range l.All() {
		for _, a := range p.Aliases {
			other, taken := owner[a]
			if !taken {
				owner[a] = p.Name
				continue
			}
			one := Problem{File: l.files[p.Name], Line: 1, Column: 1, Message: fmt.Sprintf("alias %q already leads to profile %q", a, other)}
			if fresh[p.Name] == "" && fresh[other] != "" {
				one.File, one.Message = fresh[other], fmt.Sprintf("%q is already an alias of profile %q: choose another name", a, p.Name)
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

// All returns the profiles by name.
func (l *Library) All() []*Profile {
	var out []*Profile
	for _, n := range slices.Sorted(maps.Keys(l.byName)) {
		out = append(out, l.byName[n])
	}
	return out
}

// File returns the file that profile name came from.
func (l *Library) File(name string) string { return l.files[name] }

// Get returns the profile with that name or alias.
func (l *Library) Get(name string) (*Profile, error) {
	if p, ok := l.byName[name]; ok {
		return p, nil
	}
	var known, words []string
	for _, p := range l.All() {
		if slices.Contains(p.Aliases, name) {
			return p, nil
		}
		words = append(append(words, p.Name), p.Aliases...)
		if len(p.Aliases) > 0 {
			known = append(known, fmt.Sprintf("%s (%s)", p.Name, strings.Join(p.Aliases, ", ")))
			continue
		}
		known = append(known, p.Name)
	}
	return nil, fmt.Errorf("unknown profile %q%s (known: %s)", name, didYouMean(name, words), strings.Join(known, ", "))
}

// Select reads `NAME[:OPTION=VALUE]...`, such as "junos-mx:term-order=legacy", and returns the profile with these settings, and the settings.
func (l *Library) Select(spec string) (*Profile, map[string]string, error) {
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
