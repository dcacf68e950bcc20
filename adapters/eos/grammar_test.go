package eos_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/filter"
)

// The lines that public sources have of a traffic policy, by depth. It is stricter than what the parser takes, and written apart from it:
// Arista AVD (schema and configurations of eos_cli_config_gen, traffic_policies), aerleon (arista_tp.py), a public policy with police.
var lines = map[int][]*regexp.Regexp{
	0: compiled(`traffic-policies`),
	1: compiled(`traffic-policy [A-Za-z0-9_-]+`),
	2: compiled(`counter [A-Za-z0-9_-]+( [A-Za-z0-9_-]+)*`, `match [A-Za-z0-9_-]+ ipv[46]`),
	3: compiled(
		`(source|destination) prefix [0-9.]+/[0-9]+`, `(source|destination) prefix [0-9a-f:.]+/[0-9]+`,
		`protocol (tcp|udp)( source port LIST)?( destination port LIST)?`, `protocol icmp( type N code (all|N(,N)*))?`, `protocol LIST`,
		`fragment offset 1-8191`, `ip length N(-N)?`, `dscp N`, `actions`),
	4: compiled(`count [A-Za-z0-9_-]+`, `drop`, `police rate N bps burst-size N bytes`, `redirect next-hop [0-9a-f:.]+`, `set dscp N`),
}

func compiled(patterns ...string) []*regexp.Regexp {
	var out []*regexp.Regexp
	for _, p := range patterns {
		p = strings.ReplaceAll(p, "LIST", "N(-N)?(,N(-N)?)*")
		out = append(out, regexp.MustCompile("^"+strings.ReplaceAll(p, "N", "(0|[1-9][0-9]*)")+"$"))
	}
	return out
}

// grammar says what in text is none of those lines, or not at its depth, and which match has what EOS does not take together.
func grammar(_ filter.Filter, text string) error {
	if fault := grammarFault(text); fault != "" {
		return errors.New(fault)
	}
	return nil
}

func grammarFault(text string) string {
	ports, fragment, depth := false, false, 0
	for _, line := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		content := strings.TrimLeft(line, " ")
		if content == "!" {
			continue
		}
		indent := len(line) - len(content)
		if indent%3 != 0 || indent/3 > depth+1 {
			return "indentation: " + line
		}
		depth = indent / 3
		known := false
		for _, r := range lines[depth] {
			known = known || r.MatchString(content)
		}
		if !known {
			return "not in the grammar: " + line
		}
		if strings.HasPrefix(content, "match ") {
			ports, fragment = false, false
		}
		ports = ports || strings.Contains(content, " port ")
		fragment = fragment || strings.HasPrefix(content, "fragment")
		if ports && fragment { // AVD: "The 'fragment' command is not supported when 'source port' or 'destination port' command is configured"
			return "fragment beside a port: " + line
		}
	}
	return ""
}

// The grammar tells right from wrong.
func TestGrammar(t *testing.T) {
	t.Parallel()
	good := "traffic-policies\n   traffic-policy sluice-in\n      match a ipv4\n         protocol udp source port 19,53,1024-2048\n         !\n         actions\n            drop\n      !\n   !\n!\n"
	if fault := grammarFault(good); fault != "" {
		t.Fatal(fault)
	}
	for _, c := range [][2]string{
		{"port 19", "port [19"}, {"drop", "discard"}, {"a ipv4", "a"}, {"udp source", "source"}, {"         actions\n", "      actions\n"}, {"protocol udp", "protocol 17"},
		{"         !\n", "         fragment offset 1-8191\n"}, {"53,", "053,"}, {"1024-2048", "1024 2048"},
	} {
		if bad := strings.Replace(good, c[0], c[1], 1); bad == good || grammarFault(bad) == "" {
			t.Errorf("%q in place of %q is taken", c[1], c[0])
		}
	}
}
