package sros

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// namespace is that of the model nokia-conf.
const namespace = "urn:nokia.com:sros:ns:yang:sr:conf"

// The numbers of entries: the entry at place 100 is entry 1000, and 1001 where it is written twice. The operator's own are above ours (1000000 to 2097151).
const (
	perPlace = 10
	lastID   = 999_999
)

var places = filter.Places{Last: lastID / perPlace, Step: 100}

// Dialect is the language of SR OS filters. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "sros", the word that profiles use.
func (Dialect) Name() string { return "sros" }

// Semantics returns what an entry of this dialect means. Protocol and fragment offset stand in the entry wherever it looks at a transport header, and Render refuses it otherwise; how
// the device's entries keep to them is the business of package sros. What no entry matches is discarded, unless the filter says otherwise.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f as text of the MD-CLI and as XML of nokia-conf. It refuses a filter that fails Check, and every entry that the language cannot say exactly; all of them
// are named in the error.
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	o, err := d.objects(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	root := container("filter", append(o.policers, o.filter())...)
	var text, payload bytes.Buffer
	container("configure", root).text(&text, 0)
	container("configure", root).xml(&payload, ` xmlns="`+namespace+`"`)
	r := filter.Rendered{Text: text.String(), Payload: payload.Bytes(), Attach: attach(f)}
	for _, twins := range o.entries {
		var lines []string
		for _, e := range twins {
			lines = append(lines, e.inline())
		}
		r.Entries = append(r.Entries, strings.Join(lines, "\n"))
	}
	return r, nil
}

// objects is what a filter becomes: its policers, and a list entry with leaves of its own and entries.
type objects struct {
	policers []statement
	list     string
	name     string
	leaves   []statement
	entries  [][]statement // one or two for each entry of the filter
}

// filter returns the filter whole.
func (o *objects) filter() statement {
	out := item(o.list, o.name, o.leaves...)
	for _, twins := range o.entries {
		out.children = append(out.children, twins...)
	}
	return out
}

// objects returns what f becomes.
func (Dialect) objects(f filter.Filter) (objects, error) {
	if err := f.Check(); err != nil {
		return objects{}, err
	}
	var errs []error
	if err := checkName(f.Name); err != nil {
		errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
	}
	at, err := places.Of(f)
	if err != nil {
		return objects{}, fmt.Errorf("filter %s: %w", f.Name, err)
	}
	// An embedded filter leaves what it does not match to the filter around it. Ours accepts that nevertheless, in case somebody changes its scope.
	o := objects{list: list(f.Version), name: f.Name, leaves: []statement{leaf("default-action", "accept"), leaf("scope", scopes[f.Placement]), leaf("type", filterType)}}
	for _, p := range f.Policers {
		s, err := policer(p)
		if err := errors.Join(checkName(p.Name), err); err != nil {
			errs = append(errs, fmt.Errorf("filter %s, policer %s: %w", f.Name, p.Name, err))
		}
		o.policers = append(o.policers, s)
	}
	for i, e := range f.Entries {
		twins, err := entry(e, at[i], f.Version)
		if err != nil {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
		}
		o.entries = append(o.entries, twins)
	}
	return o, errors.Join(errs...)
}

const filterType = "packet-length"

// scopes are the scope of a filter by its placement. One that is embedded cannot be attached by mistake.
var scopes = map[filter.Placement]string{filter.Alone: "template", filter.Before: "embedded"}

// entry returns the entries of SR OS that say e, one or two.
func entry(e filter.Entry, place uint32, v packet.Version) ([]statement, error) {
	match, err := conditions(e.Match, v)
	words, err2 := written(e.Match, v)
	do, err3 := action(e.Do, v)
	if err := errors.Join(checkName(e.Name), checkCounter(e), err, err2, err3); err != nil {
		return nil, err
	}
	var out []statement
	for i, word := range words {
		s := item("entry", strconv.FormatUint(uint64(place)*perPlace+uint64(i), 10), quotedLeaf("description", e.Name))
		if e.Counter != "" {
			s.children = append(s.children, leaf("collect-stats", "true"))
		}
		if all := withFragment(match, word); len(all) > 0 {
			s.children = append(s.children, container("match", all...))
		}
		s.children = append(s.children, do)
		out = append(out, s)
	}
	return out, nil
}

// withFragment returns match with a condition on fragments, if there is one, in front.
func withFragment(match []statement, word string) []statement {
	if word == "" {
		return match
	}
	return append([]statement{leaf("fragment", word)}, match...)
}

// checkCounter refuses counters that cannot be read back: SR OS counts by entry, and whose they are follows from the entry's name.
func checkCounter(e filter.Entry) error {
	if e.Counter != "" && e.Counter != filter.CounterOf(e.Name) {
		return fmt.Errorf("counter: %q, but SR OS counts by entry, and those of %s add up to %q", e.Counter, e.Name, filter.CounterOf(e.Name))
	}
	return nil
}

// checkName holds names to what descriptions (1 to 80 printable characters), filters (1 to 64) and policers take in the model of 26.3, and to what needs no quotation.
func checkName(name string) error { return filter.CheckName(name, false) }

// attach returns what an operator types once. INTERFACE and YOUR-FILTER stand for names of theirs.
func attach(f filter.Filter) []string {
	if f.Placement == filter.Alone {
		return []string{`/configure router "Base" interface "INTERFACE" ingress filter ` + strings.TrimSuffix(list(f.Version), "-filter") + ` "` + f.Name + `"`}
	}
	return []string{`/configure filter ` + list(f.Version) + ` "YOUR-FILTER" embed filter "` + f.Name + `" offset 0`}
}
