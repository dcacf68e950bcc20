package nftables_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/adapters/dialecttest"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// listings are what nft 1.0.6 on Linux 6.18 lists of the filters of testdata/render, as text and as JSON.
var listings = func() (out []string) {
	for _, name := range listingFiles() {
		out = append(out, listing(name))
	}
	return out
}()

func listingFiles() []string {
	files, err := filepath.Glob("testdata/listed/*")
	if err != nil || len(files) < 6 {
		panic(err)
	}
	return files
}

func listing(name string) string {
	b, err := os.ReadFile(name)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Listings are read as the filters that they are of.
func TestListed(t *testing.T) {
	t.Parallel()
	for _, name := range listingFiles() {
		f, _ := dialecttest.Golden(t, strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))
		dialecttest.ReadsBack(t, dialect, f, []byte(listing(name)))
	}
}

// hostile are changes to what nft lists for a filter of ours, by words of the error that each is.
var hostile = changed("testdata/listed/2-syn-flood.txt", map[string][2]string{
	"chain sluice-v4 does not begin as sluice":   {"iifname \"lo\" accept", "iifname \"lo\" drop"},
	"does not begin as sluice writes it":         {"priority -450", "priority -300"},
	"\"ct\" is not understood":                   {"\t\taccept comment \"accept-rest\"", "\t\tct state invalid drop\n\t\taccept comment \"accept-rest\""},
	"want 1 to 64 characters":                    {"\t\taccept comment \"accept-rest\"", "\t\ttcp dport 80 drop\n\t\taccept comment \"accept-rest\""},
	"sluice makes no such object":                {"\tset ", "\tflowtable x {\n\t}\n\tset "},
	"are not used by any entry":                  {"\tset ", "\tcounter spare {\n\t}\n\tset "},
	"a limit in the rule itself":                 {"jump do-r-00000000000000b2", "limit name \"sluice-r-00000000000000b2\" drop"},
	"is not there":                               {"limit name \"sluice-r-00000000000000b2\"", "limit name \"other\""},
	"is for packets within the rate":             {"rate over", "rate"},
	"several rules have its name":                {"\t\taccept comment \"accept-rest\"", "\t\ttcp dport 80 drop comment \"r-1\"\n\t\ttcp dport 81 drop comment \"r-1\"\n\t\taccept comment \"accept-rest\""},
	"chain x is not there":                       {"jump do-r-00000000000000b2", "jump x"},
	"two rules of it do not do the same":         {"comment \"r-00000000000000a1\"", "comment \"r-00000000000000b2\""},
	"a mask over it is not understood":           {"tcp dport @port-80_443", "tcp dport & 1 == 1"},
	"no number of 0 to 65535":                    {"elements = { 80, 443 }", "elements = { 80, https }"},
	"a second prefix":                            {"ip daddr 203.0.113.80", "ip daddr 203.0.113.80 ip daddr 203.0.113.80"},
	"it tells fragment offsets apart":            {"ip frag-off & 8191 == 0", "ip frag-off & 8191 == 3"},
	"the text is cut off":                        {"\t\taccept comment \"accept-rest\"\n\t}\n}\n", ""},
	"two objects of one kind have the same name": {"\tset ", "\tcounter r-00000000000000a1 {\n\t}\n\tset "},
	"a table should begin":                       {"table ip sluice-v4 {", "add rule ip sluice-v4 x accept\ntable ip sluice-v4 {"},
	"sluice makes no table of family inet":       {"table ip sluice-v4", "table inet sluice-v4"},
	"it is of the other IP version":              {"ip frag-off & 8191 == 0", "ip6 dscp 1"},
	"it looks at the reserved bit":               {"ip frag-off & 8191 == 0", "ip frag-off == 0"},
})

// changed returns the texts that changes make of a listing, with the words.
func changed(name string, changes map[string][2]string) map[string]string {
	listed, out := listing(name), map[string]string{}
	for want, change := range changes {
		text := strings.Replace(listed, change[0], change[1], 1)
		if text == listed {
			panic("not in the listing: " + change[0])
		}
		out[text] = want
	}
	if len(out) != len(changes) {
		panic("two changes are the same")
	}
	return out
}

// A dormant table is a decision of somebody's.
func TestDormant(t *testing.T) {
	t.Parallel()
	_, err := dialect.Parse([]byte("table ip sluice-v4 {\n\tflags dormant\n\tchain sluice-v4 {\n\t}\n}\ntable ip nat {\n\tchain x {\n\t\tct state new accept\n\t}\n}\n"))
	var foreign *filter.ForeignError
	if !errors.As(err, &foreign) || !foreign.Deactivated || len(foreign.Filters) != 1 || foreign.Filters[0].Name != "sluice-v4" || foreign.Filters[0].Version != packet.IPv4 {
		t.Errorf("got %v", err)
	}
}
