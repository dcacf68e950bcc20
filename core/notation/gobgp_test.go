package notation

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// gobgpsOwn returns the NLRI, without its length, that GoBGP makes of the conditions in a command. It joins the words of the shell and cuts at spaces, so quotes make no difference.
func gobgpsOwn(command string, v6 bool) (nlri string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("GoBGP panics: %v", p)
		}
	}()
	_, match, _ := strings.Cut(strings.NewReplacer("'", "", `"`, "", "\t", " ", "\r", " ").Replace(command), "match ")
	match, _, _ = strings.Cut(match, " then ")
	family := bgp.RF_FS_IPv4_UC
	if v6 {
		family = bgp.RF_FS_IPv6_UC
	}
	rules, err := bgp.ParseFlowSpecComponents(family, strings.Join(strings.Fields(match), " "))
	if err != nil {
		return "", err
	}
	var b []byte
	if v6 {
		b, err = bgp.NewFlowSpecIPv6Unicast(rules).Serialize()
	} else {
		b, err = bgp.NewFlowSpecIPv4Unicast(rules).Serialize()
	}
	if err != nil || len(b) < 2 {
		return "", err
	}
	if b[0] >= 0xf0 {
		return hex.EncodeToString(b[2:]), nil
	}
	return hex.EncodeToString(b[1:]), nil
}

// sluiceNLRI is the same of ours.
func sluiceNLRI(m flowspec.Match) string {
	b := m.NLRI()
	if b[0] >= 0xf0 {
		return hex.EncodeToString(b[2:])
	}
	return hex.EncodeToString(b[1:])
}

// What we write GoBGP reads as what we meant.
func TestGoBGPReadsWhatWeWrite(t *testing.T) {
	t.Parallel()
	said, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		r := ruleGen(rapid.Bool().Draw(t, "plain")).Draw(t, "rule")
		if rapid.IntRange(0, 9).Draw(t, "any") > 0 {
			r = sayableByGoBGP(t, r)
		}
		all++
		var out writer
		if err := Write(&out, GoBGP, []flowspec.Rule{r}); err != nil {
			if len(out) > 0 {
				t.Fatalf("printed %q beside the error %v", out, err)
			}
			return
		}
		got := Read("", out, Options{})
		if len(got.Items) != 1 || got.Format != GoBGP || Hex(got.Items[0].Rule) != Hex(r) {
			t.Fatalf("%s reads back as %+v, want %s", out, got, Hex(r))
		}
		said++
		if r.Match.Family().VPN() || len(r.Match.NLRI()) > 200 { // longer ones it encodes wrongly (length octets)
			return
		}
		if nlri, err := gobgpsOwn(out.String(), r.Match.Family() == flowspec.IPv6); err != nil || nlri != sluiceNLRI(r.Match) {
			t.Fatalf("%s\nGoBGP sends %s, %v; want %s", out, nlri, err, sluiceNLRI(r.Match))
		}
	})
	if said*2 < all {
		t.Errorf("of %d rules %d were written", all, said)
	}
}

// sayableByGoBGP takes out of r most of what its commands have no word for.
func sayableByGoBGP(t *rapid.T, r flowspec.Rule) flowspec.Rule {
	r.Communities, r.LargeCommunities, r.Action.Unknown = nil, nil, nil
	r.Others = slices.DeleteFunc(r.Others, func(c flowspec.ExtComm) bool { return c[:2] != "\x00\x02" || !r.Match.Family().VPN() })
	if x := r.Action.Redirect; x != nil && x.NextHop() {
		r.Action.Redirect = nil
	}
	if x := r.Action.Rate; x != nil && x.Unit != flowspec.Bytes {
		r.Action.Rate = nil
	}
	var list []flowspec.Component
	for c := range r.Match.All() {
		c.Prefix.Offset = 0
		if c.Type.Prefix() {
			c.Prefix = cleanPrefix(c.Prefix)
		}
		for i := range c.Terms {
			term := &c.Terms[i]
			term.Width = 0
			switch {
			case c.Type == flowspec.TCPFlags:
				term.Value = term.Value&0xff | 1
			case c.Type == flowspec.FlowLabel:
				term.Width = (&expr{typ: c.Type}).width(term.Value)
			}
			if !c.Type.Bitmask() && (term.Op == flowspec.True || term.Op == flowspec.False) {
				term.Op = flowspec.EQ
			}
		}
		list = append(list, c)
	}
	m, err := flowspec.NewMatch(r.Match.Family(), r.Match.RD(), list...)
	if err != nil {
		t.Fatal(err)
	}
	r.Match = m
	return r
}

