package gnmi

import (
	"errors"
	"strings"
	"testing"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/sluice-gateway/sluice/core/device"
)

func elems(words ...string) (out []*gpb.PathElem) {
	for _, w := range words {
		name, keys, _ := strings.Cut(w, "|")
		e := &gpb.PathElem{Name: name}
		for _, kv := range strings.FieldsFunc(keys, func(r rune) bool { return r == '|' }) {
			key, value, _ := strings.Cut(kv, "=")
			if e.Key == nil {
				e.Key = map[string]string{}
			}
			e.Key[key] = value
		}
		out = append(out, e)
	}
	return out
}

// A device may answer with what was asked for, with what is around it or with single entries. Everything else is an error, since what it shows of our sets would be missing.
func TestShapesOfAnswers(t *testing.T) {
	t.Parallel()
	const (
		one  = `{"name":"sluice-v4","type":"openconfig-acl:ACL_IPV4"}`
		both = `{"openconfig-acl:acl-set":[` + one + `,{"name":"theirs","type":"ACL_L2"}]}`
	)
	for _, c := range []struct {
		path  []*gpb.PathElem
		value string
		names string // of the sets of ours
		err   string
	}{
		{elems("acl", "acl-sets"), both, "sluice-v4 ACL_IPV4", ""},
		{elems("openconfig-acl:acl", "acl-sets"), both, "sluice-v4 ACL_IPV4", ""},
		{elems("acl"), `{"acl-sets":` + both + `}`, "sluice-v4 ACL_IPV4", ""},
		{nil, `{"openconfig-acl:acl":{"openconfig-acl:acl-sets":` + both + `}}`, "sluice-v4 ACL_IPV4", ""},
		{elems("acl", "acl-sets", "acl-set"), `[` + one + `]`, "sluice-v4 ACL_IPV4", ""},
		{elems("acl", "acl-sets", "acl-set|name=sluice-v4|type=ACL_IPV4"), one, "sluice-v4 ACL_IPV4", ""},
		{elems("acl", "acl-sets", "acl-set|name=sluice-v4|type=openconfig-acl:ACL_IPV4"), one, "sluice-v4 ACL_IPV4", ""},
		{elems("acl", "acl-sets"), `{}`, "", ""},
		{nil, `{}`, "", ""},
		{elems("acl", "acl-sets", "acl-set|name=sluice-v4|type=ACL_IPV6"), one, "", "ACL_IPV6"},
		{elems("acl", "acl-sets", "acl-set|name=sluice-v4|type=ACL_IPV4"), `{"config":{"name":"sluice-v4"}}`, "", `whose name is ""`},
		{elems("acl", "acl-sets", "acl-set|name=sluice-v4|type=ACL_IPV4", "config", "name"), `"sluice-v4"`, "", "update of config"},
		{elems("interfaces"), `{}`, "", "update of interfaces"},
		{elems("acl", "acl-sets"), `[]`, "", "want an object"},
		{elems("acl", "acl-sets"), `{"acl-set":{}}`, "", "want a list"},
		{elems("acl", "acl-sets"), `{"acl-set":[{"type":"ACL_IPV4"}]}`, "", "without a name"},
		{elems("acl", "acl-sets"), `{"acl-set":[{"name":["sluice-v4"]}]}`, "", "want a leaf"},
		{elems("acl", "acl-sets"), `{`, "", "want an object"},
	} {
		entries, err := aclSets.entries(c.path, &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: []byte(c.value)}})
		var list []set
		if err == nil {
			list, err = sets(entries)
		}
		var names []string
		for _, s := range list {
			names = append(names, s.name+" "+s.kind)
		}
		if got := strings.Join(names, ","); err == nil && got != c.names {
			t.Errorf("%v %s: got %q, want %q", c.path, c.value, got, c.names)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v %s: got error %v, want %q", c.path, c.value, err, c.err)
		}
	}
	if _, err := aclSets.entries(nil, &gpb.TypedValue{Value: &gpb.TypedValue_StringVal{StringVal: "{}"}}); err == nil {
		t.Error("a string is taken for JSON")
	}
}

