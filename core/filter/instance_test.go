package filter

import (
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

func TestInstances(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                     "",
		"65000:666=SCRUB":                      "65000:666=SCRUB",
		" 65000:667=clean-2 , 65000:666=SCRUB": "65000:666=SCRUB,65000:667=clean-2",
		"192.0.2.1:1=a.b_c,[2001:db8::1]:1=d":  "192.0.2.1:1=a.b_c,[2001:db8::1]:1=d",
	} {
		got, err := ParseInstances(text)
		if err != nil || got.String() != want {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
		again, err := ParseInstances(got.String())
		if err != nil || again.String() != want {
			t.Errorf("%q: printed and read it is %q, %v", text, again, err)
		}
		for r, name := range got {
			if back, ok := got.Target(name); !ok || back != r {
				t.Errorf("%s: instance %s imports %v", text, name, back)
			}
		}
	}
	for text, want := range map[string]string{
		"SCRUB":                                 "want TARGET=NAME",
		"65000:666=SCRUB,":                      "want TARGET=NAME",
		",":                                     "want TARGET=NAME",
		"65000=SCRUB":                           "is no route target",
		"192.0.2.1=SCRUB":                       "is no route target",
		"65000:666=":                            "want 1 to 128 characters",
		"65000:666=" + strings.Repeat("x", 129): "want 1 to 128 characters",
		"65000:666=a b":                         "want letters, digits",
		`65000:666=a";`:                         "want letters, digits",
		"65000:666=A,65000:666=B":               "route target 65000:666: instance A and instance B",
		"65000:666=A,65000:667=A":               "could be either",
	} {
		if got, err := ParseInstances(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v\nwant an error with %q", text, got, err, want)
		}
	}
	if _, ok := (Instances{}).Target(""); ok {
		t.Error("no instance imports something")
	}
	if _, ok := (Instances{{Form: flowspec.RedirectAS2}: "x"}).Target("y"); ok {
		t.Error("an instance that is not there imports something")
	}
}
