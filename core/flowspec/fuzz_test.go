package flowspec

import (
	"bytes"
	"net/netip"
	"slices"
	"testing"
)

// FuzzParseNLRI: no octets make a panic; the verdict and the canonical octets are those of the slow twin; what was
// accepted can be taken apart, built again, printed, ordered, and turned into a set.
func FuzzParseNLRI(f *testing.F) {
	for _, s := range []string{
		"030d24df",                 // ends a GoBGP server
		"030cd5c5",                 // the same, by another component
		"0c01180a0000031106048119", // from a router's log
		"0b0118c00002038106048119", // RFC 8955 §4.3.1
		"100118c000020208cb04038945" + "8b911f90",    // RFC 8955 §4.3.2
		"0f0120" + "0020010db8" + "0268412468acf134", // RFC 8956 §3.8.1
		"03010001", "0101", "00", "f000", "f1", "ef", "f0f0",
		"0b0000fde800000001038106", "080000fde800000001",
		"080268412468acf135", "030c80f5", "0609a000000002",
	} {
		for family := range byte(4) {
			f.Add(family, unhex(f, s))
		}
	}
	f.Add(byte(0), portList(102)) // 307 octets, which other decoders cannot frame
	f.Add(byte(1), portList(102))
	f.Fuzz(func(t *testing.T, family byte, b []byte) {
		fam := IPv4 + Family(family%4)
		if nlri, rest, err := Frame(b); err == nil && !bytes.Equal(slices.Concat(nlri, rest), b) {
			t.Fatalf("Frame(%x) lost octets: %x and %x", b, nlri, rest)
		}
		m, r, ok := checkAgainstTwin(t, fam, b)
		if !ok {
			return
		}
		checkRoundTrip(t, m)
		if Compare(m, m) != 0 || slowCompare(r, r) != 0 {
			t.Fatalf("%x differs from itself", b)
		}
		if m.String() == "" {
			t.Fatalf("%x prints as nothing", b)
		}
		if w, found := m.Set().Witness(); found && !slowMatches(r, w) {
			t.Fatalf("%s: witness %s does not match", m, w)
		}
	})
}

// portList returns an NLRI with n source ports in two octets each.
func portList(n int) []byte {
	terms := make([]Term, n)
	for i := range terms {
		terms[i] = Term{Op: EQ, Value: uint64(2 * i), Width: 2}
	}
	m, err := NewMatch(IPv4, RD{}, Component{Type: SrcPort, Terms: terms})
	if err != nil {
		panic(err)
	}
	return m.NLRI()
}

// FuzzParseAction: no communities make a panic, none is lost, and what an action writes reads back as that action.
func FuzzParseAction(f *testing.F) {
	for _, s := range []string{
		"8006000000000000", "80060000ffc00000", "800600007f800000", "8006000080000000", "80060000bf800000",
		"8007000000000003", "8008fde80000029a", "8108c00002010005", "8208000fde80029a", "800900000000002e", "800c0000447a0000",
		"0800000000000000", "0800000000000001", "0800c00002630000", "010cc00002630001", "0002fde800000001", "0702000000010002",
		"0800000000000000010cc00002630000", "80060000000000008006000049742400", "8008fde80000029a010cc00002630001",
	} {
		f.Add(unhex(f, s), []byte(nil), []byte{192, 0, 2, 99})
		f.Add(unhex(f, s), []byte(nil), []byte(nil))
	}
	f.Add([]byte(nil), unhex(f, "000c20010db8000000000000000000000001000100"+"0d20010db80000000000000000000000010005"), []byte(nil))
	f.Fuzz(func(t *testing.T, short, long, hop []byte) {
		var in []ExtComm
		for c := range slices.Chunk(short, 8) {
			in = append(in, ExtComm(c))
		}
		for c := range slices.Chunk(long, 20) {
			in = append(in, ExtComm(c))
		}
		nextHop, _ := netip.AddrFromSlice(hop)
		checkAction(t, in, nextHop)
	})
}
