package session

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Open is what a peer said in its OPEN message (RFC 4271 §4.2).
type Open struct {
	AS        uint32 // from the four-octet AS capability where present
	ID        netip.Addr
	HoldTime  time.Duration
	Families  []Family // of its multiprotocol capabilities; none means IPv4 unicast only (RFC 4760 §8)
	FourOctet bool
	Refresh   bool
	// EnhancedRefresh is that it knows the marks around what is announced again (RFC 7313).
	EnhancedRefresh bool
	Extended        bool     // messages of up to 65535 octets (RFC 8654)
	Paths           []Family // of which it sends several paths for one NLRI, to those that take them (RFC 7911)
	Restart         *Restart // nil: it does not offer graceful restart
}

// capExtended is the capability of extended messages (RFC 8654 §3), which the library does not know.
const capExtended = 6

// asTrans stands in two-octet places for an AS number that needs four (RFC 6793 §9).
const asTrans = 23456

// encodeOpen is our own OPEN.
func (c *Config) encodeOpen() ([]byte, error) {
	var caps []bgp.ParameterCapabilityInterface
	for _, f := range c.Families {
		caps = append(caps, bgp.NewCapMultiProtocol(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI)))
	}
	caps = append(caps, bgp.NewCapRouteRefresh(), bgp.NewCapEnhancedRouteRefresh(), bgp.NewCapFourOctetASNumber(c.LocalAS))
	if paths := c.paths(); len(paths) > 0 {
		var tuples []*bgp.CapAddPathTuple
		for _, f := range paths {
			tuples = append(tuples, bgp.NewCapAddPathTuple(bgp.AfiSafiToRouteFamily(f.AFI, f.SAFI), bgp.BGP_ADD_PATH_RECEIVE))
		}
		caps = append(caps, bgp.NewCapAddPath(tuples))
	}
	if c.Extended {
		caps = append(caps, &bgp.DefaultParameterCapability{CapCode: capExtended})
	}
	if c.Restart > 0 {
		caps = append(caps, c.restartCapability())
	}
	params := []bgp.OptionParameterInterface{bgp.NewOptionParameterCapability(caps)}
	var out []byte
	err := guard(func() (err error) {
		m := bgp.NewBGPOpenMessage(twoOctet(c.LocalAS), uint16(c.HoldTime/time.Second), c.RouterID.String(), params)
		out, err = m.Serialize()
		return err
	})
	return out, err
}

func twoOctet(as uint32) uint16 {
	if as > 0xffff {
		return asTrans
	}
	return uint16(as)
}

// decodeOpen reads the body of an OPEN message. The error is a *Notification (RFC 4271 §6.2).
func decodeOpen(body []byte) (Open, error) {
	if len(body) > 0 && body[0] != 4 { // first of all: another version may have another form
		return Open{}, &Notification{Code: 2, Subcode: 1, Data: []byte{0, 4}, Detail: fmt.Sprintf("version %d", body[0])}
	}
	if len(body) < 10 || len(body) != 10+int(body[9]) {
		return Open{}, &Notification{Code: 2, Detail: "the length of the optional parameters is wrong"}
	}
	var m bgp.BGPOpen
	if err := guard(func() error { return m.DecodeFromBytes(append(body[:9:9], 0)) }); err != nil {
		return Open{}, &Notification{Code: 2, Detail: err.Error()}
	}
	id, _ := netip.AddrFromSlice(m.ID.To4())
	o := Open{AS: uint32(m.MyAS), ID: id, HoldTime: time.Duration(m.HoldTime) * time.Second}
	err := tlvs(body[10:], func(typ uint8, value []byte) error {
		if typ != bgp.BGP_OPT_CAPABILITY {
			return &Notification{Code: 2, Subcode: 4, Detail: fmt.Sprintf("optional parameter %d", typ)}
		}
		return tlvs(value, o.take)
	})
	var n *Notification
	if err != nil && !errors.As(err, &n) {
		n = &Notification{Code: 2, Detail: err.Error()}
	}
	if n != nil {
		return Open{}, n
	}
	return o, nil
}

