package eos

import (
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Names of the matches that are no entries, and what they begin with.
const (
	laterMark = "later-"           // a match of the part for later fragments
	laterRest = laterMark + "rest" // its last
	restMark  = "ipv"              // ipv4-all-default and ipv6-all-default, which EOS makes itself (Arista AVD, traffic-policies.cfg)
)

// Dialect is the language of EOS traffic policies. The zero Dialect is ready, and safe for concurrent use.
type Dialect struct{}

var _ filter.Joining = Dialect{}

// Name returns "eos", the word that profiles use.
func (Dialect) Name() string { return "eos" }

// Semantics returns what the entries of a filter mean. Ports, flags and ICMP types belong to a protocol (EosSdk, structured_filter.h: port
// fields are part of a protocol field); the part for later fragments keeps them off these; what no match takes passes (Arista AVD,
// traffic-policies.cfg).
func (Dialect) Semantics() filter.Semantics {
	return filter.Semantics{PortsCheckProtocol: true, TransportChecksOffset: true, FlagsCheckProtocol: true, ICMPChecksProtocol: true}
}

// Render writes f as text and as commands. It refuses a filter that fails Check, and every entry that the language cannot say exactly;
// all of them are named in the error. The commands make the policy; what a policy of that name held before is the transport's to remove.
func (d Dialect) Render(f filter.Filter) (filter.Rendered, error) {
	policy, err := d.policy(f)
	if err != nil {
		return filter.Rendered{}, err
	}
	whole := statement{line: "traffic-policies", body: []statement{policy}}
	r := filter.Rendered{Text: text(whole, 0), Payload: payload(whole), Attach: []string{"interface Ethernet1", "   traffic-policy input " + strings.TrimPrefix(policy.line, "traffic-policy ")}}
	entries := policy.body[len(policy.body)-1-len(f.Entries) : len(policy.body)-1] // the default stands behind them
	for _, e := range entries {
		r.Entries = append(r.Entries, strings.TrimSuffix(text(e, 0), "\n!\n"))
	}
	return r, nil
}

// Text writes filters with one policy for those of both IP versions.
func (d Dialect) Text(filters []filter.Filter) (string, error) {
	policies, err := d.written(filters)
	return text(statement{line: "traffic-policies", body: policies}, 0), err
}

// Attachment returns the filters of the policy of ours that a line of an interface attaches, and in words how otherwise than it should be. An interface takes one policy, so there is one
// placement.
func (Dialect) Attachment(line string, _ filter.Placement) (filters []string, misplaced string) {
	w := strings.Fields(line) // traffic-policy input sluice-in
	if len(w) != 3 || w[0] != "traffic-policy" || !marked(w[2]) || !strings.HasSuffix(w[2], "-in") {
		return nil, ""
	}
	if w[1] != "input" {
		misplaced = "for outgoing packets"
	}
	base := strings.TrimSuffix(w[2], "-in")
	return []string{base + "-v4", base + "-v6"}, misplaced
}

// policy returns the traffic policy with the matches of f.
func (Dialect) policy(f filter.Filter) (statement, error) {
	if err := f.Check(); err != nil {
		return statement{}, err
	}
	name, err := policyName(f)
	errs := []error{err}
	if f.Placement != filter.Alone {
		errs = append(errs, fmt.Errorf("filter %s: it cannot stand before another filter: an interface takes one traffic policy, and whether an access list sees what a match lets pass is not documented", f.Name))
	}
	w := writer{v: f.Version, policers: map[string]filter.Policer{}, users: map[string]int{}}
	for _, p := range f.Policers {
		w.policers[p.Name] = p
	}
	for _, e := range f.Entries {
		w.users[e.Do.Policer]++
	}
	var matches []statement
	early, err := later(f)
	errs = append(errs, err)
	for _, e := range early {
		m, err := w.match(e, strings.TrimPrefix(e.Name, laterMark))
		if err == nil { // the entry that it is a copy of has the same fault
			matches = append(matches, m)
		}
	}
	for _, e := range f.Entries {
		m, err := w.match(e, e.Name)
		if err = errors.Join(checkEntryName(e.Name), err); err != nil {
			errs = append(errs, fmt.Errorf("filter %s, entry %s: %w", f.Name, e.Name, err))
		}
		matches = append(matches, m)
	}
	out := statement{line: "traffic-policy " + name}
	if counters := countersOf(f); len(counters) > 0 {
		out.body = append(out.body, say(append([]string{"counter"}, counters...)...))
	}
	out.body = append(append(out.body, matches...), say("match", restMark+version(f.Version)+"-all-default", "ipv"+version(f.Version)))
	return out, errors.Join(errs...)
}

// countersOf returns the names of the counters of f, each once, in the order of their use: a policy declares what its matches count with.
func countersOf(f filter.Filter) []string {
	var out []string
	seen := map[string]bool{"": true}
	for _, e := range f.Entries {
		if !seen[e.Counter] {
			seen[e.Counter] = true
			out = append(out, e.Counter)
		}
	}
	return out
}

// policyName returns the name of the policy that f is part of: sluice-in for sluice-v4 and sluice-v6.
func policyName(f filter.Filter) (string, error) {
	base, ok := strings.CutSuffix(f.Name, "-v"+version(f.Version))
	if !ok {
		return "", fmt.Errorf("filter %s: its name must end in -v%d: the filters of both IP versions are one traffic policy", f.Name, f.Version)
	}
	if err := checkName(base + "-in"); err != nil {
		return "", fmt.Errorf("filter %s: %w", f.Name, err)
	}
	return base + "-in", nil
}

func version(v packet.Version) string {
	if v == packet.IPv6 {
		return "6"
	}
	return "4"
}

// checkEntryName keeps the names of entries apart from those of the matches that are none.
func checkEntryName(name string) error {
	if strings.HasPrefix(name, laterMark) || strings.HasPrefix(name, restMark) || laterMark+name == laterRest {
		return fmt.Errorf("the name %s is taken by a match of the policy's own", name)
	}
	return checkName(name)
}

// checkName holds names to what no reader of the command line breaks up or takes for something else. Public examples have letters, digits,
// hyphens and underscores; a counter must not have dots (google/capirca, arista_tp.md).
func checkName(name string) error { return filter.CheckName(name, true) }
