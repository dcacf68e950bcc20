package verify_test

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/oracle"
	"github.com/sluice-gateway/sluice/core/packet"
	"pgregory.net/rapid"
)

// The model here evaluates a certificate packet by packet. It shares nothing with package verify: it reads octets with package flowspec, whose own tests
// hold it to the RFCs, and matches by the oracle.

// step is what one rule or entry does to a packet.
type step struct {
	does     string // "" is accept; names no bucket
	bucket   string
	rate     float32
	exact    bool // the rule says so
	severity int
	goesOn   bool
	at       int // place of the rule or entry
}

// list is what happens to a packet.
type list []step

func (l list) String() string {
	var out []string
	for _, s := range l {
		if s.does != "" {
			out = append(out, s.does)
		}
	}
	return strings.Join(out, ", ")
}

func (l list) severity() (n int) {
	for _, s := range l {
		n = max(n, s.severity)
	}
	return n
}

type clause struct {
	step
	matches  func(packet.Header) bool
	match    flowspec.Match
	measured int // place in the order that was seen; 0: none
}

// model is a certificate ready to be asked what happens to packets.
type model struct {
	rules           []clause
	native, filter  []clause
	loose           map[bool]bool // native clauses may stand in any order that keeps what was measured, for IPv4 (true) and IPv6
	carried, honest bool
}

// errNonsense is what no device can be given.
type errNonsense string

// modelOf reads a certificate; an error where its octets mean nothing.
func modelOf(c *certificate.Certificate) (m *model, err error) {
	defer func() {
		if r := recover(); r != nil {
			if n, ok := r.(errNonsense); ok {
				m, err = nil, fmt.Errorf("%s", string(n))
				return
			}
			panic(r)
		}
	}()
	m = &model{carried: true, honest: true}
	for i, r := range c.Rules {
		m.rules = append(m.rules, route(r.Family, r.Clause, i))
		m.rules[i].exact = r.Exact
		m.carried = m.carried && !r.Rejected
		m.honest = m.honest && !(r.Rejected && r.Exact)
	}
	for i, e := range c.Entries {
		family := c.Rules[e.Rule].Family
		one := route(family, e.Clause, i)
		if e.Stage == certificate.FlowSpec {
			one.measured = e.Measured
			m.native = append(m.native, one)
			continue
		}
		if one.bucket != "" && e.Policer != "" {
			one.bucket = "policer " + e.Policer
		}
		one.matches = entry(one.match, *c.Platform.Filter)
		m.filter = append(m.filter, one)
	}
	byOrder := func(a, b clause) int { return flowspec.Compare(a.match, b.match) }
	slices.SortFunc(m.rules, byOrder)
	slices.SortFunc(m.native, byOrder)
	m.loose = map[bool]bool{true: c.Platform.Order == "unknown", false: c.Platform.OrderV6 == "unknown"}
	return m, nil
}

func route(family string, c certificate.Clause, at int) clause {
	f := map[string]flowspec.Family{"ipv4": flowspec.IPv4, "ipv6": flowspec.IPv6}[family]
	b, err := hex.DecodeString(c.NLRI)
	if err != nil {
		panic(errNonsense("no octets"))
	}
	match, err := flowspec.ParseNLRI(f, b)
	if err != nil {
		panic(errNonsense(err.Error()))
	}
	var ext []flowspec.ExtComm
	for _, a := range c.Actions {
		b, err := hex.DecodeString(a)
		if err != nil {
			panic(errNonsense("no octets"))
		}
		ext = append(ext, flowspec.ExtComm(b))
	}
	next, _ := netip.ParseAddr(c.NextHop)
	a, others, err := flowspec.ParseAction(ext, next)
	if err != nil || len(others) > 0 || len(a.Unknown) > 0 {
		panic(errNonsense("actions that are none"))
	}
	s := stepOf(a)
	s.at = at
	if s.severity == 3 {
		s.bucket = fmt.Sprint("own ", at)
	}
	return clause{s, func(h packet.Header) bool { return oracle.Rule(match, h) }, match, 0}
}

func stepOf(a flowspec.Action) step {
	s := step{goesOn: a.Continue}
	var words []string
	add := func(severity int, word string) {
		words = append(words, word)
		s.severity = max(s.severity, severity)
	}
	if a.Mark != nil {
		add(1, fmt.Sprint("mark ", *a.Mark))
	}
	if a.Sample {
		add(1, "sample")
	}
	if r := a.Redirect; r != nil && r.NextHop() {
		add(2, fmt.Sprint("redirect ", r.Addr, r.Copy))
	} else if r != nil {
		add(2, r.String())
	}
	if a.Discard() {
		add(4, "discard")
	} else if a.Rate != nil {
		add(3, fmt.Sprint("rate in ", a.Rate.Unit))
		s.rate = a.Rate.Amount
	}
	s.does = strings.Join(words, " ")
	return s
}

