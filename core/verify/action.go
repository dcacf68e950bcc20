package verify

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/certificate"
)

// outcome is what is done to a packet. Outcomes without a rate do the same exactly when they are equal.
type outcome struct {
	discard, sample, copies, goesOn bool
	unknown                         bool    // something in it is not understood, or contradicts something else
	rate                            float32 // 0: none
	unit                            string
	redirect                        string // an address, or the octets of a community
	mark                            uint8
	marks                           bool
}

// nothing says whether o neither does anything nor ends evaluation: such an entry may as well not be there.
func (o outcome) nothing() bool { return o == outcome{goesOn: true} }

// severity is accept < mark, sample < redirect < rate < discard.
func (o outcome) severity() int {
	switch {
	case o.discard:
		return 4
	case o.rate > 0:
		return 3
	case o.redirect != "":
		return 2
	case o.marks || o.sample:
		return 1
	}
	return 0
}

// readActions reads the action communities of a rule or route: RFC 8955 §7, RFC 8956 §6, draft-ietf-idr-flowspec-redirect-ip. Two of one
// kind that ask for different things are not understood, and neither is anything else.
func readActions(communities []string, nextHop string) (o outcome, err error) {
	hop, _ := netip.ParseAddr(nextHop)
	var seen [4]*outcome // rate, redirect, mark, traffic-action
	add := func(kind int, one outcome) {
		if seen[kind] == nil {
			seen[kind] = &one
		}
		seen[kind].unknown = seen[kind].unknown || *seen[kind] != one
	}
	redirect := func(to string, copies bool) { add(1, outcome{redirect: to, copies: copies}) }
	for _, text := range communities {
		b, err := hex.DecodeString(text)
		if err != nil || len(b) != 8 && len(b) != 20 {
			return o, errors.New("an action is no community of 8 or 20 octets")
		}
		last := b[len(b)-1]
		kind := binary.BigEndian.Uint16(b)
		if len(b) == 20 {
			switch kind {
			case 0x000c:
				redirect(netip.AddrFrom16([16]byte(b[2:])).String(), last&1 != 0)
			case 0x000d:
				redirect(text, false)
			default:
				o.unknown = true
			}
			continue
		}
		switch kind {
		case 0x8006, 0x800c:
			rate := math.Float32frombits(binary.BigEndian.Uint32(b[4:]))
			one := outcome{rate: rate, unit: map[uint16]string{0x8006: "bytes/s", 0x800c: "packets/s"}[kind]}
			if rate != rate {
				return o, errors.New("a rate that is no number")
			} else if rate <= 0 { // negative ones as well: RFC 8955 §7.1
				one = outcome{discard: true}
			}
			add(0, one)
		case 0x8007: // bit 47 set: go on to later rules; bit 46: sample (RFC 8955 §7.3)
			add(3, outcome{goesOn: last&1 != 0, sample: last&2 != 0})
		case 0x8009:
			add(2, outcome{marks: true, mark: last & 63})
		case 0x8008, 0x8108, 0x8208:
			redirect(text, false)
		case 0x010c:
			redirect(netip.AddrFrom4([4]byte(b[2:])).String(), last&1 != 0)
		case 0x0800: // the address is the next hop of MP_REACH_NLRI
			if !hop.IsValid() || hop.IsUnspecified() || [5]byte(b[2:]) != [5]byte{} || last > 1 {
				add(1, outcome{unknown: true})
				continue
			}
			redirect(hop.String(), last&1 != 0)
		default:
			o.unknown = true
		}
	}
	for _, one := range seen {
		switch {
		case one == nil:
		case one.unknown:
			o.unknown = true
		default:
			o = o.with(*one)
		}
	}
	if math.IsInf(float64(o.rate), 1) {
		o.rate, o.unit = 0, "" // no limit
	}
	return o, nil
}

// with returns what o and p do together; they are of different kinds.
func (o outcome) with(p outcome) outcome {
	if p.redirect != "" {
		o.redirect, o.copies = p.redirect, p.copies
	}
	if p.rate > 0 {
		o.rate, o.unit = p.rate, p.unit
	}
	if p.marks {
		o.marks, o.mark = true, p.mark
	}
	o.discard, o.sample, o.goesOn = o.discard || p.discard, o.sample || p.sample, o.goesOn || p.goesOn
	return o
}

// readDo reads what an entry of a filter does.
func readDo(d *certificate.Do, policers map[string]certificate.Policer) (outcome, error) {
	o := outcome{discard: d.Discard, sample: d.Sample, goesOn: d.Continue, redirect: d.Redirect, copies: d.Copy}
	if d.Mark != nil {
		o.marks, o.mark = true, *d.Mark
	}
	p, ok := policers[d.Policer]
	switch {
	case d.Policer != "" && (!ok || d.Discard):
		return o, errors.New("a policer that is not there, or that polices what is discarded")
	case o.mark > 63:
		return o, errors.New("a mark above 63")
	case ok:
		o.rate, o.unit = p.Rate, p.Unit
	}
	return o, nil
}
