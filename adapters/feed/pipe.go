package feed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/notation"
	"github.com/sluice-gateway/sluice/core/rib"
)

// maxLine is the longest line of a pipe. PIPE_BUF is 4096; ExaBGP's own longest rules are far below this.
const maxLine = 64 << 10

// Pipe is a source that says ExaBGP API lines: on standard input, or through a FIFO that any number of writers open and close as they like.
type Pipe struct {
	Source
	Path string // "-": standard input
}

// Run reads lines until ctx ends, or the input does. It creates the FIFO where it is not there; only that it cannot is an error. An input that
// cannot be read any more ends this source and nothing else.
func (p Pipe) Run(ctx context.Context, stdin io.Reader) error {
	in, closeInput, err := p.open(stdin)
	if err != nil {
		return fmt.Errorf("source %s: %w", p.Name, err)
	}
	defer closeInput()
	lines, ended := make(chan string), make(chan error, 1)
	go func() { ended <- scan(ctx, in, lines) }()
	for n := 1; ; n++ {
		select {
		case text := <-lines:
			if err := p.line(ctx, n, text); err != nil && ctx.Err() == nil {
				return err
			}
		case err := <-ended:
			if err != nil {
				p.Log.Error("the input cannot be read any more; its rules stay until they expire", "source", p.Name, "input", p.Path, "error", err)
			}
			return nil
		case <-ctx.Done():
			closeInput()
			if p.Path != "-" {
				<-ended
			} // a read of standard input cannot be interrupted: its goroutine ends with the process
			return nil
		}
	}
}

// scan sends the lines of in until it ends. Of a line that is too long it sends as much as shows that.
func scan(ctx context.Context, in io.Reader, lines chan<- string) error {
	reader := bufio.NewReaderSize(in, maxLine+1)
	for {
		text, err := reader.ReadSlice('\n')
		line := string(text) // before the reader goes on
		for errors.Is(err, bufio.ErrBufferFull) {
			_, err = reader.ReadSlice('\n')
		}
		switch {
		case ctx.Err() != nil: // it was closed because we are done
			return nil
		case errors.Is(err, io.EOF) && line == "":
			return nil
		case errors.Is(err, io.EOF):
			return errors.New("the last line has no end, so nobody knows what is missing: it is not taken")
		case err != nil:
			return err
		}
		select {
		case lines <- strings.TrimRight(line, "\r\n"):
		case <-ctx.Done():
			return nil
		}
	}
}

// open opens the input. A FIFO is opened for reading and writing, so that it does not end when its last writer closes it.
func (p Pipe) open(stdin io.Reader) (io.Reader, func(), error) {
	if p.Path == "-" {
		return stdin, func() {}, nil
	}
	if err := syscall.Mkfifo(p.Path, 0o620); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, nil, fmt.Errorf("make FIFO %s: %w", p.Path, err)
	}
	info, err := os.Stat(p.Path)
	if err != nil {
		return nil, nil, err
	}
	if info.Mode()&os.ModeNamedPipe == 0 {
		return nil, nil, fmt.Errorf("%s is there and is no FIFO: remove it, or use file: for a rule file", p.Path)
	}
	f, err := os.OpenFile(p.Path, os.O_RDWR|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	return f, func() { f.Close() }, nil
}

// line takes one line. A bad one is logged and changes nothing: the writer does not listen for answers.
func (p Pipe) line(ctx context.Context, n int, text string) error {
	if len(text) > maxLine {
		p.Log.Error(fmt.Sprintf("a line of more than %d octets", maxLine), "source", p.Name, "line", n)
		return nil
	}
	if t := strings.TrimSpace(text); t == "" || t[0] == '#' {
		return nil
	}
	item, problems := notation.ReadLine(text, notation.Options{Compat: p.Compat, Now: p.now()})
	refused := !item.Rule.Match.Valid()
	for _, problem := range problems {
		log := p.Log.Warn
		if problem.Severity == notation.Error {
			log, refused = p.Log.Error, true
		}
		log(problem.Message, "source", p.Name, "line", n, "column", problem.Pos.Column, "code", problem.Code, "hint", problem.Hint)
	}
	if refused {
		return nil
	}
	e := rib.Event{Source: p.Name, Kind: rib.Update}
	if item.Withdraw {
		m, err := p.Admit.Placed(item.Rule.Match.Clone())
		if err != nil {
			p.Log.Error(err.Error(), "source", p.Name, "line", n)
			return nil
		}
		e.Withdraw = []flowspec.Match{m}
	} else {
		r, err := p.rule(item)
		if err != nil {
			p.Log.Error(err.Error(), "source", p.Name, "line", n)
			return nil
		}
		e.Announce = []flowspec.Rule{r}
	}
	if err := p.Rules.Send(ctx, e); err != nil {
		return fmt.Errorf("source %s: %w", p.Name, err)
	}
	return nil
}