// entry is what an entry of a filter matches that asks for the components of m, on a platform that looks at protocol and fragment offset by itself as s says.
func entry(m flowspec.Match, s certificate.Semantics) func(packet.Header) bool {
	return func(h packet.Header) bool {
		icmp := map[bool]uint8{true: 1, false: 58}[h.Src.Is4()]
		for c := range m.All() {
			bare, behind, wrong := h, true, false // behind the IP header; of another protocol than is looked at
			switch c.Type {
			case flowspec.Port, flowspec.DstPort, flowspec.SrcPort:
				bare.Proto, wrong = 17, s.PortsCheckProtocol && h.Proto != 6 && h.Proto != 17
			case flowspec.TCPFlags:
				bare.Proto, wrong = 6, s.FlagsCheckProtocol && h.Proto != 6
			case flowspec.ICMPType, flowspec.ICMPCode:
				bare.Proto, wrong = icmp, s.ICMPChecksProtocol && h.Proto != icmp
			default:
				behind = false
			}
			if behind {
				bare.Fragment = packet.Whole // the field is there, whatever it is
				wrong = wrong || s.TransportChecksOffset && h.Fragment != packet.Whole && h.Fragment != packet.First
			}
			if wrong || !oracle.Component(c, bare) {
				return false
			}
		}
		return h.Src.Is4() == (m.Family() == flowspec.IPv4)
	}
}

// walk goes down clauses. Nothing that continues is left out of the list.
func walk(cs []clause, h packet.Header) (out list) {
	for _, c := range cs {
		if c.matches(h) {
			if !c.goesOn || c.does != "" {
				out = append(out, c.step)
			}
			if !c.goesOn {
				break
			}
		}
	}
	return out
}

// device is what happens to h: the filter first or FlowSpec first, and what the second does to a packet that the first did it to is done once, but for samples.
func (m *model) device(native []clause, h packet.Header, filterFirst bool) list {
	first, second := m.filter, native
	if !filterFirst {
		first, second = second, first
	}
	out := walk(first, h)
	for _, s := range out {
		if strings.Contains(s.does, "discard") {
			return out
		}
		if _, after, ok := strings.Cut(s.does, "mark "); ok {
			fmt.Sscan(after, &h.DSCP)
		}
	}
	done := out
	for _, s := range walk(second, h) {
		if strings.Contains(s.does, "sample") || strings.Contains(s.does, "rate") || !slices.ContainsFunc(done, func(o step) bool { return o.does == s.does }) {
			out = append(out, s)
		}
	}
	return out
}

func limited(l list) (out list) {
	for _, s := range l {
		if s.bucket != "" {
			out = append(out, s)
		}
	}
	return out
}

// asMeasured puts those of native that were measured into that order, in the places where such stand.
func asMeasured(native []clause) []clause {
	out := slices.Clone(native)
	var at []int
	var listed []clause
	for i, c := range out {
		if c.measured > 0 {
			at, listed = append(at, i), append(listed, c)
		}
	}
	slices.SortStableFunc(listed, func(a, b clause) int { return a.measured - b.measured })
	for k, i := range at {
		out[i] = listed[k]
	}
	return out
}

// faults asks what happens to packets and says what is wrong, or "".
func (m *model) faults(t *rapid.T, packets []packet.Header) string {
	if !m.honest {
		return "a rejected rule is said to be exact"
	}
	asked, given := map[string]string{}, map[string]string{} // partners of buckets
	for _, h := range packets {
		native := m.native
		if m.loose[h.Src.Is4()] && len(native) > 1 {
			native = asMeasured(rapid.Permutation(native).Draw(t, "order"))
		}
		want := walk(m.rules, h)
		for _, filterFirst := range []bool{true, false} {
			got := m.device(native, h, filterFirst)
			if m.carried && want.String() != got.String() || got.severity() > want.severity() {
				return fmt.Sprintf("packet %s: asked %q, got %q (all carried: %v)", h, want, got, m.carried)
			}
			if !m.carried {
				continue
			}
			a, b := limited(want), limited(got)
			for i := range a {
				if other, ok := asked[a[i].bucket]; ok && other != b[i].bucket {
					return fmt.Sprintf("packet %s: %s shares no bucket with others of its rule", h, b[i].bucket)
				}
				if other, ok := given[b[i].bucket]; ok && other != a[i].bucket {
					return fmt.Sprintf("packet %s: %s is shared with another rule", h, b[i].bucket)
				}
				asked[a[i].bucket], given[b[i].bucket] = b[i].bucket, a[i].bucket
				if b[i].rate < a[i].rate || a[i].exact && float64(b[i].rate) > 1.0101*float64(a[i].rate) {
					return fmt.Sprintf("packet %s: a rate of %v instead of %v", h, b[i].rate, a[i].rate)
				}
			}
		}
	}
	return ""
}
