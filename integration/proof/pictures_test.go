package proof_test

import (
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/table"
)

// The picture of why order matters tells the truth: those rules, split so, sort so, and the packet from port 389 is the one that suffers.
func TestPictureOfOrder(t *testing.T) {
	t.Parallel()
	picture, err := os.ReadFile("../../docs/pictures/order.svg")
	if err != nil {
		t.Fatal(err)
	}
	rule := func(ports []uint64, do table.Outcome) line {
		c := flowspec.Component{Type: flowspec.SrcPort}
		for _, p := range ports {
			c.Terms = append(c.Terms, flowspec.Term{Op: flowspec.EQ, Value: p})
		}
		udp := flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}}
		m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, prefixOf(flowspec.DstPrefix, smallAddress(flowspec.IPv4, 1), 32), udp, c)
		if err != nil {
			t.Fatal(err)
		}
		return line{match: m, do: do}
	}
	a := rule([]uint64{19, 53, 111, 123, 161, 389, 1900}, table.Outcome{Discard: true})
	b := rule([]uint64{389, 1000}, table.Outcome{})
	for _, words := range []string{">19 53 111 123 161 389 1900<", ">389 1000<", "discard 19 53 111 123 161<", "accept 389 1000<", "discard 389 1900<"} {
		if !strings.Contains(string(picture), words) {
			t.Errorf("the picture does not say %q", words)
		}
	}
	if precedes(a.match, b.match) >= 0 {
		t.Fatal("A does not come first")
	}
	got := naive(t, lines{a, b})
	if len(got) != 3 || !got[1].match.Equal(b.match) {
		t.Fatalf("B does not lie between the parts of A:\n%s", got)
	}
	d := table.Diff(lines{a, b}.table(), got.table())
	if d == nil || d.Packet.SrcPort != 389 || d.Want != "discard" || d.Got != "accept" {
		t.Errorf("the difference is %v", d)
	}
}
