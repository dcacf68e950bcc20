package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/rib"
)

// A withdrawal that is held back is seen, kept for longer, and accepted; what there is none of is said to be none.
func TestWithdrawalOfMostOfASource(t *testing.T) {
	t.Parallel()
	s := newTester(t)
	var rules []flowspec.Rule
	var matches []flowspec.Match
	for _, host := range []byte{1, 2, 3} {
		m, err := flowspec.ParseNLRI(flowspec.IPv4, []byte{6, 1, 32, 203, 0, 113, host})
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, m)
		rules = append(rules, flowspec.Rule{Match: m, Source: "detector", Action: flowspec.Action{Rate: &flowspec.Rate{Unit: flowspec.Bytes}}})
	}
	for _, e := range []rib.Event{{Announce: rules}, {Withdraw: matches}} {
		done := make(chan error, 1)
		e.Source, e.Kind, e.Done = "detector", rib.Update, done
		if err := s.rib.Send(context.Background(), e); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	var list struct{ Sources []Source }
	s.want(http.StatusOK, "GET", "/v1/sources", "", &list)
	if len(list.Sources) != 1 || list.Sources[0].Rules != 3 || list.Sources[0].Withdrawn != 3 {
		t.Errorf("%+v", list)
	}
	s.want(http.StatusUnprocessableEntity, "POST", "/v1/sources/detector/keep", `{"for": "soon"}`, nil)
	s.want(http.StatusNotFound, "POST", "/v1/sources/nobody/accept", "", nil)
	s.want(http.StatusNoContent, "POST", "/v1/sources/detector/keep", `{"for": "2h"}`, nil)
	if n := s.rib.Snapshot().Len(); n != 3 {
		t.Errorf("%d rules in force while they are kept", n)
	}
	s.want(http.StatusNoContent, "POST", "/v1/sources/detector/accept", "", nil)
	if n := s.rib.Snapshot().Len(); n != 0 {
		t.Errorf("%d rules in force after the withdrawal was accepted", n)
	}
	if text := s.want(http.StatusConflict, "POST", "/v1/sources/detector/accept", "", nil); !strings.Contains(text, "no withdrawal of this source is held back") {
		t.Error(text)
	}
}
