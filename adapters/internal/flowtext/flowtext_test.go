package flowtext_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/internal/flowtext"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// What is read is what a source shows; of what no source shows it with the rule that it stands for, nothing is.
func TestTexts(t *testing.T) {
	t.Parallel()
	bytes := func(text string) (flowspec.Match, error) { return flowtext.IOSXRBytes(flowspec.IPv4, text) }
	for _, c := range []struct {
		read func(string) (flowspec.Match, error)
		text string
		want string // "!" and words of the error
	}{
		{flowtext.Junos, "10.11.10.10,*,icmp-type=8", "destination 10.11.10.10/32; icmp-type =8;"},
		{flowtext.Junos, "205.213.5.242,*,proto=17,port=123", "destination 205.213.5.242/32; protocol =udp; port =123;"},
		{flowtext.Junos, "172.16.0.0/29,*", "destination 172.16.0.0/29;"},
		{flowtext.Junos, "*,10.0.0.0/8", "source 10.0.0.0/8;"},
		{flowtext.Junos, "192.168.1.1,*,proto=6,dstport=1024,=1025,=1026,=5000", "destination 192.168.1.1/32; protocol =tcp; destination-port [ =1024 =1025 =1026 =5000 ];"},
		{flowtext.Junos, "11.194.71.7,*,dstport=40,=50,=60,>=70&<=80", "destination 11.194.71.7/32; destination-port [ =40 =50 =60 >=70&<=80 ];"},
		{flowtext.Junos, "39.244.131.7,*,dstport=443,tcp-flag:18,len=180", `!"tcp-flag:18" has no operator`},
		{flowtext.Junos, "10.10.10.10,*,proto=6,dstport=8000,tcp-flag=02,len>=40&<=54", `!no source shows how "tcp-flag"`},
		{flowtext.Junos, "192.168.1.1,*,proto=17,frag:02", `!"frag:02" has no operator`},
		{flowtext.Junos, "0/0,*,proto=17,port=445", "!no prefix"},
		{flowtext.Junos, "0.0.0.0/0,*,proto=17,port=445", "!may stand for a prefix or for none"},
		{flowtext.Junos, "10.0/16,*", "!no prefix"},
		{flowtext.Junos, "10.0.0.1/8,*", "!bits beyond its length"},
		{flowtext.Junos, "2001:db8::1/128,*", "!no source shows how IPv6"},
		{flowtext.Junos, "*,*", "!at least one"},
		{flowtext.Junos, "*", "!no destination and source"},
		{flowtext.Junos, "*,*,=5", "!belongs to nothing"},
		{flowtext.Junos, "10.0.0.1,*,=5", "!belongs to nothing"},
		{flowtext.Junos, "10.0.0.1,*,dstport=5,proto=17", "!protocol stands behind destination-port"},
		{flowtext.Junos, "10.0.0.1,*,proto=17,proto=17", "!stands behind"},
		{flowtext.Junos, "10.0.0.1,*,proto=017", "!no number"},
		{flowtext.Junos, "10.0.0.1,*,proto=256", "!no number"},
		{flowtext.Junos, "10.0.0.1,*,dstport>1024", "!no operator"},
		{flowtext.Junos, "10.0.0.1,*,dstport=", "!no number"},
		{flowtext.Junos, "10.0.0.1,*,dstport" + strings.Repeat("=1024,", 12), "!longer than any"},
		{flowtext.IOSXR, "Dest:2.2.2.0/24,Source:3.3.0.0/16,ICMPType:=3,ICMPCode:=16", "destination 2.2.2.0/24; source 3.3.0.0/16; icmp-type =3; icmp-code =16;"},
		{flowtext.IOSXR, "Dest:192.0.2.0/24,Source:10.1.1.0/24,Proto:=47,DPort:>=120&<=130,SPort:>=25&<=30,DSCP:=30", "destination 192.0.2.0/24; source 10.1.1.0/24; protocol =gre; destination-port >=120&<=130; source-port >=25&<=30; dscp =30;"},
		{flowtext.IOSXR, "Dest:10.0.0.1/32,Proto:=17,DPort:=80|>=100&<=200", "destination 10.0.0.1/32; protocol =udp; destination-port [ =80 >=100&<=200 ];"},
		{flowtext.IOSXR, "Source:10.10.10.12/32,Proto:=6,DPort:=22", "source 10.10.10.12/32; protocol =tcp; destination-port =22;"},
		{flowtext.IOSXR, "Dest:27.146.73.155/32,Proto:=6,TCPFlags:~0x10", `!no source shows how "TCPFlags:~0x10"`},
		{flowtext.IOSXR, "Dest:10.0.0.1/32,Frag:~IsF", `!no source shows how "Frag:~IsF"`},
		{flowtext.IOSXR, "Dest:10.0.0.1", "!no prefix"},
		{flowtext.IOSXR, "Dest:0.0.0.0/0", "!may stand for"},
		{flowtext.IOSXR, "Dest:10.0.0.1/32,DPort:!=80", "!no operator"},
		{flowtext.IOSXR, "Dest:10.0.0.1/32,", "!no source"},
		{flowtext.IOSXR, "", "!no source"},
		{bytes, "0x01200A326464038106059104D2", "destination 10.50.100.100/32; protocol =tcp; destination-port =1234;"},
		{bytes, "01200A326464038106059104D2", "!does not begin with 0x"},
		{bytes, "0x01200A3264640381060591", "!"},
		{bytes, "0x01200A3264640", "!"},
		{bytes, "0x", "!"},
		{bytes, "0x0D01200A326464038106059104D2", "!"}, // with its length
		{flowtext.EOS, "*;9.0.0.9/32;", "source 9.0.0.9/32;"},
		{flowtext.EOS, "52.34.134.250/32;*;IP:=17;DP:=743;", "destination 52.34.134.250/32; protocol =udp; destination-port =743;"},
		{flowtext.EOS, "52.34.134.250/32;*;IP:=17;DP:=743;FRAG:2;", `!no source shows how "FRAG:2"`},
		{flowtext.EOS, "52.34.134.250/32;*;IP:=17;DP:=743,=744;", "!no number"},
		{flowtext.EOS, "52.34.134.250/32;*;IP:=17;DP:=743", "!semicolon"},
		{flowtext.EOS, "*;*;", "!at least one"},
	} {
		got, err := c.read(c.text)
		words, refused := strings.CutPrefix(c.want, "!")
		switch {
		case refused && (err == nil || !strings.Contains(err.Error(), words)):
			t.Errorf("%s: got %v, %v, want an error with %q", c.text, got, err, words)
		case !refused && (err != nil || got.String() != c.want):
			t.Errorf("%s: got %q, %v, want %q", c.text, got, err, c.want)
		}
	}
}

