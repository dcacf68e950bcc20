package nftables_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
)

// A rate that changes is a limit that is made anew, and the chain that names it; an entry that goes takes its chain and counter along. integration/dataplane gives
// edits to nft.
func TestEdit(t *testing.T) {
	t.Parallel()
	const name = "2-syn-flood"
	have, archive := dialecttest.Golden(t, name)
	faster, _ := dialecttest.Golden(t, name)
	gone, _ := dialecttest.Golden(t, name)
	renamed, _ := dialecttest.Golden(t, name)
	odd, _ := dialecttest.Golden(t, name)
	faster.Policers[0].Rate.Amount, faster.Policers[0].Burst = 25000000, 25000000
	gone.Entries, gone.Policers = gone.Entries[:1], nil
	renamed.Name = "sluice-other"
	odd.Entries[0].Do.Sample = true
	for name, c := range map[string]struct {
		have, want filter.Filter
		script     string
		err        string
	}{
		"nothing": {have, have, "", ""},
		"faster": {have, faster, `flush chain ip sluice-v4 do-r-00000000000000b2
delete limit ip sluice-v4 sluice-r-00000000000000b2
add limit ip sluice-v4 sluice-r-00000000000000b2 { rate over 25000000 bytes/second; }
add rule ip sluice-v4 do-r-00000000000000b2 counter name "r-00000000000000b2"
add rule ip sluice-v4 do-r-00000000000000b2 limit name "sluice-r-00000000000000b2" drop
add rule ip sluice-v4 do-r-00000000000000b2 accept
`, ""},
		"gone": {have, gone, `flush chain ip sluice-v4 sluice-v4
flush chain ip sluice-v4 do-r-00000000000000b2
add rule ip sluice-v4 sluice-v4 iifname "lo" accept
add rule ip sluice-v4 sluice-v4 ip saddr 198.51.100.0/24 ip daddr 203.0.113.80 tcp dport @port-80_443 ip frag-off & 0x1fff == 0 counter name "r-00000000000000a1" accept comment "r-00000000000000a1"
add rule ip sluice-v4 sluice-v4 accept comment "accept-rest"
delete chain ip sluice-v4 do-r-00000000000000b2
delete limit ip sluice-v4 sluice-r-00000000000000b2
delete counter ip sluice-v4 r-00000000000000b2
`, ""},
		"from another hand": {odd, have, string(dialecttest.Part(t, archive, "text")), ""},
		"to another name":   {have, renamed, "", "cannot become sluice-other"},
		"to what cannot be": {have, odd, "", "nft has no sampling"},
	} {
		script, err := dialect.Edit(c.have, c.want)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want an error with %q", name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(c.script, string(script)); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
}
