package bmp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"

	"github.com/osrg/gobgp/v3/pkg/packet/bmp"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/flowspec"
)

// longest is how many octets a message may have: a mirrored or monitored BGP message of 65535 with its headers, or two OPENs, and room for what RFCs to come may add.
const longest = 256 << 10

// bgpHead is the length of the header of a BGP message (RFC 4271 §4.1), of which the marker is the first part.
const (
	bgpHead   = 19
	bgpMarker = 16
)

// The types of BGP messages that are found in those of BMP.
const (
	bgpOpen   = 1
	bgpUpdate = 2
)

// message is one BMP message (RFC 7854 §4). peer is nil where its type has no per-peer header.
type message struct {
	kind uint8
	peer *header
	body []byte // behind the headers
}

// header is the per-peer header (RFC 7854 §4.2): which session a message is about, and which of its tables.
type header struct {
	kind    uint8
	address netip.Addr
	as      uint32
	id      netip.Addr
	post    bool        // behind the import policy
	out     bool        // of Adj-RIB-Out (RFC 8671 §4)
	rd      flowspec.RD // of the VRF that the session or the table is of; zero: the global instance
	twoOct  bool        // AS_PATH has numbers of two octets
}

// read takes one message from r. io.EOF: the router closed the connection between two messages.
func read(r io.Reader) (message, error) {
	var head [bmp.BMP_HEADER_SIZE]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return message{}, err
	}
	var h bmp.BMPHeader
	if err := h.DecodeFromBytes(head[:]); err != nil {
		return message{}, fmt.Errorf("version %d, want %d", head[0], bmp.BMP_VERSION)
	}
	if h.Length < bmp.BMP_HEADER_SIZE || h.Length > longest {
		return message{}, fmt.Errorf("a message of %d octets: %d to %d are taken", h.Length, bmp.BMP_HEADER_SIZE, longest)
	}
	m := message{kind: h.Type, body: make([]byte, h.Length-bmp.BMP_HEADER_SIZE)}
	if _, err := io.ReadFull(r, m.body); err != nil {
		return message{}, fmt.Errorf("a message is cut off: %w", err)
	}
	return m, m.cut()
}

// cut takes the per-peer header off the body.
func (m *message) cut() error {
	switch m.kind {
	case bmp.BMP_MSG_INITIATION, bmp.BMP_MSG_TERMINATION:
		return nil
	case bmp.BMP_MSG_ROUTE_MONITORING, bmp.BMP_MSG_PEER_DOWN_NOTIFICATION, bmp.BMP_MSG_PEER_UP_NOTIFICATION:
	default: // statistics, mirrored messages, and what RFCs to come may add: read past
		return nil
	}
	if len(m.body) < bmp.BMP_PEER_HEADER_SIZE {
		return fmt.Errorf("a message of type %d has %d octets where the per-peer header has %d", m.kind, len(m.body), bmp.BMP_PEER_HEADER_SIZE)
	}
	var p bmp.BMPPeerHeader
	if err := p.DecodeFromBytes(m.body[:bmp.BMP_PEER_HEADER_SIZE]); err != nil {
		return err
	}
	h := &header{kind: p.PeerType, as: p.PeerAS, post: p.IsPostPolicy(), out: p.IsAdjRIBOut(), twoOct: p.Flags&bmp.BMP_PEER_FLAG_TWO_AS != 0}
	binary.BigEndian.PutUint64(h.rd[:], p.PeerDistinguisher)
	h.address, _ = netip.AddrFromSlice(p.PeerAddress)
	h.address = h.address.Unmap()
	h.id, _ = netip.AddrFromSlice(p.PeerBGPID)
	m.peer, m.body = h, m.body[bmp.BMP_PEER_HEADER_SIZE:]
	return nil
}

// update returns the UPDATE in a Route Monitoring message (RFC 7854 §4.6), cut into its parts.
func (m *message) update() (session.Update, error) {
	body, rest, err := bgpMessage(m.body, bgpUpdate)
	if err != nil {
		return session.Update{}, err
	}
	if len(rest) > 0 {
		return session.Update{}, fmt.Errorf("%d octets behind the UPDATE", len(rest))
	}
	return session.ParseUpdate(body)
}

// port returns our TCP port in the session that a Peer Up message is about (RFC 7854 §4.10): the address of the router, its port, ours, and the OPENs of both.
func (m *message) port() (uint16, error) {
	const fixed = 16 + 2 + 2
	if len(m.body) < fixed {
		return 0, fmt.Errorf("a Peer Up of %d octets, at least %d", len(m.body), fixed)
	}
	rest := m.body[fixed:]
	for range 2 {
		var err error
		if _, rest, err = bgpMessage(rest, bgpOpen); err != nil {
			return 0, fmt.Errorf("in a Peer Up: %w", err)
		}
	}
	return binary.BigEndian.Uint16(m.body[18:]), nil
}

// bgpMessage cuts a BGP message of a type off b.
func bgpMessage(b []byte, kind uint8) (body, rest []byte, err error) {
	if len(b) < bgpHead {
		return nil, nil, fmt.Errorf("%d octets where a BGP message has at least %d", len(b), bgpHead)
	}
	length := int(binary.BigEndian.Uint16(b[bgpMarker:]))
	switch {
	case length < bgpHead || length > len(b):
		return nil, nil, fmt.Errorf("a BGP message of %d octets in %d", length, len(b))
	case b[bgpHead-1] != kind:
		return nil, nil, fmt.Errorf("a BGP message of type %d, want %d", b[bgpHead-1], kind)
	}
	return b[bgpHead:length:length], b[length:], nil
}

// words returns what an Initiation message says of the router: its name and its software (RFC 7854 §4.3).
func (m *message) words() (out string, err error) {
	var init bmp.BMPInitiation
	err = guarded(func() error { return init.ParseBody(nil, m.body) })
	var parts []string
	for _, t := range init.Info {
		if s, ok := t.(*bmp.BMPInfoTLVString); ok && s.Value != "" {
			parts = append(parts, s.Value)
		}
	}
	return strings.Join(parts, ", "), err
}

// guarded keeps a panic of the packet library to the connection that brought it.
func guarded(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the packet library panicked: %v", r)
		}
	}()
	return f()
}

// end says why a connection ended, for people.
func end(err error) string {
	switch {
	case errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return "the router closed the connection"
	case err == nil:
		return "the router said that it ends"
	}
	return err.Error()
}
