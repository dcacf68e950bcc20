package certificate_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
)

func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 4 {
		tb.Fatalf("%d samples, %v", len(files), err)
	}
	out := map[string][]byte{}
	for _, name := range files {
		if out[name], err = os.ReadFile(name); err != nil {
			tb.Fatal(err)
		}
	}
	return out
}

// What is read is written again octet by octet.
func TestReadAndWrite(t *testing.T) {
	t.Parallel()
	for name, b := range samples(t) {
		c, err := certificate.Read(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var again bytes.Buffer
		if err := certificate.Write(&again, c); err != nil || !bytes.Equal(again.Bytes(), b) {
			t.Errorf("%s: written again it is another file (%v)", name, err)
		}
	}
}

// A person must read in the file what a checker does.
func TestReadIsStrict(t *testing.T) {
	t.Parallel()
	good := `{"sluice-certificate":2,"profile":"p","platform":{"placement":"alone"},"facts":[],"rules":[],"entries":[],"steps":[]}`
	for name, c := range map[string]struct{ text, want string }{
		"as it is":          {good, ""},
		"indented":          {strings.ReplaceAll(good, ",", ",\n  "), ""},
		"nothing":           {"", "not a certificate"},
		"a list":            {"[]", "not a certificate"},
		"another object":    {`{"profiles": []}`, `does not begin with "sluice-certificate"`},
		"a later version":   {strings.Replace(good, ":2", ":3", 1), "version 3; this program reads version 2"},
		"the first version": {strings.Replace(good, ":2", ":1", 1), "version 1; this program reads version 2. The sluice that wrote it can check it"},
		"an unknown member": {strings.Replace(good, `"facts"`, `"comment":"","facts"`, 1), `unknown field "comment"`},
		"a member twice":    {strings.Replace(good, `"facts"`, `"profile":"q","facts"`, 1), "stands twice"},
		"another case":      {strings.Replace(good, `"profile"`, `"Profile"`, 1), "in another spelling"},
		"another order":     {strings.Replace(good, `"facts":[],"rules":[]`, `"rules":[],"facts":[]`, 1), "in another place"},
		"a member missing":  {strings.Replace(good, `"facts":[],`, "", 1), "not as sluice writes it"},
		"more behind it":    {good + "{}", "not a certificate"},
		"cut short":         {good[:len(good)-1], "not a certificate"},
		"a number too high": {strings.Replace(good, `"entries":[]`, `"entries":[{"rule":0,"stage":"filter","nlri":"","actions":[],"measured":9223372036854775808}]`, 1), "not a certificate"},
		"a clause inside":   {strings.Replace(good, `"entries":[]`, `"entries":[{"rule":0,"stage":"filter","Clause":{"nlri":"","actions":[]}}]`, 1), `unknown field "Clause"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := certificate.Read([]byte(c.text))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// FuzzRead: whatever is read is written again as it was, white space aside.
func FuzzRead(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := certificate.Read(b)
		if err != nil {
			return
		}
		var one, two bytes.Buffer
		if err := certificate.Write(&one, c); err != nil {
			t.Fatal(err)
		}
		again, err := certificate.Read(one.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, one.Bytes())
		}
		if err := certificate.Write(&two, again); err != nil || !bytes.Equal(one.Bytes(), two.Bytes()) {
			t.Errorf("written twice it is two files (%v)\n%s\n%s", err, one.Bytes(), two.Bytes())
		}
	})
}
