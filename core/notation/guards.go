package notation

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Guard is one kind of input that other tools accept and turn into something else.
type Guard struct {
	Code     string
	Title    string
	Explain  string // why it is guarded: what other tools make of it
	Hint     string // what to write instead
	Compat   string // what it means when Options.Compat lets it through; empty: it never is
	Severity string // what it is unless let through
}

// Guards returns every guard, by code. Those of severity Error are refused; docs/notations.md shows the same table.
func Guards() []Guard {
	return slices.SortedFunc(maps.Values(guards), func(a, b Guard) int { return cmp.Compare(a.Code, b.Code) })
}

var guards = byCode(
	Guard{Code: "empty-match", Severity: Error, Title: "no condition at all",
		Explain: "ExaBGP announces an NLRI of length 0, which asks routers to treat every packet so",
		Hint:    "name at least a destination",
		Compat:  ""},
	Guard{Code: "missing-semicolon", Severity: Error, Title: "a statement without its semicolon",
		Explain: "ExaBGP drops a statement that ends at a brace, and announces the rest",
		Hint:    "end every statement with ;",
		Compat:  "the statement is dropped, as ExaBGP does"},
	Guard{Code: "values-without-brackets", Severity: Error, Title: "several values without brackets",
		Explain: "ExaBGP keeps the first value and drops the others",
		Hint:    "put the values in brackets: [ =80 =443 ]",
		Compat:  "only the first value is kept, as ExaBGP does"},
	Guard{Code: "ignored-words", Severity: Error, Title: "words behind a statement that takes none",
		Explain: "ExaBGP ignores everything between what it knows and the semicolon",
		Hint:    "remove the words, or write a statement of its own",
		Compat:  "the words are ignored, as ExaBGP does"},
	Guard{Code: "empty-list", Severity: Error, Title: "a list without values",
		Explain: "ExaBGP drops the condition, which makes the rule wider",
		Hint:    "write the values, or remove the statement",
		Compat:  "the statement is dropped, as ExaBGP does"},
	Guard{Code: "mixed-families", Severity: Error, Title: "IPv4 and IPv6 in one rule",
		Explain: "ExaBGP drops the second prefix, which makes the rule wider",
		Hint:    "write one rule for IPv4 and one for IPv6",
		Compat:  "the second prefix is dropped, as ExaBGP does"},
	Guard{Code: "ipv6-word-in-ipv4", Severity: Error, Title: "a word of IPv6 in an IPv4 rule",
		Explain: "ExaBGP announces it in the IPv4 family, where routers read something else or call it malformed",
		Hint:    "protocol for next-header, dscp for traffic-class; or announce ipv6 flow ...",
		Compat:  "next-header is read as protocol and traffic-class as dscp; flow-label is refused all the same"},
	Guard{Code: "host-bits", Severity: Error, Title: "a prefix with host bits",
		Explain: "ExaBGP sends the bits; some routers call that malformed",
		Hint:    "write the network address",
		Compat:  "the bits are cleared"},
	Guard{Code: "negative-rate", Severity: Error, Title: "a negative rate",
		Explain: "ExaBGP sends it, and receivers treat it as 0 (RFC 8955 §7.1), that is as discard",
		Hint:    "discard, or rate-limit with a positive number",
		Compat:  "it means discard"},
	Guard{Code: "huge-rate", Severity: Error, Title: "a rate above 10^12 bytes/s",
		Explain: "ExaBGP sends 10^12 instead and says so in its log only",
		Hint:    "a rate up to 1000000000000, in bytes per second",
		Compat:  "the rate becomes 10^12 bytes/s, as ExaBGP does"},
	Guard{Code: "prefix-length", Severity: Error, Title: "a prefix length or offset out of bounds",
		Explain: "ExaBGP 4.2 and 5.0 send a malformed NLRI",
		Hint:    "at most /32 in IPv4 and /128 in IPv6; an offset is less than the length",
		Compat:  ""},
	Guard{Code: "no-action", Severity: Error, Title: "no action",
		Explain: "what a rule without action does depends on the router; the standard means accept",
		Hint:    "accept;",
		Compat:  "it means accept (RFC 8955 §7)"},
	Guard{Code: "several-prefixes", Severity: Error, Title: "more than one destination or source",
		Explain: "ExaBGP sends the component twice, which is malformed (RFC 8955 §4.2)",
		Hint:    "write one rule for each prefix",
		Compat:  ""},
	Guard{Code: "conflicting-actions", Severity: Error, Title: "two actions of one kind",
		Explain: "which of two rates or two redirects a router applies is its own choice (RFC 8955 §7.7)",
		Hint:    "keep one of them",
		Compat:  "accept beside another action is dropped, as ExaBGP does; of two actions both are kept, and the rule is delivered nowhere"},
	Guard{Code: "icmp-name-in-ipv6", Severity: Error, Title: "an ICMP name in an IPv6 rule",
		Explain: "ExaBGP's names are those of ICMP for IPv4: echo-request is 8 there and 128 in ICMPv6",
		Hint:    "write the number of ICMPv6",
		Compat:  "the number of IPv4 is used, as ExaBGP does"},
	Guard{Code: "not-flowspec", Severity: Error, Title: "a command that is no FlowSpec rule",
		Explain: "sluice reads FlowSpec rules; a route or another command would be lost",
		Hint:    "remove the line, or write it as a flow route",
		Compat:  "the line is skipped"},

	Guard{Code: "low-rate", Severity: Warning, Title: "a rate of 1 to 9599 bytes/s",
		Explain: "many routers round so low a rate to their floor or to 0, and it is often meant in another unit", Hint: "rates are in bytes per second"},
	Guard{Code: "rate-in-packets", Severity: Warning, Title: "a rate in packets",
		Explain: "here and in ExaBGP's main branch it is packets per second; ExaBGP up to 5.0 sends it as bytes per second", Hint: ""},
	Guard{Code: "no-destination", Severity: Warning, Title: "no destination",
		Explain: "the rule concerns traffic to everywhere, and routers that validate refuse it (RFC 8955 §6)", Hint: "add a destination"},
	Guard{Code: "any-prefix", Severity: Warning, Title: "a prefix of length 0",
		Explain: "it matches every address", Hint: ""},
	Guard{Code: "zero-bitmask", Severity: Warning, Title: "a bitmask of value 0",
		Explain: "`any of no bits` matches no packet and `all of no bits` every packet (RFC 8955 §4.2.1.2)", Hint: "!is-fragment+first-fragment for unfragmented packets"},
	Guard{Code: "terminal-continues", Severity: Warning, Title: "action terminal",
		Explain: "it sets the T bit, which lets routers go on to later rules (RFC 8955 §7.3): the reverse of its name", Hint: ""},
	Guard{Code: "ipip-is-94", Severity: Warning, Title: "protocol ipip",
		Explain: "to ExaBGP ipip is protocol 94; IP in IP as routers make it is protocol 4", Hint: "=4 or =94"},
	Guard{Code: "unknown-community", Severity: Warning, Title: "an action that is not understood",
		Explain: "a rule with one is kept and shown, and delivered nowhere by guesswork", Hint: ""},

	Guard{Code: "selector-ignored", Severity: Note, Title: "neighbor or peer in front of a command",
		Explain: "which devices get a rule is configured in sluice", Hint: ""},
	Guard{Code: "extension", Severity: Note, Title: "a spelling that ExaBGP refuses",
		Explain: "it is understood all the same: | for OR, commas in lists, psh for push, a dangling &", Hint: ""},
	Guard{Code: "unused-next-hop", Severity: Note, Title: "a next hop that nothing uses",
		Explain: "FlowSpec has no next hop (RFC 8955 §4) unless the rule redirects to it", Hint: ""},
	Guard{Code: "skipped-section", Severity: Warning, Title: "an unknown section of a configuration file",
		Explain: "it is skipped; when it seems to hold rules, that is an error", Hint: "flow { route NAME { ... } }"},
)

func byCode(list ...Guard) map[string]Guard {
	m := make(map[string]Guard, len(list))
	for _, g := range list {
		m[g.Code] = g
	}
	return m
}

// CheckCompat says why a code cannot be let through: it is unknown, it never is, or it is no error to begin with.
func CheckCompat(code string) error {
	g, known := guards[code]
	switch {
	case !known:
		return fmt.Errorf("unknown code %q: one of %s", code, strings.Join(compatCodes(), ", "))
	case g.Severity != Error:
		return fmt.Errorf("%s is a %s already: only refused inputs are let through, by %s", code, g.Severity, strings.Join(compatCodes(), ", "))
	case g.Compat == "":
		return fmt.Errorf("%s is never let through: %s", code, g.Explain)
	}
	return nil
}

func compatCodes() []string {
	var codes []string
	for _, g := range Guards() {
		if g.Compat != "" {
			codes = append(codes, g.Code)
		}
	}
	return codes
}
