package gateway_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/sluice-gateway/sluice/integration/rig"
)

// gapRouter is a router of which it can be seen, at any moment, what it holds.
type gapRouter struct {
	profile string
	port    uint16
	// held is how many rules it has.
	held func() int
	// settled says whether its session stands and it waits for nothing more of a restart.
	settled func() bool
	// removed is how many rules it says that it removed so far; nil: it does not say.
	removed func() int
	words   func() string
}

// gapRouters start the routers that a gateway is restarted in front of; graceful: that keep rules meanwhile, as far as they can.
var gapRouters = map[string]func(t testing.TB, at, us netip.Addr, graceful bool) gapRouter{"BIRD": gapBIRD, "FRR": gapFRR, "gobgpd": gapGoBGP}

func gapBIRD(t testing.TB, at, us netip.Addr, graceful bool) gapRouter {
	mode := "off"
	if graceful {
		mode = "aware"
	}
	b := rig.StartBIRD(t, 64500, at, us, "graceful restart "+mode+"; debug { routes }; flow4 { table f4; import all; export none; };", "")
	session := func() string { return b.Ctl("show", "protocols", "all", "sluice") }
	return gapRouter{
		profile: "bird", port: rig.BIRDPort, words: session,
		held: func() (n int) {
			for line := range strings.Lines(b.Ctl("show", "route", "table", "f4", "count")) {
				if strings.Contains(line, "routes for") {
					_, _ = fmt.Sscanf(strings.TrimSpace(line), "%d", &n)
				}
			}
			return n
		},
		settled: func() bool {
			state := session()
			return strings.Contains(state, "Established") && !strings.Contains(state, "graceful restart active") && strings.Contains(state, fmt.Sprintf("%d imported", gapRules))
		},
		removed: func() int { return strings.Count(b.Out.String(), "> removed") },
	}
}

// gapFRR agrees on graceful restart unless graceful is false, and keeps nothing in either case.
func gapFRR(t testing.TB, at, us netip.Addr, graceful bool) gapRouter {
	var more []string
	if !graceful {
		more = []string{"graceful-restart-disable"}
	}
	f := rig.StartFRR(t, 64500, at, us, more...)
	words := func() string { return f.Ctl("show bgp ipv4 flowspec summary json") }
	look := func() (s struct {
		Rules int `json:"ribCount"`
		Peers map[string]struct {
			State string
			Got   int `json:"pfxRcd"`
		}
	}) {
		_ = json.Unmarshal([]byte(words()), &s) // what cannot be read is no rule and no session
		return s
	}
	return gapRouter{
		profile: "frr", port: rig.FRRPort, words: words,
		held:    func() int { return look().Rules },
		settled: func() bool { p := look().Peers[us.String()]; return p.State == "Established" && p.Got == gapRules },
	}
}

func gapGoBGP(t testing.TB, at, us netip.Addr, graceful bool) gapRouter {
	const family = "ipv4-flowspec"
	more := ""
	if graceful {
		more = "[neighbors.graceful-restart.config]\nenabled = true\nrestart-time = 60\nnotification-enabled = true"
	}
	o := rig.StartGoBGP(t, 64500, at, us, []string{family}, more)
	words := func() string { return o.Ctl("neighbor", us.String()) }
	return gapRouter{
		profile: "gobgp", port: rig.GoBGPPort, words: words,
		held: func() (n int) {
			_, counts, _ := strings.Cut(o.Ctl("global", "rib", "summary", "-a", family), "Destination: ")
			_, _ = fmt.Sscanf(counts, "%d", &n)
			return n
		},
		settled: func() bool {
			accepted, text := 0, words()
			_, after, _ := strings.Cut(text, "Accepted:")
			if _, err := fmt.Sscan(after, &accepted); err != nil || accepted != gapRules || !strings.Contains(text, "BGP state = ESTABLISHED") {
				return false
			}
			return !graceful || strings.Contains(o.Ctl("neighbor", us.String(), "-j"), `"end_of_rib_received":true`)
		},
	}
}
