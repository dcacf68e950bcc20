package junos_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/filter"
)

func TestAttachments(t *testing.T) {
	t.Parallel()
	want := []junos.Attachment{
		{Interface: "ge-0/0/0.0", Family: "inet", Filters: []string{"sluice-v4"}},
		{Interface: "ge-0/0/0.0", Family: "inet6", Filters: []string{"sluice-v6", "EDGE6"}},
		{Interface: "xe-0/0/1.100", Family: "inet", Filters: []string{"EDGE", "sluice-v4"}},
		{Interface: "xe-0/0/1.200", Family: "inet", Filters: []string{"sluice-v4"}, Inactive: true},
	}
	for form, config := range map[string]string{
		"text": `interfaces {
			ge-0/0/0 { mtu 9192; unit 0 { family inet { filter { input sluice-v4; output EDGE-OUT; } address 192.0.2.1/31; } family inet6 { filter { input-list [ sluice-v6 EDGE6 ]; } } } }
			xe-0/0/1 { unit 100 { family inet { filter { input-list [ EDGE sluice-v4 ]; } } } unit 200 { family inet { inactive: filter { input sluice-v4; } } } unit 300 { family inet { filter { input EDGE; } } } }
		}
		firewall { family inet { filter sluice-v4 { term accept-rest { then accept; } } } }`,
		"xml": `<data><configuration><interfaces>
			<interface><name>ge-0/0/0</name><mtu>9192</mtu><unit><name>0</name><family><inet><filter><input><filter-name>sluice-v4</filter-name></input><output><filter-name>EDGE-OUT</filter-name></output></filter><address><name>192.0.2.1/31</name></address></inet><inet6><filter><input-list>sluice-v6</input-list><input-list>EDGE6</input-list></filter></inet6></family></unit></interface>
			<interface><name>xe-0/0/1</name><unit><name>100</name><family><inet><filter><input-list>EDGE</input-list><input-list>sluice-v4</input-list></filter></inet></family></unit><unit><name>200</name><family><inet><filter inactive="inactive"><input><filter-name>sluice-v4</filter-name></input></filter></inet></family></unit><unit><name>300</name><family><inet><filter><input><filter-name>EDGE</filter-name></input></filter></inet></family></unit></interface>
		</interfaces></configuration></data>`,
	} {
		got, err := dialect.Attachments([]byte(config))
		if err != nil {
			t.Fatalf("%s: %v", form, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", form, diff)
		}
	}
	for i, stands := range [][2]bool{{true, true}, {false, true}, {false, false}, {false, false}} {
		if got := [2]bool{want[i].Stands(filter.Alone), want[i].Stands(filter.Before)}; got != stands {
			t.Errorf("%+v: alone, before: got %v, want %v", want[i], got, stands)
		}
	}
}

func TestAttached(t *testing.T) {
	t.Parallel()
	const config = `interfaces {
		ge-0/0/3 { unit 0 { family inet { filter { input sluice-v4; output EDGE-OUT; } } family inet6 { filter { output sluice-v6; } } } }
		ge-0/0/2 { unit 0 { family inet { filter { input-list [ sluice-v4 EDGE LAST ]; } } family inet6 { filter { input-list [ EDGE6 sluice-v6 ]; } } } }
		ge-0/0/1 { unit 0 { family inet { filter { input-list [ BOGONS EDGE sluice-v4 ]; } } } unit 1 { family inet { inactive: filter { input sluice-v4; } } } }
		ge-0/0/0 { unit 0 { family inet { filter { input EDGE; } } } }
	}`
	const behind, behind6 = "ge-0/0/1.0, behind BOGONS and EDGE", "ge-0/0/2.0, behind EDGE6"
	type places map[string][]string
	for p, want := range map[filter.Placement][2]places{
		filter.Alone: {{"sluice-v4": {"ge-0/0/3.0"}},
			{"sluice-v4": {behind, "ge-0/0/2.0, in front of EDGE and LAST, which sees no packet"}, "sluice-v6": {behind6}}},
		filter.Before: {{"sluice-v4": {"ge-0/0/2.0", "ge-0/0/3.0"}}, {"sluice-v4": {behind}, "sluice-v6": {behind6}}},
		"":            {{"sluice-v4": {"ge-0/0/1.0", "ge-0/0/2.0", "ge-0/0/3.0"}, "sluice-v6": {"ge-0/0/2.0"}}, {}},
	} {
		stands, misplaced, err := dialect.Attached([]byte(config), p)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, [2]places{stands, misplaced}); diff != "" {
			t.Errorf("placement %q (-want +got)\n%s", p, diff)
		}
	}
	if _, _, err := dialect.Attached([]byte("interfaces { ge-0/0/0 {"), filter.Alone); err == nil {
		t.Error("a text that is cut off is read")
	}
}

// The commands of Render lead to an attachment as the placement wants it.
func TestAttachCommandsAttach(t *testing.T) {
	t.Parallel()
	for placement, shown := range map[filter.Placement]string{
		filter.Alone:  "input sluice-v4;",
		filter.Before: "input-list [ sluice-v4 YOUR-FILTER ];",
	} {
		f := filter.Filter{Name: "sluice-v4", Version: 4, Placement: placement}
		r, err := dialect.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		last := r.Attach[len(r.Attach)-1]
		if want := "set interfaces ge-0/0/0 unit 0 family inet filter " + shown[:len(shown)-1]; last != want {
			t.Errorf("got %q, want %q", last, want)
		}
		got, err := dialect.Attachments([]byte("interfaces { ge-0/0/0 { unit 0 { family inet { filter { " + shown + " } } } } }"))
		if err != nil || len(got) != 1 || !got[0].Stands(placement) {
			t.Errorf("%s: got %+v, %v", placement, got, err)
		}
	}
}
