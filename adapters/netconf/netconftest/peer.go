package netconftest

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// peer is one NETCONF session from the server's side.
type peer struct {
	server  *Server
	id      int
	out     io.Writer
	drop    func()
	chunked bool
}

// talk says hello and answers requests until the stream ends.
func (p *peer) talk(stream io.Reader) {
	var caps strings.Builder
	for _, c := range p.server.capabilities() {
		caps.WriteString("<capability>" + c + "</capability>")
	}
	hello := fmt.Sprintf(`<hello xmlns=%q><capabilities>%s</capabilities><session-id>%d</session-id></hello>`, netconfSpace, caps.String(), p.id)
	if p.send(hello) != nil {
		return
	}
	in := bufio.NewReaderSize(stream, 64<<10)
	b, err := p.receive(in)
	if err != nil || !bytes.Contains(b, []byte("hello")) {
		return
	}
	p.chunked = !p.server.opt.Old && bytes.Contains(b, []byte("urn:ietf:params:netconf:base:1.1"))
	for {
		b, err := p.receive(in)
		if err != nil {
			return
		}
		rpc, err := parse(b)
		if err != nil || rpc.Name != "rpc" || len(rpc.Kids) != 1 {
			return
		}
		if !p.handle(rpc) {
			return
		}
	}
}

