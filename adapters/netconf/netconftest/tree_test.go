package netconftest

import (
	"errors"
	"testing"
	"time"
)

const before = `<firewall><policer><name>p</name><burst>1</burst></policer><family><inet>` +
	`<filter><name>a</name><term><name>1</name><x/></term><term><name>2</name></term></filter><filter><name>b</name></filter></inet></family></firewall>`

func config(t *testing.T, inner string) *Node {
	t.Helper()
	n, err := parse([]byte("<config>" + inner + "</config>"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestEdit(t *testing.T) {
	t.Parallel()
	inFilters := func(s string) string { return "<firewall><family><inet>" + s + "</inet></family></firewall>" }
	for _, c := range []struct{ name, edit, want, tag string }{
		{"merge adds", inFilters("<filter><name>c</name><term><name>9</name></term></filter>"), `<firewall><policer><name>p</name><burst>1</burst></policer><family><inet>` +
			`<filter><name>a</name><term><name>1</name><x/></term><term><name>2</name></term></filter><filter><name>b</name></filter><filter><name>c</name><term><name>9</name></term></filter></inet></family></firewall>`, ""},
		{"merge changes a leaf", "<firewall><policer><name>p</name><burst>7</burst></policer></firewall>", `<firewall><policer><name>p</name><burst>7</burst></policer><family><inet>` +
			`<filter><name>a</name><term><name>1</name><x/></term><term><name>2</name></term></filter><filter><name>b</name></filter></inet></family></firewall>`, ""},
		{"replace keeps the place and drops the rest", inFilters(`<filter operation="replace"><name>a</name><term><name>2</name></term></filter>`), `<firewall><policer><name>p</name><burst>1</burst></policer><family><inet>` +
			`<filter><name>a</name><term><name>2</name></term></filter><filter><name>b</name></filter></inet></family></firewall>`, ""},
		{"delete", inFilters(`<filter operation="delete"><name>a</name></filter>`), `<firewall><policer><name>p</name><burst>1</burst></policer><family><inet><filter><name>b</name></filter></inet></family></firewall>`, ""},
		{"delete of all leaves no empty containers", `<firewall><policer operation="delete"><name>p</name></policer><family operation="delete"/></firewall>`, "", ""},
		{"delete of what is not there", inFilters(`<filter operation="delete"><name>z</name></filter>`), "", "data-missing"},
		{"remove of what is not there", inFilters(`<filter operation="remove"><name>z</name></filter>`), before, ""},
		{"create of what is there", inFilters(`<filter operation="create"><name>a</name></filter>`), "", "data-exists"},
		{"an operation that there is not", inFilters(`<filter operation="mangle"><name>a</name></filter>`), "", "bad-attribute"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := config(t, before)
			err := edit(n, config(t, c.edit), "merge")
			var e *editError
			switch {
			case c.tag != "":
				if !errors.As(err, &e) || e.tag != c.tag {
					t.Errorf("got %v, want the error-tag %s", err, c.tag)
				}
			case err != nil:
				t.Error(err)
			case contents(n) != c.want:
				t.Errorf("got  %s\nwant %s", contents(n), c.want)
			}
		})
	}
}

func TestSubtreeFilter(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string]string{
		"<firewall/>":                                     before,
		"<firewall><policer/></firewall>":                 `<firewall><policer><name>p</name><burst>1</burst></policer></firewall>`,
		"<firewall><policer><name/></policer></firewall>": `<firewall><policer><name>p</name></policer></firewall>`,
		"<firewall><family><inet><filter><name>b</name></filter></inet></family></firewall>": `<firewall><family><inet><filter><name>b</name></filter></inet></family></firewall>`,
		"<firewall><family><inet6/></family></firewall>":                                     "",
	} {
		var got string
		if n := selected(config(t, before).Kids[0], config(t, filter).Kids[0]); n != nil {
			got = n.String()
		}
		if got != want {
			t.Errorf("%s selects %s, want %s", filter, got, want)
		}
	}
}

// TestConfirmedCommit goes through RFC 6241 section 8.4 on the store alone.
func TestConfirmedCommit(t *testing.T) {
	t.Parallel()
	clock := &ManualClock{}
	changes := 0
	s, err := newStore(clock, before, func(*Node) { changes++ })
	if err != nil {
		t.Fatal(err)
	}
	remove := func() {
		t.Helper()
		if err := s.edit(1, config(t, `<firewall operation="remove"/>`), "merge"); err != nil {
			t.Fatal(err)
		}
	}
	commit := func(session int, confirmed bool, persist, persistID string) error {
		return s.commit(session, confirmed, time.Minute, persist, persistID, false)
	}
	remove()
	if err := commit(1, true, "id", ""); err != nil || contents(s.running) != "" {
		t.Fatalf("commit: %v, running %s", err, contents(s.running))
	}
	if err := commit(2, false, "", ""); err == nil {
		t.Error("a pending commit was confirmed without its persist-id")
	}
	if err := commit(2, false, "", "other"); err == nil {
		t.Error("a pending commit was confirmed with another persist-id")
	}
	s.left(1) // it persists
	clock.Advance(59 * time.Second)
	if contents(s.running) != "" {
		t.Error("undone before its time")
	}
	clock.Advance(time.Second)
	if contents(s.running) != before || s.pending != nil {
		t.Error("not undone at its time")
	}
	remove()
	if err := commit(1, true, "", ""); err != nil {
		t.Fatal(err)
	}
	s.left(1) // without a persist-id it ends with its session
	if contents(s.running) != before {
		t.Error("a pending commit outlived its session")
	}
	remove()
	if err := errors.Join(commit(1, true, "id", ""), commit(2, false, "", "id")); err != nil {
		t.Fatal(err)
	}
	clock.Advance(time.Hour)
	if contents(s.running) != "" || changes != 6 {
		t.Errorf("confirmed, running is %q after %d changes", contents(s.running), changes)
	}
}
