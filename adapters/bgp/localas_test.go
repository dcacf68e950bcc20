package bgp_test

import (
	"slices"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp/bgptest"
	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// A neighbour that knows us by another AS number sees that one alone, within one AS and between two, and paths with any number of ours have been here before.
func TestLocalAS(t *testing.T) {
	t.Parallel()
	for _, remote := range []uint32{64501, 64999} {
		p := start(t, options{localAS: 64999, remoteAS: remote, router: bgptest.Config{PeerAS: 64999}})
		p.up(t)
		p.apply(t, add(t, dst(9), flowspec.Action{}))
		got := p.holds(t, dst(9))[0].Path
		if want := []uint32{64999}; remote != 64999 && !slices.Equal(got.ASPath, want) || remote == 64999 && (len(got.ASPath) > 0 || got.LocalPref != 100) {
			t.Errorf("towards AS %d: AS_PATH %v, LOCAL_PREF %d", remote, got.ASPath, got.LocalPref)
		}
		for i, as := range []uint32{64999, 64500} {
			if err := p.router.Announce(flowspec.Action{}, session.Path{ASPath: []uint32{7, as}}, match(t, flowspec.IPv4, dst(i))); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.router.Announce(flowspec.Action{}, session.Path{ASPath: []uint32{7}}, match(t, flowspec.IPv4, dst(5))); err != nil {
			t.Fatal(err)
		}
		p.rulesAre(t, dst(5))
		if in := p.speaker.Status()[0].In; in.Loops != 2 {
			t.Errorf("%+v, want two loops", in)
		}
	}
}
