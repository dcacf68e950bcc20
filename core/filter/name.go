package filter

import "fmt"

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
