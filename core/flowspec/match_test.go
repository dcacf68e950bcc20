package flowspec

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// unhex reads octets written with spaces.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func parse(t testing.TB, f Family, s string) Match {
	t.Helper()
	m, err := ParseNLRI(f, unhex(t, s))
	if err != nil {
		t.Fatalf("%s %s: %v", f, s, err)
	}
	return m
}

// framed parses components, to which it adds the length octet.
func framed(t testing.TB, f Family, s string) Match {
	t.Helper()
	return parse(t, f, fmt.Sprintf("%02x %s", len(unhex(t, s)), s))
}

func TestParseNLRI(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		f        Family
		want     string
	}{
		// RFC 8955 §4.3.1 to §4.3.3.
		{"packets to a prefix and TCP port 25", "0b 0118c00002 038106 048119", IPv4, "destination 192.0.2.0/24; protocol =tcp; port =25;"},
		{"two prefixes and a port list", "10 0118c00002 0208cb 04 0389 458b 911f90", IPv4,
			"destination 192.0.2.0/24; source 203.0.0.0/8; port [ >=137&<=139 =8080 ];"},
		{"fragments to a host", "09 0120c0000201 0c8005", IPv4, "destination 192.0.2.1/32; fragment dont-fragment+first-fragment;"},
		// RFC 8956 §3.8.1 (with the address its text gives: its table prints one octet wrong) and §3.8.2.
		{"IPv6 pattern", "0f 0120 0020010db8 02 6841 2468acf134", IPv6, "destination 2001:db8::/32; source ::1234:5678:9a00:0/104/65;"},
		{"IPv6 flow label", "06 0da100012345", IPv6, "flow-label =74565;"},
		{"operators", "11 05 0005 0106 0207 0308 0409 0504 0603 8702", IPv4, "destination-port [ false =6 >7 >=8 <9 <=4 !=3 true ];"},
		{"flags", "0a 09 0102 4210 0004 930112", IPv4, "tcp-flags [ =syn&!ack rst !=syn+ack+ns ];"},
		{"VPN", "0b 0000fde800000001 03 8111", VPNv4, "protocol =udp;"},
		{"every address", "02 0100", IPv4, "destination 0.0.0.0/0;"},
		{"every IPv6 address", "03 010000", IPv6, "destination ::/0;"},
	} {
		m := parse(t, c.f, c.in)
		if got := m.String(); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		if &m.NLRI()[0] != &m.Received()[0] {
			t.Errorf("%s: canonical octets were copied", c.name)
		}
	}
}

func TestParseNLRITolerates(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in string
		f        Family
		want     string
	}{
		{"AND bit on the first pair", "03 03c106", IPv4, "03 038106"},
		{"AND bit on the first pair only", "05 04 4350 c5ff", IPv4, "05 04 0350 c5ff"},
		{"reserved numeric bit", "03 038906", IPv4, "03 038106"},
		{"reserved bitmask bits", "03 098d02", IPv4, "03 098102"},
		{"host bits of a prefix", "05 0114 0affff", IPv4, "05 0114 0afff0"},
		{"padding of an IPv6 pattern", "08 02 6841 2468acf135", IPv6, "08 02 6841 2468acf134"},
		{"DF in IPv6", "03 0c8003", IPv6, "03 0c8002"},
		{"only DF in IPv6", "03 0c8001", IPv6, "03 0c8000"},
		{"reserved fragment bits", "03 0c80f5", IPv4, "03 0c8005"},
		{"upper bits of a DSCP", "03 0b81ee", IPv4, "03 0b812e"},
		{"long length form", "f003 038106", IPv4, "03 038106"},
		{"long length form with a route distinguisher", "f00b 0000fde800000001 038106", VPNv6, "0b 0000fde800000001 038106"},
	} {
		m := parse(t, c.f, c.in)
		if got, want := m.NLRI(), unhex(t, c.want); !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, want %x", c.name, got, want)
		}
		if !bytes.Equal(m.Received(), unhex(t, c.in)) {
			t.Errorf("%s: received octets %x were lost, got %x", c.name, unhex(t, c.in), m.Received())
		}
	}
}

func TestParseNLRIRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, in  string
		f         Family
		offset    int
		component Type
		reason    string
	}{
		{"nothing", "", IPv4, 0, 0, "no length octet"},
		{"half a length", "f1", IPv4, 1, 0, "second length octet"},
		{"length zero", "00", IPv4, 1, 0, "match every packet"},
		{"length zero, long", "f000", IPv4, 2, 0, "match every packet"},
		{"only a route distinguisher", "08 0000fde800000001", VPNv4, 9, 0, "after the route distinguisher"},
		{"half a route distinguisher", "03 000001", VPNv4, 4, 0, "cut short"},
		{"longer than announced", "03 038106 00", IPv4, 4, 0, "announces"},
		{"shorter than announced", "05 038106", IPv4, 4, 0, "announces 5 octets and 3 follow"},
		{"types descend", "06 058150 038106", IPv4, 4, Protocol, "types must ascend (RFC 8955 §4.2)"},
		{"type twice", "06 038106 038111", IPv4, 4, Protocol, "at most one of each type"},
		{"type 0", "03 008106", IPv4, 1, 0, "unknown"},
		{"type 14", "03 0e8106", IPv6, 1, 14, "unknown"},
		{"type 13 in IPv4", "03 0d8106", IPv4, 1, FlowLabel, "unknown in IPv4"},
		{"no end of list", "03 030106", IPv4, 4, Protocol, "end-of-list"},
		{"a pair that stops a server elsewhere", "03 0d24df", IPv4, 1, FlowLabel, "unknown in IPv4"},
		{"the same in IPv6", "03 0d24df", IPv6, 2, FlowLabel, "cut short"},
		{"four octets announced, two there", "03 0cd5c5", IPv4, 2, Fragment, "1"},
		{"value cut short", "03 05 91 50", IPv4, 2, DstPort, "2 octets is cut short"},
		{"eight octets cut short", "05 05 b1 505050", IPv4, 2, DstPort, "8 octets is cut short"},
		{"type alone", "01 05", IPv4, 2, DstPort, "end-of-list"},
		{"flags of 4 octets", "06 09 a0 00000002", IPv4, 2, TCPFlags, "1 or 2 (RFC 8955 §4.2.2.9)"},
		{"DSCP of 2 octets", "04 0b 91 002e", IPv4, 2, DSCP, "§4.2.2.11"},
		{"fragment of 2 octets", "04 0c 90 0002", IPv4, 2, Fragment, "§4.2.2.12"},
		{"prefix length 33", "07 0121 0a00000000", IPv4, 2, DstPrefix, "32 bits"},
		{"prefix cut short", "04 0120 0a00", IPv4, 5, DstPrefix, "4 octets of address"},
		{"prefix without length", "01 01", IPv4, 2, DstPrefix, "cut short"},
		{"IPv6 prefix without offset", "02 0101", IPv6, 3, DstPrefix, "cut short"},
		{"IPv6 prefix length 129", "14 0181 00 2001000000000000000000000000000000", IPv6, 2, DstPrefix, "128 bits"},
		{"offset equal to length", "03 014040", IPv6, 3, DstPrefix, "offset 64"},
		{"offset above length", "03 014041", IPv6, 3, DstPrefix, "less than the length"},
		{"offset with length 0", "03 010001", IPv6, 3, DstPrefix, "offset 1"},
		{"second pair unfinished", "05 05 0150 0151", IPv4, 6, DstPort, "end-of-list"},
	} {
		_, err := ParseNLRI(c.f, unhex(t, c.in))
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, want a *SyntaxError", c.name, err)
			continue
		}
		if e.Offset != c.offset || e.Component != c.component || !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Reason, "RFC ") {
			t.Errorf("%s: got %+v, want octet %d, component %d, %q with a section", c.name, *e, c.offset, c.component, c.reason)
		}
	}
	if _, err := ParseNLRI(0, unhex(t, "03 038106")); err == nil {
		t.Error("family 0 was accepted")
	}
}

func TestParseNLRIIsAsStrictAsItsTwin(t *testing.T) {
	t.Parallel()
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom(allFamilies).Draw(t, "family")
		b := octets(t, f, 6)
		for range rapid.IntRange(0, 2).Draw(t, "damage") {
			i := rapid.IntRange(0, len(b)-1).Draw(t, "at")
			b[i] = rapid.Byte().Draw(t, "octet")
		}
		checkAgainstTwin(t, f, b)
	})
}

