package vrp_test

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
)

// The lines that Huawei's documents have, by the header that they stand under. It is stricter than what the parser takes, and written apart from it: NE40E V800R012C10
// Configuration Guide (rule in advanced ACL and ACL6 views, "Configuring a Traffic Classifier", "Defining a Traffic Behavior and Configuring Actions", "Configuring a Traffic
// Policy"), Command Reference of NetEngine 8000 F1A (classifier behavior, redirect ipv6-nexthop).
var sentences = []struct {
	head  *regexp.Regexp
	lines []*regexp.Regexp
}{
	{sentence(`acl name NAME advance`), []*regexp.Regexp{
		sentence(`rule N name RULE permit ((tcp|udp)( source IP4)?( source-port OP)?( destination IP4)?( destination-port OP)?( tcp-flag FLAGS mask FLAGS)?( dscp DSCP)?( packet-length OP)?FRAG` +
			`|icmp( source IP4)?( destination IP4)?( icmp-type N( N)?)?( dscp DSCP)?( packet-length OP)?FRAG` +
			`|(ip|igmp|ipinip|gre|ospf|[1-9][0-9]{0,2})( source IP4)?( destination IP4)?( dscp DSCP)?( packet-length OP)?FRAG)`),
		sentence(`rule N description [^ ?]([^?]*[^ ?])?`),
	}},
	{sentence(`acl ipv6 name NAME advance`), []*regexp.Regexp{
		sentence(`rule N name RULE permit ipv6( source IP6)?( destination IP6)?( dscp DSCP)?( fragment)?`),
		sentence(`rule N description [^ ?]([^?]*[^ ?])?`),
	}},
	{sentence(`traffic classifier NAME operator or`), []*regexp.Regexp{sentence(`if-match( ipv6)? (any|acl name NAME)`)}},
	{sentence(`traffic behavior NAME`), []*regexp.Regexp{
		sentence(`permit`), sentence(`deny`), sentence(`car cir N cbs N green pass red discard`), sentence(`remark( ipv6)? dscp DSCP`),
		sentence(`redirect ip-nexthop A4`), sentence(`redirect ipv6-nexthop A6`),
	}},
	{sentence(`traffic policy NAME`), []*regexp.Regexp{sentence(`share-mode`), sentence(`statistics enable`), sentence(`classifier NAME behavior NAME precedence PREC`)}},
}

var words = strings.NewReplacer(
	"NAME", `[A-Za-z0-9-]{1,64}`, "RULE", `[^_\s]\S{0,31}`, "FRAG", `( fragment-type (non-fragment|non-subseq|fragment-subseq|fragment-spe-first))?`,
	"IP4", `A4 (0|A4)`, "IP6", `A6/[0-9]{1,3}`, "A4", `[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+`, "A6", `[0-9a-f:.]+`, "OP", `((eq|gt|lt) N|range N N)`,
	"FLAGS", `([0-9]|[1-5][0-9]|6[0-3])`, "DSCP", `([0-9]|[1-5][0-9]|6[0-3])`, "PREC", `([1-9][0-9]{0,2}|[1-4][0-9]{3}|50[0-9]{2}|51[01][0-9])`, "N", `(0|[1-9][0-9]*)`)

func sentence(s string) *regexp.Regexp {
	return regexp.MustCompile("^" + words.Replace(words.Replace(s)) + "$")
}

// grammar says what in text is none of those lines, or does not stand under its header.
func grammar(_ filter.Filter, text string) error {
	var lines []*regexp.Regexp
	for _, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		known := l == "#"
		if l == "#" {
			lines = nil
		} else if content, inside := strings.CutPrefix(l, " "); inside {
			for _, s := range lines {
				known = known || s.MatchString(content)
			}
		} else if lines == nil {
			for _, s := range sentences {
				if s.head.MatchString(l) {
					known, lines = true, s.lines
				}
			}
		}
		if !known {
			return fmt.Errorf("not in the grammar: %q", l)
		}
	}
	if !strings.HasSuffix(text, "\n#\n") {
		return errors.New("no # at the end")
	}
	return nil
}

// The grammar tells right from wrong.
func TestGrammar(t *testing.T) {
	t.Parallel()
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	if err := grammar(filter.Filter{}, r.Text); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{
		{"permit udp", "permit 17/udp"}, {"permit udp", "permit gre"}, {"destination 203.0.113.9 0", "destination 203.0.113.9"}, {"gt 1023", "ge 1024"}, {"eq 53", "53"}, {"dscp 8", "dscp 64"},
		{"fragment-type non-subseq", "fragment non-subseq"}, {" operator or", " operator any"}, {"if-match acl name", "if-match name"}, {"if-match any", "if-match all"}, {"red discard", "exceed drop"},
		{"remark dscp", "set dscp"}, {"redirect ip-nexthop", "redirect nexthop"}, {"statistics enable", "statistic enable"}, {"precedence 5117", "precedence 5120"}, {"mask 18", "mask 64"},
		{"advance\n", "basic\n"}, {"#\ntraffic", "traffic"}, {" deny\n", " deny \n"}, {"mask 18 ", "mask 18 icmp-type 8 "},
	} {
		if bad := strings.Replace(r.Text, c[0], c[1], 1); bad == r.Text || grammar(filter.Filter{}, bad) == nil {
			t.Errorf("%q in place of %q is taken", c[1], c[0])
		}
	}
}
