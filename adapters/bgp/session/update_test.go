package session

import (
	"bytes"
	"encoding/hex"
	"errors"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// body is the body of an UPDATE with these attributes.
func body(attrs []byte) []byte {
	return append([]byte{0, 0, byte(len(attrs) >> 8), byte(len(attrs))}, attrs...)
}

var (
	ebgp = Negotiated{LocalAS: 64500, Open: Open{AS: 64501, FourOctet: true}, Families: []Family{flow4, flow6}}
	ibgp = Negotiated{LocalAS: 64500, Open: Open{AS: 64500, FourOctet: true}, Families: []Family{flow4, flow6}}
	old  = Negotiated{LocalAS: 70000, Open: Open{AS: 3}, Families: []Family{flow4}}
)

const (
	reachHex   = "800e0d 0001 85 00 00 0601200a000001 00" // one NLRI and a stray octet, which is not ours to judge
	unreachHex = "800f0a 0001 85 0601200a000001"
	originHex  = "400101 00"
	asPathHex  = "400206 02010000fbf5"
	localHex   = "400504 00000064"
)

func TestParseUpdate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       string // of the error; "" means none
	}{
		{"announcement", reachHex + originHex + asPathHex, ""},
		{"withdrawal", unreachHex, ""},
		{"two MP_REACH_NLRI", reachHex + reachHex, "3/1"},
		{"two MP_UNREACH_NLRI", unreachHex + unreachHex, "3/1"},
		{"MP_REACH_NLRI too short", "800e04 0001 85 00", "3/9"},
		{"MP_UNREACH_NLRI too short", "800f02 0001", "3/9"},
		{"next hop past the end", "800e05 0001 85 09 00", "3/9"},
		{"MP_REACH_NLRI well-known", "400e05 0001 85 00 00", "3/4"},
		{"attribute runs past the end, nothing known", "800eff 0001 85", "3/1"},
		{"attribute cut in its head, nothing known", "80", "3/1"},
		{"attribute cut, only withdrawals known", unreachHex + "4001", "3/1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseUpdate(body(unhex(t, tt.body)))
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), "NOTIFICATION "+tt.want)) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	for _, cut := range []string{"", "00", "0001", "0000", "000000", "00000001"} {
		if _, err := ParseUpdate(unhex(t, cut)); err == nil {
			t.Errorf("%q is an UPDATE", cut)
		}
	}
}

func TestEndOfRIB(t *testing.T) {
	t.Parallel()
	mark, err := AppendUnreach(nil, flow6, nil, MaxMessage)
	if err != nil || hex.EncodeToString(mark[HeaderLen:]) != "00000006800f03000285" {
		t.Fatalf("mark %x, %v", mark, err)
	}
	u, err := ParseUpdate(mark[HeaderLen:])
	if f, ok := u.EndOfRIB(); err != nil || !ok || f != flow6 {
		t.Errorf("EndOfRIB = %v, %t, %v", f, ok, err)
	}
	u, _ = ParseUpdate([]byte{0, 0, 0, 0})
	if f, ok := u.EndOfRIB(); !ok || f != (Family{1, 1}) {
		t.Errorf("the empty UPDATE is the mark of IPv4 unicast, got %v, %t", f, ok)
	}
	u, _ = ParseUpdate(body(unhex(t, unreachHex)))
	if _, ok := u.EndOfRIB(); ok {
		t.Error("a withdrawal is no mark")
	}
}

