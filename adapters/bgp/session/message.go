package session

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
)

// The types of messages (RFC 4271 §4.1, RFC 2918 §3).
const (
	typeOpen         = 1
	typeUpdate       = 2
	typeNotification = 3
	typeKeepalive    = 4
	typeRefresh      = 5
)

// Sizes of messages in octets.
const (
	HeaderLen   = 19
	MaxMessage  = 4096
	MaxExtended = 65535 // where both sides offer extended messages; OPEN and KEEPALIVE never are (RFC 8654 §3)
)

var marker = bytes.Repeat([]byte{0xff}, 16)

// Family is an address family and a subsequent address family (RFC 4760 §3).
type Family struct {
	AFI  uint16
	SAFI uint8
}

// String prints f as in "1/133".
func (f Family) String() string { return fmt.Sprintf("%d/%d", f.AFI, f.SAFI) }

// appendHeader begins a message of type typ whose length finish fills in.
func appendHeader(dst []byte, typ uint8) []byte {
	dst = append(dst, marker...)
	return append(dst, 0, 0, typ)
}

// finish writes the length of the message that began at start and ends with dst.
func finish(dst []byte, start int) []byte {
	binary.BigEndian.PutUint16(dst[start+16:], uint16(len(dst)-start))
	return dst
}

func message(typ uint8, body []byte) []byte {
	return finish(append(appendHeader(make([]byte, 0, HeaderLen+len(body)), typ), body...), 0)
}

// RefreshMessage is a ROUTE-REFRESH that asks for everything of f again (RFC 2918 §3).
func RefreshMessage(f Family) []byte { return refresh(f, refreshAsk) }

// AgainMessage is the mark before everything of f is announced again, or with end the one behind it (RFC 7313 §3.2). Only a peer with EnhancedRefresh understands it.
func AgainMessage(f Family, end bool) []byte {
	if end {
		return refresh(f, refreshEnd)
	}
	return refresh(f, refreshBegin)
}

// What a ROUTE-REFRESH message is (RFC 7313 §3.2).
const (
	refreshAsk   = 0
	refreshBegin = 1
	refreshEnd   = 2
)

func refresh(f Family, what byte) []byte {
	return message(typeRefresh, []byte{byte(f.AFI >> 8), byte(f.AFI), what, f.SAFI})
}

// readMessage reads one message of at most so many octets. A message that breaks RFC 4271 §6.1 is a *Notification to send; other errors come from r.
func readMessage(r io.Reader, most int) (typ uint8, body []byte, err error) {
	var head [HeaderLen]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return 0, nil, err
	}
	if !bytes.Equal(head[:16], marker) {
		return 0, nil, &Notification{Code: 1, Subcode: 1}
	}
	length, typ := int(binary.BigEndian.Uint16(head[16:])), head[18]
	least, exact := leastLength(typ)
	if least == 0 {
		return 0, nil, &Notification{Code: 1, Subcode: 3, Data: head[18:19]}
	}
	if typ == typeOpen {
		most = MaxMessage
	}
	if length < least || length > most || exact && length != least {
		return 0, nil, &Notification{Code: 1, Subcode: 2, Data: head[16:18]}
	}
	body = make([]byte, length-HeaderLen)
	if _, err := io.ReadFull(r, body); err != nil {
		return 0, nil, err
	}
	return typ, body, nil
}

// leastLength is the shortest message of a type, and whether there is no other (RFC 4271 §6.1). 0: no such type.
func leastLength(typ uint8) (least int, exact bool) {
	switch typ {
	case typeOpen:
		return 29, false
	case typeUpdate:
		return 23, false
	case typeNotification:
		return 21, false
	case typeKeepalive:
		return HeaderLen, true
	case typeRefresh:
		return 23, true
	}
	return 0, false
}
