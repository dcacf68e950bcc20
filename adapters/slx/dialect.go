package slx

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// The numbers of lines: "Valid values range from 1 through 65535".
const listEnd = 65535 // permits the rest

// places gives entries that are new together room for nine in between.
var places = filter.Places{Last: 65_000, Step: 10}

// longestName is what a list's name has at most ("Layer 3 ACL configuration guidelines").
const longestName = 63

// Dialect is the language of SLX-OS access lists. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "slx", the word that profiles use.
func (Dialect) Name() string { return "slx" }

// Semantics returns what entries mean. Nothing is said of what a line checks by itself, and no line of ours depends on it; what no line matches is denied.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f as `show running-config` shows it, and the names of entries as comments in front of it: inside a list, a comment might end it for who pastes it. That is both text and
// payload. It refuses a filter that fails Check, and every entry
// that the language cannot say exactly; all of them are named in the error.
func (Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	if err := f.Check(); err != nil {
		return filter.Rendered{}, err
	}
	errs := []error{checkFilter(f)}
	at, err := places.Of(f)
	if err != nil {
		return filter.Rendered{}, errors.Join(append(errs, fmt.Errorf("filter %s: %w", f.Name, err))...)
	}
	r := filter.Rendered{Attach: attach(f)}
	var names, lines strings.Builder
	for i, e := range f.Entries {
		words, err := lineOf(e, f.Version)
		if err != nil {
			errs = append(errs, prefixed(fmt.Sprintf("filter %s, entry %s: ", f.Name, e.Name), err))
		}
		name, line := fmt.Sprintf("! seq %d is %s\n", at[i], e.Name), fmt.Sprintf(" seq %d %s", at[i], words)
		r.Entries = append(r.Entries, name+line)
		names.WriteString(name)
		lines.WriteString(line + "\n")
	}
	if err := errors.Join(errs...); err != nil {
		return filter.Rendered{}, err
	}
	r.Text = fmt.Sprintf("%s%s access-list extended %s\n%s seq %d %s\n!\n", names.String(), family(f.Version), f.Name, lines.String(), listEnd, rest(f.Version))
	r.Payload = []byte(r.Text)
	return r, nil
}

// checkFilter looks at what is wrong with f as a whole.
func checkFilter(f filter.Filter) error {
	var errs []error
	if err := checkName(f.Name); err != nil {
		errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
	}
	if f.Placement != filter.Alone {
		errs = append(errs, fmt.Errorf("filter %s: it cannot stand before another filter: an interface takes one list for packets of a version that come in", f.Name))
	}
	for _, p := range f.Policers {
		errs = append(errs, fmt.Errorf("filter %s: policer %s: a list does not police; a policy map polices what a list of its own permits, apart from this one", f.Name, p.Name))
	}
	return errors.Join(errs...)
}

// prefixed puts what in front of each of the errors that are joined in err.
func prefixed(what string, err error) error {
	lines := strings.Split(err.Error(), "\n")
	return errors.New(what + strings.Join(lines, "\n"+what))
}

// rest is the line that keeps what no entry decides.
func rest(v packet.Version) string { return "permit " + family(v) + " any any" }

// family is the word for IP version v, of a list and of any protocol.
func family(v packet.Version) string {
	if v == packet.IPv6 {
		return "ipv6"
	}
	return "ip"
}

func attach(f filter.Filter) []string {
	return []string{"interface ethernet 0/1", " " + family(f.Version) + " access-group " + f.Name + " in"}
}

// checkName holds names to what is taken for one: a list's begins with a letter or digit and has up to 63 characters.
func checkName(name string) error {
	if len(name) > longestName {
		return fmt.Errorf("name %q: want 1 to %d characters", name, longestName)
	}
	return filter.CheckName(name, false)
}