// An IPv6 prefix with an offset, whose octets mean one thing by the standard and another by the drafts, is nobody's.
func TestBytesOfIPv6(t *testing.T) {
	t.Parallel()
	m, err := flowtext.IOSXRBytes(flowspec.IPv6, "0x0120002001"+"0db8")
	if err != nil || m.String() != "destination 2001:db8::/32;" {
		t.Errorf("got %v, %v", m, err)
	}
	if m, err := flowtext.IOSXRBytes(flowspec.IPv6, "0x0178600db8"+"aabbcc"); err == nil {
		t.Errorf("got %v", m)
	}
}

// The twin prints rules as the routers do; whatever it prints of what is read comes back as the same octets.
func TestTextsAreReadAsTheyWerePrinted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := drawn(t)
		for name, one := range map[string]struct {
			print func(flowspec.Match) string
			read  func(string) (flowspec.Match, error)
		}{"Junos": {asJunos, flowtext.Junos}, "IOS XR": {asIOSXR, flowtext.IOSXR}} {
			text := one.print(m)
			if name == "Junos" && len(text) > 73 {
				continue
			}
			if got, err := one.read(text); err != nil || !got.Equal(m) {
				t.Fatalf("%s: %v was printed as %s and read as %v, %v", name, m, text, got, err)
			}
		}
		octets := fmt.Sprintf("0x%X", m.NLRI()[1:])
		if got, err := flowtext.IOSXRBytes(flowspec.IPv4, octets); len(m.NLRI()) < 240 && (err != nil || !got.Equal(m)) {
			t.Fatalf("%v was printed as %s and read as %v, %v", m, octets, got, err)
		}
	})
}

