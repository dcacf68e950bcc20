package junos

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Namespaces of the models junos-conf-root and junos-conf-firewall (Juniper/yang, 24.4R1). A NETCONF server that loads these models
// wants them; Junos takes the elements by their names.
const (
	rootNamespace     = "http://yang.juniper.net/junos/conf/root"
	firewallNamespace = "http://yang.juniper.net/junos/conf/firewall"
)

// Names of the terms that are no entries.
const (
	restTerm    = "accept-rest" // last term of a filter that stands alone: accepts what no entry matched
	nothingTerm = "nothing"     // last term of a filter that stands before another where its last entry goes on, or it has none
)

// Dialect is the language of Junos firewall filters. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct {
	instances filter.Instances // into which terms may redirect
}

var _ filter.Instanced = Dialect{}

// With returns the dialect that redirects into the routing instances in, and reads them back.
func (Dialect) With(in filter.Instances) filter.Dialect { return Dialect{instances: in} }

// Name returns "junos", the word that profiles use.
func (Dialect) Name() string { return "junos" }

// Semantics returns what the terms of a filter mean. Nothing is checked that a term does not say ("Firewall Filter Match Conditions
// for IPv4 Traffic", "... Based on Bit-Field Values"), and what no term matches is discarded.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f as text and as the XML of the model junos-conf-firewall. It refuses a filter that fails Check, and every entry that
// the language cannot say exactly; all of them are named in the error.
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	policers, list, err := d.statements(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	firewall := statement{word: "firewall", body: slices.Concat(policers, []statement{
		{word: "family", form: joined, body: []statement{{word: family(f.Version), body: []statement{list}}}},
	})}
	r := filter.Rendered{Text: text(firewall), Payload: payload(firewall), Attach: attach(f)}
	for _, term := range list.body[:len(f.Entries)] {
		var b bytes.Buffer
		term.text(&b, 0)
		r.Entries = append(r.Entries, strings.TrimSuffix(b.String(), "\n"))
	}
	return r, nil
}

// statements returns the policers and the filter that f becomes.
func (d Dialect) statements(f filter.Filter) (policers []statement, list statement, err error) {
	if err := f.Check(); err != nil {
		return nil, statement{}, err
	}
	var errs []error
	if err := checkName(f.Name); err != nil {
		errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
	}
	for _, p := range f.Policers {
		s, err := policer(p)
		if err != nil {
			errs = append(errs, fmt.Errorf("filter %s, policer %s: %w", f.Name, p.Name, err))
		}
		policers = append(policers, s)
	}
	list = statement{word: "filter", name: f.Name}
	for _, e := range f.Entries {
		s, err := d.term(e, f.Version)
		if err != nil {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
		}
		list.body = append(list.body, s)
	}
	switch {
	case f.Placement == filter.Alone:
		list.body = append(list.body, statement{word: "term", name: restTerm, body: []statement{{word: "then", body: []statement{{word: "accept"}}}}})
	case len(f.Entries) == 0 || f.Entries[len(f.Entries)-1].Do.Continue:
		list.body = append(list.body, closing(f.Version))
	}
	return policers, list, errors.Join(errs...)
}

// closing returns the last term of a filter that stands before another and does not end by discarding. An attached filter must stay, and a filter needs a
// term; and "next term cannot appear as the last term", nor stand in a term without conditions ("Firewall Filter Nonterminating Actions"). So the last term
// matches packets from the unspecified address to the unspecified address, which no host may send (RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.2) and no
// router forwards; all others go on to the next filter of the list.
func closing(v packet.Version) statement {
	host := unspecified(v).String()
	return statement{word: "term", name: nothingTerm, body: []statement{
		{word: "from", body: []statement{{word: "source-address", name: host, form: wrapped}, {word: "destination-address", name: host, form: wrapped}}},
		{word: "then", body: []statement{{word: "discard"}}},
	}}
}

// unspecified is the unspecified address of IP version v, as a host.
func unspecified(v packet.Version) netip.Prefix {
	if v == packet.IPv6 {
		return netip.PrefixFrom(netip.IPv6Unspecified(), 128)
	}
	return netip.PrefixFrom(netip.IPv4Unspecified(), 32)
}

// term returns the term that says e.
func (d Dialect) term(e filter.Entry, v packet.Version) (statement, error) {
	if err := checkName(e.Name); err != nil {
		return statement{}, err
	}
	if e.Name == restTerm || e.Name == nothingTerm {
		return statement{}, fmt.Errorf("the name %s is taken by a term of the filter's own", e.Name)
	}
	from, err := conditions(e.Match, v)
	then, err2 := d.actions(e, v)
	if err := errors.Join(err, err2); err != nil {
		return statement{}, err
	}
	if len(from) == 0 && e.Do.Continue {
		// "A filter term where next term is specified as an action but without any match conditions configured is not supported": a condition that every packet meets.
		from = []statement{{word: "source-address", name: netip.PrefixFrom(unspecified(v).Addr(), 0).String(), form: wrapped}}
	}
	s := statement{word: "term", name: e.Name}
	if len(from) > 0 {
		s.body = append(s.body, statement{word: "from", body: from})
	}
	s.body = append(s.body, statement{word: "then", body: then})
	return s, nil
}

// checkName holds names to what every Junos release takes: "letters, numbers, and hyphens (-) and be up to 64 characters long"
// ("Guidelines for Configuring Firewall Filters").
func checkName(name string) error { return filter.CheckName(name, false) }

// family is the word for IP version v under `firewall family` and `interfaces ... family`.
func family(v packet.Version) string {
	if v == packet.IPv6 {
		return "inet6"
	}
	return "inet"
}

func text(s statement) string {
	var b bytes.Buffer
	s.text(&b, 0)
	return b.String()
}

func payload(firewall statement) []byte {
	var b bytes.Buffer
	b.WriteString(`<configuration xmlns="` + rootNamespace + `">`)
	firewall.xml(&b, ` xmlns="`+firewallNamespace+`"`)
	b.WriteString("</configuration>")
	return b.Bytes()
}

// attach returns what an operator types once. ge-0/0/0 unit 0 stands for the interface.
func attach(f filter.Filter) []string {
	unit := "interfaces ge-0/0/0 unit 0 family " + family(f.Version) + " filter"
	if f.Placement == filter.Alone {
		return []string{"set " + unit + " input " + f.Name}
	}
	// input and input-list exclude each other; the order of the list is the order of evaluation.
	return []string{
		"delete " + unit + " input",
		"set " + unit + " input-list [ " + f.Name + " YOUR-FILTER ]",
	}
}
