package session

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/osrg/gobgp/v3/pkg/packet/bgp"
)

// Notification ends a session with a reason (RFC 4271 §4.5). It is an error: returned by a Handler it is sent to the peer; given to
// Handler.Down it says why the session ended.
type Notification struct {
	Code, Subcode uint8
	Data          []byte
	Received      bool   // the peer sent it
	Detail        string // what we know beyond the code, for our log; never sent
}

// The cease subcodes that this package sends (RFC 4486).
const (
	CeaseMaximum      = 1
	CeaseShutdown     = 2
	CeaseDeconfigured = 3
	CeaseReset        = 4
	CeaseRejected     = 5
	CeaseCollision    = 7
	CeaseHardReset    = 9 // RFC 8538 §3: around the NOTIFICATION that is meant
)

// Cease is a NOTIFICATION with code 6. The text goes along where RFC 9003 has a place for it, cut to its 255 octets.
func Cease(subcode uint8, text string) *Notification {
	n := &Notification{Code: 6, Subcode: subcode, Detail: text}
	if text == "" || subcode != CeaseShutdown && subcode != CeaseReset {
		return n
	}
	for len(text) > 255 {
		_, last := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-last]
	}
	n.Data = append([]byte{byte(len(text))}, text...)
	return n
}

// codes are the names in the IANA registry "BGP Error (Notification) Codes" and its subcode registries. GoBGP's table ends before
// hard reset (RFC 8538) and the send hold timer (RFC 9687).
var codes = map[uint8]struct {
	name string
	subs map[uint8]string
}{
	1: {"message header error", map[uint8]string{1: "connection not synchronized", 2: "bad message length", 3: "bad message type"}},
	2: {"OPEN message error", map[uint8]string{1: "unsupported version number", 2: "bad peer AS", 3: "bad BGP identifier",
		4: "unsupported optional parameter", 6: "unacceptable hold time", 7: "unsupported capability", 11: "role mismatch"}},
	3: {"UPDATE message error", map[uint8]string{1: "malformed attribute list", 2: "unrecognized well-known attribute", 3: "missing well-known attribute",
		4: "attribute flags error", 5: "attribute length error", 6: "invalid ORIGIN attribute", 8: "invalid NEXT_HOP attribute",
		9: "optional attribute error", 10: "invalid network field", 11: "malformed AS_PATH"}},
	4: {"hold timer expired", nil},
	5: {"finite state machine error", map[uint8]string{1: "unexpected message in OpenSent", 2: "unexpected message in OpenConfirm", 3: "unexpected message in Established"}},
	6: {"cease", map[uint8]string{1: "maximum number of prefixes reached", 2: "administrative shutdown", 3: "peer de-configured", 4: "administrative reset",
		5: "connection rejected", 6: "other configuration change", 7: "connection collision resolution", 8: "out of resources", 9: "hard reset", 10: "BFD down"}},
	7: {"ROUTE-REFRESH message error", map[uint8]string{1: "invalid message length"}},
	8: {"send hold timer expired", nil},
}

// Error reads as in `the peer sent NOTIFICATION 6/2 (cease: administrative shutdown), it says "maintenance until 04:00"`.
func (n *Notification) Error() string {
	who := "NOTIFICATION"
	if n.Received {
		who = "the peer sent NOTIFICATION"
	}
	s := fmt.Sprintf("%s %d/%d (%s)", who, n.Code, n.Subcode, n.reason())
	if inner := n.inner(); n.Received && inner != nil {
		s += fmt.Sprintf(" for %d/%d (%s)", inner.Code, inner.Subcode, inner.reason())
		n = &Notification{Code: inner.Code, Subcode: inner.Subcode, Data: inner.Data, Received: true, Detail: n.Detail}
	}
	if text := n.Text(); n.Received && text != "" {
		s += ", it says " + strconv.Quote(text)
	} else if n.Received && len(n.Data) > 0 {
		s += " with " + readable(n.Data[:min(len(n.Data), 64)])
	}
	if n.Detail != "" {
		s += ": " + n.Detail
	}
	return s
}

// readable prints data in hexadecimal, or quoted where it is text: ExaBGP explains itself there.
func readable(data []byte) string {
	for _, c := range data {
		if c < ' ' || c > '~' || len(data) < 4 {
			return hex.EncodeToString(data)
		}
	}
	return strconv.Quote(string(data))
}

func (n *Notification) reason() string {
	c, ok := codes[n.Code]
	if !ok {
		return "unknown code"
	}
	if sub, ok := c.subs[n.Subcode]; ok {
		return c.name + ": " + sub
	}
	return c.name
}

// inner is the NOTIFICATION that a hard reset is around (RFC 8538 §3), or nil.
func (n *Notification) inner() *Notification {
	if n.Code != 6 || n.Subcode != CeaseHardReset || len(n.Data) < 2 {
		return nil
	}
	return &Notification{Code: n.Data[0], Subcode: n.Data[1], Data: n.Data[2:]}
}

// shutByPeer says whether the peer ended the session since it was shut down or taken out of its configuration (RFC 4486 §4, subcodes 2 and 3). Some say so when they stop, too: FRR, gobgpd and BIRD do.
func (n *Notification) shutByPeer() bool {
	if inner := n.inner(); inner != nil {
		return n.Received && inner.Code == 6 && (inner.Subcode == CeaseShutdown || inner.Subcode == CeaseDeconfigured)
	}
	return n.Received && n.Code == 6 && (n.Subcode == CeaseShutdown || n.Subcode == CeaseDeconfigured)
}

// Text is the shutdown communication of RFC 9003, "" where there is none. It is the peer's: quote it before printing.
func (n *Notification) Text() string {
	if n.Code != 6 || n.Subcode != CeaseShutdown && n.Subcode != CeaseReset || len(n.Data) < 2 {
		return ""
	}
	length := int(n.Data[0])
	if length > len(n.Data)-1 || !utf8.Valid(n.Data[1:1+length]) {
		return ""
	}
	return string(n.Data[1 : 1+length])
}

// encode returns the whole message. Data that would not fit is cut: the reason matters more.
func (n *Notification) encode() []byte {
	data := n.Data[:min(len(n.Data), MaxMessage-HeaderLen-2)]
	var out []byte
	err := guard(func() (err error) {
		out, err = bgp.NewBGPNotificationMessage(n.Code, n.Subcode, data).Serialize()
		return err
	})
	if err != nil {
		return message(typeNotification, []byte{n.Code, n.Subcode})
	}
	return out
}

func decodeNotification(body []byte) *Notification {
	var m bgp.BGPNotification
	if err := guard(func() error { return m.DecodeFromBytes(body) }); err != nil {
		return &Notification{Received: true, Detail: err.Error()}
	}
	return &Notification{Code: m.ErrorCode, Subcode: m.ErrorSubcode, Data: m.Data, Received: true}
}

// guard calls GoBGP's library. A panic in it is an error about the message at hand and never more.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the packet library panicked: %v", r)
		}
	}()
	return f()
}
