package flowspec

import "net/netip"

// Unit is what a rate counts.
type Unit uint8

// The two units of rates.
const (
	Bytes   Unit = iota + 1 // bytes per second, community 0x8006 (RFC 8955 §7.1)
	Packets                 // packets per second, community 0x800c (RFC 8955 §7.2)
)

// Rate is a limit. Amount 0 is discard. It is what a float32 can hold, never negative, NaN or infinite.
type Rate struct {
	Amount float32 // bytes/s or packets/s
	Unit   Unit
	AS     uint16 // informational (RFC 8955 §7.1); kept, compared by nobody
}

// RedirectForm is how a redirect travels in BGP.
type RedirectForm uint8

// The forms of redirect communities.
const (
	RedirectAS2    RedirectForm = iota + 1 // 0x8008 route target with a two-octet AS (RFC 8955 §7.4)
	RedirectIPv4                           // 0x8108 route target with an IPv4 address
	RedirectAS4                            // 0x8208 route target with a four-octet AS
	RedirectIPv6                           // IPv6-specific 0x000d (RFC 8956 §6.1)
	NextHopSimpson                         // 0x0800, address in the next hop of MP_REACH_NLRI (draft-simpson)
	NextHopIETFv4                          // 0x010c (draft-ietf-idr-flowspec-redirect-ip)
	NextHopIETFv6                          // IPv6-specific 0x000c
)

// Redirect sends packets elsewhere: into the VRF that imports a route target, or to a next hop.
type Redirect struct {
	Form   RedirectForm
	Global uint32     // AS number of RedirectAS2 and RedirectAS4
	Addr   netip.Addr // address of RedirectIPv4 and RedirectIPv6; next hop of the NextHop forms
	Local  uint32     // local administrator of a route target: 32 bits for RedirectAS2, else 16
	Copy   bool       // NextHop forms: the original goes on, a copy is redirected (C bit)
}

// NextHop says whether r names a next hop rather than a route target.
func (r Redirect) NextHop() bool { return r.Form >= NextHopSimpson }

// Action is what happens to matched packets. The zero Action is accept: forward, and look at no later rule.
type Action struct {
	Rate     *Rate // Amount 0 = discard
	Redirect *Redirect
	Mark     *uint8 // DSCP, 0..63
	Sample   bool
	// Continue means that later rules are looked at as well. On the wire it is the T bit of 0x8007 SET: RFC 8955 §7.3
	// names the bit "terminal action" and defines it the other way round. Nowhere else is the bit interpreted.
	Continue bool
	// Unknown holds communities that are not understood or that contradict each other, as they came, interface-set among them. A rule
	// with any is not delivered by guesswork. 8 octets each, or 20 for IPv6-specific ones.
	Unknown []ExtComm
}

// ExtComm is one extended community as octets: 8, or 20 for an IPv6-specific one (RFC 5701).
type ExtComm string

// Discard says whether a drops every packet.
func (a Action) Discard() bool { panic("unbuilt") }

// Equal says whether a and b ask for the same.
func (a Action) Equal(b Action) bool { panic("unbuilt") }

// String prints a as ExaBGP writes it inside `then { }`, on one line: `rate-limit 12500000; mark 46;`.
func (a Action) String() string { panic("unbuilt") }

// ActionError says why communities do not make an action, such as a rate that is NaN. The rule is unusable (treat as withdraw).
type ActionError struct {
	Community ExtComm
	Reason    string
}

func (e *ActionError) Error() string { panic("unbuilt") }

// ParseAction reads the communities of one path; those that are not actions of FlowSpec (route targets, say) are in others. nextHop is the
// address in MP_REACH_NLRI, or the zero Addr. Negative rates are discard; NaN is an *ActionError; infinity is no limit, that is
// accept (RFC 8955 §7.1; docs/semantics.md). Two different communities of one class (two rates, two redirects) are all kept in Unknown.
func ParseAction(ext []ExtComm, nextHop netip.Addr) (a Action, others []ExtComm, err error) {
	panic("unbuilt")
}

// Communities returns the action communities of a, in ascending order of their octets, and the next hop that the
// MP_REACH_NLRI must carry (only for NextHopSimpson; else the zero Addr).
func (a Action) Communities() (ext []ExtComm, nextHop netip.Addr) { panic("unbuilt") }
