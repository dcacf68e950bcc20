package iosxe

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// language is what the access lists of IOS XE have of their own.
type language struct{ ciscoacl.LinesCount }

func (language) System() string { return "IOS XE" }

// fragmentWords are the conditions of both IP versions: `fragments` is an offset above zero ("noninitial fragments", Cisco IOS IP Configuration Guide, "IP Extended Access
// Lists with Fragment Control"). Mind that is-fragment of FlowSpec (RFC 8955 section 4.2.2.12) is `fragments` here: the first fragment is none.
var fragmentWords = []ciscoacl.FragmentWord{{Word: "", States: packet.AnyFrags}, {Word: "fragments", States: ciscoacl.LaterFragments}}

func (language) FragmentWords(packet.Version) []ciscoacl.FragmentWord { return fragmentWords }

func (language) Conditions(m filter.Match, v packet.Version) ([]ciscoacl.Statement, error) {
	return conditions(m, v)
}

func (language) Fragment(word string, _ packet.Version) []ciscoacl.Statement {
	if word == "" {
		return nil
	}
	return []ciscoacl.Statement{{Element: word, Text: word}}
}

func (language) Line(grant string, body []ciscoacl.Statement) ciscoacl.Statement {
	return ciscoacl.Statement{Element: "ace-rule", Body: append([]ciscoacl.Statement{ciscoacl.Leaf("action", grant, grant)}, body...)}
}

// Check refuses a filter in front of the operator's. An interface takes a common access list in front of a regular one ("IPv4 ACL Chaining Support", "IPv6 ACL Chaining with a
// Common ACL"), but an access list ends by denying the rest, and whether a common one does is not written down.
func (language) Check(f filter.Filter) error {
	if f.Placement == filter.Before {
		return errors.Join(checkName(f.Name), errors.New("it cannot stand before another filter: whether a common access list denies what none of its lines matches is not documented"))
	}
	return checkName(f.Name)
}

func (language) CheckName(name string) error { return checkName(name) }

func (l language) Entry(e *filter.Entry, remark string) error {
	return checkName(l.ReadRemark(e, remark))
}

// Actions returns permit or deny. A line has nothing at its end.
func (l language) Actions(e filter.Entry, _ packet.Version) (grant string, tail []ciscoacl.Statement, err error) {
	var errs []error
	refuse := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	do := e.Do
	if do.Policer != "" {
		refuse("policer: an access list does not police; a QoS policy in its place does, for rules without ports")
	}
	if do.Mark != nil {
		refuse("mark: an access list sets no DSCP; a QoS policy in its place does, for rules without ports")
	}
	if do.Redirect != nil {
		refuse("redirect: an access list permits or denies; policy routing is an object of its own, one for each interface")
	}
	if do.Sample {
		refuse("sample: a line samples nothing")
	}
	if do.Continue {
		refuse("continue: the first line that matches ends the evaluation")
	}
	errs = append(errs, l.CheckCounter(e, l.System()))
	grant = "permit"
	if do.Discard {
		grant = "deny"
	}
	return grant, nil, errors.Join(errs...)
}
