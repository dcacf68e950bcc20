package dataplane_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// What the profile linux-nftables says, and random tables do not reach.

func header(t testing.TB, s string) packet.Header {
	t.Helper()
	h, err := packet.ParseHeader(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// through loads f and returns which of the packets arrive.
func through(l *lab, f filter.Filter, packets ...[]byte) string {
	l.Helper()
	r, err := dialect.Render(f)
	if err != nil {
		l.Fatal(err)
	}
	return raw(l, "flush ruleset\n"+r.Text, packets...)
}

// raw loads a script and returns which of the packets arrive: a + or a - for each.
func raw(l *lab, script string, packets ...[]byte) string {
	l.Helper()
	if err := l.load(script); err != nil {
		l.Fatalf("%v\n%s", err, script)
	}
	var b strings.Builder
	for _, p := range packets {
		b.WriteString("-+"[min(len(l.send(p)), 1):][:1])
	}
	return b.String()
}

// chainOf is a chain where ours stand, with one rule.
func chainOf(family, rule string) string {
	return fmt.Sprintf("flush ruleset\ntable %s t {\n\tchain c {\n\t\ttype filter hook prerouting priority -450; policy accept;\n\t\t%s\n\t}\n}\n", family, rule)
}

func values(n ...uint32) packet.Values {
	var spans []packet.Span
	for _, v := range n {
		spans = append(spans, packet.Span{Lo: v, Hi: v})
	}
	return packet.NewValues(spans...)
}

// one returns a filter with one entry.
func one(v packet.Version, m filter.Match, do filter.Do, policers ...filter.Policer) filter.Filter {
	f := filter.Filter{Name: "sluice-v4", Version: v, Placement: filter.Alone, Policers: policers}
	if v == packet.IPv6 {
		f.Name = "sluice-v6"
	}
	f.Entries = []filter.Entry{{Name: "r-0000000000000001", Rule: "0000000000000001", Counter: "r-0000000000000001", Match: m, Do: do}}
	return f
}

// Ports are read in any protocol by a rule that does not name one; whether in later fragments, depends on the kernel, and is logged. What sluice writes reads neither.
func TestPortsAreThoseOfTCPAndUDP(t *testing.T) {
	l := newLab(t)
	bait := []byte{0, 53, 0, 53, 0, 0, 0, 0}
	udp := octets(header(t, "udp 198.51.100.1:53 > 203.0.113.1:53 len 100"), shape{})
	gre := octets(header(t, "proto 47 198.51.100.1 > 203.0.113.1 len 100"), shape{payload: bait})
	later := header(t, "proto 17 198.51.100.1 > 203.0.113.1 len 100 frag last")
	last := octets(later, shape{offset: 185, payload: bait})
	got := raw(l, chainOf("ip", "th dport 53 drop"), udp, gre, last)
	if got[:2] != "--" {
		t.Errorf("th dport without a protocol: UDP and GRE arrive %s, want neither", got[:2])
	}
	t.Logf("th dport without a protocol reads later fragments: %v", got[2] == '-')
	m := filter.Guard(filter.Match{DstPort: values(53)}, packet.IPv4, dialect.Semantics())
	if got := through(l, one(packet.IPv4, m, filter.Do{Discard: true}), udp, gre, last); got != "-++" {
		t.Errorf("a filter for port 53: UDP, GRE and a later fragment arrive %s, want -++", got)
	}
}

// Fragments are seen as they come, also where connection tracking puts them together behind our chain.
func TestFragmentsAreSeenInFrontOfConnectionTracking(t *testing.T) {
	l := newLab(t)
	const tracking = `table inet tracking {
	counter tracked { }
	chain c {
		type filter hook prerouting priority -300; policy accept;
		meta l4proto udp counter name "tracked"
		ct state invalid accept
	}
}
`
	for v, ends := range map[packet.Version][2]string{packet.IPv4: {"198.51.100.1", "203.0.113.1"}, packet.IPv6: {"2001:db8::1", "2001:db8:0:1::1"}} {
		var states [4]packet.Frags
		f := one(v, filter.Match{}, filter.Do{Continue: true})
		f.Entries = nil
		for i := range states {
			states[i] = packet.FragsOf(packet.Fragment(i), false) | packet.FragsOf(packet.Fragment(i), true)
			name := fmt.Sprintf("r-%016x", i)
			f.Entries = append(f.Entries, filter.Entry{Name: name, Counter: name, Match: filter.Match{Fragments: states[i]}, Do: filter.Do{Continue: true}})
		}
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.load("flush ruleset\n" + r.Text + tracking); err != nil {
			t.Fatal(err)
		}
		// A datagram in three parts, of 32, 32 and 8 octets.
		src, dst := netip.MustParseAddr(ends[0]), netip.MustParseAddr(ends[1])
		header := 20
		if v == packet.IPv6 {
			header = 48
		}
		l.inject(octets(packet.Header{Src: src, Dst: dst, Proto: 17, SrcPort: 53, DstPort: 53, Length: uint16(header + 32), Fragment: packet.First}, shape{}))
		l.inject(octets(packet.Header{Src: src, Dst: dst, Proto: 17, Length: uint16(header + 32), Fragment: packet.Middle}, shape{offset: 4}))
		l.send(octets(packet.Header{Src: src, Dst: dst, Proto: 17, Length: uint16(header + 8), Fragment: packet.Last}, shape{offset: 8}))
		counts := newDraw(t, 1).counts(l)
		if counts["r-0000000000000000"] != 0 || counts["r-0000000000000001"] != 1 || counts["r-0000000000000002"] != 1 || counts["r-0000000000000003"] != 1 {
			t.Errorf("%s: counted %v, want one first, one middle and one last fragment", v, counts)
		}
		if counts["tracked"] != 1 {
			t.Errorf("%s: connection tracking saw %d packets, want one that it put together", v, counts["tracked"])
		}
	}
}

// A limit lets through what its bucket holds, and one bucket serves all entries that name it.
func TestLimits(t *testing.T) {
	l := newLab(t)
	const size = 500
	dns, web := values(53), values(80)
	for name, c := range map[string]struct {
		policer filter.Policer
		pass    int // packets of that size that the full bucket holds
	}{
		"bytes":   {filter.Policer{Rate: flowspec.Rate{Amount: 10, Unit: flowspec.Bytes}, Burst: 10 * size}, 10},
		"packets": {filter.Policer{Rate: flowspec.Rate{Amount: 1, Unit: flowspec.Packets}, Burst: 12}, 12},
	} {
		for _, v := range []packet.Version{packet.IPv4, packet.IPv6} {
			c.policer.Name = "sluice-r-0000000000000001"
			m := filter.Guard(filter.Match{DstPort: dns}, v, dialect.Semantics())
			f := one(v, m, filter.Do{Policer: c.policer.Name}, c.policer)
			f.Entries = append(f.Entries, f.Entries[0])
			f.Entries[1].Name, f.Entries[1].Match.DstPort = "r-0000000000000001-2", web
			ends := [2]string{"198.51.100.1:9 > 203.0.113.1:53", "198.51.100.1:9 > 203.0.113.1:80"}
			if v == packet.IPv6 {
				ends = [2]string{"[2001:db8::1]:9 > [2001:db8::2]:53", "[2001:db8::1]:9 > [2001:db8::2]:80"}
			}
			var packets [][]byte
			for i := range 3 * c.pass {
				packets = append(packets, octets(header(t, fmt.Sprintf("udp %s len %d", ends[i%2], size)), shape{}))
			}
			start := time.Now()
			got := through(l, f, packets...)
			// At 10 bytes/s a packet more is let through after 50 seconds; at a packet each second, one for each second that this took.
			slack := 0
			if c.policer.Rate.Unit == flowspec.Packets {
				slack = int(time.Since(start).Seconds()) + 1
			}
			n := strings.Count(got, "+")
			if !strings.HasPrefix(got, strings.Repeat("+", c.pass)) || n > c.pass+slack {
				t.Errorf("%s in %s: %s, want %d packets through at first and then none, or %d", name, v, got, c.pass, slack)
			}
		}
	}
}

// What is marked and goes on is read with its new DSCP, so a mark never goes on.
func TestLaterRulesReadTheNewDSCP(t *testing.T) {
	l := newLab(t)
	p := octets(header(t, "udp 198.51.100.1:9 > 203.0.113.1:53 len 100 dscp 10"), shape{})
	if got := raw(l, chainOf("ip", "ip dscp set 46\n\t\tip dscp 46 drop"), p); got != "-" {
		t.Errorf("got %s: a later rule read the old DSCP", got)
	}
}

// What goes to a next hop in IPv4 has the DF bit set, so sluice sends none.
func TestDuplicatesOfIPv4HaveDF(t *testing.T) {
	l := newLab(t)
	if err := l.load(chainOf("ip", "dup to "+nextHop4+" drop")); err != nil {
		t.Fatal(err)
	}
	got := l.send(octets(header(t, "udp 198.51.100.1:9 > 203.0.113.1:53 len 100"), shape{}))
	if len(got) != 1 || !got[0].redirected || got[0].packet[6]&0x40 == 0 || got[0].packet[8] != 63 {
		t.Errorf("got %+v, want one duplicate with DF and one hop less", got)
	}
}

// Whatever is accepted goes on to later chains.
func TestAcceptBypassesNoOtherFilter(t *testing.T) {
	l := newLab(t)
	r, err := dialect.Render(one(packet.IPv4, filter.Match{}, filter.Do{}))
	if err != nil {
		t.Fatal(err)
	}
	theirs := "table ip theirs {\n\tchain c {\n\t\ttype filter hook prerouting priority 0; policy drop;\n\t}\n}\n"
	p := octets(header(t, "udp 198.51.100.1:9 > 203.0.113.1:53 len 100"), shape{})
	if got := raw(l, "flush ruleset\n"+r.Text+theirs, p); got != "-" {
		t.Errorf("got %s: what we accept does not go on to the operator's filter", got)
	}
}

// Where the model of packets says that a transport header is taken to be found, the kernel looks for it: it does not read flags that a first fragment has cut off, and it takes
// an AH header for the protocol.
func TestWhereTheModelTakesHeadersToBeFound(t *testing.T) {
	l := newLab(t)
	h := header(t, "tcp 198.51.100.1:9 > 203.0.113.1:53 len 60 frag first flags S")
	whole := octets(h, shape{})
	h.Length = 28
	cut := octets(h, shape{})
	s := dialect.Semantics()
	flags := filter.Guard(filter.Match{Flags: []filter.FlagTerm{{Set: 2}}}, packet.IPv4, s)
	port := filter.Guard(filter.Match{DstPort: values(53)}, packet.IPv4, s)
	if got := through(l, one(packet.IPv4, flags, filter.Do{Discard: true}), whole, cut); got != "-+" {
		t.Errorf("flags: a whole TCP header and one that is cut off arrive %s, want -+", got)
	}
	if got := through(l, one(packet.IPv4, port, filter.Do{Discard: true}), whole, cut); got != "--" {
		t.Errorf("ports: a whole TCP header and one that is cut off arrive %s, want --", got)
	}
	v6 := header(t, "proto 51 2001:db8::1 > 2001:db8::2 len 100")
	ah := octets(v6, shape{payload: []byte{17, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 9, 0, 53, 0, 44, 0, 0}}) // 16 octets of AH, then UDP
	if got := through(l, one(packet.IPv6, filter.Match{Proto: values(51)}, filter.Do{Discard: true}), ah); got != "-" {
		t.Error("AH is not taken for the protocol")
	}
	udp := filter.Guard(filter.Match{DstPort: values(53)}, packet.IPv6, s)
	if got := through(l, one(packet.IPv6, udp, filter.Do{Discard: true}), ah); got != "+" {
		t.Error("UDP is found behind AH")
	}
}

// A script replaces what was there as a whole, and one that nft refuses changes nothing.
func TestReplacedAsAWhole(t *testing.T) {
	l := newLab(t)
	d := newDraw(t, 1)
	f := one(packet.IPv4, filter.Match{Proto: values(17)}, filter.Do{Discard: true})
	r, err := dialect.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := l.load(r.Text); err != nil {
			t.Fatal(err)
		}
		readsAs(d, []filter.Filter{f}, l.list("list", "ruleset"))
	}
	if err := l.load(strings.Replace(r.Text, "meta l4proto 17", "meta l4proto 1700", 1)); err == nil {
		t.Fatal("nft took a protocol 1700")
	}
	readsAs(d, []filter.Filter{f}, l.list("list", "ruleset"))
	if err := l.load(strings.Replace(r.Text, " {\n\tcounter", " {\n\tflags dormant\n\tcounter", 1)); err != nil {
		t.Fatal(err)
	}
	_, err = dialect.Parse(l.list("list", "ruleset")) // as JSON, nft 1.0.6 garbles it
	if foreign := (*filter.ForeignError)(nil); !errors.As(err, &foreign) || !foreign.Deactivated {
		t.Errorf("got %v, want a foreign error that says it is deactivated", err)
	}
}
