package junos

import "github.com/sluice-gateway/sluice/core/filter"

// Commands returns what is typed at the top of the candidate to lead from the filters in have to those in want, both complete; nil when there is nothing to do. It says what Edit says:
// filters and policers that differ are deleted and set anew, in the order of their terms, and the rest is not mentioned.
func (d Dialect) Commands(have, want []filter.Filter) ([]string, error) {
	before, after, err := d.sides(have, want)
	if err != nil {
		return nil, err
	}
	lines := commands(nil, "firewall", before.policers, after.policers)
	for _, word := range []string{"inet", "inet6"} {
		lines = commands(lines, "firewall family "+word, before.filters[word], after.filters[word])
	}
	return lines, nil
}

// commands appends what leads from have to want, entries of one list at path.
func commands(lines []string, path string, have, want []statement) []string {
	old := make(map[string]statement, len(have))
	for _, s := range have {
		old[s.name] = s
	}
	for _, s := range want {
		was, there := old[s.name]
		delete(old, s.name)
		if there && same(was, s) {
			continue
		}
		if there {
			lines = append(lines, "delete "+path+" "+s.word+" "+quote(s.name))
		}
		lines = s.set(lines, "set "+path)
	}
	for _, s := range have {
		if _, gone := old[s.name]; gone {
			lines = append(lines, "delete "+path+" "+s.word+" "+quote(s.name))
		}
	}
	return lines
}

// set appends the lines that set s and what is in it, which begin with path.
func (s statement) set(lines []string, path string) []string {
	path += " " + s.word
	if s.name != "" {
		path += " " + quote(s.name)
	}
	switch {
	case s.form == inline:
		return append(lines, path+" "+quote(s.body[0].value))
	case s.value != "":
		return append(lines, path+" "+quote(s.value))
	case len(s.values) > 0:
		for _, v := range s.values {
			lines = append(lines, path+" "+quote(v))
		}
		return lines
	case len(s.body) == 0:
		return append(lines, path)
	}
	for _, k := range s.body {
		lines = k.set(lines, path)
	}
	return lines
}
