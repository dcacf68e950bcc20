package flowspec

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// slowUnmoved writes the NLRI of components with the octets of addresses as they stand: of each those that hold a bit of the prefix, and with whole those in front as well.
func slowUnmoved(f Family, rd RD, cs []Component, whole bool) []byte {
	var body []byte
	if f.VPN() {
		body = append(body, rd[:]...)
	}
	for _, c := range cs {
		if c.Type.Prefix() {
			octets, _ := c.Prefix.Addr.MarshalBinary()
			body = append(body, byte(c.Type), c.Prefix.Len, c.Prefix.Offset)
			for i, o := range octets {
				if i*8 < int(c.Prefix.Len) && (whole || i*8+7 >= int(c.Prefix.Offset)) {
					body = append(body, o)
				}
			}
			continue
		}
		m, err := NewMatch(f, rd, c)
		if err != nil {
			panic(err)
		}
		body = append(body, m.components()...)
	}
	return append(appendLength(nil, len(body)), body...)
}

// A rule goes out and comes back in the form that was asked for, and only prefixes with an offset differ.
func TestOffsetForms(t *testing.T) {
	t.Parallel()
	property(t, func(t *rapid.T) {
		f := rapid.SampledFrom([]Family{IPv6, VPNv6, IPv4}).Draw(t, "family")
		m, err := ParseNLRI(f, octets(t, f, 4))
		if err != nil {
			return
		}
		cs, odd := slices.Collect(m.All()), false
		for _, c := range cs {
			odd = odd || c.Type.Prefix() && c.Prefix.Offset%8 != 0
		}
		for form := OffsetUnsaid; form <= OffsetEights; form++ {
			want := m.NLRI()
			if f != IPv4 && (form == OffsetWhole || form == OffsetFromOctet) {
				want = slowUnmoved(f, m.RD(), cs, form == OffsetWhole)
			}
			wire, err := m.NLRIAs(form)
			if form == OffsetEights && odd {
				if err == nil {
					t.Fatalf("%v is written %x for a receiver of multiples of 8", m, wire)
				}
				if got, err := ParseNLRIAs(f, m.NLRI(), form); err == nil {
					t.Fatalf("%v is taken from a sender of multiples of 8", got)
				}
				continue
			}
			if err != nil || !bytes.Equal(wire, want) {
				t.Fatalf("%v as %q is %x, %v; want %x", m, form, wire, err, want)
			}
			if back, err := ParseNLRIAs(f, wire, form); form != OffsetUnsaid && (err != nil || !back.Equal(m)) {
				t.Fatalf("%x as %q came back as %v, %v; want %v", wire, form, back, err, m)
			}
			if got, err := ParseNLRIAs(f, wire, OffsetUnsaid); err == nil && !got.Equal(m) {
				t.Fatalf("%x, of which nobody said its form, is %v; it was sent as %v", wire, got, m)
			}
		}
	})
}

