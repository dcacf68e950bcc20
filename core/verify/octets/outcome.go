package octets

import (
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
)

// Outcome is what is done to a packet.
type Outcome struct {
	Discard, Sample bool
	GoesOn          bool    // later rules are looked at as well
	Unknown         bool    // an action is not understood, and counts for nothing
	Rate            float32 // 0: none
	Unit            string  // of Rate
	Redirect        string  // to an address, or to a route target as the octets of its community
	Copies          bool    // it is a copy that is redirected
	Marks           bool
	Mark            uint8 // DSCP
}

// Nothing says whether o neither does anything nor ends evaluation: such an entry may as well not be there.
func (o Outcome) Nothing() bool { return o == Outcome{GoesOn: true} }

// Severity is accept < mark, sample < redirect < rate < discard.
func (o Outcome) Severity() int {
	switch {
	case o.Discard:
		return 4
	case o.Rate > 0:
		return 3
	case o.Redirect != "":
		return 2
	case o.Marks || o.Sample:
		return 1
	}
	return 0
}

// kinds are the action communities by length, type and sub-type: RFC 8955 §7, RFC 8956 §6, draft-ietf-idr-flowspec-redirect-ip. 0 is for all others.
var kinds = map[int]int{
	0x08_8006: 1, 0x08_800c: 1, // rates
	0x08_8007: 2,
	0x08_8009: 3,
	0x08_8008: 4, 0x08_8108: 4, 0x08_8208: 4, 0x14_000d: 4, 0x08_010c: 4, 0x14_000c: 4, 0x08_0800: 4, // redirects
}

// ReadActions reads action communities in hexadecimal. Two of one kind are not understood: what is asked twice is written once, and which of two others a
// device would obey is its own choice (RFC 8955 §7.7). nextHop is that of MP_REACH_NLRI.
func ReadActions(communities []string, nextHop string) (o Outcome) {
	hop, _ := netip.ParseAddr(nextHop)
	var octets [5][][]byte // by kind
	for _, text := range communities {
		b, err := hex.DecodeString(text)
		kind := 0
		if err == nil && len(b) >= 2 {
			kind = kinds[form(b)]
		}
		octets[kind] = append(octets[kind], b)
	}
	for kind, list := range octets {
		switch {
		case kind == 0 || len(list) > 1:
			o.Unknown = o.Unknown || len(list) > 0
		case len(list) == 1:
			o.add(list[0], hop)
		}
	}
	return o
}

// form is the length of a community and its first two octets.
func form(b []byte) int { return len(b)<<16 | int(binary.BigEndian.Uint16(b)) }

// add adds what one community asks.
func (o *Outcome) add(b []byte, hop netip.Addr) {
	last := b[len(b)-1]
	switch form(b) {
	case 0x08_8006, 0x08_800c:
		rate := math.Float32frombits(binary.BigEndian.Uint32(b[4:]))
		switch {
		case rate != rate: // no number
			o.Unknown = true
		case rate <= 0: // negative ones as well: RFC 8955 §7.1
			o.Discard = true
		case !math.IsInf(float64(rate), 1):
			o.Rate, o.Unit = rate, map[byte]string{0x06: "bytes/s", 0x0c: "packets/s"}[b[1]]
		}
	case 0x08_8007: // RFC 8955 §7.3
		o.GoesOn, o.Sample = last&1 != 0, last&2 != 0
	case 0x08_8009:
		o.Marks, o.Mark = true, last&63
	case 0x08_010c:
		o.Redirect, o.Copies = netip.AddrFrom4([4]byte(b[2:])).String(), last&1 != 0
	case 0x14_000c:
		o.Redirect, o.Copies = netip.AddrFrom16([16]byte(b[2:])).String(), last&1 != 0
	case 0x08_0800:
		if !hop.IsValid() || hop.IsUnspecified() || [5]byte(b[2:]) != [5]byte{} || last > 1 {
			o.Unknown = true
			return
		}
		o.Redirect, o.Copies = hop.String(), last&1 != 0
	default:
		o.Redirect = hex.EncodeToString(b)
	}
}
