package notation

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Hex returns r in the hex notation: `AFI/SAFI NLRI [COMMUNITY...] [nh=ADDR] [c=...] [lc=...]`, on one line without its end.
// It says everything that BGP carries of a rule, and is therefore exact.
func Hex(r flowspec.Rule) string {
	if !r.Match.Valid() {
		return ""
	}
	family := r.Match.Family()
	b := make([]byte, 0, 64)
	b = strconv.AppendUint(b, uint64(family.AFI()), 10)
	b = append(b, '/')
	b = strconv.AppendUint(b, uint64(family.SAFI()), 10)
	b = append(b, ' ')
	b = hex.AppendEncode(b, r.Match.NLRI())
	ext, nextHop := r.Action.Communities()
	for _, list := range [][]flowspec.ExtComm{ext, r.Others} {
		for _, c := range list {
			b = append(b, ' ')
			b = hex.AppendEncode(b, []byte(c))
		}
	}
	if nextHop.IsValid() {
		b = append(b, " nh="...)
		b = nextHop.AppendTo(b)
	}
	for _, c := range r.Communities {
		b = fmt.Appendf(b, " c=%08x", c)
	}
	for _, c := range r.LargeCommunities {
		b = fmt.Appendf(b, " lc=%08x%08x%08x", c[0], c[1], c[2])
	}
	return string(b)
}

// readHex reads one rule a line; # begins a comment.
func readHex(in *input) {
	for at := 0; at < len(in.src); {
		end := len(in.src)
		if i := strings.IndexByte(in.src[at:], '\n'); i >= 0 {
			end = at + i
		}
		line := in.src[at:end]
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		h := hexLine{in: in, at: at, line: line}
		h.read()
		at = end + 1
	}
}

// hexLine is one line of the hex notation.
type hexLine struct {
	in   *input
	at   int // of the line in the source
	line string
	pos  int

	start   int
	family  flowspec.Family
	form    flowspec.OffsetForm // of IPv6 prefixes with an offset: our lines are as RFC 8956 has them, and of a message nobody knows who sent it
	nlris   span
	nextHop netip.Addr
	attributes
}

// word returns the next word and where it stands, or an empty one.
func (h *hexLine) word() (string, span) {
	for h.pos < len(h.line) && strings.IndexByte(" \t\r", h.line[h.pos]) >= 0 {
		h.pos++
	}
	from := h.pos
	for h.pos < len(h.line) && strings.IndexByte(" \t\r", h.line[h.pos]) < 0 {
		h.pos++
	}
	return h.line[from:h.pos], span{h.at + from, h.at + h.pos}
}

func (h *hexLine) fail(s span, message, hint string) bool {
	h.in.fail("bad-hex", s.start, max(s.end, s.start+1), message, hint)
	return false
}

func (h *hexLine) read() {
	first, s := h.word()
	h.start = s.start
	switch {
	case first == "":
		return
	case first == "update":
		h.update()
		return
	}
	afi, safi, ok := parseFamily(first)
	family, known := flowspec.FamilyOf(afi, safi)
	if h.family = family; !ok || !known {
		h.fail(s, quote(first)+" is no FlowSpec family", "1/133, 2/133, 1/134 or 2/134; or update and a whole message")
		return
	}
	digits, at := h.word()
	octets, err := hex.DecodeString(digits)
	if err != nil || len(octets) == 0 {
		h.fail(at, "the NLRI is not in hexadecimal", "two digits an octet, its length octets included")
		return
	}
	h.nlris, h.form = at, flowspec.OffsetRFC8956
	for {
		w, at := h.word()
		if w == "" {
			break
		}
		if !h.field(w, at) {
			return
		}
	}
	h.split(octets, h.family, h.nextHop, false)
}

// parseFamily reads AFI/SAFI.
func parseFamily(s string) (afi uint16, safi uint8, ok bool) {
	a, b, slash := strings.Cut(s, "/")
	x, okA := decimal(a, 0xffff)
	y, okB := decimal(b, 0xff)
	return uint16(x), uint8(y), slash && okA && okB
}

// field reads one community, or what a keyword begins.
func (h *hexLine) field(w string, at span) bool {
	key, value, named := strings.Cut(w, "=")
	if !named {
		key, value = "", w
	}
	if key == "nh" {
		addr, err := netip.ParseAddr(value)
		if err != nil || addr.Zone() != "" || h.nextHop.IsValid() {
			return h.fail(at, "the next hop is one address", "nh=192.0.2.1")
		}
		h.nextHop = addr
		return true
	}
	b, err := hex.DecodeString(value)
	var code byte
	switch {
	case key == "c" && len(b) == 4:
		code = attrCommunities
	case key == "lc" && len(b) == 12:
		code = attrLarge
	case key == "" && len(b) == 20:
		code = attrExtended6
	case key == "" && len(b) == 8:
		code = attrExtended
	}
	if err != nil || code == 0 {
		return h.fail(at, quote(w)+" is no community", "16 hexadecimal digits, or 40 for an IPv6-specific one; c= and 8, lc= and 24, nh= and an address")
	}
	h.attributes.read(code, b)
	return true
}

// update reads a whole UPDATE message.
func (h *hexLine) update() {
	digits, at := h.word()
	octets, err := hex.DecodeString(digits)
	if err != nil || len(octets) == 0 {
		h.fail(at, "the message is not in hexadecimal", "update and the octets of one UPDATE message, the header may be left out")
		return
	}
	if rest, s := h.word(); rest != "" {
		h.fail(s, "nothing may follow the message", "")
		return
	}
	u, err := parseUpdate(octets)
	if err != nil {
		h.fail(at, err.Error(), "")
		return
	}
	for _, what := range u.skipped {
		h.in.guard("not-flowspec", at.start, at.end, what+" are no FlowSpec rules: they would be lost", "")
	}
	h.nlris, h.attributes = at, u.attributes
	h.split(u.unreach.octets, u.unreach.family, netip.Addr{}, true)
	h.split(u.reach.octets, u.reach.family, u.reach.nextHop, false)
}

// split makes items of NLRIs that stand back to back. One that is malformed does not hide the next.
func (h *hexLine) split(b []byte, family flowspec.Family, nextHop netip.Addr, withdraw bool) {
	if len(b) == 0 || family == 0 {
		return
	}
	rule := flowspec.Rule{Communities: h.communities, LargeCommunities: h.large}
	if !withdraw {
		var err error
		if rule.Action, rule.Others, err = flowspec.ParseAction(h.ext, nextHop); err != nil {
			h.fail(h.nlris, err.Error(), "")
			return
		}
	}
	if withdraw {
		rule = flowspec.Rule{}
	}
	pos, text := h.in.position(h.start), shorten(strings.TrimSpace(h.line))
	for len(b) > 0 {
		nlri, rest, err := flowspec.Frame(b)
		if err != nil {
			h.fail(h.nlris, err.Error(), "")
			return
		}
		b = rest
		m, err := flowspec.ParseNLRIAs(family, nlri, h.form)
		if err != nil {
			h.fail(h.nlris, "NLRI "+shorten(hex.EncodeToString(nlri))+": "+err.Error(), "")
			continue
		}
		rule.Match = m
		h.in.items = append(h.in.items, Item{Rule: rule, Withdraw: withdraw, Pos: pos, Text: text})
	}
}