func TestParseNLRIAs(t *testing.T) {
	t.Parallel()
	const (
		example = "::1234:5678:9a00:0/104/64"
		rfc     = "08" + "016840" + "123456789a"
		exabgp  = "10" + "016840" + "0000000000000000123456789a" // what ExaBGP 4.2.21 and gobgpd 3.10 send
		odd     = "::1:1234:5678:9800:0/104/60"
		moved   = "09" + "01683c" + "112345678980" // of BIRD's commit 072821e5: as RFC 8956 has it
		bird    = "09" + "01683c" + "011234567898" // and as BIRD wrote it before
	)
	for _, c := range []struct {
		name   string
		octets string
		form   OffsetForm
		want   string // destination, or words of the error
	}{
		{"RFC 8956 as it is", rfc, OffsetRFC8956, example},
		{"RFC 8956, unsaid", rfc, OffsetUnsaid, example},
		{"RFC 8956 from a sender of whole prefixes", rfc, OffsetWhole, "octet 9, destination: the prefix is cut short: as whole-prefix it takes 13 octets"},
		{"whole", exabgp, OffsetWhole, example},
		{"whole, unsaid", exabgp, OffsetUnsaid, "from a sender of whole-prefix it would be \"destination " + example + ";\": that is what `ipv6-offset: whole-prefix` says of it"},
		{"whole from a sender as RFC 8956", exabgp, OffsetRFC8956, "component type 0 is unknown"},
		{"right in both forms, unsaid", "07011f0205800600", OffsetUnsaid, `reads as "destination 160:180::/31/2;" (RFC 8956 §3.1) and, from a sender of whole-prefix, as "destination 580:600::/31/2;"`},
		{"right in both forms, as RFC 8956", "07011f0205800600", OffsetRFC8956, "160:180::/31/2"},
		{"right in both forms, whole", "07011f0205800600", OffsetWhole, "580:600::/31/2"},
		{"from an octet on", bird, OffsetFromOctet, odd},
		{"moved bits as from an octet on", moved, OffsetFromOctet, "bits in front of offset 60 are set"},
		{"bits of RFC 8956", moved, OffsetRFC8956, odd},
		{"bits of RFC 8956, unsaid", moved, OffsetUnsaid, `(RFC 8956 §3.1) and, from a sender of from-octet, as`},
		{"from an octet on, unsaid", bird, OffsetUnsaid, `(RFC 8956 §3.1) and, from a sender of from-octet, as "destination ` + odd},
		{"one octet more than RFC 8956 has", "05" + "012d25" + "0008", OffsetUnsaid, "from a sender of from-octet it would be \"destination 0:0:8::/45/37;\": that is what `ipv6-offset: from-octet` says of it"},
		{"one octet more, from an octet on", "05" + "012d25" + "0008", OffsetFromOctet, "0:0:8::/45/37"},
		{"a multiple of 8, from an octet on", rfc, OffsetFromOctet, example},
		{"a multiple of 8", rfc, OffsetEights, example},
		{"no multiple of 8", bird, OffsetEights, "octet 1, destination: the offset 60 is no multiple of 8"},
		{"the second is none", "0a" + "012010" + "0db8" + "022d25" + "01", OffsetEights, "octet 6, source: the offset 37 is no multiple of 8"},
		{"no offset", "07012000" + "20010db8", OffsetWhole, "2001:db8::/32"},
		{"bits in front", "07" + "012010" + "20010db8", OffsetWhole, "octet 4, destination: bits in front of offset 16 are set"},
		{"pad bits", "07" + "011f10" + "00000db9", OffsetWhole, "0:db8::/31/16"},
		{"an offset beyond the length", "07" + "012021" + "00000db8", OffsetWhole, "offset 33 with prefix length 32"},
		{"a length of 129", "03" + "018101", OffsetWhole, "prefix length 129"},
		{"cut in its head", "02" + "0168", OffsetWhole, "the prefix is cut short"},
		{"another component behind it", "0a" + "012010" + "00000db8" + "038106", OffsetWhole, "0:db8::/32/16"},
		{"malformed behind a whole prefix", "09" + "012010" + "00000db8" + "0e81", OffsetWhole, "octet 8, component 14: component type 14 is unknown"},
	} {
		m, err := ParseNLRIAs(IPv6, unhex(t, c.octets), c.form)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %q, want %q", c.name, err, c.want)
			}
			continue
		}
		if d, _ := m.Component(DstPrefix); d.Prefix.String() != c.want {
			t.Errorf("%s: %v, want %s", c.name, m, c.want)
		}
	}
}

// A rule that fits only as RFC 8956 has it is not cut.
func TestWholePrefixesTakeMoreRoom(t *testing.T) {
	t.Parallel()
	dst := Component{Type: DstPrefix, Prefix: Prefix{Addr: netip.MustParseAddr("::1"), Offset: 120, Len: 128}}
	ports := Component{Type: DstPort}
	for i := range uint64(1362) {
		ports.Terms = append(ports.Terms, Term{Op: EQ, Value: 256 + i})
	}
	m, err := NewMatch(IPv6, RD{}, dst, ports)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := m.NLRIAs(OffsetFromOctet); err != nil || !bytes.Equal(got, m.NLRI()) {
		t.Errorf("an offset of 120 from its octet on: %d octets, %v", len(got), err)
	}
	if got, err := m.NLRIAs(OffsetWhole); err == nil {
		t.Errorf("%d octets became %d", len(m.NLRI()), len(got))
	}
}

func FuzzParseNLRIAs(f *testing.F) {
	for _, s := range []string{"08016840123456789a", "0901683c011234567898", "05012d250008", "100168400000000000000000123456789a", "07011f0205800600", "0a01150205048105910480", "07011f1000000db9", "f000", "0202"} {
		f.Add(byte(1), unhex(f, s))
		f.Add(byte(3), unhex(f, s))
	}
	f.Fuzz(func(t *testing.T, family byte, b []byte) {
		fam := IPv4 + Family(family%4)
		unsaid, unsaidErr := ParseNLRIAs(fam, b, OffsetUnsaid)
		for form := OffsetRFC8956; form <= OffsetEights; form++ {
			m, err := ParseNLRIAs(fam, b, form)
			if err != nil {
				if form == OffsetRFC8956 && unsaidErr == nil {
					t.Fatalf("%x is %v; as RFC 8956 %v", b, unsaid, err)
				}
				continue
			}
			if unsaidErr == nil && !unsaid.Equal(m) {
				t.Fatalf("%x is %v; as %s %v", b, unsaid, form, m)
			}
			again, err := m.NLRIAs(form)
			if err != nil {
				t.Fatalf("%x as %s is %v, which cannot be written: %v", b, form, m, err)
			}
			if back, err := ParseNLRIAs(fam, again, form); err != nil || !back.Equal(m) {
				t.Fatalf("%x as %s is %v, written %x and read as %v, %v", b, form, m, again, back, err)
			}
		}
	})
}