// drawn draws a rule of what all of them print.
func drawn(t *rapid.T) flowspec.Match {
	addr := func(label string) flowspec.Prefix {
		n := rapid.Uint32().Draw(t, label)
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), rapid.IntRange(1, 32).Draw(t, label+"/")).Masked()
		return flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}
	}
	list := []flowspec.Component{{Type: flowspec.DstPrefix, Prefix: addr("dst")}}
	if rapid.Bool().Draw(t, "source") {
		list = append(list, flowspec.Component{Type: flowspec.SrcPrefix, Prefix: addr("src")})
	}
	for _, typ := range []flowspec.Type{flowspec.Protocol, flowspec.DstPort, flowspec.SrcPort, flowspec.ICMPType, flowspec.PacketLength} {
		if !rapid.Bool().Draw(t, typ.String()) {
			continue
		}
		c := flowspec.Component{Type: typ}
		for range rapid.IntRange(1, 3).Draw(t, "alternatives") {
			lo, hi := rapid.Uint64Range(0, uint64(typ.Max())).Draw(t, "lo"), rapid.Uint64Range(0, uint64(typ.Max())).Draw(t, "hi")
			if rapid.Bool().Draw(t, "range") {
				c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.GE, Value: lo}, flowspec.Term{And: true, Op: flowspec.LE, Value: hi})
				continue
			}
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: lo})
		}
		list = append(list, c)
	}
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, list...)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var signs = map[flowspec.Op]string{flowspec.EQ: "=", flowspec.GE: ">=", flowspec.LE: "<="}

func printed(c flowspec.Component, or string) string {
	var b strings.Builder
	for i, t := range c.Terms {
		if t.And {
			b.WriteString("&")
		} else if i > 0 {
			b.WriteString(or)
		}
		fmt.Fprintf(&b, "%s%d", signs[t.Op], t.Value)
	}
	return b.String()
}

func asJunos(m flowspec.Match) string {
	prefixes, rest := []string{"*", "*"}, ""
	words := map[flowspec.Type]string{flowspec.Protocol: "proto", flowspec.DstPort: "dstport", flowspec.SrcPort: "srcport", flowspec.ICMPType: "icmp-type", flowspec.PacketLength: "len"}
	for c := range m.All() {
		if c.Type.Prefix() {
			prefixes[c.Type-flowspec.DstPrefix] = strings.TrimSuffix(c.Prefix.String(), "/32")
			continue
		}
		rest += "," + words[c.Type] + printed(c, ",")
	}
	return strings.Join(prefixes, ",") + rest
}

func asIOSXR(m flowspec.Match) string {
	var out []string
	words := map[flowspec.Type]string{
		flowspec.DstPrefix: "Dest", flowspec.SrcPrefix: "Source", flowspec.Protocol: "Proto", flowspec.DstPort: "DPort", flowspec.SrcPort: "SPort", flowspec.ICMPType: "ICMPType", flowspec.PacketLength: "Length",
	}
	for c := range m.All() {
		if c.Type.Prefix() {
			out = append(out, words[c.Type]+":"+c.Prefix.String())
			continue
		}
		out = append(out, words[c.Type]+":"+printed(c, "|"))
	}
	return strings.Join(out, ",")
}

// Nothing that is read has less than its text says: each number and each address of the text is in the match.
func FuzzTexts(f *testing.F) {
	for _, s := range []string{"10.11.10.10,*,proto=6,dstport=1024,=1025,>=70&<=80", "Dest:10.0.0.1/32,Proto:=17,DPort:=80|>=100&<=200", "52.34.134.250/32;*;IP:=17;DP:=743;", "0x01200A326464038106059104D2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []func(string) (flowspec.Match, error){flowtext.Junos, flowtext.IOSXR, flowtext.EOS} {
			m, err := read(text)
			if err != nil {
				continue
			}
			terms, prefixes := 0, 0
			for c := range m.All() {
				terms += len(c.Terms)
				if c.Type.Prefix() {
					prefixes++
				}
			}
			if terms != strings.Count(text, "=") || prefixes != strings.Count(text, ".")/3 {
				t.Errorf("%q: read as %v", text, m)
			}
		}
		if m, err := flowtext.IOSXRBytes(flowspec.IPv4, text); err == nil && !strings.HasPrefix(text, "0x") {
			t.Errorf("%q: read as %v", text, m)
		}
	})
}
