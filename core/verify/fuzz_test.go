package verify

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
)

// FuzzCheck gives the checker any certificate that can be read: it answers, within its bound, with a refusal that has a place and a reason, or not at all.
func FuzzCheck(f *testing.F) {
	files, err := filepath.Glob("../certificate/testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	var b bytes.Buffer
	if err := certificate.Write(&b, sample()); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := certificate.Read(b)
		if err != nil {
			return
		}
		var r *Refusal
		if err := check(c, 100_000); err != nil && (!errors.As(err, &r) || r.Place == "" || r.Reason == "") {
			t.Errorf("%v is no refusal with place and reason", err)
		}
	})
}

// The samples, which other tests read as well, are verified.
func TestSamplesAreVerified(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../certificate/testdata/*.json")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := certificate.Read(b)
		if err == nil {
			err = Check(c)
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
