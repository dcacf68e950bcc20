package netconf

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/device"
)

// The recorded answer is that of a router with Junos 19.4 to <get-firewall-filter-information>, as an operator published it in the comments of a script for PyEZ (filter CORERO-MITIGATE).
func TestRecordedJunosCounters(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/counters/junos-19.4.xml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(string(text), func(e *element, out map[string]device.Counter) error {
		return readJunos(e, []string{"CORERO-MITIGATE"}, out)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]device.Counter{
		"Corero-Allowed": {Packets: 416316713, Bytes: 274462490908}, "Corero-auto-customfilter0000-discard": {}, "Corero-auto-customfilter0000-match": {},
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func readAll(raw string, read func(*element, map[string]device.Counter) error) (map[string]device.Counter, error) {
	kids, err := parseReply(raw)
	out := map[string]device.Counter{}
	for i := 0; err == nil && i < len(kids); i++ {
		err = read(kids[i], out)
	}
	return out, err
}

func TestJunosCountersNotUnderstood(t *testing.T) {
	t.Parallel()
	const ok = `<counter><counter-name>a</counter-name><packet-count>1</packet-count><byte-count>2</byte-count></counter>`
	for text, want := range map[string]string{
		`<firewall-information><filter-information><filter-name>f</filter-name>` + ok + ok + `</filter-information></firewall-information>`:                                                                 "counter a is there twice",
		`<firewall-information><filter-information>` + ok + `</filter-information></firewall-information>`:                                                                                                  "want one filter-name with a value",
		`<firewall-information><filter-information><filter-name>g</filter-name>` + ok + `</filter-information></firewall-information>`:                                                                      "which nobody asked for",
		`<firewall-information><filter-information><filter-name>f</filter-name><counter><counter-name>a</counter-name><packet-count>1</packet-count></counter></filter-information></firewall-information>`: "want one byte-count",
		`<firewall-information><filter-information><filter-name>f</filter-name>` + strings.Replace(ok, ">1<", ">-1<", 1) + `</filter-information></firewall-information>`:                                   "packet-count of counter",
		`<firewall-information><filter-information><filter-name>f</filter-name>` + strings.Replace(ok, "counter-name", "name", 2) + `</filter-information></firewall-information>`:                          "want one counter-name",
		`<multi-routing-engine-results><multi-routing-engine-item/></multi-routing-engine-results>`:                                                                                                         "element multi-routing-engine-results, want firewall-information",
		`<firewall-information><filter-information>`: "read XML",
	} {
		_, err := readAll(`<rpc-reply>`+text+`</rpc-reply>`, func(e *element, out map[string]device.Counter) error { return readJunos(e, []string{"f"}, out) })
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngot %v, want %q", text, err, want)
		}
	}
}

// A part of what a rule matched is not what it matched: an entry of which the state says nothing takes away the counter of its name.
func TestSROSCounters(t *testing.T) {
	t.Parallel()
	const names = `<rpc-reply><data><configure><filter><ip-filter><filter-name>sluice-v4</filter-name>` +
		`<entry><entry-id>1000</entry-id><description>r-1</description></entry><entry><entry-id>1001</entry-id><description>r-1</description></entry>` +
		`<entry><entry-id>2000</entry-id><description>r-2</description></entry><entry><entry-id>9</entry-id></entry></ip-filter>` +
		`<ip-filter><filter-name>EDGE</filter-name><entry><entry-id>1</entry-id><description>r-3</description></entry></ip-filter></filter></configure></data></rpc-reply>`
	entry := func(id, statistics string) string {
		return `<entry><entry-id>` + id + `</entry-id>` + statistics + `</entry>`
	}
	const one = `<statistics><ingress-hit-pkt>2</ingress-hit-pkt><ingress-hit-byte>100</ingress-hit-byte></statistics>`
	for name, c := range map[string]struct {
		entries string
		want    map[string]device.Counter
		err     string
	}{
		"whole":              {entry("1000", one) + entry("1001", one) + entry("2000", one) + entry("9", one), map[string]device.Counter{"r-1": {Packets: 4, Bytes: 200}, "r-2": {Packets: 2, Bytes: 100}}, ""},
		"one is not there":   {entry("1000", one) + entry("2000", one), map[string]device.Counter{"r-2": {Packets: 2, Bytes: 100}}, ""},
		"one has no numbers": {entry("1000", "") + entry("1001", one) + entry("2000", one), map[string]device.Counter{"r-2": {Packets: 2, Bytes: 100}}, ""},
		"half a number":      {entry("1000", `<statistics><ingress-hit-pkt>2</ingress-hit-pkt></statistics>`), nil, "entry 1000: statistics: want one ingress-hit-byte"},
		"no number":          {entry("1000", strings.Replace(one, ">2<", ">two<", 1)), nil, "ingress-hit-pkt of statistics"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			named, err := parseReply(names)
			if err != nil {
				t.Fatal(err)
			}
			requests, read, err := srosCounters.ask(named)
			if err != nil || len(requests) != 1 || !strings.Contains(requests[0], "<filter-name>sluice-v4</filter-name>") || strings.Contains(requests[0], "EDGE") {
				t.Fatal(requests, err)
			}
			got, err := readAll(`<rpc-reply><data><state><filter><ip-filter><filter-name>sluice-v4</filter-name>`+c.entries+`</ip-filter></filter></state></data></rpc-reply>`, read)
			if c.err != "" {
				if err == nil || !strings.Contains(err.Error(), c.err) {
					t.Errorf("got %v, want %q", err, c.err)
				}
				return
			}
			if err != nil || !maps.Equal(got, c.want) {
				t.Errorf("got %v, %v, want %v", got, err, c.want)
			}
		})
	}
}

const flow = `<flow-spec xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-flowspec-oper"><vrfs><vrf><vrf-name>default</vrf-name><afs><af><af-name>IPv4</af-name>LISTS</af></afs></vrf></vrfs></flow-spec>`

// Octets and texts are counted under different names. What is not one of ours to read has no count, and a number that is none makes all of it an error.
func TestIOSXRRoutes(t *testing.T) {
	t.Parallel()
	counts := func(n string) string {
		return `<flow-statistics><classified><packets>` + n + `</packets><bytes>100</bytes></classified></flow-statistics>`
	}
	nlri := func(octets, rest string) string {
		return `<nlris><nlri><nlri-bytes>` + octets + `</nlri-bytes>` + rest + `</nlri></nlris>`
	}
	text := func(notation, rest string) string {
		return `<flows><flow><flow-notation>` + notation + `</flow-notation>` + rest + `</flow></flows>`
	}
	const octets, name = "0x01200A326464038106059104D2", "1/133 0d01200a326464038106059104d2"
	const notation, flowName = "Dest:10.50.100.100/32,Proto:=6,DPort:=1234", "1/133 destination 10.50.100.100/32; protocol =tcp; destination-port =1234;"
	for _, c := range []struct {
		in   string
		want map[string]device.Counter
		err  string
	}{
		{strings.Replace(flow, "LISTS", nlri(octets, counts("2"))+text(notation, counts("3")), 1), map[string]device.Counter{name: {Packets: 2, Bytes: 100}, flowName: {Packets: 3, Bytes: 100}}, ""},
		{strings.Replace(flow, "LISTS", nlri(octets, ""), 1), nil, ""},
		{strings.Replace(flow, "LISTS", nlri("0x01200A", counts("2"))+text("Dest:10.0.0.1/32,Frag:~IsF", counts("2")), 1), nil, ""},
		{strings.Replace(flow, "LISTS", nlri(octets, counts("-2")), 1), nil, "packets of classified"},
		{strings.Replace(flow, "LISTS", nlri(octets, strings.Replace(counts("2"), "bytes", "octets", 2)), 1), nil, "want one bytes"},
		{strings.Replace(flow, "LISTS", nlri(octets, counts("2"))+nlri(strings.ToLower(octets), counts("2")), 1), nil, "there twice"},
		{strings.Replace(strings.Replace(flow, "LISTS", nlri(octets, counts("2")), 1), "default", "blue", 1), nil, "VRF blue, which nobody asked for"},
		{strings.Replace(strings.Replace(flow, "LISTS", nlri(octets, counts("2")), 1), "IPv4", "L2VPN", 1), nil, ""},
		{strings.Replace(strings.Replace(flow, "LISTS", nlri("0x01200020010db8", counts("2"))+text(notation, counts("2")), 1), "IPv4", "IPv6", 1), map[string]device.Counter{"2/133 0701200020010db8": {Packets: 2, Bytes: 100}}, ""},
		{`<flow-specs/>`, nil, "element flow-specs"},
	} {
		got, err := readAll(`<rpc-reply><data>`+c.in+`</data></rpc-reply>`, readIOSXRRoutes)
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s\ngot %v, want %q", c.in, err, c.err)
		case c.err == "" && (err != nil || !maps.Equal(got, c.want)):
			t.Errorf("%s\ngot %v, %v, want %v", c.in, got, err, c.want)
		}
	}
}

