package dataplane_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/rulegen"
)

// Every number that nft has a word for is read back as that number, in both of nft's forms.
func TestWords(t *testing.T) {
	l := newLab(t)
	d := newDraw(t, 1)
	all := packet.NewValues(packet.Span{Lo: 0, Hi: 255})
	for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
		f := one(v, filter.Match{}, filter.Do{Continue: true})
		f.Entries = nil
		add := func(m filter.Match) {
			name := fmt.Sprintf("r-%016x", len(f.Entries))
			f.Entries = append(f.Entries, filter.Entry{Name: name, Match: m, Do: filter.Do{Continue: true}})
		}
		for n := range all[0].Hi + 1 {
			add(filter.Match{Proto: values(n)})
			add(filter.Match{Proto: values(n, (n+2)%256)})
			for _, m := range []filter.Match{{ICMPType: values(n)}, {ICMPCode: values(n)}, {ICMPType: values(n, (n+2)%256), ICMPCode: values(n, (n+2)%256)},
				{Flags: []filter.FlagTerm{{Set: uint16(n), Clear: uint16(^n & 0xff)}}}, {Flags: []filter.FlagTerm{{Set: uint16(n)}, {Clear: 1}}}} {
				add(filter.Guard(m, v, dialect.Semantics()))
			}
			// What lies beyond the eight flags, alone and beside them.
			high, mask := uint16(n&15)<<8, uint16(n>>4)<<8
			term := filter.FlagTerm{Set: high&mask | uint16(n%3)&2, Clear: mask &^ high}
			add(filter.Guard(filter.Match{Flags: []filter.FlagTerm{term}}, v, dialect.Semantics()))
			if n%16 == 5 {
				add(filter.Guard(filter.Match{Flags: []filter.FlagTerm{term, {Set: 0x101}}}, v, dialect.Semantics()))
			}
			if n < 64 {
				add(filter.Match{DSCP: values(n)})
				add(filter.Match{DSCP: values(n, (n+2)%64)})
				mark := uint8(n)
				f.Entries = append(f.Entries, filter.Entry{Name: fmt.Sprintf("r-%016x", len(f.Entries)), Do: filter.Do{Mark: &mark}})
			}
		}
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.load("flush ruleset\n" + r.Text); err != nil {
			t.Fatal(err)
		}
		readsAs(d, []filter.Filter{f}, l.list("list", "ruleset"))
		readsAs(d, []filter.Filter{f}, l.list("-j", "list", "ruleset"))
	}
}

// Ten thousand entries load in seconds, are replaced in seconds, and read back, also where each has a list of its own. One more or less is a few commands.
func TestTenThousandEntries(t *testing.T) {
	l, p := newLab(t), linux(t)
	var lists []flowspec.Rule
	for i := range uint64(10_000) {
		c := flowspec.Component{Type: flowspec.DstPort}
		for _, port := range []uint64{i, i + 10_000, i + 20_000, i + 30_000} {
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: port})
		}
		dst := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.DstPrefix, Prefix: flowspec.Prefix{Addr: dst, Len: 32}}, c)
		if err != nil {
			t.Fatal(err)
		}
		lists = append(lists, flowspec.Rule{ID: flowspec.NewID("lists", m), Match: m, Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}})
	}
	for name, rules := range map[string][]flowspec.Rule{
		"mixed, in IPv6": rulegen.Discards(flowspec.IPv6, 10_000, 1), "a list each": lists,
	} {
		made, err := plan.Make(rib.Of(rules), p, plan.Options{})
		if err != nil || len(made.Desired.Filters) != 1 {
			t.Fatalf("%d filters: %v", len(made.Desired.Filters), err)
		}
		f := made.Desired.Filters[0]
		var r filter.Rendered
		var listed []byte
		var took []string
		var loading time.Duration
		step := func(what string, do func()) {
			start := time.Now()
			do()
			took = append(took, fmt.Sprintf("%s in %d ms", what, time.Since(start).Milliseconds()))
		}
		load := func() {
			if err := l.load(r.Text); err != nil {
				t.Fatal(err)
			}
			loading += l.spent
		}
		step("rendered", func() { r, err = dialect.Render(f) })
		if err != nil {
			t.Fatal(err)
		}
		if err := l.load("flush ruleset\n"); err != nil {
			t.Fatal(err)
		}
		step("loaded", load)
		step("replaced", load)
		less := f
		less.Entries = slices.Delete(slices.Clone(f.Entries), 5000, 5001)
		step("edited twice", func() {
			for _, ends := range [][2]filter.Filter{{f, less}, {less, f}} {
				script, err := dialect.Edit(ends[0], ends[1])
				if n := strings.Count(string(script), "\n"); err != nil || n > 20 {
					t.Fatalf("%d commands for one entry: %v\n%s", n, err, script)
				}
				if err := l.load(string(script)); err != nil {
					t.Fatalf("%v\n%s", err, script)
				}
			}
		})
		step("listed", func() { listed = l.list("-j", "list", "ruleset") })
		step("read", func() { readsAs(newDraw(t, 1), made.Desired.Filters, listed) })
		t.Logf("%s: %d entries, %d octets: %s; nft had the processor for %d ms to load twice", name, len(f.Entries), len(r.Text), strings.Join(took, ", "), loading.Milliseconds())
		if loading > 10*time.Second {
			t.Errorf("%s: too slow", name)
		}
	}
}

// What nft lists of the filters in testdata/render of the dialect is read as these filters. -update writes the listings into its testdata/listed, for its own tests.
func TestListings(t *testing.T) {
	l := newLab(t)
	files, err := filepath.Glob("../../adapters/nftables/testdata/render/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, name := range files {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var f filter.Filter
		if err := json.Unmarshal(archive.Files[0].Data, &f); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := l.load("flush ruleset\n" + r.Text); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for form, args := range map[string][]string{".txt": {"list", "ruleset"}, ".json": {"-j", "list", "ruleset"}} {
			listed := l.list(args...)
			readsAs(newDraw(t, 1), []filter.Filter{f}, listed)
			if *update {
				to := "../../adapters/nftables/testdata/listed/" + strings.TrimSuffix(filepath.Base(name), ".txtar") + form
				if err := os.WriteFile(to, listed, 0o644); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
