package openconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

const (
	restName     = "accept-rest"  // description of the last entry, which accepts what no entry matched
	restSequence = math.MaxUint32 // its number: it never moves
	counterWord  = " counter "    // between the names in a description
	someone      = "Ethernet1"    // the interface of the attachment that is shown
	aclIPv4      = "ACL_IPV4"     // identities of ACL_TYPE
	aclIPv6      = "ACL_IPV6"
)

// places are the numbers of entries. Those that are new together have room for 99 in between.
var places = filter.Places{Last: restSequence - 1, Step: 100}

// Dialect is the language of openconfig-acl. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "openconfig", the word that profiles use.
func (Dialect) Name() string { return "openconfig" }

// Semantics returns what the entries of a set mean: what they say, and nothing that they do not say. What no entry matches may be discarded.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f: Text is the JSON of gNMI (the value of a Set on the root of the device), Payload the XML of NETCONF. It refuses a filter that
// fails Check, and every entry that the model cannot say exactly; all of them are named in the error. Entries that have no places get numbers of their own, so a
// Set or an edit must replace the set, unless Keep gave them places.
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	set, entries, err := d.set(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	acl := document(container("acl-sets", set))
	r := filter.Rendered{Text: jsonDocument(acl) + "\n", Payload: xmlDocument(acl)}
	for _, e := range entries[:len(f.Entries)] {
		r.Entries = append(r.Entries, indented(e))
	}
	var line bytes.Buffer
	if err := json.Compact(&line, []byte(jsonDocument(attachment(f)))); err != nil {
		return filter.Rendered{}, err
	}
	r.Attach = []string{line.String()}
	return r, nil
}

// Keep gives the entries of want the numbers that they have in have, and new ones numbers in between, so that a changed rule changes its own entries and no others.
func (Dialect) Keep(have, want filter.Filter) filter.Filter { return places.Keep(have, want) }

// set returns the set that f becomes, and its entries.
func (Dialect) set(f filter.Filter) (set *node, entries []*node, err error) {
	if err := f.Check(); err != nil {
		return nil, nil, err
	}
	var errs []error
	if err := checkName(f.Name); err != nil {
		errs = append(errs, fmt.Errorf("filter %s: %w", f.Name, err))
	}
	if f.Placement != filter.Alone {
		errs = append(errs, fmt.Errorf("filter %s: it cannot stand before another filter: the model does not say in which order the sets of an interface are evaluated", f.Name))
	}
	if len(f.Policers) > 0 {
		errs = append(errs, fmt.Errorf("filter %s: policer %s: the model has no rates", f.Name, f.Policers[0].Name))
	}
	numbers, err := places.Of(f)
	if err != nil {
		return nil, nil, fmt.Errorf("filter %s: %w", f.Name, err)
	}
	for i, e := range f.Entries {
		n, err := aclEntry(e, f.Version, numbers[i])
		if err != nil {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
		}
		entries = append(entries, n)
	}
	rest, err := aclEntry(filter.Entry{Name: restName}, f.Version, restSequence)
	entries = append(entries, rest)
	list := container("acl-entries", entries...)
	return aclSet(f, container("config", text("name", f.Name), identity("type", aclModule, typeOf(f.Version))), list), entries, errors.Join(append(errs, err)...)
}

func aclSet(f filter.Filter, body ...*node) *node {
	return entry("acl-set", append([]*node{text("name", f.Name), identity("type", aclModule, typeOf(f.Version))}, body...)...)
}

func typeOf(v packet.Version) string {
	if v == packet.IPv6 {
		return aclIPv6
	}
	return aclIPv4
}

// aclEntry returns the entry that says e.
func aclEntry(e filter.Entry, v packet.Version, sequence uint32) (*node, error) {
	describe := e.Name
	errs := []error{checkEntryName(e, sequence)}
	if e.Counter != "" {
		describe += counterWord + e.Counter
	}
	w := writer{v: v}
	w.match(e.Match)
	action, err := actionOf(e.Do)
	errs = append(append(errs, w.errs...), err)
	number := strconv.FormatUint(uint64(sequence), 10)
	n := entry("acl-entry", numeral("sequence-id", number), container("config", numeral("sequence-id", number), text("description", describe)))
	n.body = append(n.body, w.containers()...)
	n.body = append(n.body, container("actions", container("config", identity("forwarding-action", aclModule, action))))
	return n, errors.Join(errs...)
}

// actionOf returns the identity of FORWARDING_ACTION for do.
func actionOf(do filter.Do) (string, error) {
	var errs []error
	for _, x := range []struct {
		asked bool
		what  string
	}{
		{do.Policer != "", "policer: the model has no rates"},
		{do.Redirect != nil, "redirect: the model accepts, drops or rejects, and does not redirect"},
		{do.Mark != nil, "mark: the model does not mark"},
		{do.Sample, "sample: the model does not sample"},
		{do.Continue, "continue: the first entry that matches decides"},
	} {
		if x.asked {
			errs = append(errs, errors.New(x.what))
		}
	}
	if do.Discard {
		return "DROP", errors.Join(errs...)
	}
	return "ACCEPT", errors.Join(errs...)
}

func checkEntryName(e filter.Entry, sequence uint32) error {
	if e.Name == restName && sequence != restSequence {
		return fmt.Errorf("the name %s is taken by the entry for the rest", restName)
	}
	err := checkName(e.Name)
	if e.Counter != "" {
		if err := checkName(e.Counter); err != nil {
			return fmt.Errorf("counter: %w", err)
		}
	}
	return err
}

// checkName keeps names to letters, digits, hyphens and underscores: blanks part them in a description.
func checkName(name string) error { return filter.CheckName(name, true) }

// attachment is what an operator sets once for each interface.
func attachment(f filter.Filter) *node {
	ref := container("interface-ref", container("config", text("interface", someone), numeral("subinterface", "0")))
	key := func(name string) []*node {
		return []*node{text(name, f.Name), identity("type", aclModule, typeOf(f.Version))}
	}
	set := entry("ingress-acl-set", append(key("set-name"), container("config", key("set-name")...))...)
	return document(container("interfaces", entry("interface", text("id", someone), container("config", text("id", someone)), ref, container("ingress-acl-sets", set))))
}