const gobgpHead = "gobgp global rib -a ipv4-flowspec add match destination 203.0.113.10/32 "

// Spellings that GoBGP takes.
func TestGoBGPSpellings(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		gobgpHead + "then discard": "1/133 06 0120cb00710a 8006000000000000",
		"gobgp -u 192.0.2.1 -p 50051 global rib add -a ipv4-flowspec match destination 203.0.113.10 then accept":                   "1/133 06 0120cb00710a",
		"match source 2001:db8::1 then rate-limit 1250000.5 as 65000":                                                              "2/133 13 0280" + "00" + "20010db8000000000000000000000001 8006fde849989684",
		"add match source 2001:db8::/32 protocol tcp then action sample":                                                           "2/133 0a 02200020010db8038106 8007000000000002",
		gobgpHead + `destination-port '>=80&<=90 ==443' protocol "tcp udp" then mark 46 redirect 65000:666`:                        "",
		gobgpHead + "destination-port > 1024 & < 2048 port !=53 then discard":                                                      "",
		gobgpHead + "tcp-flags S !F =SA &!=R then discard":                                                                         "",
		gobgpHead + "fragment is-fragment+first-fragment =!last-fragment not-a-fragment then discard":                              "",
		gobgpHead + "icmp-type 8 icmp-code &0 packet-length >=400 dscp 46 34 then redirect 192.0.2.1:7":                            "",
		gobgpHead + "protocol !tcp & !udp then rate-limit 0":                                                                       "",
		"gobgp global rib -a ipv6-flowspec add match destination 2001:db8::/32 label 7 then redirect 1.2:3 action sample-terminal": "",
	} {
		res := Read("", []byte(line), Options{})
		if res.Failed() || len(res.Items) != 1 || res.Format != GoBGP {
			t.Errorf("%s: %+v", line, res)
			continue
		}
		r := res.Items[0].Rule
		if got := strings.ReplaceAll(Hex(r), " ", ""); want != "" && got != strings.ReplaceAll(want, " ", "") {
			t.Errorf("%s: %s, want %s", line, Hex(r), want)
		}
		if nlri, err := gobgpsOwn(line, r.Match.Family() == flowspec.IPv6); err != nil || nlri != sluiceNLRI(r.Match) {
			t.Errorf("%s: GoBGP sends %s, %v; sluice reads %s", line, nlri, err, sluiceNLRI(r.Match))
		}
	}
}

// What GoBGP passes over, or takes for something else, is refused whole, and its place is named.
func TestGoBGPRefusals(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		gobgpHead + "destination-port 80-90 then discard":                                       "GoBGP takes this for 80",
		gobgpHead + "destination-port 80,90 then discard":                                       `"80,90" is no number`,
		gobgpHead + "destination-port 80 destination-port 90 then discard":                      "stands twice: GoBGP keeps only the last",
		gobgpHead + "destination-port true then discard":                                        "GoBGP sends the opposite of true",
		gobgpHead + "destination-port => 80 then discard":                                       "no comparison =>",
		gobgpHead + "destination-port >= then discard":                                          "a comparison without a value",
		gobgpHead + "destination-port then discard":                                             "a value is missing",
		gobgpHead + "destination-port 65536 then discard":                                       "port is at most 65535",
		gobgpHead + "protocol icmp6 then discard":                                               `"icmp6" is no number`,
		gobgpHead + "tcp-flags SX then discard":                                                 "not made of flags",
		gobgpHead + "fragment is-fragmentlast-fragment then discard":                            "no kind of fragment",
		gobgpHead + "source-mac 00:00:5e:00:53:01 then discard":                                 `"source-mac" is no condition`,
		gobgpHead + "source 2001:db8::/32 then discard":                                         "IPv4 and IPv6 in one rule",
		gobgpHead + "then discard color 100":                                                    "segment routing",
		gobgpHead + "then rate-limit 1e6":                                                       `"1e6" is no rate`,
		gobgpHead + "then rate-limit 10Mbps":                                                    `"10Mbps" is no rate`,
		gobgpHead + "then redirect 192.0.2.1":                                                   "no route target",
		gobgpHead + "then mark 64":                                                              "from 0 to 63",
		gobgpHead + "then drop":                                                                 `"drop" is no action`,
		gobgpHead + "then discard accept":                                                       "",
		gobgpHead + "then discard rt 65000:1":                                                   "route target of a rule of the global table",
		gobgpHead + "rd 65000:1 then discard":                                                   "route distinguisher in a rule of the global table",
		gobgpHead + "":                                                                          "no action",
		gobgpHead + "'":                                                                         "quote is not closed",
		"gobgp global rib add match destination 203.0.113.10/32 then discard":                   "no family",
		"gobgp global rib -a ipv6-flowspec add match destination 203.0.113.10/32 then discard":  "not of the family that -a names",
		"gobgp global rib -a l2vpn-flowspec add match destination 203.0.113.10/32 then discard": "no family of FlowSpec for IP",
		"gobgp neighbor": "not a command about the rules",
		"match":          "no condition",
		"match destination 203.0.113.10/24 then discard":                                             "bits outside the prefix",
		"match destination 203.0.113.0/24 protocol tcp \\ then discard":                              "a backslash only continues a line",
		"gobgp global rib -a ipv4-l3vpn-flowspec add match destination 203.0.113.10/32 then discard": "route distinguisher",
	} {
		res := Read("", []byte("# a comment\n"+line+"\n"), Options{})
		var says []string
		for _, p := range res.Problems {
			says = append(says, p.Message)
			if p.Pos.Line != 2 {
				t.Errorf("%s: at %v", line, p.Pos)
			}
		}
		if !res.Failed() || len(res.Items) != 0 || !strings.Contains(strings.Join(says, "\n"), want) {
			t.Errorf("%s: %d items, says %q, want %q", line, len(res.Items), says, want)
		}
	}
}