// checkAgainstTwin compares ParseNLRI of b with the slow reader: same verdict, same canonical octets.
func checkAgainstTwin(t rapid.TB, f Family, b []byte) (Match, slowRule, bool) {
	before := slices.Clone(b)
	m, err := ParseNLRI(f, b)
	r, slowErr := slowRead(f, b)
	if (err == nil) != (slowErr == nil) {
		t.Fatalf("%s %x: got %v, twin %v", f, b, err, slowErr)
	}
	if !bytes.Equal(b, before) {
		t.Fatalf("%s %x: the input was changed to %x", f, before, b)
	}
	if err != nil {
		return Match{}, slowRule{}, false
	}
	if want := slowWrite(r); !bytes.Equal(m.NLRI(), want) {
		t.Fatalf("%s %x: got canonical %x, twin %x", f, b, m.NLRI(), want)
	}
	return m, r, true
}

func TestNewMatchGivesBackWhatAllYields(t *testing.T) {
	t.Parallel()
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom(allFamilies).Draw(t, "family")
		m, _, ok := checkAgainstTwin(t, f, octets(t, f, 8))
		if !ok {
			t.Fatal("the generator made a malformed NLRI")
		}
		checkRoundTrip(t, m)
	})
}

// checkRoundTrip takes m apart and builds it again, components in reverse.
func checkRoundTrip(t rapid.TB, m Match) {
	components := slices.Collect(m.All())
	for _, c := range components {
		if got, ok := m.Component(c.Type); !ok || got.String() != c.String() || !m.Has(c.Type) {
			t.Fatalf("component %s of %x: got %v %v", c.Type, m.NLRI(), got, ok)
		}
	}
	slices.Reverse(components)
	back, err := NewMatch(m.Family(), m.RD(), components...)
	if err != nil {
		t.Fatalf("%s %x: %v", m.Family(), m.NLRI(), err)
	}
	if !back.Equal(m) {
		t.Fatalf("%s: got %x, want %x", m.Family(), back.NLRI(), m.NLRI())
	}
	again, err := ParseNLRI(m.Family(), m.NLRI())
	if err != nil || !again.Equal(m) || &again.NLRI()[0] != &m.NLRI()[0] {
		t.Fatalf("canonical octets %x are not taken as they are: %v", m.NLRI(), err)
	}
	if c := m.Clone(); !c.Equal(m) || !bytes.Equal(c.Received(), m.Received()) || &c.NLRI()[0] == &m.NLRI()[0] {
		t.Fatalf("Clone of %x: got %x, received %x", m.NLRI(), c.NLRI(), c.Received())
	}
}

func TestNewMatchWidths(t *testing.T) {
	t.Parallel()
	value := func(typ Type, v uint64) Component { return Component{Type: typ, Terms: []Term{{Op: EQ, Value: v}}} }
	for _, c := range []struct {
		f    Family
		in   Component
		want string
	}{
		{IPv4, value(DstPort, 80), "03 058150"},
		{IPv4, value(DstPort, 443), "04 059101bb"},
		{IPv4, value(DstPort, 70000), "06 05a100011170"},
		{IPv4, value(DstPort, 1<<40), "0a 05b1 0000010000000000"},
		{IPv6, value(FlowLabel, 5), "06 0da100000005"},
		{IPv6, value(FlowLabel, 1<<32), "0a 0db1 0000000100000000"},
		{IPv4, value(TCPFlags, 0x02), "03 098102"},
		{IPv4, value(TCPFlags, 0x102), "04 09910102"},
		{IPv4, value(DSCP, 46), "03 0b812e"},
		{IPv4, Component{Type: DstPort, Terms: []Term{{Op: EQ, Value: 80, Width: 2}}}, "04 05910050"},
	} {
		m, err := NewMatch(c.f, RD{}, c.in)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if want := unhex(t, c.want); !bytes.Equal(m.NLRI(), want) {
			t.Errorf("%s: got %x, want %x", c.in, m.NLRI(), want)
		}
	}
}

