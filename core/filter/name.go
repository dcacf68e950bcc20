package filter

import (
	"fmt"
	"regexp"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// longestName is what the names of objects and entries have at most on every platform that there is a dialect for.
const longestName = 64

// CheckName holds a name to what devices take in every place: 1 to 64 letters, digits and hyphens and, where the platform takes them, underscores. What else a
// vendor asks of names is the affair of its dialect.
func CheckName(name string, underscores bool) error {
	if len(name) == 0 || len(name) > longestName {
		return fmt.Errorf("name %q: want 1 to %d characters", name, longestName)
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_' && underscores:
		case underscores:
			return fmt.Errorf("name %q: want letters, digits, hyphens and underscores only", name)
		default:
			return fmt.Errorf("name %q: want letters, digits and hyphens only", name)
		}
	}
	return nil
}

// ruleName is how the planner names entries: "r-", the ID of the rule, and a number for its second entry and later ones.
var ruleName = regexp.MustCompile(`^r-([0-9a-f]{16})(-[0-9]+)?$`)

// RuleOf returns the rule that an entry of that name is made for; "" for a name that the planner does not give.
func RuleOf(name string) flowspec.ID {
	if m := ruleName.FindStringSubmatch(name); m != nil {
		return flowspec.ID(m[1])
	}
	return ""
}

// CounterOf returns the counter of an entry of that name, where a device counts by entry and keeps no names of counters: that of its rule, which is named as the rule's first entry.
func CounterOf(name string) string {
	if rule := RuleOf(name); rule != "" {
		return "r-" + string(rule)
	}
	return name
}
