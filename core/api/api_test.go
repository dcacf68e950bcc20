package api

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/rib"
	"github.com/sluice-gateway/sluice/core/store"
	"github.com/sluice-gateway/sluice/core/verify"
	"github.com/sluice-gateway/sluice/profiles"
)

// session is a BGP session that takes everything.
type session struct{ device.Adapter }

func (session) Apply(context.Context, device.Target, device.Change, time.Duration) (device.Commit, error) {
	return device.Commit{Confirmed: true}, nil
}

// Sent is what it was sent, with a community of ours.
func (session) Sent() []device.Route {
	m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{3, 3, 0x81, 17})
	if err != nil {
		panic(err)
	}
	return []device.Route{{Match: m, Communities: []uint32{64512<<16 | 6666}}}
}

// tester is a gateway with one ASR 9000 and the API in front.
type tester struct {
	t    *testing.T
	rib  *rib.RIB
	url  string
	disk *store.Store
}

func newTester(t *testing.T) *tester {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	rules, err := rib.New(rib.Config{Sources: []rib.SourcePolicy{{Name: "api", MaxRules: 5}, {Name: "detector", Preference: 1, Mass: rib.MassWithdrawal{Percent: 50, Within: time.Minute, AtLeast: 2, Keep: time.Hour}}}})
	if err != nil {
		t.Fatal(err)
	}
	prof, err := profiles.Embedded().Get("asr9k")
	if err != nil {
		t.Fatal(err)
	}
	disk, err := store.Open(filepath.Join(t.TempDir(), "sluice.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { disk.Close() })
	rec := reconcile.New(reconcile.Config{Rules: rules, Tokens: disk, Log: log, Devices: []reconcile.Device{
		{Name: "edge1", Profile: prof, Options: plan.Options{NoFilter: true}, Native: session{}},
	}})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- rules.Run(ctx) }()
	go func() { ended <- rec.Run(ctx) }()
	server := httptest.NewServer(New(Gateway{
		Rules: rules, Devices: rec, Profiles: profiles.Embedded(), Source: "api",
		Admit:      admit.Policy{Destinations: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}},
		DefaultTTL: time.Hour, MaxTTL: 24 * time.Hour, Ready: func() error { return nil },
		Sources: func() []Source {
			st := rules.Stats()["detector"]
			return []Source{{Name: "detector", Kind: "bgp", Rules: st.Rules, Withdrawn: st.Withdrawn}}
		},
		Ended:   disk.Ended,
		Metrics: prometheus.NewRegistry(), Version: "test", Log: log,
	}))
	t.Cleanup(func() {
		server.Close()
		cancel()
		for range 2 {
			if err := <-ended; err != nil {
				t.Error(err)
			}
		}
	})
	return &tester{t, rules, server.URL, disk}
}

