package eosacl

import (
	"errors"
	"slices"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// language is what the access lists of EOS have of their own.
type language struct{ ciscoacl.LinesCount }

func (language) System() string { return "EOS" }

// fragmentWords are the conditions of IPv4: "match non-head fragment packets" (Arista AVD, schema of ip_access_lists). Mind that is-fragment of FlowSpec (RFC 8955 section
// 4.2.2.12) is `fragments` here: the first fragment is none.
var fragmentWords = []ciscoacl.FragmentWord{{Word: "", States: packet.AnyFrags}, {Word: "fragments", States: ciscoacl.LaterFragments}}

// FragmentWords has none for IPv6: no source has a line that says it.
func (language) FragmentWords(v packet.Version) []ciscoacl.FragmentWord {
	if v == packet.IPv6 {
		return fragmentWords[:1]
	}
	return fragmentWords
}

func (language) Conditions(m filter.Match, v packet.Version) ([]ciscoacl.Statement, error) {
	return conditions(m, v)
}

func (language) Fragment(word string, _ packet.Version) []ciscoacl.Statement {
	if word == "" {
		return nil
	}
	return []ciscoacl.Statement{{Element: word, Text: word}}
}

// Line puts the DSCP behind `fragments`, where public configurations have it.
func (language) Line(grant string, body []ciscoacl.Statement) ciscoacl.Statement {
	last := slices.IndexFunc(body, func(s ciscoacl.Statement) bool { return s.Element == "dscp" })
	if last >= 0 {
		body = append(slices.Delete(slices.Clone(body), last, last+1), body[last])
	}
	return ciscoacl.Statement{Text: grant, Body: body}
}

// Check refuses a filter in front of the operator's: an interface takes one access list of an IP version.
func (language) Check(f filter.Filter) error {
	if f.Placement != filter.Alone {
		return errors.Join(checkName(f.Name), errors.New("it cannot stand before another filter: an interface takes one access list"))
	}
	return checkName(f.Name)
}

func (language) CheckName(name string) error { return checkName(name) }

// checkName holds names to what remarks and lists are known to take: 1 to 64 letters, digits, hyphens and underscores. A remark has up to 100 characters (Arista AVD, schema of ip_access_lists).
func checkName(name string) error { return filter.CheckName(name, true) }

func (l language) Entry(e *filter.Entry, remark string) error {
	return checkName(l.ReadRemark(e, remark))
}

// Actions returns permit or deny. A line has nothing at its end.
func (l language) Actions(e filter.Entry, _ packet.Version) (grant string, tail []ciscoacl.Statement, err error) {
	var errs []error
	for _, x := range []struct {
		asked bool
		what  string
	}{
		{e.Do.Policer != "", "policer: an access list does not police"},
		{e.Do.Mark != nil, "mark: an access list sets no DSCP"},
		{e.Do.Redirect != nil, "redirect: an access list permits or denies"},
		{e.Do.Sample, "sample: a line samples nothing"},
		{e.Do.Continue, "continue: the first line that matches ends the evaluation"},
	} {
		if x.asked {
			errs = append(errs, errors.New(x.what))
		}
	}
	errs = append(errs, l.CheckCounter(e, l.System()))
	if e.Do.Discard {
		return "deny", nil, errors.Join(errs...)
	}
	return "permit", nil, errors.Join(errs...)
}
