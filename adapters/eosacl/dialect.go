package eosacl

import (
	"encoding/json"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Dialect is the language of EOS access lists. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Dialect = Dialect{}

// Name returns "eos-acl", the word that profiles use.
func (Dialect) Name() string { return "eos-acl" }

// Semantics returns what an entry of this dialect means. Protocol and fragment offset stand in the entry wherever it looks at a transport header, and
// Render refuses it otherwise; how the lines keep to them is the business of package ciscoacl. What no line matches is taken to be denied.
func (Dialect) Semantics() filter.Semantics { return filter.Semantics{TailDiscards: true} }

// Render writes f as text and as commands. It refuses a filter that fails Check, and every entry that the language cannot say exactly; all of them are named in
// the error. The commands make the list; what a list of that name held before is the transport's to remove.
func (Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	l, err := ciscoacl.ListOf(language{}, f)
	if err != nil {
		return filter.Rendered{}, err
	}
	commands := []string{listWords[f.Version] + " " + f.Name, countersWord}
	texts := make([][]string, len(f.Entries))
	for _, one := range l.Lines {
		commands = append(commands, one.Text())
		if one.Entry >= 0 {
			texts[one.Entry] = append(texts[one.Entry], one.Text())
		}
	}
	r := filter.Rendered{Text: strings.Join(commands, "\n   ") + "\n!\n", Attach: attach(f)}
	if r.Payload, err = json.Marshal(commands); err != nil {
		return filter.Rendered{}, err
	}
	for _, t := range texts {
		r.Entries = append(r.Entries, strings.Join(t, "\n"))
	}
	return r, nil
}

// listWords stand in front of the name of a list.
var listWords = map[packet.Version]string{packet.IPv4: "ip access-list", packet.IPv6: "ipv6 access-list"}

// countersWord has every line of a list count (Arista AVD, ip-access-lists.cfg).
const countersWord = "counters per-entry"

// attach returns what an operator types once. Ethernet1 stands for the interface.
func attach(f filter.Filter) []string {
	family, _, _ := strings.Cut(listWords[f.Version], " ")
	return []string{"interface Ethernet1", "   " + family + " access-group " + f.Name + " in"}
}
