package iosxepolicy

import (
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Dialect is the language of IOS XE QoS policies. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "iosxe-policy", the word that profiles use.
func (Dialect) Name() string { return "iosxe-policy" }

// Semantics returns what an entry of this dialect means. It never looks at a transport header, and what no class takes passes.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{} }

// Render writes f as text and as the XML of Cisco's native model. It refuses a filter that fails Check, and every entry that the language cannot say exactly; all of them are named in
// the error.
func (Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	p, err := policyOf(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	r := filter.Rendered{Attach: []string{"interface GigabitEthernet0/0/0", " service-policy input " + f.Name}}
	var lists, classes, body strings.Builder
	for _, c := range p.classes {
		list, class, does := c.listText(), c.classText(), c.doesText()
		lists.WriteString(list + "!\n")
		classes.WriteString(class + "!\n")
		body.WriteString(does)
		r.Entries = append(r.Entries, list+class+does)
	}
	r.Text = lists.String() + classes.String() + "policy-map " + f.Name + "\n" + body.String() + "!\n"
	r.Payload = native("", edits{lists: p.listsXML(""), classes: p.classesXML(""), policies: p.xml("")})
	return r, nil
}
