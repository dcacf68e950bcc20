package netconf

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	gonetconf "github.com/Juniper/go-netconf/netconf"
	"pgregory.net/rapid"

	"github.com/sluice-gateway/sluice/adapters/junos"
	"github.com/sluice-gateway/sluice/core/filter"
)

// pieces returns a reader that hands b out in pieces of n octets.
type pieces struct {
	b []byte
	n int
}

func (p *pieces) Read(out []byte) (int, error) {
	if len(p.b) == 0 {
		return 0, io.EOF
	}
	n := copy(out[:min(len(out), p.n)], p.b)
	p.b = p.b[n:]
	return n, nil
}

func TestFramesComeBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var wire []byte
		var want []string
		chunked := rapid.Bool().Draw(t, "chunked")
		for range rapid.IntRange(1, 4).Draw(t, "messages") {
			msg := rapid.StringMatching(`<(\]|>|#|\n|[0-9]|a){1,40}`).Draw(t, "message")
			if msg = strings.Repeat(msg, rapid.SampledFrom([]int{1, 5000}).Draw(t, "times")); !chunked && strings.Contains(msg, endOfMessage) {
				if _, err := frameDelimited([]byte(msg)); err == nil {
					t.Fatal("a message that holds the end-of-message mark was framed with it")
				}
				continue
			}
			want = append(want, msg)
			if chunked {
				wire = append(wire, frameChunked([]byte(msg))...)
				continue
			}
			framed, err := frameDelimited([]byte(msg))
			if err != nil {
				t.Fatal(err)
			}
			wire = append(wire, framed...)
		}
		r := bufio.NewReaderSize(&pieces{wire, rapid.IntRange(1, 9).Draw(t, "octets at a time")}, 16)
		read := readDelimited
		if chunked {
			read = readChunked
		}
		for _, w := range want {
			got, err := read(r)
			if err != nil || string(got) != w {
				t.Fatalf("got %.60q, %v; want %.60q", got, err, w)
			}
		}
		if _, err := read(r); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("behind the last message: %v, want the end", err)
		}
	})
}

func TestBrokenChunksAreRefused(t *testing.T) {
	t.Parallel()
	for wire, want := range map[string]string{
		"\n#3\nabc\n##\n":           "",
		"\n\n#3\nabc\n##\n":         "", // a hello that ended with a line feed
		"\n#1\na\n#2\nbc\n##\n":     "",
		"\n##\n":                    "without chunks",
		"\n#0\n\n##\n":              "size of a chunk",
		"\n#03\nabc\n##\n":          "size of a chunk",
		"\n#\nabc\n##\n":            "size of a chunk",
		"\n#-3\nabc\n##\n":          "size of a chunk",
		"\n#4294967296\nabc\n##\n":  "chunk of 4294967296",
		"\n#42949672950\nabc\n##\n": "size of a chunk",
		"\n#4294967295\nabc\n##\n":  "above 256 MiB",
		"\n#3\nabcd\n##\n":          "where '\\n' should be",
		"\n#3\nabc\n\n##\n":         "where '#' should be",
		"\n#3\nabc\n##x":            "behind the end-of-chunks",
		"\n#3\nab":                  "unexpected EOF",
		"\n#3\nabc\n":               "unexpected EOF",
		"\n#3":                      "unexpected EOF",
		"<hello/>]]>]]>":            "where '\\n' should be",
	} {
		got, err := readChunked(bufio.NewReader(iotest.OneByteReader(strings.NewReader(wire))))
		if want == "" && (err != nil || string(got) != "abc") {
			t.Errorf("%q: got %q, %v", wire, got, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: got %v, want an error with %q", wire, err, want)
		}
	}
}

// FuzzFraming: whatever arrives is a message or an error. What was read as chunks reads the same when framed again.
func FuzzFraming(f *testing.F) {
	for _, seed := range []string{"\n#3\nabc\n##\n", "<hello/>]]>]]>", "\n#1\na\n#2\nbc\n##\n\n#1\nx\n##\n", "\n#4294967295\n", "]]>]]>]]>]]>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if msg, err := readChunked(bufio.NewReader(bytes.NewReader(b))); err == nil {
			again, err := readChunked(bufio.NewReader(bytes.NewReader(frameChunked(msg))))
			if err != nil || !bytes.Equal(again, msg) {
				t.Errorf("%q reads again as %q, %v", msg, again, err)
			}
		}
		if msg, err := readDelimited(bufio.NewReader(bytes.NewReader(b))); err == nil && bytes.Contains(msg, []byte(endOfMessage)) {
			t.Errorf("the message %q holds the mark", msg)
		}
	})
}

// script is a stream on which a device has written already.
type script struct {
	io.Reader
	wrote bytes.Buffer
}

func (s *script) Write(b []byte) (int, error) { return s.wrote.Write(b) }
func (s *script) Close() error                { return nil }

