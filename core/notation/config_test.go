package notation

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// A whole configuration file holds the rules that the real ExaBGP finds in it, and no others.
func TestConfigurationFileHoldsWhatExaBGPFinds(t *testing.T) {
	t.Parallel()
	text := readFile(t, "testdata/exabgp.conf")
	res := Read("exabgp.conf", text, Options{})
	if res.Failed() || len(res.Items) != 6 {
		t.Fatalf("%d rules: %+v", len(res.Items), res.Problems)
	}
	var got []string
	for _, it := range res.Items {
		got = append(got, octetsOf(Hex(it.Rule)))
	}
	if !haveExaBGP(t) {
		return
	}
	out, err := exec.CommandContext(t.Context(), python, "testdata/oracle_conf.py", "testdata/exabgp.conf").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var want []string
	for l := range strings.Lines(string(out)) {
		if rule, ok := strings.CutPrefix(strings.TrimSpace(l), "> "); ok {
			want = append(want, rule)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	want = slices.Compact(want) // ExaBGP keeps some twice
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}