// The table of standards for attributes: what each error costs.
func TestParsePath(t *testing.T) {
	t.Parallel()
	good := originHex + asPathHex
	for _, tt := range []struct {
		name   string
		attrs  string
		agreed Negotiated
		want   string // "": good; "withdraw ...": treat as withdraw; "3/1": reset
	}{
		{"good", good, ebgp, ""},
		{"good, internal", originHex + "400200" + localHex, ibgp, ""},
		{"ORIGIN missing", asPathHex, ebgp, "withdraw ORIGIN is missing"},
		{"AS_PATH missing", originHex, ebgp, "withdraw AS_PATH is missing"},
		{"LOCAL_PREF missing, internal", originHex + "400200", ibgp, "withdraw LOCAL_PREF is missing"},
		{"ORIGIN with flags of an optional one", "c0010100" + asPathHex, ebgp, "withdraw ORIGIN with flags"},
		{"ORIGIN of two octets", "4001020000" + asPathHex, ebgp, "withdraw ORIGIN of 2"},
		{"ORIGIN unknown", "40010103" + asPathHex, ebgp, "withdraw ORIGIN: value 3"},
		{"AS_PATH segment of no AS", originHex + "4002020200", ebgp, "withdraw AS_PATH"},
		{"AS_PATH segment of an unknown type", originHex + "40020609010000fbf5", ebgp, "withdraw AS_PATH"},
		{"AS_PATH runs past its end", originHex + "40020602020000fbf5", ebgp, "withdraw AS_PATH"},
		{"LOCAL_PREF from outside is discarded", good + "40050100", ebgp, ""},
		{"ORIGINATOR_ID from outside is discarded", good + "80090100", ebgp, ""},
		{"ORIGINATOR_ID of one octet", originHex + "400200" + localHex + "80090100", ibgp, "withdraw ORIGINATOR_ID of 1"},
		{"CLUSTER_LIST of five octets", originHex + "400200" + localHex + "800a050000000000", ibgp, "withdraw CLUSTER_LIST of 5"},
		{"ATOMIC_AGGREGATE with an octet is discarded", good + "40060100", ebgp, ""},
		{"communities of three octets", good + "c00803000000", ebgp, "withdraw COMMUNITIES of 3"},
		{"no communities", good + "c00800", ebgp, "withdraw COMMUNITIES of 0"},
		{"extended communities of nine octets", good + "c01009000000000000000000", ebgp, "withdraw EXTENDED COMMUNITIES of 9"},
		{"IPv6 extended communities of 8 octets", good + "c019080000000000000000", ebgp, "withdraw IPv6 EXTENDED COMMUNITIES of 8"},
		{"large communities of 13 octets", good + "c0200d00000000000000000000000000", ebgp, "withdraw LARGE_COMMUNITY of 13"},
		{"an unknown optional attribute", good + "c0630100", ebgp, ""},
		{"an unknown well-known attribute", good + "40630100", ebgp, "3/2"},
		{"the second of two is discarded", good + "4001020000", ebgp, ""},
		{"communities with the partial bit", good + "e00804fbf41a0a", ebgp, ""},
		{"communities with a length of two octets", good + "d0080004fbf41a0a", ebgp, ""},
		{"communities with unused flags", good + "cf0804fbf41a0a", ebgp, ""},
		{"large communities with the partial bit", good + "e0200c000000010000000200000003", ebgp, ""},
		{"the rest is cut off", good + "c010ff00", ebgp, "withdraw attribute 16 of 255 octets runs past"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			u, err := ParseUpdate(body(unhex(t, "800e05 0001 85 00 00"+tt.attrs)))
			if err != nil {
				t.Fatal(err)
			}
			_, err = ParsePath(&u, tt.agreed)
			var n *Notification
			reset := errors.As(err, &n)
			reason, withdraw := strings.CutPrefix(tt.want, "withdraw ")
			switch {
			case tt.want == "" && err == nil:
			case withdraw && err != nil && !reset && strings.Contains(err.Error(), reason):
			case tt.want != "" && !withdraw && reset && strings.Contains(err.Error(), tt.want):
			default:
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
}

func TestAttributeErrorsWithoutRoutesReset(t *testing.T) {
	t.Parallel()
	for attrs, ok := range map[string]bool{unreachHex + "40010103": false, originHex + "4002020200": false, unreachHex + originHex: true} {
		u, err := ParseUpdate(body(unhex(t, attrs)))
		if err == nil {
			_, err = ParsePath(&u, ebgp)
		}
		var n *Notification
		if ok != (err == nil) || err != nil && !errors.As(err, &n) {
			t.Errorf("%s: %v", attrs, err)
		}
	}
}

func TestASPathOfATwoOctetSpeaker(t *testing.T) {
	t.Parallel()
	p := Path{ASPath: []uint32{}}
	attrs, err := p.Attributes(old)
	if err != nil {
		t.Fatal(err)
	}
	if want := "40010100" + "40020402015ba0" + "c01106020100011170"; hex.EncodeToString(attrs) != want {
		t.Errorf("attributes %x, want %s: AS_TRANS, and the real one in AS4_PATH", attrs, want)
	}
	u, err := ParseUpdate(body(append(unhex(t, "800e05 0001 85 00 00"), attrs...)))
	if err != nil {
		t.Fatal(err)
	}
	back, err := ParsePath(&u, old)
	if err != nil || !slices.Contains(back.ASPath, 70000) {
		t.Errorf("path %+v, %v: our AS must be found in AS4_PATH", back, err)
	}
}

// What is written is read back the same, in as few messages as fit, each within 4096 octets.
func TestAppendedUpdatesReadBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		path := Path{
			Origin: uint8(rapid.IntRange(0, 2).Draw(t, "origin")), LocalPref: rapid.Uint32().Draw(t, "pref"),
			ASPath:           rapid.SliceOfN(rapid.Uint32(), 0, 5).Draw(t, "path"),
			Communities:      rapid.SliceOfN(rapid.Uint32(), 0, 80).Draw(t, "communities"),
			LargeCommunities: rapid.SliceOfN(rapid.Custom(func(t *rapid.T) [3]uint32 { return [3]uint32{rapid.Uint32().Draw(t, "a"), 2, 3} }), 0, 3).Draw(t, "large"),
			ExtCommunities:   octets(t, 8), IPv6Communities: octets(t, 20),
		}
		agreed := rapid.SampledFrom([]Negotiated{ebgp, ibgp}).Draw(t, "agreed")
		if agreed.IBGP() {
			path.OriginatorID, path.ClusterList = highID, []netip.Addr{lowID, highID}
		}
		hop := rapid.SampledFrom([][]byte{{}, {192, 0, 2, 1}, make([]byte, 16)}).Draw(t, "hop")
		nlris := rapid.SliceOfN(rapid.SliceOfN(rapid.Byte(), 1, 300), 1, 200).Draw(t, "nlris")
		attrs, err := path.Attributes(agreed)
		if err != nil {
			t.Fatal(err)
		}
		out, err := AppendReach(nil, flow4, hop, attrs, nlris, MaxMessage)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for r := bytes.NewReader(out); r.Len() > 0; {
			typ, b, err := readMessage(r, MaxMessage)
			if err != nil || typ != typeUpdate {
				t.Fatalf("message of type %d: %v", typ, err)
			}
			if b[4]&^flagExtended != flagOptional || b[5] != attrReach {
				t.Fatalf("the first attribute is %x, want MP_REACH_NLRI (RFC 7606 §5.1)", b[4:6])
			}
			u, err := ParseUpdate(b)
			if err != nil {
				t.Fatal(err)
			}
			back, err := ParsePath(&u, agreed)
			if err != nil {
				t.Fatal(err)
			}
			want := path
			if !agreed.IBGP() {
				want.ASPath, want.LocalPref = append([]uint32{agreed.LocalAS}, want.ASPath...), 0
			}
			want.Shape = Shape{Internal: len(want.ASPath) == 0, Length: len(want.ASPath)}
			if len(want.ASPath) > 0 {
				want.Shape.Neighbour = want.ASPath[0]
			}
			if !same(back, want) || !bytes.Equal(u.Reach.NextHop, hop) || u.Reach.Family != flow4 || len(u.Reach.NLRI) == 0 {
				t.Fatalf("back %+v\nwant %+v", back, want)
			}
			got = append(got, u.Reach.NLRI...)
		}
		if !bytes.Equal(got, bytes.Join(nlris, nil)) {
			t.Fatal("other NLRIs came out than went in")
		}
	})
}

