package netconf

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"

	gonetconf "github.com/Juniper/go-netconf/netconf"
)

// transport carries go-netconf's messages over a stream. It belongs to one session, and is used by one caller at a time.
//
// It has no deadlines of its own: whoever waits closes the stream, which ends every read and write (session.go).
type transport struct {
	stream  io.ReadWriteCloser
	in      *bufio.Reader
	chunked bool   // framing of NETCONF 1.1, from after the hellos
	id      string // message-id of the request that is out
}

var _ gonetconf.Transport = (*transport)(nil)

func newTransport(s io.ReadWriteCloser) *transport {
	return &transport{stream: s, in: bufio.NewReaderSize(s, 64<<10)}
}

// Send writes one request and remembers its message-id.
func (t *transport) Send(msg []byte) error {
	id, err := messageID(msg, "rpc")
	if err != nil {
		return err
	}
	t.id = id
	return t.write(msg)
}

func (t *transport) write(msg []byte) error {
	framed := frameChunked
	if !t.chunked {
		b, err := frameDelimited(msg)
		if err != nil {
			return err
		}
		framed = func([]byte) []byte { return b }
	}
	_, err := t.stream.Write(framed(msg))
	return err
}

// Receive reads one reply and makes sure that it answers the request that is out (RFC 6241 section 4.2: the reply carries the same message-id).
func (t *transport) Receive() ([]byte, error) {
	msg, err := t.read()
	if err != nil {
		return nil, err
	}
	id, err := messageID(msg, "rpc-reply")
	if err != nil {
		return nil, err
	}
	if id != t.id {
		return nil, fmt.Errorf("a reply with message-id %q to request %q", id, t.id)
	}
	return msg, nil
}

func (t *transport) read() ([]byte, error) {
	read := readDelimited
	if t.chunked {
		read = readChunked
	}
	msg, err := read(t.in)
	if err != nil {
		return nil, err
	}
	return withoutDeclaration(msg)
}

// withoutDeclaration takes the XML declaration off. NETCONF is UTF-8 (RFC 6241 section 3); devices that say US-ASCII write a part of that, and Go's decoder would
// ask what it is.
func withoutDeclaration(msg []byte) ([]byte, error) {
	msg = bytes.TrimSpace(msg)
	if !bytes.HasPrefix(msg, []byte("<?xml ")) {
		return msg, nil
	}
	declaration, rest, whole := bytes.Cut(msg, []byte("?>"))
	if !whole {
		return nil, errors.New("an XML declaration without an end")
	}
	if _, encoding, said := bytes.Cut(declaration, []byte("encoding=")); said {
		switch name := strings.ToLower(string(bytes.Trim(encoding, " '\""))); name {
		case "utf-8", "us-ascii":
		default:
			return nil, fmt.Errorf("a message in the encoding %.40q: NETCONF is UTF-8 (RFC 6241 section 3)", name)
		}
	}
	return rest, nil
}

// Close ends the stream.
func (t *transport) Close() error { return t.stream.Close() }

// SendHello writes our hello. Hellos are always framed as in NETCONF 1.0 (RFC 6242 section 4.1).
func (t *transport) SendHello(h *gonetconf.HelloMessage) error {
	b, err := xml.Marshal(h)
	if err != nil {
		return err
	}
	return t.write(append([]byte(xml.Header), b...))
}

// ReceiveHello reads the device's hello.
func (t *transport) ReceiveHello() (*gonetconf.HelloMessage, error) {
	b, err := t.read()
	if err != nil {
		return nil, err
	}
	var h gonetconf.HelloMessage
	if err := xml.Unmarshal(b, &h); err != nil {
		return nil, fmt.Errorf("the device's hello: %w", err)
	}
	return &h, nil
}

// messageID returns the message-id of the root element, which must be the one named.
func messageID(msg []byte, root string) (string, error) {
	dec := xml.NewDecoder(bytes.NewReader(msg))
	for {
		tok, err := dec.Token()
		if err != nil {
			return "", fmt.Errorf("a message that is no <%s>: %w", root, err)
		}
		start, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		if start.Name.Local != root {
			return "", fmt.Errorf("a <%s> where <%s> should be", start.Name.Local, root)
		}
		for _, a := range start.Attr {
			if a.Name.Local == "message-id" {
				return a.Value, nil
			}
		}
		return "", errors.New("<" + root + "> has no message-id")
	}
}
