package filter

import (
	"strings"
	"testing"
)

func TestCheckName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name        string
		underscores bool
		want        string // what the error says; "": none
	}{
		{"sluice-v4", false, ""},
		{"r-00000000000000A1-2", false, ""},
		{strings.Repeat("a", 64), false, ""},
		{strings.Repeat("a", 65), false, "1 to 64 characters"},
		{"", true, "1 to 64 characters"},
		{"a_b", true, ""},
		{"a_b", false, "letters, digits and hyphens only"},
		{"a b", true, "hyphens and underscores only"},
		{"a;b", false, "letters, digits and hyphens only"},
		{"a\"b", false, "letters, digits and hyphens only"},
		{"ä", false, "letters, digits and hyphens only"},
	} {
		err := CheckName(c.name, c.underscores)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.name, err, c.want)
		}
	}
}

func TestRuleOf(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][2]string{
		"r-00000000000000a1":    {"00000000000000a1", "r-00000000000000a1"},
		"r-00000000000000a1-12": {"00000000000000a1", "r-00000000000000a1"},
		"r-00000000000000A1":    {"", "r-00000000000000A1"},
		"r-00000000000000a1-":   {"", "r-00000000000000a1-"},
		"accept-rest":           {"", "accept-rest"},
	} {
		if got := [2]string{string(RuleOf(name)), CounterOf(name)}; got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
