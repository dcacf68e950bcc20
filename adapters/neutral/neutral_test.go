package neutral_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/adaptertest"
	"github.com/sluice-gateway/sluice/adapters/neutral"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/packet"
)

func busy() filter.Filter {
	f := filter.Filter{Name: "sluice-v4", Version: packet.IPv4, Placement: filter.Alone,
		Policers: []filter.Policer{{Name: "sluice-p", Rate: flowspec.Rate{Amount: 12.5, Unit: flowspec.Bytes}, Burst: 1500}}}
	for i := range 8 {
		f.Entries = append(f.Entries, adaptertest.Entry(filter.Semantics{}, i))
	}
	mark := uint8(0)
	f.Entries[2].Do = filter.Do{Mark: &mark, Policer: "sluice-p"}
	f.Entries[3].Match.DSCP = packet.Values{} // no packet at all, which is not the same as no condition
	return f
}

func TestReadsBackTheSame(t *testing.T) {
	t.Parallel()
	for _, f := range []filter.Filter{busy(), {Name: "sluice-v6", Version: packet.IPv6, Placement: filter.Before, Entries: []filter.Entry{}}} {
		r, err := neutral.Dialect{}.Render(f)
		if err != nil {
			t.Fatal(err)
		}
		back, err := neutral.Dialect{}.Parse([]byte(r.Text))
		if err != nil || len(back) != 1 || !reflect.DeepEqual(back[0], f) {
			t.Errorf("%s\nreads back as %+v, %v", r.Text, back, err)
		}
		if len(r.Entries) != len(f.Entries) {
			t.Errorf("%d entries have %d texts", len(f.Entries), len(r.Entries))
		}
	}
}

// Whatever of the text is not understood makes all of it refused: an entry without a condition that it had would match more.
func TestNothingIsPassedOver(t *testing.T) {
	t.Parallel()
	r, err := neutral.Dialect{}.Render(busy())
	if err != nil {
		t.Fatal(err)
	}
	for old, spoilt := range map[string]string{
		`"src-port"`:           `"sprt"`,
		`"discard":true`:       `"discard":true,"colour":1`,
		`"version":4`:          `"version":5`,
		`"name":"sluice-v4"`:   `"name":"theirs"`,
		`"dst":"10.66.0.1/32"`: `"dst":"10.66.0.1/33"`,
		"\n]}":                 "\n]",
	} {
		text := strings.Replace(r.Text, old, spoilt, 1)
		if text == r.Text {
			t.Errorf("the text has no %s:\n%s", old, r.Text)
		}
		if got, err := (neutral.Dialect{}).Parse([]byte(text)); err == nil {
			t.Errorf("%s for %s is read as %+v", spoilt, old, got)
		}
	}
}

// What is read is written as the same again.
func FuzzParse(f *testing.F) {
	r, err := neutral.Dialect{}.Render(busy())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(r.Text))
	f.Add([]byte(`{"name":"sluice-v6","version":6,"placement":"before","entries":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		filters, err := neutral.Dialect{}.Parse(b)
		if err != nil {
			return
		}
		for _, f := range filters {
			r, err := neutral.Dialect{}.Render(f)
			if err != nil {
				continue // refused, which harms nobody
			}
			back, err := neutral.Dialect{}.Parse(r.Payload)
			if err != nil || len(back) != 1 || !same(back[0], f) {
				t.Errorf("%s\nis written as\n%s", b, r.Text)
			}
		}
	})
}

func same(a, b filter.Filter) bool {
	return reflect.DeepEqual(a.Entries, b.Entries) && a.Name == b.Name && a.Version == b.Version && a.Placement == b.Placement
}
