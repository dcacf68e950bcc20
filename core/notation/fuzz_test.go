package notation

import (
	"os"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// seeds are the lines of the corpus.
func seeds(f *testing.F) (lines []string) {
	text, err := os.ReadFile("testdata/exabgp.txt")
	if err != nil {
		f.Fatal(err)
	}
	for l := range strings.Lines(string(text)) {
		if isCommand(l) {
			lines = append(lines, strings.TrimSuffix(l, "\n"))
		}
	}
	return lines
}

// checkResult says what holds of every result: places are inside the input, a problem says why, an item is valid, can be
// printed exactly, and an input without items has a reason.
func checkResult(t *testing.T, src string, res Result) {
	t.Helper()
	lines := strings.Count(src, "\n") + 1
	for _, p := range res.Problems {
		if p.Message == "" || p.Code == "" || p.Severity == "" || p.Length < 1 {
			t.Fatalf("incomplete problem %+v", p)
		}
		if p.Pos.Line < 1 || p.Pos.Line > lines || p.Pos.Column < 1 || p.Pos.Column > utf8.RuneCountInString(src)+1 {
			t.Fatalf("problem outside of the input: %+v", p)
		}
		var out writer
		p.Render(&out, false)
		for _, r := range out.String() {
			if r < ' ' && r != '\n' && r != '\t' {
				t.Fatalf("a control character is printed: %q", out)
			}
		}
	}
	for _, it := range res.Items {
		if !it.Rule.Match.Valid() {
			t.Fatalf("invalid rule in %+v", it)
		}
		back := Read("x.hex", []byte(Hex(it.Rule)), Options{})
		if it.Withdraw || len(it.Rule.Action.Unknown) > 0 {
			continue
		}
		if len(back.Items) != 1 || back.Failed() || Hex(back.Items[0].Rule) != Hex(it.Rule) {
			t.Fatalf("%s reads back as %+v", Hex(it.Rule), back)
		}
	}
}

func FuzzReadLine(f *testing.F) {
	for _, l := range seeds(f) {
		f.Add(l, false)
	}
	f.Fuzz(func(t *testing.T, line string, compat bool) {
		opt := Options{}
		if compat {
			opt.Compat = compatCodes()
		}
		it, problems := ReadLine(line, opt)
		res := Result{Problems: problems}
		if it.Rule.Match.Valid() {
			res.Items = []Item{it}
		}
		checkResult(t, line, res)
		if len(res.Items) > 0 && res.Failed() {
			t.Fatalf("a rule beside an error: %q %+v", line, problems)
		}
		if len(res.Items) == 0 && len(problems) == 0 {
			t.Fatalf("nothing to say about %q", line)
		}
	})
}

func fuzzRead(f *testing.F, format Format, texts ...string) {
	for _, s := range texts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		res := Read("", []byte(src), Options{Format: format, Now: time.Unix(0, 0)})
		checkResult(t, src, res)
		if format == ExaBGP || len(res.Items) == 0 || res.Failed() {
			return
		}
		var rules []flowspec.Rule
		for _, it := range res.Items {
			if !it.Withdraw && len(it.Rule.Action.Unknown) == 0 {
				rules = append(rules, it.Rule)
			}
		}
		var out writer
		if err := Write(&out, format, rules); err != nil {
			return // a lifetime in hex, say
		}
		back := Read("", out, Options{Format: format})
		if back.Failed() || len(back.Items) != len(rules) {
			t.Fatalf("%d rules read back as %d:\n%s\n%+v", len(rules), len(back.Items), out, back.Problems)
		}
	})
}

func FuzzReadExaBGP(f *testing.F) {
	conf, err := os.ReadFile("testdata/exabgp.conf")
	if err != nil {
		f.Fatal(err)
	}
	fuzzRead(f, ExaBGP, append(seeds(f), string(conf))...)
}

func FuzzReadYAML(f *testing.F) {
	fuzzRead(f, YAML, "rules:\n  - match: {destination: 203.0.113.10/32, protocol: udp, source-port: [53, \">=1024\", 1-9]}\n    action: {rate: 10Mbps, redirect: {next-hop: 192.0.2.1, copy: true}, mark: ef, sample: true}\n    ttl: 10m\n    note: \"a\"\n",
		"rules: []", "rules:\n- match: &a {rd: \"65000:1\", tcp-flags: syn&!ack}\n  family: ipv6\n  action: discard\n", "---\nrules: [{family: ipv4, nlri: \"0301080a\", action: accept}]\n---\nrules: []\n")
}

func FuzzReadJSON(f *testing.F) {
	fuzzRead(f, JSON, `{"rules": [{"match": {"destination": "2001:db8::/32", "protocol": 58, "icmp-type": "echo-request"}, "action": {"rate": "500pps", "continue": true}, "communities": ["65000:1"], "expires": "2026-11-23T08:15:00Z"}]}`,
		`{"rules": [{"family": "ipv6", "nlri": "03010000", "action": "discard", "extended-communities": ["0x8009000000000001"], "note": "\u00e9"}]}`, `{"rules": [{"match": {}}]}`)
}

func FuzzReadHex(f *testing.F) {
	fuzzRead(f, HexLines, "1/133 060120cb00710a 8006000000000000 nh=192.0.2.1 c=fde80001 lc=000000010000000200000003\n# x\n2/134 0f0000fde80000000101200020010db8 000c20010db80000000000000000000000990000",
		"1/133 0301080a0301080b", "update 0000001f4001010040020040050400000064c010088006000000000000800e0900018500000301080a", "update "+strings.Repeat("f", 32)+"001e0200000007900f0003000185")
}

func FuzzParseRate(f *testing.F) {
	for _, s := range []string{"10Mbps", "1.25MB/s", "500pps", "10", "1e3bps", "10 Gbit/s", "0bps", "10MBps", "340282350000000000000000000000000000000B/s"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRate(s)
		if err != nil {
			return
		}
		if !(r.Amount > 0) {
			t.Fatalf("%q is %v", s, r)
		}
		if back, err := ParseRate(FormatRate(r)); err != nil || back != r {
			t.Fatalf("%q is %v, printed %q, read back %v %v", s, r, FormatRate(r), back, err)
		}
	})
}
