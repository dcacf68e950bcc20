package iosxe_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// Cisco's own models judge what Render writes: names, places, ranges, choices, and which words go with which protocol.

// yang returns the directory of Cisco's models.
func yang(t *testing.T) string { return rig.CiscoXEModels(t) }

// lint says whether the models take config.
func lint(t *testing.T, dir string, config []byte) (ok bool, output string) {
	t.Helper()
	return rig.Yanglint(t, "xml", config, models(dir)...)
}

// models are the arguments of yanglint.
func models(dir string) []string {
	return []string{"-p", dir, filepath.Join(dir, "Cisco-IOS-XE-native.yang"), filepath.Join(dir, "Cisco-IOS-XE-acl.yang")}
}

var (
	listName = regexp.MustCompile(`<name>[^<]*`)
	oneList  = regexp.MustCompile(`(?s)^(<native xmlns="[^"]*"><ip(?:v6)?><access-list>)(.*)(</access-list></ip(?:v6)?></native>)$`)
)

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	// One process for many filters: each is a list of its own, by another name, in the one element of its version.
	generator := rapid.Custom(suite.Sayable)
	lists := map[packet.Version]*bytes.Buffer{packet.IPv4: {}, packet.IPv6: {}}
	around := map[packet.Version][2]string{}
	filters := golden(t)
	for seed := range 400 {
		filters = append(filters, generator.Example(seed))
	}
	for i, f := range filters {
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		m := oneList.FindSubmatch(r.Payload)
		if m == nil {
			t.Fatalf("the payload is another one than the models have: %s", r.Payload)
		}
		around[f.Version] = [2]string{string(m[1]), string(m[3])}
		lists[f.Version].Write(listName.ReplaceAll(m[2], fmt.Appendf(nil, "$0-%d", i)))
	}
	for v, list := range lists {
		config := around[v][0] + list.String() + around[v][1]
		if n := strings.Count(config, "<name>"); n < 20 {
			t.Fatalf("only %d lists of IPv%d", n, v)
		}
		if ok, out := lint(t, dir, []byte(config)); !ok {
			t.Error(out)
		}
	}
}

// golden returns the filters of the golden cases.
func golden(t *testing.T) []filter.Filter {
	t.Helper()
	files, err := filepath.Glob("testdata/render/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	var out []filter.Filter
	for _, name := range files {
		f, _ := dialecttest.Golden(t, strings.TrimSuffix(filepath.Base(name), ".txtar"))
		out = append(out, f)
	}
	return out
}

// The rig tells right from wrong: the same payload spoilt is refused.
func TestModelsRefuseWhatIsWrong(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	r, err := dialect.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	rig.ModelsRefuse(t, "xml", r.Payload, [][2]string{
		{"<protocol>tcp</protocol>", "<protocol>icmpv6</protocol>"},
		{"<protocol>udp</protocol>", "<protocol>icmp</protocol>"}, // ports stand when protocol != 'icmp'
		{"<protocol>tcp</protocol>", "<protocol>256</protocol>"},
		{"<action>deny</action>", "<action>drop</action>"},
		{"<src-eq>53</src-eq>", "<src-eq>53</src-eq><src-gt>54</src-gt>"},
		{"<src-eq>53</src-eq>", "<src-eq>65536</src-eq>"},
		{"<src-eq>53</src-eq>", "<src-eq>dns</src-eq>"},
		{"<dst-eq-port2>", "<dst-eq-port11>1</dst-eq-port11><dst-eq-port2>"},
		{"<msg-type>8</msg-type>", "<msg-type>256</msg-type>"},
		{"<msg-type>8</msg-type>", "<msg-type>8</msg-type><named-msg-type>echo</named-msg-type>"},
		{"<plussyn/>", "<pluscwr/>"},
		{"<plussyn/>", "<plussyn>1</plussyn>"},
		{"<dscp>46</dscp>", "<dscp>64</dscp>"},
		{"<dscp>46</dscp>", "<packet-length>46</packet-length>"},
		{"<any/>", "<any/><host-address>203.0.113.9</host-address>"},
		{"<mask>0.0.0.255</mask>", ""},
		{"<mask>0.0.0.255</mask>", "<mask>24</mask>"},
		{"<dst-host-address>203.0.113.9</dst-host-address>", "<dst-host-address>203.0.113.256</dst-host-address>"},
		{"<sequence>2147483640</sequence>", "<sequence>2147483648</sequence>"},
		{"<sequence>2147483640</sequence>", ""},
		{"<name>sluice-v4</name>", "<name>9sluice-v4</name>"},
		{"Cisco-IOS-XE-acl", "Cisco-IOS-XE-access"},
	}, models(dir)...)
}

// yanglint takes edits as well, the operations aside, which it does not know.
func TestModelsTakeEdits(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	less := busy()
	less.Entries = less.Entries[1:]
	edit, err := dialect.Edit([]filter.Filter{less}, []filter.Filter{busy()})
	if err != nil {
		t.Fatal(err)
	}
	if ok, out := lint(t, dir, dialecttest.WithoutOperations(edit)); !ok {
		t.Error(out)
	}
}

// Words that a device may show mean what Cisco's models say they mean, and all words of ports and DSCP are known.
func TestWordsAreTheModels(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	enum := regexp.MustCompile(`enum ([a-z0-9-]+) \{\s*value (\d+);`)
	read := 0
	for _, c := range []struct {
		file, typedef, line string
		means               func(packet.Values) filter.Match
	}{
		{"Cisco-IOS-XE-acl.yang", "acl-port-type", "deny udp any eq %s any", func(vs packet.Values) filter.Match { return filter.Match{Proto: udp, SrcPort: vs} }},
		{"Cisco-IOS-XE-types.yang", "acl-tcp-port-type", "deny tcp any eq %s any", func(vs packet.Values) filter.Match { return filter.Match{Proto: tcp, SrcPort: vs} }},
		{"Cisco-IOS-XE-types.yang", "acl-udp-port-type", "deny udp any eq %s any", func(vs packet.Values) filter.Match { return filter.Match{Proto: udp, SrcPort: vs} }},
		{"Cisco-IOS-XE-types.yang", "dscp-type", "deny ip any any dscp %s", func(vs packet.Values) filter.Match { return filter.Match{DSCP: vs} }},
	} {
		file, err := os.ReadFile(filepath.Join(dir, c.file))
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ := strings.Cut(string(file), "typedef "+c.typedef+" {")
		text, _, _ = strings.Cut(text, "\n  }\n")
		for _, m := range enum.FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseUint(m[2], 10, 16)
			if err != nil {
				t.Fatal(err)
			}
			want := c.means(dialecttest.One(uint32(n)))
			want.Fragments = packet.OffsetZero
			reads(t, filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Counter: "a", Match: want, Do: filter.Do{Discard: true}}}},
				list(fmt.Sprintf(c.line, m[1])))
			read++
		}
	}
	if read < 120 {
		t.Errorf("only %d words were found in the models", read)
	}
}