// The counters are those that vMX showed over gNMI, in the form of the recorded answer to <get-firewall-filter-information>. Of the route with a policer nothing is counted.
func TestJunosRoutes(t *testing.T) {
	t.Parallel()
	counter := func(name string, packets, bytes string) string {
		return `<counter><counter-name>` + name + `</counter-name><packet-count>` + packets + `</packet-count><byte-count>` + bytes + `</byte-count></counter>`
	}
	const head = `<rpc-reply><firewall-information><filter-information><filter-name>__flowspec_default_inet__</filter-name>`
	const tail = `</filter-information></firewall-information></rpc-reply>`
	both := counter("10.11.10.10,*,icmp-type=8", "1315", "1876476") + counter("10.11.10.10,*,proto=6,dstport=5201", "3311", "4738920")
	got, err := readAll(head+both+`<policer><policer-name>40K_10.11.10.10,*,proto=6,dstport=5201</policer-name><packet-count>6891</packet-count><byte-count>10336500</byte-count></policer>`+tail, readJunosRoutes)
	want := map[string]device.Counter{"1/133 destination 10.11.10.10/32; icmp-type =8;": {Packets: 1315, Bytes: 1876476}}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, bad := range []string{
		head + both + `<policer><name>40K_10.11.10.10,*,proto=6,dstport=5201</name></policer>` + tail,
		head + both + both + tail,
		strings.Replace(head, "default", "blue", 1) + both + tail,
	} {
		if got, err := readAll(bad, readJunosRoutes); err == nil {
			t.Errorf("%s\ngot %v", bad, got)
		}
	}
}
