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

// Commands returns what is typed in a configuration session to lead from the lists in have to those in want, both complete; nil when there is nothing to do. Of a list that is in both
// only the lines that differ are typed. `no NUMBER` removes a line, and `exit` takes over what was typed in a list (ansible-collections/arista.eos, eos_acls, tested with EOS 4.24.6F).
func (Dialect) Commands(have, want []filter.Filter) ([]string, error) {
	var out []string
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		some, err := ciscoacl.Commands(language{}, ciscoacl.Terminal{Open: listWords[v], Every: []string{countersWord}, Leave: "exit"}, v, have, want)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
	}
	return out, nil
}

// Attachment returns the list of ours that a line of an interface attaches, and in words how otherwise than it should be. An interface takes one list of each IP version, so there is one placement.
func (Dialect) Attachment(line string, _ filter.Placement) (lists []string, misplaced string) {
	w := strings.Fields(line) // ip access-group sluice-v4 in
	if len(w) != 4 || w[0] != "ip" && w[0] != "ipv6" || w[1] != "access-group" || !strings.HasPrefix(w[2], filter.Mark) {
		return nil, ""
	}
	if w[3] != "in" {
		misplaced = "for outgoing packets"
	}
	return w[2:3], misplaced
}

// attach returns what an operator types once. Ethernet1 stands for the interface.
func attach(f filter.Filter) []string {
	family, _, _ := strings.Cut(listWords[f.Version], " ")
	return []string{"interface Ethernet1", "   " + family + " access-group " + f.Name + " in"}
}
