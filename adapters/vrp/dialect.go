package vrp

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Dialect is the language of VRP 8. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Joining = Dialect{}

// Name returns "vrp", the word that profiles use.
func (Dialect) Name() string { return "vrp" }

// Semantics returns what an entry of this dialect means. Protocol and fragment offset stand in the line wherever it looks at a transport header, and Render refuses it
// otherwise. What no classifier takes is forwarded, and ours take it all.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{} }

// Render writes f as text of the command line and as XML of huawei-acl, huawei-qos and huawei-pbr. It refuses a filter that fails Check, and every entry that the language
// cannot say exactly; all of them are named in the error.
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	c, texts, err := configOf(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	return filter.Rendered{Text: c.text(), Payload: c.xml(), Entries: texts, Attach: []string{"interface GigabitEthernet0/1/0", " traffic-policy " + c.policies[0].name + " inbound"}}, nil
}

// Text writes filters with one policy for those of both IP versions.
func (d Dialect) Text(filters []filter.Filter) (string, error) {
	var all config
	for _, f := range filters {
		c, _, err := configOf(f)
		if err != nil {
			return "", err
		}
		if err := all.join(c); err != nil {
			return "", fmt.Errorf("filter %s: %w", f.Name, err)
		}
	}
	return all.text(), nil
}

// ruleName is how the planner names entries: "r-", the ID of the rule, and a number for its second entry and later ones.
var ruleName = regexp.MustCompile(`^r-([0-9a-f]{16})(-[0-9]+)?$`)

// policyMark is how the names of policies end.
const policyMark = "-in"

// names are those of the objects that a filter becomes, beside its own: sluice-in for sluice-v4 and sluice-v6, which are one policy.
type names struct{ base string }

func (n names) policy() string { return n.base + policyMark }
func (n names) permit() string { return n.base + "-permit" }
func (n names) deny() string   { return n.base + "-deny" }

// taken says whether an object other than a policer of ours may have the name.
func (n names) taken(name string) bool {
	return name == n.policy() || name == n.permit() || name == n.deny() || strings.HasPrefix(name, n.base+"-v4-") || strings.HasPrefix(name, n.base+"-v6-")
}

// className is the name of a classifier of the filter called name, and of its access list.
func className(name string, number uint32) string {
	return name + "-" + strconv.FormatUint(uint64(number), 10)
}

func restName(name string) string { return name + "-rest" }

// precedence of the classifier with that number in a filter of version v.
func precedence(number uint32, v packet.Version) uint32 {
	if v == packet.IPv6 {
		return firstOfV6 + number
	}
	return number
}

func restPrecedence(v packet.Version) uint32 {
	if v == packet.IPv6 {
		return restOfV6
	}
	return restOfV4
}

// namesOf returns the names that go with f.
func namesOf(f filter.Filter) (names, error) {
	base, ok := strings.CutSuffix(f.Name, "-v"+strconv.Itoa(int(f.Version)))
	if !ok {
		return names{}, fmt.Errorf("filter %s: its name must end in -v%d: the filters of both IP versions are one traffic policy", f.Name, f.Version)
	}
	if err := filter.CheckName(className(f.Name, lastClass), false); err != nil {
		return names{}, fmt.Errorf("filter %s: %w", f.Name, err)
	}
	return names{base}, nil
}

// configOf returns the objects that f becomes, and the text of each of its entries.
func configOf(f filter.Filter) (config, []string, error) {
	if err := f.Check(); err != nil {
		return config{}, nil, err
	}
	n, err := namesOf(f)
	errs := []error{err}
	if f.Placement != filter.Alone {
		errs = append(errs, fmt.Errorf("filter %s: it cannot stand before another filter: an interface takes one traffic policy in each direction", f.Name))
	}
	policers := make(map[string]filter.Policer, len(f.Policers))
	for _, p := range f.Policers {
		if err := filter.CheckName(p.Name, false); err != nil {
			errs = append(errs, fmt.Errorf("filter %s, policer %s: %w", f.Name, p.Name, err))
		}
		if n.taken(p.Name) {
			errs = append(errs, fmt.Errorf("filter %s, policer %s: its name is taken by another object of the policy", f.Name, p.Name))
		}
		policers[p.Name] = p
	}
	lines, err := linesOf(f)
	if err != nil {
		errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
	}
	for _, e := range f.Entries {
		if _, err := behave(e.Do, policers[e.Do.Policer], f.Version); err != nil {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return config{}, nil, err
	}
	groups, err := groupsOf(f, lines)
	if err != nil {
		return config{}, nil, fmt.Errorf("filter %s: %w", f.Name, err)
	}
	c := config{policies: []policy{{name: n.policy()}}}
	texts := make([]string, len(f.Entries))
	for _, g := range groups {
		c.add(f, n, g, lines, texts, policers)
	}
	c.rest(f, n)
	return c, texts, nil
}

// add adds what g becomes: an access list, a classifier, its behavior, and what joins them.
func (c *config) add(f filter.Filter, n names, g group, lines [][]rule, texts []string, policers map[string]filter.Policer) {
	do := f.Entries[g.members[0]].Do
	a, _ := behave(do, policers[do.Policer], f.Version) // its errors are known
	l := list{name: className(f.Name, g.number), v: f.Version}
	switch {
	case do.Policer != "":
		a.name = do.Policer
	case a.deny:
		a.name = n.deny()
	case a.dscp < 0 && !a.next.IsValid():
		a.name = n.permit()
	default:
		a.name = l.name
	}
	for k, i := range g.members {
		var text []string
		for j, r := range lines[i] {
			r.id = g.seats[k]*perSeat + uint32(j)
			l.rules = append(l.rules, r)
			text = append(text, r.lines(f.Version)...)
		}
		texts[i] = strings.Join(append(text, a.lines()...), "\n")
	}
	c.lists = append(c.lists, l)
	c.classes = append(c.classes, classifier{name: l.name, v: f.Version})
	c.behave(a)
	c.policies[0].nodes = append(c.policies[0].nodes, node{l.name, a.name, precedence(g.number, f.Version)})
}

// rest adds the classifier that takes the packets which no other takes, and lets them pass.
func (c *config) rest(f filter.Filter, n names) {
	c.classes = append(c.classes, classifier{name: restName(f.Name), v: f.Version, all: true})
	c.behave(behavior{name: n.permit(), dscp: -1})
	c.policies[0].nodes = append(c.policies[0].nodes, node{restName(f.Name), n.permit(), restPrecedence(f.Version)})
}

// behave adds a, which may be there.
func (c *config) behave(a behavior) {
	for _, b := range c.behaviors {
		if b.name == a.name {
			return
		}
	}
	c.behaviors = append(c.behaviors, a)
}