// A script of several commands, over several lines, with a withdrawal.
func TestGoBGPScript(t *testing.T) {
	t.Parallel()
	const script = "#!/bin/sh\n# ntp\ngobgp global rib -a ipv4-flowspec add \\\n  match destination 203.0.113.10/32 \\\n  protocol udp source-port '==123' \\\n  then discard # now\n\n" +
		"gobgp global rib -a ipv4-flowspec del match destination 203.0.113.20/32\n" +
		"gobgp global rib -a ipv4-l3vpn-flowspec add rd 65000:1 match destination 203.0.113.30/32 then discard rt 65000:7 192.0.2.1:8\n"
	res := Read("attack.sh", []byte(script), Options{})
	if res.Failed() || len(res.Items) != 3 || !res.Items[1].Withdraw || res.Items[0].Pos.Line != 3 || res.Items[2].Pos.Line != 9 {
		t.Fatalf("%+v", res)
	}
	if got := res.Items[2].Rule; len(got.Others) != 2 || got.Match.Family() != flowspec.VPNv4 {
		t.Errorf("%+v", got)
	}
}

// Whatever is accepted is what GoBGP itself sends, and nothing makes the reader fall over.
func FuzzReadGoBGP(f *testing.F) {
	for _, s := range []string{
		gobgpHead + "then discard", gobgpHead + "destination-port '>=80&<=90 ==443' then rate-limit 1250000", "match source 2001:db8::/32 label 7 then redirect 65000:666",
		gobgpHead + "tcp-flags =SA&!F then action sample", gobgpHead + "fragment is-fragment+last-fragment then mark 46", "del match destination 203.0.113.10\n",
		"gobgp global rib -a ipv4-l3vpn-flowspec add rd 65000:1 match destination 203.0.113.30/32 then discard rt 65000:7", "match destination 203.0.113.10 \\\n then accept",
		gobgpHead + "protocol 1 & 2 ' !3' then discard",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		res := Read("", []byte(s), Options{Format: GoBGP})
		checkResult(t, s, res)
		if len(res.Items) != 1 || res.Failed() || strings.ContainsAny(s, "\n#\\\v\f") || strings.Count(s, "match ") != 1 {
			return
		}
		m := res.Items[0].Rule.Match
		if m.Family().VPN() || len(m.NLRI()) > 200 || offset(m) || !strings.Contains(s, " then ") {
			return
		}
		if nlri, err := gobgpsOwn(s, m.Family() == flowspec.IPv6); err != nil || nlri != sluiceNLRI(m) {
			t.Errorf("%q: GoBGP sends %s, %v; sluice reads %s", s, nlri, err, sluiceNLRI(m))
		}
	})
}

// offset says whether a prefix of m has one: GoBGP encodes it otherwise.
func offset(m flowspec.Match) bool {
	for c := range m.All() {
		if c.Prefix.Offset > 0 {
			return true
		}
	}
	return false
}