func TestNewMatchRefuses(t *testing.T) {
	t.Parallel()
	prefix := func(s string, length, offset uint8) Component {
		return Component{Type: DstPrefix, Prefix: Prefix{netip.MustParseAddr(s), offset, length}}
	}
	list := func(typ Type, terms ...Term) Component { return Component{Type: typ, Terms: terms} }
	long := make([]Term, 2100)
	for _, c := range []struct {
		f      Family
		in     []Component
		reason string
	}{
		{IPv4, nil, "would match every packet"},
		{0, []Component{list(Protocol, Term{})}, "no FlowSpec family"},
		{IPv4, []Component{list(Protocol, Term{}), list(Protocol, Term{})}, "protocol: stands twice"},
		{IPv4, []Component{list(Protocol)}, "no value"},
		{IPv4, []Component{list(14, Term{})}, "unknown component"},
		{IPv4, []Component{list(FlowLabel, Term{})}, "IPv6 only"},
		{IPv4, []Component{list(Protocol, Term{And: true})}, "none before it"},
		{IPv4, []Component{list(Protocol, Term{Op: 8})}, "unknown operator"},
		{IPv4, []Component{list(TCPFlags, Term{Op: 4})}, "unknown operator"},
		{IPv4, []Component{list(TCPFlags, Term{Value: 0x10000})}, "at most two octets"},
		{IPv4, []Component{list(TCPFlags, Term{Value: 1, Width: 4})}, "at most 2 octets"},
		{IPv4, []Component{list(DSCP, Term{Value: 64})}, "0 to 63"},
		{IPv4, []Component{list(DSCP, Term{Value: 6, Width: 2})}, "at most 1"},
		{IPv4, []Component{list(Fragment, Term{Value: 16})}, "four fragment bits"},
		{IPv6, []Component{list(Fragment, Term{Value: 1})}, "no don't-fragment bit"},
		{IPv4, []Component{list(DstPort, Term{Value: 443, Width: 1})}, "does not fit in 1"},
		{IPv4, []Component{list(DstPort, Term{Value: 443, Width: 3})}, "1, 2, 4 or 8"},
		{IPv4, []Component{{Type: DstPrefix}}, "no address"},
		{IPv4, []Component{prefix("2001:db8::", 32, 0)}, "not of family ipv4"},
		{IPv6, []Component{prefix("10.0.0.0", 8, 0)}, "not of family ipv6"},
		{IPv4, []Component{prefix("10.0.0.0", 33, 0)}, "has 32 bits"},
		{IPv4, []Component{prefix("10.0.0.0", 8, 4)}, "only IPv6"},
		{IPv4, []Component{prefix("10.0.0.1", 24, 0)}, "write 10.0.0.0/24"},
		{IPv6, []Component{prefix("2001:db8::", 64, 64)}, "must be less"},
		{IPv6, []Component{prefix("2001:db8::", 64, 32)}, "write ::/64/32"},
		{IPv6, []Component{prefix("fe80::%eth0", 64, 0)}, "zone"},
		{IPv4, []Component{{Type: Protocol, Prefix: Prefix{Len: 1}, Terms: long}}, "no prefix"},
		{IPv4, []Component{{Type: DstPrefix, Terms: long}}, "no list"},
		{IPv4, []Component{list(DstPort, long...)}, "at most 4095"},
	} {
		_, err := NewMatch(c.f, RD{}, c.in...)
		if err == nil || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%v: got %v, want %q", c.in, err, c.reason)
		}
	}
}

// What NewMatch would refuse still prints: errors show it.
func TestComponentTextOfAnything(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   Component
		f    Family
		want string
	}{
		{Component{Type: Protocol}, IPv4, "protocol "},
		{Component{Type: 99, Terms: []Term{{Op: EQ, Value: 5}}}, IPv4, "component 99 =5"},
		{Component{Type: Protocol, Terms: []Term{{And: true, Op: 12, Value: 6}, {Op: NE, Value: 200}}}, IPv6, "next-header [ &<tcp !=200 ]"},
		{Component{Type: DSCP, Terms: []Term{{Op: LE, Value: 46}}}, IPv6, "traffic-class <=46"},
		{Component{Type: TCPFlags, Terms: []Term{{Op: NotAll}, {And: true, Op: AnyBit, Value: 0xf012}}}, IPv4, "tcp-flags !=0x0&syn+ack+0xf000"},
	} {
		if got := c.in.Text(c.f); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

func TestFrame(t *testing.T) {
	t.Parallel()
	bad := "03 ffffff" // malformed inside, but framed
	long := make([]byte, 309)
	long[0], long[1] = 0xf1, 0x33 // 307
	in := append(unhex(t, "03 038106"+bad+"00"), long...)
	var sizes []int
	for rest := in; len(rest) > 0; {
		var nlri []byte
		var err error
		if nlri, rest, err = Frame(rest); err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(nlri))
	}
	if want := []int{4, 4, 1, 309}; !slices.Equal(sizes, want) {
		t.Errorf("got sizes %v, want %v", sizes, want)
	}
	for _, s := range []string{"", "f1", "05 0381", "f133 00"} {
		var e *SyntaxError
		if _, _, err := Frame(unhex(t, s)); !errors.As(err, &e) {
			t.Errorf("%q: got %v, want a *SyntaxError", s, err)
		}
	}
}