func octets(t *rapid.T, size int) []string {
	return rapid.SliceOfN(rapid.Map(rapid.SliceOfN(rapid.Byte(), size, size), func(b []byte) string { return string(b) }), 0, 10).Draw(t, "octets")
}

// same compares paths, empty and absent lists being the same.
func same(a, b Path) bool {
	av, bv := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range av.NumField() {
		x, y := av.Field(i), bv.Field(i)
		if x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0 {
			continue
		}
		if !reflect.DeepEqual(x.Interface(), y.Interface()) {
			return false
		}
	}
	return true
}

func TestUpdatesAreFull(t *testing.T) {
	t.Parallel()
	nlris := slices.Repeat([][]byte{make([]byte, 25)}, 10000)
	attrs, err := Path{ExtCommunities: []string{"12345678"}, Communities: []uint32{1, 2}}.Attributes(ebgp)
	if err != nil {
		t.Fatal(err)
	}
	for name, write := range map[string]func() ([]byte, error){
		"announcements": func() ([]byte, error) { return AppendReach(nil, flow4, nil, attrs, nlris, MaxMessage) },
		"withdrawals":   func() ([]byte, error) { return AppendUnreach(nil, flow4, nlris, MaxMessage) },
	} {
		out, err := write()
		if err != nil {
			t.Fatal(err)
		}
		messages := 0
		for r := bytes.NewReader(out); r.Len() > 0; messages++ {
			if _, _, err := readMessage(r, MaxMessage); err != nil {
				t.Fatal(err)
			}
		}
		if messages > 10000/155 {
			t.Errorf("%s: %d messages for 10,000 NLRIs of 25 octets", name, messages)
		}
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	if _, err := AppendReach(nil, flow4, nil, make([]byte, 100), [][]byte{make([]byte, 4000)}, MaxMessage); !errors.Is(err, ErrTooLong) {
		t.Errorf("error %v", err)
	}
	if _, err := AppendUnreach(nil, flow4, [][]byte{make([]byte, 4070)}, MaxMessage); !errors.Is(err, ErrTooLong) {
		t.Errorf("error %v", err)
	}
}

func TestNotificationsReadWell(t *testing.T) {
	t.Parallel()
	for want, n := range map[string]*Notification{
		`the peer sent NOTIFICATION 6/2 (cease: administrative shutdown), it says "maintenance\n"`:                                 {Code: 6, Subcode: 2, Data: []byte("\x0cmaintenance\n"), Received: true},
		`the peer sent NOTIFICATION 6/9 (cease: hard reset) for 6/1 (cease: maximum number of prefixes reached)`:                   {Code: 6, Subcode: 9, Data: []byte{6, 1}, Received: true},
		`the peer sent NOTIFICATION 6/9 (cease: hard reset) for 6/2 (cease: administrative shutdown), it says "bye"`:               {Code: 6, Subcode: 9, Data: []byte("\x06\x02\x03bye"), Received: true},
		`the peer sent NOTIFICATION 6/9 (cease: hard reset) with 06`:                                                               {Code: 6, Subcode: 9, Data: []byte{6}, Received: true},
		`the peer sent NOTIFICATION 6/2 (cease: administrative shutdown) with ff41`:                                                {Code: 6, Subcode: 2, Data: []byte{255, 'A'}, Received: true},
		`the peer sent NOTIFICATION 5/2 (finite state machine error: unexpected message in OpenConfirm) with "Receive Unexpected"`: {Code: 5, Subcode: 2, Data: []byte("Receive Unexpected"), Received: true},
		`the peer sent NOTIFICATION 99/1 (unknown code)`:                                                                           {Code: 99, Subcode: 1, Received: true},
		`NOTIFICATION 4/0 (hold timer expired): nothing for 90s`:                                                                   {Code: 4, Detail: "nothing for 90s"},
		`NOTIFICATION 3/77 (UPDATE message error)`:                                                                                 {Code: 3, Subcode: 77},
	} {
		if got := n.Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	long := Cease(CeaseReset, strings.Repeat("ü", 200))
	back := decodeNotification(long.encode()[HeaderLen:])
	if text := back.Text(); len(text) != 254 || strings.Trim(text, "ü") != "" {
		t.Errorf("a text of 400 octets is cut to %q", text)
	}
}

func FuzzParseUpdate(f *testing.F) {
	for _, s := range []string{"", reachHex + originHex + asPathHex, unreachHex, originHex + "400200" + localHex + reachHex, "800e09 0001 85 00 00 030d24df", "c010080000000000000000" + reachHex} {
		f.Add(body(unhex(f, s)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		u, err := ParseUpdate(b)
		var n *Notification
		if err != nil {
			if !errors.As(err, &n) {
				t.Fatalf("%v is no NOTIFICATION", err)
			}
			_ = n.encode()
			return
		}
		for _, agreed := range []Negotiated{ebgp, ibgp, old} {
			p, err := ParsePath(&u, agreed)
			if err != nil {
				_ = err.Error()
				continue
			}
			attrs, err := p.Attributes(agreed)
			if err != nil {
				t.Fatalf("%+v: %v", p, err)
			}
			back, err := ParseUpdate(body(append(unhex(t, "800e05 0001 85 00 00"), attrs...)))
			if err != nil || back.Cut != nil {
				t.Fatalf("%x: %v, %v", attrs, err, back.Cut)
			}
		}
	})
}

func FuzzReadMessage(f *testing.F) {
	f.Add(message(typeKeepalive, nil))
	f.Add(message(typeOpen, unhex(f, "04 0003 005a c0000209 08 0206 0104 0001 0085")))
	f.Add((&Notification{Code: 6, Subcode: 2, Data: []byte("\x02ab")}).encode())
	f.Add(RefreshMessage(flow4))
	f.Fuzz(func(t *testing.T, b []byte) {
		typ, body, err := readMessage(bytes.NewReader(b), MaxMessage)
		if err != nil {
			return
		}
		if len(body) > MaxMessage-HeaderLen {
			t.Fatalf("a body of %d octets", len(body))
		}
		switch typ {
		case typeOpen:
			if o, err := decodeOpen(body); err == nil {
				_, _ = (&Config{LocalAS: 1, RouterID: lowID, Families: []Family{flow4}}).negotiate(o)
			} else if n := new(Notification); !errors.As(err, &n) || n.Code != 2 {
				t.Fatalf("%v", err)
			}
		case typeNotification:
			_ = decodeNotification(body).Error()
		}
	})
}

// A panic in the library is an error about one message.
func TestGuard(t *testing.T) {
	t.Parallel()
	if err := guard(func() error { var b []byte; _ = b[len(b)]; return nil }); err == nil || !strings.Contains(err.Error(), "index out of range") {
		t.Errorf("error %v", err)
	}
}