// take notes one capability. Those that are not used here are not looked into: a speaker may write what it likes there (RFC 5492 §3), and the library, given all
// of them at once, leaves out what stands behind one that it cannot read. An AS number left out would make every AS_PATH unreadable.
func (o *Open) take(code uint8, value []byte) error {
	if code == uint8(bgp.BGP_CAP_GRACEFUL_RESTART) {
		o.Restart = parseRestart(value) // the last one counts (RFC 4724 §3)
		return nil
	}
	if code == capExtended {
		o.Extended = true // its length is zero, and RFC 8654 §3 asks for nothing where it is not
		return nil
	}
	if code == uint8(bgp.BGP_CAP_ADD_PATH) {
		o.Paths = parsePaths(value)
		return nil
	}
	if code == uint8(bgp.BGP_CAP_ENHANCED_ROUTE_REFRESH) {
		o.EnhancedRefresh = len(value) == 0
		return nil
	}
	want, used := map[uint8]int{uint8(bgp.BGP_CAP_MULTIPROTOCOL): 4, uint8(bgp.BGP_CAP_ROUTE_REFRESH): 0, uint8(bgp.BGP_CAP_FOUR_OCTET_AS_NUMBER): 4}[code]
	if !used {
		return nil
	}
	if len(value) != want {
		return fmt.Errorf("capability %d of %d octets", code, len(value))
	}
	return guard(func() error {
		c, err := bgp.DecodeCapability(append([]byte{code, uint8(want)}, value...))
		if err != nil {
			return err
		}
		switch c := c.(type) {
		case *bgp.CapMultiProtocol:
			afi, safi := bgp.RouteFamilyToAfiSafi(c.CapValue)
			if f := (Family{afi, safi}); !slices.Contains(o.Families, f) {
				o.Families = append(o.Families, f)
			}
		case *bgp.CapFourOctetASNumber:
			o.AS, o.FourOctet = c.CapValue, true
		case *bgp.CapRouteRefresh:
			o.Refresh = true
		}
		return nil
	})
}

// tlvs walks over elements of type, length and value, each of the first two in one octet.
func tlvs(b []byte, each func(typ uint8, value []byte) error) error {
	for len(b) > 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return errors.New("an element of the optional parameters runs past their end")
		}
		if err := each(b[0], b[2:2+int(b[1])]); err != nil {
			return err
		}
		b = b[2+int(b[1]):]
	}
	return nil
}

// negotiate checks the peer's OPEN against the configuration and returns what both sides have. The error is a *Notification.
func (c *Config) negotiate(o Open) (Negotiated, error) {
	n := Negotiated{Open: o, LocalAS: c.LocalAS, Hold: min(c.HoldTime, o.HoldTime), OurRestart: c.Restart, Extended: c.Extended && o.Extended}
	if c.RemoteAS != 0 && o.AS != c.RemoteAS || o.AS == 0 {
		return n, &Notification{Code: 2, Subcode: 2, Data: binary.BigEndian.AppendUint16(nil, twoOctet(o.AS)), Detail: fmt.Sprintf("the peer says AS %d, configured is AS %d", o.AS, c.RemoteAS)}
	}
	if !o.ID.IsValid() || o.ID.IsUnspecified() || o.ID == c.RouterID && o.AS == c.LocalAS {
		// RFC 6286 §2.2: zero is wrong, and so is our own within one AS.
		return n, &Notification{Code: 2, Subcode: 3, Data: o.ID.AsSlice(), Detail: "the peer's router id is " + o.ID.String()}
	}
	if o.HoldTime > 0 && o.HoldTime < 3*time.Second {
		return n, &Notification{Code: 2, Subcode: 6, Detail: fmt.Sprintf("the peer wants a hold time of %v", o.HoldTime)}
	}
	for _, f := range c.Families {
		if slices.Contains(o.Families, f) {
			n.Families = append(n.Families, f)
		}
	}
	n.Paths = slices.DeleteFunc(c.paths(), func(f Family) bool { return !n.Has(f) || !slices.Contains(o.Paths, f) })
	if len(n.Families) == 0 {
		// RFC 5492 §5: the data names the capabilities that are required.
		var data []byte
		for _, f := range c.Families {
			data = append(data, 1, 4, byte(f.AFI>>8), byte(f.AFI), 0, f.SAFI)
		}
		return n, &Notification{Code: 2, Subcode: 7, Data: data, Detail: fmt.Sprintf("no family in common: the peer has %v, configured is %v", o.Families, c.Families)}
	}
	return n, nil
}