func TestLongNLRI(t *testing.T) {
	t.Parallel()
	for _, n := range []int{77, 78, 79, 117, 118, 1364} { // lengths around 240, and 4093
		terms := make([]Term, n)
		for i := range terms {
			terms[i] = Term{Op: EQ, Value: uint64(1000 + i), Width: 2}
		}
		m, err := NewMatch(IPv4, RD{}, Component{Type: SrcPort, Terms: terms})
		if err != nil {
			t.Fatal(err)
		}
		if head := len(m.NLRI()) - 1 - 3*n; head != map[bool]int{true: 1, false: 2}[1+3*n < 240] {
			t.Errorf("%d octets: got %d length octets", 1+3*n, head)
		}
		if back, err := ParseNLRI(IPv4, m.NLRI()); err != nil || !back.Equal(m) {
			t.Errorf("%d octets: %v", 1+3*n, err)
		}
	}
}

// 240 is the first length that needs two octets.
func TestLengthOf240(t *testing.T) {
	t.Parallel()
	ports := make([]Term, 79)
	ports[0] = Term{Op: EQ, Value: 1, Width: 1}
	for i := range ports[1:] {
		ports[i+1] = Term{Op: EQ, Value: uint64(i), Width: 2}
	}
	m, err := NewMatch(IPv4, RD{}, Component{Type: SrcPort, Terms: ports}, Component{Type: Protocol, Terms: []Term{{Op: EQ, Value: 17}}})
	if err != nil {
		t.Fatal(err)
	}
	if b := m.NLRI(); len(b) != 242 || b[0] != 0xf0 || b[1] != 240 {
		t.Fatalf("got %d octets, beginning with %x", len(b), b[:2])
	}
	back, err := ParseNLRI(IPv4, m.NLRI())
	if err != nil || &back.NLRI()[0] != &m.NLRI()[0] {
		t.Errorf("octets that are canonical were copied, or refused: %v", err)
	}
}

func TestFamilies(t *testing.T) {
	t.Parallel()
	for _, f := range allFamilies {
		if got, ok := FamilyOf(f.AFI(), f.SAFI()); !ok || got != f {
			t.Errorf("FamilyOf(%d, %d) = %v, want %v", f.AFI(), f.SAFI(), got, f)
		}
	}
	if f, ok := FamilyOf(25, 133); ok {
		t.Errorf("FamilyOf(25, 133) = %v", f)
	}
	for typ := DstPrefix; typ <= FlowLabel; typ++ {
		if got, ok := ParseType(typ.String()); !ok || got != typ {
			t.Errorf("ParseType(%q) = %v", typ, got)
		}
	}
	if _, ok := ParseType("next-header"); ok {
		t.Error(`ParseType("next-header") succeeded`)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	a, b := parse(t, IPv4, "03 038106"), parse(t, IPv4, "f003 03c906")
	if NewID("api", a) != NewID("api", b) {
		t.Error("two spellings of one rule have two IDs")
	}
	seen := map[ID]bool{}
	for _, id := range []ID{NewID("api", a), NewID("ap", a), NewID("api", parse(t, IPv6, "03 038106")), NewID("api", parse(t, IPv4, "03 038111"))} {
		if len(id) != 16 || seen[id] {
			t.Errorf("ID %q is not unique or not 16 digits", id)
		}
		seen[id] = true
	}
	// The ID is in stores and in the API: it must not change between releases.
	if got, want := NewID("api", a), ID("43caf4136f375b09"); got != want {
		t.Errorf("got ID %s, want %s", got, want)
	}
}
