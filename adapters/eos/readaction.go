package eos

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

// dscpWords are the words for code points: be, csN (RFC 2474), afXY (RFC 2597) and ef (RFC 3246).
var dscpWords = func() map[string]uint32 {
	out := map[string]uint32{"be": 0, "ef": 46}
	for class := uint32(0); class < 8; class++ {
		out[fmt.Sprintf("cs%d", class)] = class << 3
		for drop := uint32(1); drop <= 3 && class >= 1 && class <= 4; drop++ {
			out[fmt.Sprintf("af%d%d", class, drop)] = class<<3 | drop<<1
		}
	}
	return out
}()

// readActions reads what stands under `actions` into e, and returns its policer, nil where there is none.
func readActions(e *filter.Entry, body []*node, v packet.Version) (*filter.Policer, error) {
	seen := map[string]bool{}
	var policer *filter.Policer
	for _, n := range body {
		word, err := n.words[0], error(nil)
		switch w := n.words; {
		case len(n.body) > 0:
			err = errors.New("something stands inside it")
		case seen[word]:
			err = errors.New("it stands there twice")
		case word == "count" && len(w) == 2:
			e.Counter = w[1]
		case word == "drop" && len(w) == 1:
			e.Do.Discard = true
		case word == "police":
			policer, err = readPolice(w)
			e.Do.Policer = filter.Mark + strings.TrimPrefix(e.Name, laterMark)
		case n.is("redirect", "next-hop") && len(w) == 3:
			e.Do.Redirect, err = readNextHop(w[2], v)
		case n.is("set", "dscp") && len(w) == 3:
			var vs packet.Values
			if vs, err = readList(w[2:], 0, 63, dscpWords); err == nil && len(vs) == 1 && vs[0].Lo == vs[0].Hi {
				mark := uint8(vs[0].Lo)
				e.Do.Mark = &mark
			} else if err == nil {
				err = errors.New("want one number")
			}
		default:
			err = errors.New("sluice writes no such action")
		}
		if err != nil {
			return nil, n.error(fmt.Errorf("%s: %w", n, err))
		}
		seen[word] = true
	}
	if d := e.Do; d.Discard && (d.Policer != "" || d.Redirect != nil || d.Mark != nil) {
		return nil, errors.New("a match that drops does nothing else")
	}
	if policer != nil {
		policer.Name = e.Do.Policer
	}
	return policer, nil
}

// rateUnits are bits in a second.
var rateUnits = map[string]uint64{"bps": 1, "kbps": 1e3, "mbps": 1e6, "gbps": 1e9}

// readPolice reads `police rate N UNIT burst-size N bytes`. A burst in kbytes is not understood: no source says whether these are 1000 bytes.
func readPolice(w []string) (*filter.Policer, error) {
	if len(w) != 7 || w[1] != "rate" || rateUnits[w[3]] == 0 || w[4] != "burst-size" || w[6] != "bytes" {
		return nil, errors.New("want rate N bps burst-size N bytes")
	}
	rate, err := strconv.ParseUint(w[2], 10, 64)
	burst, err2 := strconv.ParseUint(w[5], 10, 64)
	if err != nil || err2 != nil || rate == 0 || burst == 0 || rate > ^uint64(0)/rateUnits[w[3]] {
		return nil, errors.New("want numbers above 0")
	}
	rate *= rateUnits[w[3]]
	amount := float32(float64(rate) / 8)
	if back := float64(amount) * 8; uint64(float64(rate)) != rate || back != float64(rate) {
		return nil, fmt.Errorf("%d bits/s is no rate that a rule can ask for", rate)
	}
	return &filter.Policer{Rate: flowspec.Rate{Amount: amount, Unit: flowspec.Bytes}, Burst: burst}, nil
}

func readNextHop(s string, v packet.Version) (*flowspec.Redirect, error) {
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" || a.Is4() != (v == packet.IPv4) {
		return nil, fmt.Errorf("want a next hop of IPv%d", v)
	}
	form := flowspec.NextHopIETFv4
	if v == packet.IPv6 {
		form = flowspec.NextHopIETFv6
	}
	return &flowspec.Redirect{Form: form, Addr: a}, nil
}