// FuzzReply: whatever a device answers is a reply or an error, never a panic.
func FuzzReply(f *testing.F) {
	for _, seed := range []string{
		`<rpc-reply message-id="1"><ok/></rpc-reply>`,
		`<rpc-reply message-id="1" xmlns:nc="urn:ietf:params:xml:ns:netconf:base:1.0"><rpc-error><error-tag>in-use</error-tag><error-severity>error</error-severity><error-message>no</error-message><error-info><bad-element>x</bad-element></error-info></rpc-error></rpc-reply>`,
		`<rpc-reply message-id="1"><data><configuration><firewall><family><inet><filter inactive="inactive"><name>sluice-v4</name></filter></inet></family></firewall></configuration></data></rpc-reply>`,
		`<hello/>`, `<rpc-reply/>`, ``, `<?xml version="1.0"?><!DOCTYPE x><rpc-reply message-id="2">`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		tr := newTransport(&script{Reader: bytes.NewReader(append(bytes.Clone(b), endOfMessage...))})
		tr.id = "1"
		s := &session{Session: gonetconf.Session{Transport: replay{tr}}, timeout: defaultTimeout}
		reply, err := s.exec(t.Context(), "test", "<get-config/>")
		if e, theirs := asRPCError(err); theirs {
			_ = e.Error()
			_ = kind("test", err)
		}
		if err != nil {
			return
		}
		_ = hasOK(reply.Data)
		_, _, _ = junos.Dialect{}.Attached([]byte(reply.RawReply), filter.Before)
	})
}

// replay is a transport whose requests go nowhere, and whose answers are for message 1.
type replay struct{ *transport }

func (r replay) Send([]byte) error { return nil }

func TestHelloErrors(t *testing.T) {
	t.Parallel()
	hello := func(session, caps string) string {
		return `<hello xmlns="urn:ietf:params:xml:ns:netconf:base:1.0"><capabilities>` + caps + `</capabilities>` + session + `</hello>` + endOfMessage
	}
	const id, base = "<session-id>4</session-id>", "<capability>\n " + capBase10 + "\n</capability>"
	for wire, want := range map[string]string{
		hello(id, base): "",
		hello(id, base+"<capability>"+capBase11+"?x=y</capability>"): "",
		hello("", base):    "no session-id",
		hello(id, ""):      "neither NETCONF 1.0 nor 1.1",
		"":                 "EOF",
		"<hello":           "unexpected EOF",
		"ssh banner]]>]]>": "EOF",
		`<hello xmlns="urn:other"/>` + endOfMessage: "expected element",
	} {
		st := &script{Reader: strings.NewReader(wire)}
		s, err := greet(t.Context(), st)
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.80q: got %v, want an error with %q", wire, err, want)
		case want == "" && s.has(capBase11) != s.Transport.(*transport).chunked:
			t.Errorf("%.80q: the framing is not the one agreed on", wire)
		}
		if want == "" && !bytes.HasSuffix(st.wrote.Bytes(), []byte(endOfMessage)) {
			t.Error("our own hello is not framed as in NETCONF 1.0")
		}
	}
}

func TestErrorsSpeakTheRoutersWords(t *testing.T) {
	t.Parallel()
	var r gonetconf.RPCReply
	if err := xml.Unmarshal([]byte(`<rpc-reply><rpc-error><error-severity>warning</error-severity><error-message>old syntax</error-message></rpc-error>`+
		`<rpc-error><error-tag>invalid-value</error-tag><error-severity>error</error-severity><error-path>[edit firewall]</error-path><error-message>
		syntax   error
		</error-message><error-info><bad-element>sluice-v4</bad-element></error-info></rpc-error><rpc-error><error-tag>too-big</error-tag><error-severity>error</error-severity></rpc-error></rpc-reply>`), &r); err != nil {
		t.Fatal(err)
	}
	got := (&rpcError{errors: r.Errors}).Error()
	if want := "syntax error (sluice-v4) at [edit firewall]; too-big"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestErrorsInsideAnAnswer: Junos answers a commit with results in which the errors stand, beside an <ok/> or without.
func TestErrorsInsideAnAnswer(t *testing.T) {
	t.Parallel()
	const warning = `<rpc-error><error-severity>warning</error-severity><error-message>statement will be ignored</error-message></rpc-error>`
	for answer, want := range map[string]string{
		`<commit-results><routing-engine><name>re0</name><commit-success/></routing-engine></commit-results>`:                                        "",
		`<commit-results>` + warning + `</commit-results><ok/>`:                                                                                      "",
		`<commit-results><rpc-error><error-severity>error</error-severity><error-message>bad term</error-message></rpc-error></commit-results>`:      "bad term",
		`<commit-results><rpc-error><error-severity>error</error-severity><error-message>bad term</error-message></rpc-error></commit-results><ok/>`: "bad term",
		warning: "neither ok nor an error",
		``:      "neither ok nor an error",
	} {
		wire := `<?xml version="1.0" encoding="us-ascii"?><rpc-reply message-id="1">` + answer + `</rpc-reply>` + endOfMessage
		tr := newTransport(&script{Reader: strings.NewReader(wire)})
		tr.id = "1"
		s := &session{Session: gonetconf.Session{Transport: replay{tr}}, timeout: defaultTimeout}
		err := s.ok(t.Context(), "commit", "<commit/>")
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %v, want an error with %q", answer, err, want)
		}
	}
	if _, err := withoutDeclaration([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><rpc-reply/>`)); err == nil {
		t.Error("a message in Latin-1 was read as UTF-8")
	}
}