// call sends a request and returns status and answer.
func (s *tester) call(method, path, body string) (int, string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.url+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// want calls and checks the status; it decodes the answer into result where that is not nil.
func (s *tester) want(status int, method, path, body string, result any) string {
	s.t.Helper()
	got, text := s.call(method, path, body)
	if got != status {
		s.t.Fatalf("%s %s: status %d, want %d: %s", method, path, got, status, text)
	}
	if result != nil {
		if err := json.Unmarshal([]byte(text), result); err != nil {
			s.t.Fatalf("%s: %v", text, err)
		}
	}
	return text
}

func text(rules ...string) string {
	b, _ := json.Marshal(Request{Rule: strings.Join(rules, "\n")})
	return string(b)
}

const (
	dns  = `flow route { match { destination 203.0.113.10/32; protocol =udp; source-port =53; } then { discard; } }`
	six  = `flow route { match { destination 203.0.113.11/32; protocol =udp; source-port [ =1 =3 =5 =7 =9 =11 ]; } then { discard; } }`
	far  = `flow route { match { destination 198.51.100.1/32; } then { discard; } }`
	none = `flow route { match { } then { discard; } }`
)

func TestCreateListGetDelete(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var a Answer
	s.want(201, "POST", "/v1/rules", text(dns), &a)
	if len(a.Rules) != 1 || a.Rules[0].Rule != dns || a.Rules[0].Source != "api" || a.Rules[0].Hex == "" {
		t.Fatalf("created %+v", a)
	}
	if e := a.Rules[0].Expires; e == nil || time.Until(*e) > time.Hour || time.Until(*e) < 59*time.Minute {
		t.Errorf("expires %v, want the default of an hour", e)
	}
	var list struct {
		Version uint64
		Rules   []Rule
	}
	s.want(200, "GET", "/v1/rules", "", &list)
	if len(list.Rules) != 1 || list.Rules[0].ID != a.Rules[0].ID {
		t.Errorf("list %+v", list)
	}
	path := "/v1/rules/" + a.Rules[0].ID
	s.want(200, "GET", path, "", nil)
	s.want(204, "DELETE", path, "", nil)
	s.want(404, "GET", path, "", nil)
	s.want(404, "DELETE", path, "", nil)
}

// Every way in which a rule is not taken has a status of its own.
func TestRefusals(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	for name, c := range map[string]struct {
		body   string
		status int
		code   string
	}{
		"not JSON":       {"{", 400, ""},
		"unknown member": {`{"role":"x"}`, 422, ""},
		"no rule":        {`{}`, 400, `"empty"`},
		"syntax":         {text("flow rout { }"), 400, `"syntax"`},
		"guard":          {text(none), 422, `"empty-match"`},
		"not admitted":   {text(far), 403, `"not-admitted"`},
		"long life":      {`{"rule":"` + strings.ReplaceAll(dns, `"`, `\"`) + `","ttl":"48h"}`, 422, `"ttl"`},
		"no duration":    {`{"rule":"` + dns + `","ttl":"soon"}`, 422, `"ttl"`},
		"withdrawal":     {text("withdraw " + dns), 422, `"withdraw"`},
	} {
		t.Run(name, func(t *testing.T) {
			got, body := s.call("POST", "/v1/rules", c.body)
			if got != c.status || !strings.Contains(body, c.code) {
				t.Errorf("status %d, want %d with %s: %s", got, c.status, c.code, body)
			}
		})
	}
	if n := s.rib.Snapshot().Len(); n != 0 {
		t.Errorf("%d rules are in force", n)
	}
}

// In bulk each rule is judged by itself.
func TestBulk(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var a Answer
	s.want(207, "POST", "/v1/rules", text(dns, none, far, six), &a)
	if len(a.Rules) != 2 || len(a.Errors) != 2 {
		t.Errorf("%d rules and %d errors: %+v", len(a.Rules), len(a.Errors), a)
	}
	for _, e := range a.Errors {
		if want := map[string]int{"empty-match": 2, "not-admitted": 3}[e.Code]; e.Line != want {
			t.Errorf("%s on line %d, want %d", e.Code, e.Line, want)
		}
	}
	s.want(201, "POST", "/v1/rules", `{"rules":[{"match":{"destination":"203.0.113.12/32","protocol":"udp"},"action":{"rate":"10Mbps"}}]}`, &a)
	if want := "rate-limit 1250000"; !strings.Contains(a.Rules[0].Rule, want) {
		t.Errorf("%s has no %q", a.Rules[0].Rule, want)
	}
}

func TestMaximumOfRules(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var rules []string
	for _, port := range []string{"1", "2", "3", "4", "5", "6"} {
		rules = append(rules, strings.Replace(dns, "=53", "="+port, 1))
	}
	s.want(201, "POST", "/v1/rules", text(rules[:5]...), nil)
	if _, body := s.call("POST", "/v1/rules", text(rules[5])); !strings.Contains(body, "5") {
		t.Errorf("the sixth: %s", body)
	}
	if n := s.rib.Snapshot().Len(); n != 5 {
		t.Errorf("%d rules in force, want 5", n)
	}
}

// A dry run answers with the plan of every device, and changes nothing.
func TestDryRun(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var a Answer
	s.want(200, "POST", "/v1/rules?dry_run=true", text(six), &a)
	if len(a.Devices) != 1 || len(a.Devices[0].Rules) != 1 {
		t.Fatalf("%+v", a)
	}
	if r := a.Devices[0].Rules[0]; r.Carried != plan.Rewritten || len(r.Entries) != 2 || !r.Exact {
		t.Errorf("verdict %+v", r)
	}
	if n := s.rib.Snapshot().Len(); n != 0 {
		t.Errorf("%d rules are in force", n)
	}
}

func TestRuleOfAnotherSourceIsNotDeletedHere(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	m, err := flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, flowspec.Component{Type: flowspec.Protocol, Terms: []flowspec.Term{{Op: flowspec.EQ, Value: 17}}})
	if err != nil {
		t.Fatal(err)
	}
	id := flowspec.NewID("detector", m)
	done := make(chan error, 1)
	e := rib.Event{Source: "detector", Kind: rib.Update, Announce: []flowspec.Rule{{ID: id, Match: m, Source: "detector"}}, Done: done}
	if err := s.rib.Send(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	s.want(409, "DELETE", "/v1/rules/"+string(id), "", nil)
	s.want(200, "GET", "/v1/rules/"+string(id), "", nil)
}

// A reader that waits gets the next version, and not a moment before.
func TestWaitForChange(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var before, after struct {
		Version uint64
		Rules   []Rule
	}
	s.want(200, "GET", "/v1/rules", "", &before)
	answered := make(chan string, 1)
	go func() {
		_, body := s.call("GET", "/v1/rules?wait=30&after="+uintText(before.Version), "")
		answered <- body
	}()
	s.want(201, "POST", "/v1/rules", text(dns), nil)
	if err := json.Unmarshal([]byte(<-answered), &after); err != nil {
		t.Fatal(err)
	}
	if after.Version <= before.Version || len(after.Rules) != 1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

func uintText(n uint64) string { b, _ := json.Marshal(n); return string(b) }

func TestDevices(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	s.want(201, "POST", "/v1/rules", text(six), nil)
	for end := time.Now().Add(10 * time.Second); ; {
		var d reconcile.Status
		s.want(200, "GET", "/v1/devices/edge1", "", &d)
		if d.State == reconcile.InSync && d.Version == s.rib.Snapshot().Version {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("never in sync: %+v", d)
		}
	}
	var status DeviceStatus
	if s.want(200, "GET", "/v1/devices/edge1", "", &status); status.Receipts[reconcile.RuleSent] != 1 || status.Receipts[reconcile.RuleHeld] != 0 {
		t.Errorf("receipts %v", status.Receipts)
	}
	var list struct{ Rules []Rule }
	s.want(200, "GET", "/v1/rules", "", &list)
	var one struct{ Receipts []reconcile.Receipt }
	if s.want(200, "GET", "/v1/rules/"+list.Rules[0].ID, "", &one); len(one.Receipts) != 1 || one.Receipts[0].State != reconcile.RuleSent || one.Receipts[0].Since.IsZero() {
		t.Errorf("receipts %+v", one.Receipts)
	}
	s.want(404, "GET", "/v1/devices/edge2/history", "", nil)
	s.want(404, "GET", "/v1/devices/edge2/native", "", nil)
	var native struct{ Routes []SentRoute }
	if s.want(200, "GET", "/v1/devices/edge1/native", "", &native); len(native.Routes) != 1 || native.Routes[0].Hex != "1/133 03038111 c=fc001a0a" || !strings.Contains(native.Routes[0].Rule, "64512:6666") {
		t.Errorf("native %+v", native)
	}
	var plan DeviceReport
	s.want(200, "GET", "/v1/devices/edge1/plan", "", &plan)
	if plan.Summary.Rewritten != 1 || len(plan.Rules) != 1 || plan.Rules[0].Hex == "" {
		t.Errorf("plan %+v", plan)
	}
	c, err := certificate.Read([]byte(s.want(200, "GET", "/v1/devices/edge1/certificate", "", nil)))
	if err != nil || len(c.Rules) != 1 || len(c.Entries) != 2 {
		t.Fatalf("certificate %+v: %v", c, err)
	}
	if err := verify.Check(c); err != nil {
		t.Error(err)
	}
	s.want(202, "POST", "/v1/devices/edge1/sync", "", nil)
	s.want(404, "GET", "/v1/devices/edge2", "", nil)
	s.want(404, "GET", "/v1/devices/edge2/certificate", "", nil)
	s.want(404, "GET", "/v1/devices/edge2/plan", "", nil)
	s.want(404, "POST", "/v1/devices/edge2/sync", "", nil)
}

func TestValidate(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	body, _ := json.Marshal(map[string]any{"text": six + "\n" + none, "profiles": []string{"asr9k", "generic"}})
	var v struct {
		Profiles []struct {
			Profile string
			Rules   []struct{ Carried string }
		}
		Errors []struct{ Code string }
	}
	s.want(200, "POST", "/v1/validate", string(body), &v)
	if len(v.Profiles) != 2 || v.Profiles[0].Rules[0].Carried != "rewritten" || v.Profiles[1].Rules[0].Carried != "native" || len(v.Errors) != 1 {
		t.Errorf("%+v", v)
	}
	s.want(422, "POST", "/v1/validate", `{"text":"","profiles":["asr9"]}`, nil)
}

// What is said about a rule on the way to the end of the input is said here as by `sluice validate`.
func TestValidateNotes(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	const later = "announce flow route { match { destination 203.0.113.9/32; } then { accept; } }"
	body, _ := json.Marshal(map[string]any{"text": strings.Replace(later, "accept", "discard", 1) + "\n" + later, "profiles": []string{"generic"}})
	var v struct {
		Profiles []struct {
			Rules []struct {
				Line    int
				Reasons []struct{ Code, Message string }
			}
		}
	}
	s.want(200, "POST", "/v1/validate", string(body), &v)
	if len(v.Profiles) != 1 || len(v.Profiles[0].Rules) != 1 || v.Profiles[0].Rules[0].Line != 2 {
		t.Fatalf("%+v, want the second rule alone", v)
	}
	if r := v.Profiles[0].Rules[0].Reasons; len(r) == 0 || r[0].Code != "replaces" || !strings.Contains(r[0].Message, "request:1") {
		t.Errorf("reasons %+v, want replaces first, with the place of the other", r)
	}
}

func TestHealthMetricsAndDescription(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	s.want(200, "GET", "/healthz", "", nil)
	s.want(200, "GET", "/readyz", "", nil)
	s.want(200, "GET", "/metrics", "", nil)
	var doc struct {
		Paths map[string]any `json:"paths"`
	}
	s.want(200, "GET", "/openapi.json", "", &doc)
	for _, path := range []string{"/v1/rules", "/v1/rules/{id}", "/v1/devices", "/v1/devices/{name}", "/v1/devices/{name}/plan", "/v1/devices/{name}/certificate", "/v1/validate", "/healthz", "/readyz"} {
		if doc.Paths[path] == nil {
			t.Errorf("the OpenAPI document does not describe %s", path)
		}
	}
}
