package packet

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestHeaderText(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"udp 198.51.100.7:53 > 203.0.113.9:4444 len 1400",
		"tcp 198.51.100.7:40000 > 203.0.113.80:443 len 60 flags S",
		"tcp 198.51.100.7:40000 > 203.0.113.80:443 len 60 flags none df",
		"tcp [2001:db8::7]:40000 > [2001:db8::9]:443 len 80 flags SAEC9ab dscp 46 label 1048575",
		"icmp 198.51.100.7 > 203.0.113.9 len 84 icmp 8/0",
		"icmp6 2001:db8::7 > 2001:db8::9 len 104 icmp 128/0 frag first",
		"udp 198.51.100.7 > 203.0.113.9 len 512 frag last",
		"udp 198.51.100.7:53 > 203.0.113.9:0 len 512 frag last",
		"proto 47 198.51.100.7 > 203.0.113.9 len 512",
		"proto 47 198.51.100.7:53 > 203.0.113.9:0 len 512 flags S icmp 3/4 dscp 8 frag middle df",
		"icmp 2001:db8::7 > 2001:db8::9 len 104",
		"udp [::ffff:198.51.100.7]:53 > [::]:53 len 100",
	} {
		h, err := ParseHeader(s)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if h.String() != s {
			t.Errorf("%s came back as %s", s, h)
		}
	}
}

func TestHeaderTextLeftOut(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"udp 198.51.100.7:53 > 203.0.113.9:4444":                "udp 198.51.100.7:53 > 203.0.113.9:4444 len 512",
		"tcp 198.51.100.7:40000 > 203.0.113.80:443":             "tcp 198.51.100.7:40000 > 203.0.113.80:443 len 60 flags S",
		"proto 6 [2001:db8::7]:4000 > [2001:db8::9]:443":        "tcp [2001:db8::7]:4000 > [2001:db8::9]:443 len 80 flags S",
		"icmp 198.51.100.7 > 203.0.113.9":                       "icmp 198.51.100.7 > 203.0.113.9 len 84 icmp 8/0",
		"icmp6 2001:db8::7 > 2001:db8::9":                       "icmp6 2001:db8::7 > 2001:db8::9 len 104 icmp 128/0",
		"tcp 198.51.100.7 > 203.0.113.9 frag middle":            "tcp 198.51.100.7 > 203.0.113.9 len 1500 frag middle",
		"udp 198.51.100.7:5 > 203.0.113.9:5 df frag last":       "udp 198.51.100.7:5 > 203.0.113.9:5 len 512 frag last df",
		"tcp 198.51.100.7:1 > 203.0.113.9:2 flags AS len 40":    "tcp 198.51.100.7:1 > 203.0.113.9:2 len 40 flags SA",
		" tcp  198.51.100.7:1 >  203.0.113.9:2 len 040  dscp 0": "tcp 198.51.100.7:1 > 203.0.113.9:2 len 40 flags S",
	} {
		h, err := ParseHeader(s)
		if err != nil || h.String() != want {
			t.Errorf("%s: got %v %v", s, h, err)
		}
	}
}

func TestHeaderTextRefused(t *testing.T) {
	t.Parallel()
	const flow = "udp 198.51.100.7:53 > 203.0.113.9:4444"
	for s, word := range map[string]string{
		"":                                                    "PROTO|protocol",
		"sctp 198.51.100.7 > 203.0.113.9":                     `"sctp"`,
		"proto 256 198.51.100.7 > 203.0.113.9":                `"256"`,
		"proto +6 198.51.100.7 > 203.0.113.9":                 `"+6"`,
		"udp":                                                 "source",
		"udp 198.51.100 > 203.0.113.9":                        `"198.51.100"`,
		"udp 198.51.100.7:99999 > 203.0.113.9:1":              `"198.51.100.7:99999"`,
		"udp fe80::1%eth0 > 2001:db8::9":                      `"fe80::1%eth0"`,
		"udp [fe80::1%eth0]:1 > [2001:db8::9]:1":              `"[fe80::1%eth0]:1"`,
		"udp 198.51.100.7:53 203.0.113.9:4444":                `"203.0.113.9:4444"`,
		"udp 198.51.100.7:53 >":                               "destination",
		"udp 198.51.100.7:53 > [2001:db8::9]:4":               "version",
		"udp 198.51.100.7:53 > 203.0.113.9":                   "both",
		"udp 198.51.100.7 > 203.0.113.9":                      "ports",
		"tcp 198.51.100.7 > 203.0.113.9 frag first":           "ports",
		flow + " len":                                         "length",
		flow + " len 65536":                                   `"65536"`,
		flow + " len -1":                                      `"-1"`,
		flow + " len 1_0":                                     `"1_0"`,
		flow + " len 60 len 60":                               `"len"`,
		flow + " flags SX":                                    `"SX"`,
		flow + " flags SS":                                    `"SS"`,
		flow + " icmp 8":                                      `"8"`,
		flow + " icmp 8/256":                                  `"8/256"`,
		flow + " dscp 64":                                     `"64"`,
		flow + " frag whole":                                  `"whole"`,
		flow + " label 5":                                     `"label"`,
		"udp [2001:db8::7]:1 > [2001:db8::9]:1 df":            `"df"`,
		"udp [2001:db8::7]:1 > [2001:db8::9]:1 label 1048576": `"1048576"`,
		flow + " ttl 5":                                       `"ttl"`,
	} {
		h, err := ParseHeader(s)
		if err == nil {
			t.Errorf("%q was read as %v", s, h)
			continue
		}
		ok := false
		for _, w := range strings.Split(word, "|") {
			ok = ok || strings.Contains(err.Error(), w)
		}
		if !ok {
			t.Errorf("%q: %q does not name %s", s, err, word)
		}
	}
}