// Negotiated is what two speakers agreed on.
type Negotiated struct {
	Open
	Families []Family // of both sides, in the configured order; hides those of Open
	LocalAS  uint32
	Paths    []Family      // in which the peer's NLRIs bear path identifiers; hides those of Open
	Extended bool          // of both sides; hides that of Open
	Hold     time.Duration // the lower offer; 0: no KEEPALIVEs (RFC 4271 §4.2)
	// OurRestart is the Restart Time that we offered; 0: none.
	OurRestart time.Duration
}

// paths are the families of which we take several paths for one NLRI: of unicast routes the best is enough.
func (c *Config) paths() []Family {
	if !c.AddPath {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(c.Families), Family.Unicast)
}

// parsePaths reads the families of which a speaker sends several paths (RFC 7911 §4). A capability that cannot be read is as good as none.
func parsePaths(b []byte) (out []Family) {
	if len(b)%4 != 0 {
		return nil
	}
	for one := range slices.Chunk(b, 4) {
		if one[3] == byte(bgp.BGP_ADD_PATH_SEND) || one[3] == byte(bgp.BGP_ADD_PATH_BOTH) {
			out = append(out, Family{binary.BigEndian.Uint16(one), one[2]})
		}
	}
	return out
}

// Numbered says whether the peer's NLRIs of f bear path identifiers, of four octets in front (RFC 7911 §3).
func (n Negotiated) Numbered(f Family) bool { return slices.Contains(n.Paths, f) }

// IBGP says whether both sides are in one AS.
func (n Negotiated) IBGP() bool { return n.AS == n.LocalAS }

// MaxMessage is the size in octets of the longest message in either direction, but for OPEN and KEEPALIVE.
func (n Negotiated) MaxMessage() int {
	if n.Extended {
		return MaxExtended
	}
	return MaxMessage
}

// Has says whether f may be used.
func (n Negotiated) Has(f Family) bool { return slices.Contains(n.Families, f) }

// validate refuses a configuration that cannot work and fills in defaults.
func (c *Config) validate() error {
	if c.LocalAS == 0 {
		return errors.New("the local AS is missing")
	}
	if !c.RouterID.Is4() || c.RouterID.IsUnspecified() {
		return fmt.Errorf("router id %v: it must be an IPv4 address other than 0.0.0.0", c.RouterID)
	}
	if len(c.Families) == 0 {
		return errors.New("no address family is configured")
	}
	if !c.NoHold && c.HoldTime == 0 {
		c.HoldTime = 90 * time.Second
	}
	if c.NoHold {
		c.HoldTime = 0
	} else if c.HoldTime < 3*time.Second || c.HoldTime > 65535*time.Second || c.HoldTime%time.Second != 0 {
		return fmt.Errorf("hold time %v: it must be whole seconds, 3 to 65535 (RFC 4271 §4.2)", c.HoldTime)
	}
	if err := c.validateSecurity(); err != nil {
		return err
	}
	if c.Restart < 0 || c.Restart > longestRestart || c.Restart%time.Second != 0 {
		return fmt.Errorf("restart time %v: it must be whole seconds, at most 4095 (RFC 4724 §3)", c.Restart)
	}
	if c.Dial == nil && !c.Passive && !c.Remote.IsValid() {
		return errors.New("an active peer needs an address")
	}
	setDefault(&c.RetryMin, time.Second)
	setDefault(&c.RetryMax, time.Minute)
	setDefault(&c.OpenTimeout, 30*time.Second)
	return nil
}

func setDefault(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}
