package netconf_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/openconfig"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
	"github.com/sluice-gateway/sluice/integration/rig"
)

// A NETCONF server that loads openconfig-acl takes what the dialect renders, and answers with what the dialect reads as the same filter.
func TestOpenConfigAccessLists(t *testing.T) {
	t.Parallel()
	h := rig.BootOpenConfig(t).Another(t)
	dst := netip.MustParsePrefix("203.0.113.80/32")
	udp, tcp := packet.Values{{Lo: 17, Hi: 17}}, packet.Values{{Lo: 6, Hi: 6}}
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone, Entries: []filter.Entry{
		{Name: "r-0000000000000001", Rule: "0000000000000001", Counter: "r-0000000000000001", Do: filter.Do{Discard: true},
			Match: filter.Match{Dst: &dst, Proto: udp, SrcPort: packet.Values{{Lo: 53, Hi: 53}}, DstPort: packet.Values{{Lo: 1024, Hi: 65535}}, Fragments: packet.OffsetZero}},
		{Name: "r-0000000000000002", Rule: "0000000000000002", Match: filter.Match{Proto: tcp, Flags: []filter.FlagTerm{{Set: 2, Clear: 0x10}}, Fragments: packet.OffsetZero}},
		{Name: "r-0000000000000003", Rule: "0000000000000003", Do: filter.Do{Discard: true},
			Match: filter.Match{Dst: &dst, DSCP: packet.Values{{Lo: 0, Hi: 2}}, Fragments: packet.AnyFrags &^ packet.OffsetZero}},
	}}
	replace(t, h, f)
	f.Entries = f.Entries[1:] // the set is replaced by a shorter one
	replace(t, h, f)

	// The server tells right from wrong.
	for _, c := range [][2]string{{"TCP_INITIAL", "TCP_NOT_ACK"}, {">DROP<", ">DORP<"}, {":IP_TCP", ":IP_ESP"}, {">0</fragment-offsets>", ">8192</fragment-offsets>"}} {
		spoilt := strings.Replace(payload(t, f), c[0], c[1], 1)
		if spoilt == payload(t, f) {
			t.Errorf("the payload has no %s", c[0])
		}
		if reply := edit(t, h, spoilt); !strings.Contains(reply, "rpc-error") {
			t.Errorf("%s is taken: %s", c[1], reply)
		}
	}
}

func payload(t *testing.T, f filter.Filter) string {
	t.Helper()
	r, err := openconfig.Dialect{}.Render(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(r.Payload)
}

func edit(t *testing.T, h *rig.Hand, config string) string {
	t.Helper()
	config = strings.Replace(config, "<acl-set>", `<acl-set xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0" nc:operation="replace">`, 1)
	return h.Do(t, "<edit-config><target><candidate/></target><config>"+config+"</config></edit-config>")
}

// replace puts f in the place of what the server holds, and reads it back.
func replace(t *testing.T, h *rig.Hand, f filter.Filter) {
	t.Helper()
	for _, reply := range []string{edit(t, h, payload(t, f)), h.Do(t, "<commit/>")} {
		if !strings.Contains(reply, "<ok/>") {
			t.Fatalf("got %s", reply)
		}
	}
	reply := h.Do(t, `<get-config><source><running/></source><filter type="subtree"><acl xmlns="http://openconfig.net/yang/acl"/></filter></get-config>`)
	got, err := openconfig.Dialect{}.Parse([]byte(reply))
	if err != nil || len(got) != 1 {
		t.Fatalf("got %+v, %v\n%s", got, err, reply)
	}
	if err := filter.Same(f, got[0], openconfig.Dialect{}.Semantics()); err != nil {
		t.Fatalf("%v\n%s", err, reply)
	}
}
