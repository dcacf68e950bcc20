package iosxr_test

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
func yang(t *testing.T) string { return rig.CiscoModels(t) }

// lint says whether the models take config.
func lint(t *testing.T, dir string, config []byte) (ok bool, output string) {
	t.Helper()
	return rig.Yanglint(t, "xml", config, models(dir)...)
}

// models are the arguments of yanglint.
func models(dir string) []string {
	return []string{"-p", dir, filepath.Join(dir, "Cisco-IOS-XR-um-ipv4-access-list-cfg.yang"), filepath.Join(dir, "Cisco-IOS-XR-um-ipv6-access-list-cfg.yang")}
}

var (
	listName = regexp.MustCompile(`<access-list-name>[^<]*`)
	allLists = regexp.MustCompile(`(?s)^(<ipv[46] xmlns="[^"]*"><access-lists>)(.*)(</access-lists></ipv[46]>)$`)
)

func TestModelsTakeWhatIsRendered(t *testing.T) {
	t.Parallel()
	dir := yang(t)
	// One process for many filters: each is a list of its own, by another name, in the one element of its version.
	generator := rapid.Custom(suite.Sayable)
	lists := map[packet.Version]*bytes.Buffer{packet.IPv4: {}, packet.IPv6: {}}
	var around [2]map[packet.Version]string
	around[0], around[1] = map[packet.Version]string{}, map[packet.Version]string{}
	kinds := map[string]int{}
	for seed := range 400 {
		f := generator.Example(seed)
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		kinds[string(f.Placement)+f.Name] += len(f.Entries)
		m := allLists.FindSubmatch(r.Payload)
		if m == nil {
			t.Fatalf("the payload is another one than the models have: %s", r.Payload)
		}
		around[0][f.Version], around[1][f.Version] = string(m[1]), string(m[3])
		lists[f.Version].Write(listName.ReplaceAll(m[2], fmt.Appendf(nil, "$0-%d", seed)))
	}
	if len(kinds) != 4 {
		t.Fatalf("got entries of %v, want both versions in both placements", kinds)
	}
	for v, list := range lists {
		config := around[0][v] + list.String() + around[1][v]
		if n := strings.Count(config, "<access-list>"); n < 20 {
			t.Fatalf("only %d lists of IPv%d", n, v)
		}
		if ok, out := lint(t, dir, []byte(config)); !ok {
			t.Error(out)
		}
	}
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
		{"<protocol>tcp</protocol>", "<protocol>6</protocol>"}, // TCP flags stand when protocol='tcp'
		{"<protocol>udp</protocol>", "<protocol>gre</protocol>"},
		{"<protocol>icmp</protocol>", "<protocol>1</protocol>"},
		{"<protocol>tcp</protocol>", ""},
		{"<eq>53</eq>", "<eq>53</eq><gt>54</gt>"},
		{"<eq>53</eq>", "<eq>65536</eq>"},
		{"<eq>53</eq></port></source>", "<eq>53</eq></port></source><fragments/>"},
		{"<message-type>8</message-type>", "<message-type>256</message-type>"},
		{"<tcp-bits>+syn -ack</tcp-bits>", "<tcp-bits>syn !ack</tcp-bits>"},
		{"<dscp-value>46</dscp-value>", "<dscp-value>64</dscp-value>"},
		{"<end-value>1500</end-value>", ""},
		{"<host>203.0.113.9</host>", "<host>203.0.113.9</host><any/>"},
		{"<host>203.0.113.9</host>", "<address>203.0.113.9</address>"},
		{"<ipv4>192.0.2.9</ipv4>", "<ipv4>192.0.2.256</ipv4>"},
		{"<sequence-number>2147483640</sequence-number>", "<sequence-number>2147483644</sequence-number>"},
		{"<remark>r-0000000000000001</remark>", ""},
		{"<destination><any/></destination>", ""},
		{"um-ipv4-access-list-cfg", "um-ipv4-access-list"},
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

// Words that a device may show mean what Cisco's model says they mean, and all of them are known, but for two that the model numbers otherwise than the standard.
func TestWordsAreTheModels(t *testing.T) {
	t.Parallel()
	file, err := os.ReadFile(filepath.Join(yang(t), "Cisco-IOS-XR-um-access-list-datatypes.yang"))
	if err != nil {
		t.Fatal(err)
	}
	enum := regexp.MustCompile(`enum "([^"]+)" \{\s*value (\d+);`)
	one := func(n uint64) packet.Values { return packet.Values{{Lo: uint32(n), Hi: uint32(n)}} }
	read := 0
	for typedef, c := range map[string]struct {
		v     packet.Version
		body  string // of a line, with the word as %s
		means func(n uint64) filter.Match
	}{
		"ipv4-protocol":          {packet.IPv4, "<protocol>%s</protocol><source><any/></source>", func(n uint64) filter.Match { return filter.Match{Proto: one(n)} }},
		"ipv6-protocol":          {packet.IPv6, "<protocol>%s</protocol><source><any/></source>", func(n uint64) filter.Match { return filter.Match{Proto: one(n)} }},
		"dscp-value":             {packet.IPv4, "<protocol>47</protocol><source><any/></source><dscp><dscp-value>%s</dscp-value></dscp>", func(n uint64) filter.Match { return filter.Match{Proto: one(47), DSCP: one(n)} }},
		"ipv4-tcp-port-number":   {packet.IPv4, "<protocol>tcp</protocol><source><any/><port><eq>%s</eq></port></source>", func(n uint64) filter.Match { return filter.Match{Proto: one(6), SrcPort: one(n)} }},
		"ipv4-udp-port-number":   {packet.IPv4, "<protocol>udp</protocol><source><any/><port><eq>%s</eq></port></source>", func(n uint64) filter.Match { return filter.Match{Proto: one(17), SrcPort: one(n)} }},
		"ipv6-tcp-port-number":   {packet.IPv6, "<protocol>tcp</protocol><source><any/><port><eq>%s</eq></port></source>", func(n uint64) filter.Match { return filter.Match{Proto: one(6), SrcPort: one(n)} }},
		"ipv6-udp-port-number":   {packet.IPv6, "<protocol>udp</protocol><source><any/><port><eq>%s</eq></port></source>", func(n uint64) filter.Match { return filter.Match{Proto: one(17), SrcPort: one(n)} }},
		"ipv4-icmp-message-type": {packet.IPv4, "<protocol>icmp</protocol><source><any/></source><icmp><message-type-name>%s</message-type-name></icmp>", messageOf(1)},
		"ipv6-icmp-message-type": {packet.IPv6, "<protocol>icmpv6</protocol><source><any/></source><icmp><message-type-name>%s</message-type-name></icmp>", messageOf(58)},
	} {
		_, text, _ := strings.Cut(string(file), "typedef "+typedef+" {")
		text, _, _ = strings.Cut(text, "\n  typedef ")
		family := fmt.Sprintf("ipv%d", c.v)
		for _, m := range enum.FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseUint(m[2], 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			if n >= 512 && strings.HasSuffix(typedef, "-protocol") {
				continue // any
			}
			line := func(number string, what string) string {
				return "<sequence><sequence-number>" + number + "</sequence-number>" + what + "</sequence>"
			}
			const everything = "<source><any/></source><destination><any/></destination>"
			config := "<" + family + "><access-lists><access-list><access-list-name>sluice-x</access-list-name><sequences>" +
				line("10000000", "<permit><protocol>"+family+"</protocol>"+everything+map[packet.Version]string{packet.IPv4: "<fragments/>", packet.IPv6: "<headers>fragments</headers>"}[c.v]+"</permit>") +
				line("10000010", "<remark>a</remark>") +
				line("10000011", "<deny>"+fmt.Sprintf(c.body, m[1])+"<destination><any/></destination></deny>") +
				line("2147483640", "<permit><protocol>"+family+"</protocol>"+everything+"</permit>") +
				"</sequences></access-list></access-lists></" + family + ">"
			got, err := dialect.Parse([]byte(config))
			if m[1] == "HostTOSUnreachable" || m[1] == "NetTOSUnreachable" {
				if err == nil {
					t.Errorf("%s %s is understood", typedef, m[1])
				}
				continue
			}
			if err != nil {
				t.Errorf("%s %s: %v", typedef, m[1], err)
				continue
			}
			want := c.means(n)
			want.Fragments = packet.OffsetZero
			f := filter.Filter{Name: "sluice-x", Version: c.v, Placement: filter.Alone, Entries: []filter.Entry{{Name: "a", Match: want, Do: filter.Do{Discard: true}}}}
			if err := filter.Same(f, got[0], dialect.Semantics()); err != nil {
				t.Errorf("%s %s = %d: %v", typedef, m[1], n, err)
			}
			read++
		}
	}
	if read < 200 {
		t.Errorf("only %d words were found in the model", read)
	}
}

// messageOf returns what a message means that is numbered type<<16 + code.
func messageOf(proto uint32) func(uint64) filter.Match {
	return func(n uint64) filter.Match {
		m := filter.Match{Proto: packet.Values{{Lo: proto, Hi: proto}}, ICMPType: packet.Values{{Lo: uint32(n >> 16), Hi: uint32(n >> 16)}}}
		if code := uint32(n & 0xffff); code != 0xffff {
			m.ICMPCode = packet.Values{{Lo: code, Hi: code}}
		}
		return m
	}
}
