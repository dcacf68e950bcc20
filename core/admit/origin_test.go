package admit

import (
	"net/netip"
	"strings"
	"testing"
)

// Every list that is there has to be fulfilled; one that is not there asks for nothing.
func TestOrigins(t *testing.T) {
	t.Parallel()
	rr := Path{Originator: customer, Internal: true}
	for name, c := range map[string]struct {
		from        Origins
		path        Path
		communities []uint32
		refused     string
	}{
		"anybody's":            {Origins{}, Path{}, nil, ""},
		"an originator":        {Origins{Originators: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/28")}}, rr, nil, ""},
		"another originator":   {Origins{Originators: []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")}}, rr, nil, "it comes from 192.0.2.1, and of this neighbour rules are taken from 192.0.2.2/32"},
		"nobody that is known": {Origins{Originators: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, Path{}, nil, "it comes from invalid IP"},
		"ours":                 {Origins{ASes: []uint32{0}}, rr, nil, ""},
		"an AS":                {Origins{ASes: []uint32{1, 65001}}, by(customer, 65001), nil, ""},
		"another AS":           {Origins{ASes: []uint32{0, 65002}}, by(customer, 65001), nil, "it comes through AS 65001, and of this neighbour rules are taken from AS 0, AS 65002"},
		"a community":          {Origins{Communities: []uint32{1, 64512<<16 | 100}}, rr, []uint32{64512<<16 | 100, 7}, ""},
		"no community":         {Origins{Communities: []uint32{64512<<16 | 100}}, rr, []uint32{7}, "none of the communities that rules of this neighbour need: 64512:100"},
		"one of two lists":     {Origins{ASes: []uint32{0}, Communities: []uint32{1}}, rr, nil, "none of the communities"},
	} {
		got := c.from.Check(c.path, c.communities)
		if c.refused == "" && got != nil || c.refused != "" && (got == nil || got.Clause != "origin" || !strings.Contains(got.Detail, c.refused)) {
			t.Errorf("%s: got %v, want %q", name, got, c.refused)
		}
	}
}
