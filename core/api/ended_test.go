package api

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/reconcile"
	"github.com/sluice-gateway/sluice/core/store"
)

// Whoever asks for a rule that the gateway ended is told why, until it is said again; a rule that a router has by BGP is neither idle nor not.
func TestEndedAndActivity(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	const text = `{"rule":"flow route { match { destination 203.0.113.10/32; protocol =udp; } then { discard; } }"}`
	var created Answer
	status, body := s.call(http.MethodPost, "/v1/rules", text)
	if err := json.Unmarshal([]byte(body), &created); err != nil || status != http.StatusCreated {
		t.Fatal(status, body, err)
	}
	id := created.Rules[0].ID
	var one Rule
	for _, path := range []string{"/v1/rules/" + id, "/v1/rules"} {
		_, body = s.call(http.MethodGet, path, "")
		into := any(&one)
		var list struct{ Rules []Rule }
		if path == "/v1/rules" {
			into = &list
		}
		if err := json.Unmarshal([]byte(body), into); err != nil {
			t.Fatal(body, err)
		}
		if len(list.Rules) > 0 {
			one = list.Rules[0]
		}
		if one.Activity == nil || one.Activity.State != reconcile.NotKnown || !strings.Contains(one.Activity.Why, "edge1") {
			t.Errorf("%s: %s", path, body)
		}
	}
	if _, body := s.call(http.MethodGet, "/v1/ended", ""); !strings.Contains(body, `"ended":[]`) {
		t.Errorf("nothing was ended: %s", body)
	}
	for r := range s.rib.Snapshot().All() {
		if _, err := s.disk.SaveEnded(store.Ended{Rule: *r, At: time.Unix(1_700_000_000, 0), Reason: "nobody needed it"}); err != nil {
			t.Fatal(err)
		}
	}
	if status, _ := s.call(http.MethodGet, "/v1/rules/"+id, ""); status != http.StatusOK {
		t.Errorf("a rule that is there again: %d", status)
	}
	if status, body := s.call(http.MethodDelete, "/v1/rules/"+id, ""); status != http.StatusNoContent {
		t.Fatal(status, body)
	}
	if status, body := s.call(http.MethodGet, "/v1/rules/"+id, ""); status != http.StatusNotFound || !strings.Contains(body, "was ended at") || !strings.Contains(body, "nobody needed it") {
		t.Errorf("%d %s", status, body)
	}
	var list struct{ Ended []EndedRule }
	_, body = s.call(http.MethodGet, "/v1/ended", "")
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list.Ended) != 1 || list.Ended[0].Rule.ID != id || list.Ended[0].Reason != "nobody needed it" {
		t.Errorf("%s, %v", body, err)
	}
}