// handle answers one request, as the faults that are set have it. It says whether the session goes on.
func (p *peer) handle(rpc *Node) bool {
	op := rpc.Kids[0]
	f := p.server.faults.take(op.Name)
	switch {
	case f.Hang:
		return true
	case f.Drop:
		p.drop()
		return false
	}
	if f.Wait != nil {
		p.server.waiting.Add(1)
		<-f.Wait
		p.server.waiting.Add(-1)
	}
	var body string
	var err error
	if f.Words != "" {
		err = &editError{cmpOr(f.Tag, "operation-failed"), f.Words}
	} else {
		body, err = p.answer(op, f)
	}
	if err != nil {
		body = errorBody(err)
	}
	if f.DropAfter {
		p.drop()
		return false
	}
	if body == "" {
		body = "<ok/>"
	}
	id := rpc.Text
	if f.WrongID {
		id += "x"
	}
	var quoted bytes.Buffer
	_ = xml.EscapeText(&quoted, []byte(id)) // a Buffer does not fail
	return p.send(fmt.Sprintf(`<rpc-reply xmlns=%q message-id="%s">%s</rpc-reply>`, netconfSpace, quoted.String(), body)) == nil && op.Name != "close-session"
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// answer carries out one operation.
func (p *peer) answer(op *Node, f Fault) (string, error) {
	st := p.server.store
	st.mu.Lock()
	defer st.mu.Unlock()
	switch op.Name {
	case "get-config":
		return p.getConfig(op)
	case "edit-config":
		return "", p.editConfig(op)
	case "lock", "unlock":
		if op.Find("target", "candidate") == nil {
			return "", &editError{"invalid-value", "the candidate only"}
		}
		if op.Name == "lock" {
			return "", st.takeLock(p.id)
		}
		return "", st.unlock(p.id)
	case "commit":
		return "", p.commit(op, time.Second, f)
	case "commit-configuration":
		if !p.server.opt.Junos {
			return "", &editError{"operation-not-supported", "syntax error, expecting <command>"}
		}
		if log := text(op, "log"); log != "" {
			p.server.said.Store(&log)
		}
		return "", p.commit(op, time.Minute, f)
	case "cancel-commit":
		if p.server.opt.Old {
			return "", &editError{"operation-not-supported", "syntax error, expecting <command>"}
		}
		return "", st.cancel(p.id, text(op, "persist-id"))
	case "discard-changes":
		if err := st.mayWrite(p.id); err != nil {
			return "", err
		}
		st.candidate = st.running.clone()
		return "", nil
	case "validate":
		return "", check(st.candidate)
	case "close-session":
		return "", nil
	case "get":
		return p.getState(op)
	case "get-firewall-filter-information":
		if p.server.opt.Junos {
			return p.firewall(text(op, "filtername"))
		}
	}
	return "", &editError{"operation-not-supported", "syntax error, expecting <command>"}
}

func (p *peer) getConfig(op *Node) (string, error) {
	root := p.server.store.running
	if op.Find("source", "candidate") != nil {
		root = p.server.store.candidate
	}
	if sel := op.Kid("filter"); sel != nil {
		if len(sel.Kids) == 0 {
			return "<data/>", nil
		}
		if p.server.opt.NoGroups && sel.Find("configuration", "groups") != nil {
			return "", &editError{"unknown-element", "no definition found for element groups"}
		}
		out := &Node{Name: "data"}
		for _, k := range root.Kids {
			for _, s := range sel.Kids {
				if s.Name != k.Name {
					continue
				}
				if got := selected(k, s); got != nil {
					out.Kids = append(out.Kids, got)
				}
			}
		}
		root = out
	}
	return "<data>" + contents(root) + "</data>", nil
}

func (p *peer) editConfig(op *Node) error {
	if op.Find("target", "candidate") == nil {
		return &editError{"invalid-value", "edits go to the candidate"}
	}
	config := op.Kid("config")
	if config == nil {
		return &editError{"missing-element", "config"}
	}
	if words := p.server.faults.refuses(config); words != "" {
		return &editError{"invalid-value", words}
	}
	return p.server.store.edit(p.id, config, cmpOr(text(op, "default-operation"), "merge"))
}

func (p *peer) commit(op *Node, unit time.Duration, f Fault) error {
	timeout := defaultConfirmTimeout
	if t := text(op, "confirm-timeout"); t != "" {
		n, err := strconv.Atoi(t)
		if err != nil || n <= 0 {
			return &editError{"invalid-value", "confirm-timeout " + t}
		}
		timeout = time.Duration(n) * unit
	}
	persist, persistID := text(op, "persist"), text(op, "persist-id")
	if p.server.opt.Old && (persist != "" || persistID != "") {
		return &editError{"unknown-element", "persist"}
	}
	return p.server.store.commit(p.id, op.Kid("confirmed") != nil, timeout, persist, persistID, f.Lose)
}

func text(n *Node, kid string) string {
	if k := n.Kid(kid); k != nil {
		return k.Text
	}
	return ""
}

func errorBody(err error) string {
	tag, info := "operation-failed", ""
	var e *editError
	var l *lockDenied
	switch {
	case errors.As(err, &e):
		tag = e.tag
	case errors.As(err, &l):
		tag, info = "lock-denied", fmt.Sprintf("<error-info><session-id>%d</session-id></error-info>", l.holder)
	}
	var words bytes.Buffer
	_ = xml.EscapeText(&words, []byte(err.Error())) // a Buffer does not fail
	return fmt.Sprintf("<rpc-error><error-type>protocol</error-type><error-tag>%s</error-tag><error-severity>error</error-severity><error-message>\n%s\n</error-message>%s</rpc-error>", tag, words.String(), info)
}

func (p *peer) send(msg string) error {
	if p.chunked {
		msg = fmt.Sprintf("\n#%d\n%s\n##\n", len(msg), msg)
	} else {
		msg += "]]>]]>\n"
	}
	_, err := io.WriteString(p.out, msg)
	return err
}

func (p *peer) receive(in *bufio.Reader) ([]byte, error) {
	if !p.chunked {
		var b []byte
		for !bytes.HasSuffix(b, []byte("]]>]]>")) {
			c, err := in.ReadByte()
			if err != nil {
				return nil, err
			}
			b = append(b, c)
		}
		return b[:len(b)-6], nil
	}
	var b []byte
	for {
		if _, err := in.Discard(1); err != nil { // LF
			return nil, err
		}
		line, err := in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		size := strings.TrimSuffix(strings.TrimPrefix(line, "#"), "\n")
		if size == "#" {
			return b, nil
		}
		n, err := strconv.ParseUint(size, 10, 32)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("chunk of %q octets", size)
		}
		chunk := make([]byte, n)
		if _, err := io.ReadFull(in, chunk); err != nil {
			return nil, err
		}
		b = append(b, chunk...)
	}
}
