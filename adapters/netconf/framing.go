package netconf

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// endOfMessage ends a message in the framing of NETCONF 1.0 (RFC 6242 section 4.3).
const endOfMessage = "]]>]]>"

// maxMessage bounds one message from a device, in octets.
const maxMessage = 256 << 20

// chunkSize is how much of a message goes into one chunk.
const chunkSize = 64 << 10

var errTooLong = fmt.Errorf("a message above %d MiB", maxMessage>>20)

// readDelimited reads one message up to the end-of-message mark. The mark may come in any number of pieces, and more may follow it.
func readDelimited(r *bufio.Reader) ([]byte, error) {
	var out []byte
	for {
		piece, err := r.ReadSlice('>')
		out = append(out, piece...)
		if len(out) > maxMessage {
			return nil, errTooLong
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return nil, unexpected(err)
		}
		if err == nil && bytes.HasSuffix(out, []byte(endOfMessage)) {
			return out[:len(out)-len(endOfMessage)], nil
		}
	}
}

// readChunked reads one message in the framing of NETCONF 1.1 (RFC 6242 section 4.2):
//
//	Chunked-Message = 1*chunk end-of-chunks
//	chunk           = LF HASH chunk-size LF chunk-data
//	chunk-size      = [1-9] *DIGIT, at most 4294967295
//	end-of-chunks   = LF HASH HASH LF
func readChunked(r *bufio.Reader) ([]byte, error) {
	// Junos and others end their hello with a line feed of its own, behind the end-of-message mark: the first thing in the other framing.
	if err := skipBlank(r); err != nil {
		return nil, err
	}
	var out []byte
	for {
		n, end, err := readChunkHeader(r)
		if err != nil {
			return nil, err
		}
		if end && len(out) == 0 {
			return nil, errors.New("chunked framing: a message without chunks")
		}
		if end {
			return out, nil
		}
		if uint64(len(out))+n > maxMessage {
			return nil, errTooLong
		}
		// Grow with what arrives, not with what is promised.
		var chunk bytes.Buffer
		if _, err := io.CopyN(&chunk, r, int64(n)); err != nil {
			return nil, unexpected(err)
		}
		if out == nil {
			out = chunk.Bytes()
			continue
		}
		out = append(out, chunk.Bytes()...)
	}
}

// skipBlank reads white space as long as more of it follows, and leaves the last octet for whoever comes next.
func skipBlank(r *bufio.Reader) error {
	for {
		b, err := r.Peek(2)
		if err != nil {
			if len(b) > 0 {
				err = unexpected(err)
			}
			return err
		}
		if !blank(b[0]) || !blank(b[1]) {
			return nil
		}
		if _, err := r.Discard(1); err != nil {
			return err
		}
	}
}

func blank(c byte) bool { return c == '\n' || c == '\r' || c == ' ' || c == '\t' }

func readChunkHeader(r *bufio.Reader) (n uint64, end bool, err error) {
	for i, want := range []byte("\n#") {
		c, err := r.ReadByte()
		if err != nil {
			if i > 0 {
				err = unexpected(err)
			}
			return 0, false, err
		}
		if c != want {
			return 0, false, fmt.Errorf("chunked framing: octet %#02x where %q should be", c, want)
		}
	}
	var digits []byte
	for {
		c, err := r.ReadByte()
		switch {
		case err != nil:
			return 0, false, unexpected(err)
		case c == '#' && len(digits) == 0:
			if c, err = r.ReadByte(); err != nil {
				return 0, false, unexpected(err)
			} else if c != '\n' {
				return 0, false, fmt.Errorf("chunked framing: octet %#02x behind the end-of-chunks mark", c)
			}
			return 0, true, nil
		case c == '\n' && len(digits) > 0:
			n, err := strconv.ParseUint(string(digits), 10, 32)
			if err != nil {
				return 0, false, fmt.Errorf("chunked framing: chunk of %s octets", digits)
			}
			return n, false, nil
		case c < '0' || c > '9' || len(digits) == 0 && c == '0' || len(digits) == 10:
			return 0, false, fmt.Errorf("chunked framing: octet %#02x in the size of a chunk", c)
		}
		digits = append(digits, c)
	}
}

// unexpected says that the end came inside a message.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// frameDelimited returns msg with its end-of-message mark.
func frameDelimited(msg []byte) ([]byte, error) {
	if bytes.Contains(msg, []byte(endOfMessage)) {
		return nil, errors.New("the message holds the mark that would end it; a device with NETCONF 1.1 could take it")
	}
	return append(bytes.Clone(msg), endOfMessage...), nil
}

// frameChunked returns msg in chunks.
func frameChunked(msg []byte) []byte {
	out := make([]byte, 0, len(msg)+len(msg)/chunkSize*12+24)
	for len(msg) > 0 {
		n := min(len(msg), chunkSize)
		out = fmt.Appendf(out, "\n#%d\n", n)
		out = append(out, msg[:n]...)
		msg = msg[n:]
	}
	return append(out, "\n##\n"...)
}