func drawHeader(t *rapid.T) Header {
	h := Header{Proto: rapid.SampledFrom([]uint8{1, 6, 17, 47, 58, 0, 255}).Draw(t, "proto"),
		Length: rapid.Uint16().Draw(t, "length"), DSCP: rapid.Uint8Range(0, 63).Draw(t, "dscp"), Fragment: Fragment(rapid.IntRange(0, 3).Draw(t, "frag"))}
	if rapid.Bool().Draw(t, "v6") {
		addr := func() netip.Addr {
			return u128{rapid.Uint64().Draw(t, "hi"), rapid.Uint64().Draw(t, "lo")}.addr(IPv6)
		}
		h.Src, h.Dst, h.Label = addr(), addr(), rapid.Uint32Range(0, 1<<20-1).Draw(t, "label")
	} else {
		addr := func() netip.Addr { return u128{0, uint64(rapid.Uint32().Draw(t, "v4"))}.addr(IPv4) }
		h.Src, h.Dst, h.DF = addr(), addr(), rapid.Bool().Draw(t, "df")
	}
	odd := rapid.Bool().Draw(t, "odd") // octets where the field is not
	if odd || h.hasPorts() {
		h.SrcPort, h.DstPort = rapid.Uint16().Draw(t, "sport"), rapid.Uint16().Draw(t, "dport")
	}
	if odd || h.hasFlags() {
		h.Flags = rapid.Uint16Range(0, 0xfff).Draw(t, "flags")
	}
	if odd || h.hasICMP() {
		h.ICMPType, h.ICMPCode = rapid.Uint8().Draw(t, "type"), rapid.Uint8().Draw(t, "code")
	}
	return h
}

func TestHeaderTextComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := drawHeader(t)
		if back, err := ParseHeader(h.String()); err != nil || back != h {
			t.Fatalf("%v came back as %v, %v", h, back, err)
		}
		only := Of(h.Box())
		if !only.Has(h) || only.Overlaps(only.Not()) {
			t.Fatalf("%v is not in its own set %v", h, only)
		}
		if w, ok := only.Witness(); ok != canExist(h) || ok && w != h {
			t.Fatalf("the witness of just %v is %v %v", h, w, ok)
		}
	})
}

func FuzzParseHeader(f *testing.F) {
	f.Add("tcp [2001:db8::7]:40000 > [2001:db8::9]:443 len 80 flags SAEC9ab dscp 46 frag first label 1048575")
	f.Add("icmp 198.51.100.7 > 203.0.113.9 icmp 8/0 df")
	f.Add("proto 47 198.51.100.7:53 > 203.0.113.9:0 frag middle")
	f.Add("udp [::ffff:1.2.3.4]:1 > [::]:53")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := ParseHeader(s)
		if err != nil {
			return
		}
		if back, err := ParseHeader(h.String()); err != nil || back != h {
			t.Fatalf("%q: %v came back as %v, %v", s, h, back, err)
		}
	})
}

// An error says where: the word that is wrong, the end where one is missing, or all of it.
func TestErrorsHavePlaces(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"sctp 192.0.2.1 > 192.0.2.2":                    "sctp",
		"udp  192.0.2.1:x > 192.0.2.2:5":                "192.0.2.1:x",
		"udp 192.0.2.1:1 > 192.0.2.2:2 len\t70000 df":   "70000",
		"udp 192.0.2.1:1 > 192.0.2.2:2 len 1 ttl 5":     "ttl",
		"proto 300 192.0.2.1 > 192.0.2.2":               "300",
		"udp 192.0.2.1:1 > ":                            "",
		"":                                              "",
		"udp 192.0.2.1 > 192.0.2.2":                     "udp 192.0.2.1 > 192.0.2.2",
		"icmp 192.0.2.1 > 2001:db8::1":                  "2001:db8::1",
		"\u00a0udp 192.0.2.1:1 > 192.0.2.2:2 frag lost": "lost",
	} {
		_, err := ParseHeader(text)
		var at *SyntaxError
		if !errors.As(err, &at) {
			t.Errorf("%q: got %v, want a SyntaxError", text, err)
			continue
		}
		if want == "" {
			if at.Offset != len(text) {
				t.Errorf("%q: got offset %d, want the end", text, at.Offset)
			}
			continue
		}
		if got := text[at.Offset : at.Offset+at.Length]; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
