package bgp_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/bgp"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// The configurations that docs/bgp.md shows are run as they stand there, with other addresses, ports that need no root, and a feed in the place
// of the detector.
func TestConfigurationsInTheDocumentation(t *testing.T) {
	t.Parallel()
	host := rig.Subnet()
	us, front, behind := host(1), host(10), host(20)
	moved := strings.NewReplacer("192.0.2.10", front.String(), "192.0.2.20", behind.String(), "192.0.2.1", us.String())
	dir := t.TempDir()
	feed := filepath.Join(dir, "feed")
	exaConf := moved.Replace(example(t, "exabgp"))
	exaConf = strings.Replace(exaConf, "run /usr/local/bin/detector;", "run "+rig.Program(t, "cat", "coreutils")+" "+feed+";", 1)
	exaConf = strings.Replace(exaConf, "hold-time 30;", fmt.Sprintf("hold-time 30; connect %d;", rig.SpeakerPort), 1)
	birdConf := moved.Replace(example(t, "bird"))
	birdConf = strings.Replace(birdConf, " as 64520;", fmt.Sprintf(" port %d as 64520;", rig.BIRDPort), 1)
	birdConf = strings.Replace(birdConf, " as 64512;", fmt.Sprintf(" port %d as 64512; strict bind yes;", rig.SpeakerPort), 1)

	g := newGateway(t, us, func(c *bgp.Config) { c.LocalAS, c.Communities = 64512, []uint32{64512<<16 | 6666} })
	g.peer(bgp.PeerConfig{Name: "detector", Address: front, LocalAddress: us, RemoteAS: 64512, Passive: true, Families: both, Source: "detector"})
	g.peer(bgp.PeerConfig{Name: "edge", Address: behind, Port: rig.BIRDPort, LocalAddress: us, RemoteAS: 64520, Families: both, Device: true})
	g.forms["edge"] = asItCame
	g.run()
	b := rig.ConfiguredBIRD(t, birdConf)
	say := rig.Feed(t, feed)
	rig.ConfiguredExaBGP(t, exaConf, "exabgp.api.ack=false")
	say("%s", line(t))
	b.Holds("flow4tab", 1, "dst 203.0.113.9/32; proto 17; sport 53,123;", "(generic, 0x80060000, 0x0)")
}

func page(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile("../../docs/bgp.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// example is the block of that language.
func example(t *testing.T, language string) string {
	t.Helper()
	_, rest, ok := strings.Cut(page(t), "```"+language+"\n")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatalf("docs/bgp.md has no block of %s", language)
	}
	return text
}

// line is the API line that the page shows.
func line(t *testing.T) string {
	t.Helper()
	found := regexp.MustCompile("`(announce flow route [^`]*)`").FindStringSubmatch(page(t))
	if found == nil {
		t.Fatal("docs/bgp.md shows no API line")
	}
	return found[1]
}
