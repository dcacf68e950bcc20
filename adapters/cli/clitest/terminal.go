package clitest

import (
	"bufio"
	"io"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/sshtest"
)

// pageLength is how many lines are printed before the terminal asks whether to go on.
const pageLength = 24

// terminal is one user at a keyboard.
type terminal struct {
	server *Server
	sess   *sshtest.Session
	in     *bufio.Reader
	out    io.Writer
	cli    commandLine
	paged  bool
	gone   bool
}

// commandLine is that of one system for one user.
type commandLine interface {
	prompt() string
	secret() bool              // what is typed is not echoed
	run(line string) string    // carries out a line, and returns what is printed
	pretend(line string)       // does as if
	state() (whole, left bool) // whether paging is off, and whether the user left
	hangUp()                   // the connection is gone
}

func newTerminal(s *Server, sess *sshtest.Session) *terminal {
	t := &terminal{server: s, sess: sess, in: bufio.NewReader(sess), out: sess, cli: newEOS(s), paged: true}
	switch s.opt.System {
	case IOSXR:
		t.cli = newXR(s)
	case Junos:
		t.cli = newJunos(s)
	case SROS:
		t.cli = newSROS(s)
	case VRP:
		t.cli = newVRP(s)
	}
	return t
}

// print writes text as a terminal gets it.
func (t *terminal) print(text string) {
	b := []byte(strings.ReplaceAll(text, "\n", "\r\n"))
	if !t.server.opt.Slow {
		_, _ = t.out.Write(b)
		return
	}
	for i := range b {
		_, _ = t.out.Write(b[i : i+1])
	}
}

// run reads lines and answers them until the user leaves.
func (t *terminal) run() {
	defer t.cli.hangUp()
	t.print(t.server.opt.Banner)
	for !t.gone {
		t.print(t.cli.prompt())
		line, err := t.line()
		if err != nil {
			return
		}
		t.answer(strings.TrimSpace(line))
	}
}

// line reads one line, and echoes it: what arrived together at once.
func (t *terminal) line() (string, error) {
	var typed, echo []byte
	for {
		c, err := t.in.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\r' || c == '\n' {
			t.print(string(append(echo, '\n')))
			return string(typed), nil
		}
		typed, echo = append(typed, c), append(echo, c)
		if t.server.faults.garbles(string(typed)) {
			typed, echo = typed[:len(typed)-1], echo[:len(echo)-1]
		}
		if t.cli.secret() {
			echo = nil
		}
		if t.server.faults.cuts(string(typed)) {
			t.sess.HangUp()
			return "", io.EOF
		}
		if t.in.Buffered() == 0 {
			t.print(string(echo))
			echo = nil
		}
	}
}

// answer carries out a line, or what is to go wrong in its place.
func (t *terminal) answer(line string) {
	f := t.server.faults.entered(line)
	switch {
	case f.Hang:
		_, _ = io.Copy(io.Discard, t.in)
		t.gone = true
		return
	case f.Ask != "":
		t.print(f.Ask)
		_, _ = t.in.ReadByte()
		return
	case f.Words != "":
		t.print(f.Words + "\n")
		return
	case f.Lose:
		t.cli.pretend(line)
		return
	}
	if f.Wait != nil {
		<-f.Wait
	}
	text, flows := t.server.flow(line)
	if !flows {
		text = t.cli.run(line)
	}
	if f.DropAfter {
		t.sess.HangUp()
		t.gone = true
		return
	}
	if f.Truncate > 0 {
		lines := strings.SplitAfter(text, "\n")
		text = strings.Join(lines[:min(f.Truncate, len(lines))], "")
	}
	if f.Unasked != "" {
		text = f.Unasked + "\n" + text
	}
	t.page(text)
	whole, left := t.cli.state()
	t.gone, t.paged = t.gone || left, !whole
}

// page prints text, and asks after each page whether to go on.
func (t *terminal) page(text string) {
	if !t.paged {
		t.print(text)
		return
	}
	for i, line := range strings.SplitAfter(text, "\n") {
		if i > 0 && i%pageLength == 0 {
			t.print(" --More-- ")
			c, err := t.in.ReadByte()
			t.print("\r          \r")
			if err != nil || c == 'q' {
				return
			}
		}
		t.print(line)
	}
}
