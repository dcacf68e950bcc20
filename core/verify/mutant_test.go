package verify_test

import (
	"cmp"
	"encoding/binary"
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/core/certificate"
	"github.com/sluice-gateway/sluice/core/flowspec"
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
		if !ok {
			return false
		}
		was := route(c.Rules[c.Entries[i].Rule].Family, c.Entries[i].Clause, i).match
		parts := slices.Collect(was.All())
		k, _ := place(t, parts)
		switch p := &parts[k]; {
		case rapid.Bool().Draw(t, "drop") && len(parts) > 1:
			parts = slices.Delete(parts, k, k+1)
		case p.Type.Prefix() && p.Prefix.Len > 0:
			p.Prefix.Len--
			short := netip.PrefixFrom(p.Prefix.Addr, int(p.Prefix.Len)).Masked()
			p.Prefix.Addr = short.Addr()
		case !p.Type.Prefix():
			p.Terms = append(slices.Clone(p.Terms), flowspec.Term{Op: flowspec.EQ, Value: p.Terms[0].Value + 1})
		}
		m, err := flowspec.NewMatch(was.Family(), flowspec.RD{}, parts...)
		if err != nil {
			return false
		}
		c.Entries[i].NLRI = hex.EncodeToString(m.NLRI())
		return !m.Equal(was)
	},
	"flip a bit": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if ok {
			c.Entries[i].NLRI = flipped(t, c.Entries[i].NLRI)
		}
		return ok
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
		a := slices.Clone(c.Entries[i].Actions)
		switch what := pick(t, "what", "flip", "drop", "discard", "continue", "mark", "sample"); {
		case what == "flip" && len(a) > 0:
			k, _ := place(t, a)
			a[k] = flipped(t, a[k])
		case what == "drop" && len(a) > 0:
			k, _ := place(t, a)
			a = slices.Delete(a, k, k+1)
		default:
			a = append(a, map[string]string{"discard": "8006000000000000", "continue": "8007000000000001", "mark": "8009000000000005", "sample": "8007000000000002"}[what])
		}
		c.Entries[i].Actions = slices.DeleteFunc(a, func(text string) bool { return text == "" })
		return true
	},
	"another measured order": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok {
			return false
		}
		j, _ := place(t, c.Entries)
		a, b := &c.Entries[i], &c.Entries[j]
		was := a.Measured
		switch pick(t, "what", "swap", "swap", "swap", "same", "none") {
		case "swap":
			a.Measured, b.Measured = b.Measured, a.Measured
		case "same":
			a.Measured = b.Measured
		case "none":
			a.Measured = 0
		}
		return a.Measured != was
	},
	"another stage": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if ok {
			c.Entries[i].Stage = pick(t, "stage", certificate.FlowSpec, certificate.Filter, "rules")
		}
		return ok
	},
	"a policer for each": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok || c.Entries[i].Policer == "" {
			return false
		}
		c.Entries[i].Policer += pick(t, "name", "-2", "")
		if rapid.Bool().Draw(t, "none") {
			c.Entries[i].Policer = ""
		}
		return true
	},
	"one policer for all": func(t *rapid.T, c *certificate.Certificate) bool {
		first, changed := "", false
		for i := range c.Entries {
			if p := &c.Entries[i].Policer; *p != "" {
				first = cmp.Or(first, *p)
				changed = changed || *p != first
				*p = first
			}
		}
		return changed
	},
	"another rate": func(t *rapid.T, c *certificate.Certificate) bool {
		i, ok := place(t, c.Entries)
		if !ok {
			return false
		}
		of, all, times := c.Entries[i].Rule, rapid.Bool().Draw(t, "all"), pick(t, "times", float32(0.99), 1.005, 1.02, 2)
		changed := false
		for i := range c.Entries {
			e := &c.Entries[i]
			e.Actions = slices.Clone(e.Actions)
			for k, a := range e.Actions {
				b, _ := hex.DecodeString(a)
				if rate := math.Float32frombits(binary.BigEndian.Uint32(b[4:])); e.Rule == of && b[0] == 0x80 && b[1] == 6 && rate > 0 && (all || !changed) {
					binary.BigEndian.PutUint32(b[4:], math.Float32bits(rate*times))
					e.Actions[k], changed = hex.EncodeToString(b), true
				}
			}
		}
		return changed
	},
	"exact": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		had := c.Rules[i].Exact
		c.Rules[i].Exact = true
		return !had
	},
	"carried otherwise": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		c.Rules[i].Rejected, c.Rules[i].Exact = !c.Rules[i].Rejected, rapid.Bool().Draw(t, "exact")
		return true
	},
	"rejected with its entries": func(t *rapid.T, c *certificate.Certificate) bool {
		i, _ := place(t, c.Rules)
		c.Rules[i].Rejected, c.Rules[i].Exact = true, false
		c.Entries = slices.DeleteFunc(c.Entries, func(e certificate.Entry) bool { return e.Rule == i })
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
				if rapid.Bool().Draw(t, "in order") {
					inOrder(c)
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