// What is put back has no operational state, and the module's name in front.
func TestOutermost(t *testing.T) {
	t.Parallel()
	got, err := outermost([]byte(`{"name":"a","openconfig-acl:state":{"x":1},"acl-entries":{"acl-entry":[{"sequence-id":4294967295,"state":{}}]}}`))
	if want := `{"openconfig-acl:acl-entries":{"acl-entry":[{"sequence-id":4294967295}]},"openconfig-acl:name":"a"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

// What a device answers is understood or refused, whatever it is.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"openconfig-acl:acl-set":[{"name":"sluice-v4","type":"ACL_IPV4","config":{"name":"sluice-v4"}},{"name":"theirs"}]}`, `{"acl-sets":{"acl-set":[{"name":"sluice-v4"}]}}`,
		`{"interface":[{"id":"uplink","interface-ref":{"config":{"interface":"Ethernet1","subinterface":7}},"ingress-acl-sets":{"ingress-acl-set":[{"set-name":"sluice-v4"}]}}]}`, `[{"name":1}]`, `{"acl-set":null}`,
	} {
		for depth := range uint8(4) {
			f.Add([]byte(s), depth)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, depth uint8) {
		for _, l := range []list{aclSets, interfaces} {
			entries, err := l.entries(elems("acl", l.container, l.name)[:depth%4], &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: b}})
			if err != nil {
				continue
			}
			where, err := attached(entries)
			for name := range where {
				if err != nil || !strings.HasPrefix(name, "sluice-") {
					t.Errorf("attached: %v, %v", where, err)
				}
			}
			found, err := sets(entries)
			if err != nil {
				continue
			}
			again, err := parts(document(found))
			if err != nil || len(again) != len(found) {
				t.Fatalf("%d sets become %d: %v", len(found), len(again), err)
			}
			for i, s := range found {
				if !strings.HasPrefix(s.name, "sluice-") || again[i].key() != s.key() {
					t.Errorf("got set %s, then %s", s.key(), again[i].key())
				}
			}
		}
	})
}

// Errors are sorted by what to do next.
func TestCodes(t *testing.T) {
	t.Parallel()
	for code := codes.OK + 1; code <= codes.Unauthenticated; code++ {
		var refused *device.Refused
		var transient *device.Transient
		err := sorted(code, "change", "words")
		got := "plain"
		switch {
		case errors.As(err, &refused):
			got = "refused"
		case errors.As(err, &transient) && transient.Unchanged:
			got = "unchanged"
		case transient != nil:
			got = "in doubt"
		}
		want := map[codes.Code]string{
			codes.InvalidArgument: "refused", codes.NotFound: "refused", codes.AlreadyExists: "refused", codes.PermissionDenied: "refused", codes.OutOfRange: "refused",
			codes.Unimplemented: "refused", codes.Aborted: "refused", codes.Unauthenticated: "plain", codes.FailedPrecondition: "unchanged",
			codes.Canceled: "in doubt", codes.Unknown: "in doubt", codes.DeadlineExceeded: "in doubt", codes.ResourceExhausted: "in doubt", codes.Internal: "in doubt", codes.Unavailable: "in doubt", codes.DataLoss: "in doubt",
		}[code]
		if got != want || !strings.Contains(err.Error(), "words") {
			t.Errorf("%s: got %s (%v), want %s", code, got, err, want)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	for undo, want := range map[time.Duration]time.Duration{0: time.Second, time.Millisecond: time.Second, 30 * time.Second: 30 * time.Second, 30*time.Second + 1: 31 * time.Second} {
		if got, err := Window(device.Target{Name: "r1"}, undo); err != nil || got != want {
			t.Errorf("%v: got %v, %v, want %v", undo, got, err, want)
		}
	}
	if _, err := Window(device.Target{Name: "r1", Options: map[string]string{"min-commit-interval": "5s"}}, 0); err == nil {
		t.Error("an option of NETCONF's is taken")
	}
}

func TestAddress(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"192.0.2.1": "192.0.2.1:9339 192.0.2.1", "192.0.2.1:6030": "192.0.2.1:6030 192.0.2.1", "2001:db8::1": "[2001:db8::1]:9339 2001:db8::1", "[2001:db8::1]": "[2001:db8::1]:9339 2001:db8::1",
		"[2001:db8::1]:6030": "[2001:db8::1]:6030 2001:db8::1", "r1.example.net": "r1.example.net:9339 r1.example.net",
	} {
		address, name := details{}.address(device.Target{Address: in})
		if got := address + " " + name; got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}
