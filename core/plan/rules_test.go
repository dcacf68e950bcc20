package plan_test

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
	"github.com/sluice-gateway/sluice/core/rib"
)

// words are the component names of the rules in these tests, shorter than those of ExaBGP.
var words = map[string]flowspec.Type{
	"dst": flowspec.DstPrefix, "src": flowspec.SrcPrefix, "proto": flowspec.Protocol, "port": flowspec.Port, "dport": flowspec.DstPort,
	"sport": flowspec.SrcPort, "itype": flowspec.ICMPType, "icode": flowspec.ICMPCode, "flags": flowspec.TCPFlags,
	"len": flowspec.PacketLength, "dscp": flowspec.DSCP, "frag": flowspec.Fragment, "label": flowspec.FlowLabel,
}

// rule reads "dst 192.0.2.1/32 proto 17 sport 53,123 len >=400 -> discard". Lists are joined by commas, AND is &. Bitmasks are any(18), all(2), none(16), notall(3).
func rule(t testing.TB, text string) flowspec.Rule {
	t.Helper()
	match, do, _ := strings.Cut(text, "->")
	fields := strings.Fields(match)
	f := flowspec.IPv4
	if strings.Contains(match, "::") {
		f = flowspec.IPv6
	}
	var components []flowspec.Component
	for i := 0; i+1 < len(fields); i += 2 {
		c := flowspec.Component{Type: words[fields[i]]}
		if c.Type <= flowspec.SrcPrefix {
			p := netip.MustParsePrefix(fields[i+1])
			c.Prefix = flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}
		} else {
			c.Terms = list(t, fields[i+1])
		}
		components = append(components, c)
	}
	m, err := flowspec.NewMatch(f, flowspec.RD{}, components...)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return flowspec.Rule{ID: flowspec.NewID("test", m), Match: m, Action: action(t, strings.Fields(do)), Source: "test"}
}

func list(t testing.TB, text string) (out []flowspec.Term) {
	t.Helper()
	for _, group := range strings.Split(text, ",") {
		for i, one := range strings.Split(group, "&") {
			term := flowspec.Term{And: i > 0, Op: flowspec.EQ}
			for _, op := range []struct {
				text string
				op   flowspec.Op
			}{
				{"any(", flowspec.AnyBit}, {"all(", flowspec.AllBits}, {"none(", flowspec.NoBit}, {"notall(", flowspec.NotAll},
				{">=", flowspec.GE}, {"<=", flowspec.LE}, {"!=", flowspec.NE}, {">", flowspec.GT}, {"<", flowspec.LT},
				{"true", flowspec.True}, {"false", flowspec.False},
			} {
				if rest, ok := strings.CutPrefix(one, op.text); ok {
					term.Op, one = op.op, strings.TrimSuffix(rest, ")")
					break
				}
			}
			if lo, hi, ok := strings.Cut(one, "-"); ok {
				out = append(out, flowspec.Term{Op: flowspec.GE, Value: number(t, lo)}, flowspec.Term{And: true, Op: flowspec.LE, Value: number(t, hi)})
				continue
			}
			if one != "" {
				term.Value = number(t, one)
			}
			out = append(out, term)
		}
	}
	return out
}

func number(t testing.TB, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 0, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// action reads "discard", "accept", "rate N", "pps N", "mark N", "sample", "continue", "vrf AS N", "nh ADDRESS FORM", "copy".
func action(t testing.TB, fields []string) (a flowspec.Action) {
	t.Helper()
	for i := 0; i < len(fields); i++ {
		arg := func() string { i++; return fields[i] }
		switch fields[i] {
		case "accept":
		case "discard":
			a.Rate = &flowspec.Rate{Unit: flowspec.Bytes}
		case "rate":
			a.Rate = &flowspec.Rate{Amount: float32(number(t, arg())), Unit: flowspec.Bytes}
		case "pps":
			a.Rate = &flowspec.Rate{Amount: float32(number(t, arg())), Unit: flowspec.Packets}
		case "mark":
			v := uint8(number(t, arg()))
			a.Mark = &v
		case "sample":
			a.Sample = true
		case "continue":
			a.Continue = true
		case "unknown":
			a.Unknown = []flowspec.ExtComm{"\x80\x99\x00\x00\x00\x00\x00\x01"}
		case "vrf":
			a.Redirect = &flowspec.Redirect{Form: flowspec.RedirectAS2, Global: uint32(number(t, arg())), Local: uint32(number(t, arg()))}
		case "simpson":
			a.Redirect = &flowspec.Redirect{Form: flowspec.NextHopSimpson, Addr: netip.MustParseAddr(arg())}
		case "ietf":
			a.Redirect = &flowspec.Redirect{Form: flowspec.NextHopIETFv4, Addr: netip.MustParseAddr(arg())}
		case "copy":
			a.Redirect.Copy = true
		default:
			t.Fatalf("action %q", fields[i])
		}
	}
	return a
}

// rules reads one rule a line.
func rules(t testing.TB, text string) (out []flowspec.Rule) {
	t.Helper()
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, rule(t, line))
		}
	}
	return out
}

// mustPlan plans rules and returns the plan with its verdicts by rule ID.
func mustPlan(t testing.TB, rules []flowspec.Rule, p *profile.Profile, opt plan.Options) (*plan.Plan, map[flowspec.ID]plan.Verdict) {
	t.Helper()
	out, err := plan.Make(rib.Of(rules), p, opt)
	if err != nil {
		t.Fatal(err)
	}
	byID := make(map[flowspec.ID]plan.Verdict, len(out.Verdicts))
	for _, v := range out.Verdicts {
		byID[v.Rule] = *v
	}
	return out, byID
}

// summary is a verdict in one line: "rewritten 2 split-values", "rejected 0 rate-split".
func summary(v plan.Verdict) string {
	codes := make([]string, 0, len(v.Reasons))
	for _, r := range v.Reasons {
		codes = append(codes, r.Code)
	}
	exact := ""
	if v.Carried != plan.Rejected && !v.Exact {
		exact = " inexact"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d%s %s", v.Carried, len(v.Entries), exact, strings.Join(codes, " ")))
}

// snapshot reads one rule a line.
func snapshot(t testing.TB, text string) rib.Snapshot {
	t.Helper()
	return rib.Of(rules(t, text))
}
