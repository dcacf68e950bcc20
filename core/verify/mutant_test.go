package verify_test

import (
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/verify"
	"pgregory.net/rapid"
)

// mutants change a certificate; false: there is nothing to change.
var mutants = map[string]func(t *rapid.T, c *certificate.Certificate) bool{
	"drop an entry": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if ok {
			c.Entries = slices.Delete(c.Entries, i, i+1)
		}
		return ok
	},
	"an entry twice": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if ok {
			c.Entries = append(c.Entries, c.Entries[i])
		}
		return ok
	},
	"swap two entries": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok {
			return false
		}
		j, _ := place(t, c.Entries)
		c.Entries[i], c.Entries[j] = c.Entries[j], c.Entries[i]
		return i != j
	},
	"another rule's entry": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if ok {
			c.Entries[i].Rule = rapid.IntRange(0, len(c.Rules)-1).Draw(t, "rule")
		}
		return ok
	},
	"widen an entry": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok || c.Entries[i].Match == nil {
			return false
		}
		m := *c.Entries[i].Match
		c.Entries[i].Match = &m
		switch pick(t, "what", "dst", "src", "proto", "ports", "fragments", "flags", "more") {
		case "dst":
			m.Dst = ""
		case "src":
			m.Src = ""
		case "proto":
			m.Proto = nil
		case "ports":
			m.Port, m.DstPort, m.SrcPort = nil, nil, nil
		case "fragments":
			m.Fragments = nil
		case "flags":
			m.Flags = nil
		case "more":
			if len(m.DstPort) > 0 {
				m.DstPort = slices.Clone(m.DstPort)
				m.DstPort[0][1]++
			}
		}
		return true
	},
	"flip a bit": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok || c.Entries[i].NLRI == "" {
			return false
		}
		c.Entries[i].NLRI = flipped(t, c.Entries[i].NLRI)
		return true
	},
	"flip a bit of a rule": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Rules)
		if ok {
			c.Rules[i].NLRI = flipped(t, c.Rules[i].NLRI)
		}
		return ok
	},
	"other actions": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok {
			return false
		}
		if d := c.Entries[i].Do; d != nil {
			other := *d
			c.Entries[i].Do = &other
			switch pick(t, "what", "discard", "continue", "policer", "mark") {
			case "discard":
				other.Discard = !other.Discard
			case "continue":
				other.Continue = !other.Continue
			case "policer":
				other.Policer = ""
			case "mark":
				other.Mark = nil
			}
			return true
		}
		if a := c.Entries[i].Actions; len(a) > 0 {
			c.Entries[i].Actions = slices.Clone(a)
			c.Entries[i].Actions[0] = flipped(t, a[0])
			return true
		}
		c.Entries[i].Actions = []string{"8006000000000000"}
		return true
	},
	"another measured order": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Platform.Measured)
		if !ok {
			return false
		}
		j, _ := place(t, c.Platform.Measured)
		c.Platform.Measured = slices.Clone(c.Platform.Measured)
		if m := c.Platform.Measured; i != j {
			m[i], m[j] = m[j], m[i]
		} else {
			c.Platform.Measured = slices.Delete(m, i, i+1)
		}
		return true
	},
	"a policer for each": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok || c.Entries[i].Do == nil || c.Entries[i].Do.Policer == "" {
			return false
		}
		do := *c.Entries[i].Do
		for _, p := range c.Policers {
			if p.Name == do.Policer {
				p.Name += "-2"
				c.Policers = append(c.Policers, p)
			}
		}
		do.Policer += "-2"
		c.Entries[i].Do = &do
		return true
	},
	"one policer for all": func(t *rapid.T, c *certificate.Certificate) bool {
		if len(c.Policers) < 2 {
			return false
		}
		for i := range c.Entries {
			if d := c.Entries[i].Do; d != nil && d.Policer != "" {
				do := *d
				do.Policer = c.Policers[0].Name
				c.Entries[i].Do = &do
			}
		}
		return true
	},
	"another rate": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Policers)
		if ok {
			c.Policers[i].Rate *= pick(t, "times", float32(0.99), 1.005, 1.02, 2)
		}
		return ok
	},
	"exact": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		had := c.Rules[i].Exact
		c.Rules[i].Exact = true
		return !had
	},
	"carried otherwise": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		c.Rules[i].Carried = pick(t, "carried", "native", "rewritten", "filter", "rejected")
		if c.Rules[i].Carried == "rejected" {
			c.Rules[i].Exact = false
		}
		return true
	},
	"rejected with its entries": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		c.Rules[i].Carried, c.Rules[i].Exact = "rejected", false
		kept := c.Entries[:0]
		for _, e := range c.Entries {
			if e.Rule != i {
				kept = append(kept, e)
			}
		}
		c.Entries = kept
		return true
	},
	"a rule above": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		j, _ := place(t, c.Rules)
		c.Rules[i].Above = append(c.Rules[i].Above, j)
		k, ok := place(t, c.Entries)
		if ok && c.Entries[k].Rule == i {
			c.Entries = slices.Delete(c.Entries, k, k+1)
		}
		return true
	},
	"an order": func(t *rapid.T, c *certificate.Certificate) bool {
		c.Platform.Order = pick(t, "order", "rfc8955", "unknown", "sequence", "")
		return true
	},
}

func place[T any](t *rapid.T, list []T) (int, bool) {
	if len(list) == 0 {
		return 0, false
	}
	return rapid.IntRange(0, len(list)-1).Draw(t, "place"), true
}

func flipped(t *rapid.T, octets string) string {
	b, _ := hex.DecodeString(octets)
	n := rapid.IntRange(0, 8*len(b)-1).Draw(t, "bit")
	b[n/8] ^= 1 << (n % 8)
	return hex.EncodeToString(b)
}

// No changed certificate is verified that treats a packet otherwise than it says.
func TestMutantsAreRefused(t *testing.T) {
	t.Parallel()
	for name, change := range mutants {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refused, harmless := 0, 0
			often(t, func(t *rapid.T) {
				c := drawCertificate(t, 6)
				if strings.Contains(name, "policer") || strings.Contains(name, "rate") || strings.Contains(name, "swap") {
					c = drawPoliced(t)
				}
				if strings.Contains(name, "measured") {
					c = drawInMeasuredOrder(t)
				}
				if !change(t, c) {
					return
				}
				c = reread(t, c)
				err := verify.Check(c)
				if err != nil {
					refused++
					refusal(t, err)
					return
				}
				harmless++
				m, err := modelOf(c)
				if err != nil {
					t.Fatalf("verified, and %v\n%s", err, text(c))
				}
				if fault := m.faults(t, drawHeaders(t, 40)); fault != "" {
					t.Fatalf("verified, and %s\n%s", fault, text(c))
				}
			})
			if refused == 0 {
				t.Errorf("none refused, %d verified: the test sees nothing", harmless)
			}
			t.Logf("%d refused, %d verified and harmless", refused, harmless)
		})
	}
}
