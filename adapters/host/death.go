package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"
)

// death says how the process went, and what it said last.
func (p *process) death() error {
	how := errGone.Error()
	if p.child.err != nil {
		how += ": " + p.child.err.Error()
	}
	return errors.Join(errors.New(how), p.lines.last())
}

// leave ends a process that calls no longer go to, once those that it is at have ended, but after within at the latest.
func (p *process) leave(ctx context.Context, within time.Duration) {
	idle := make(chan struct{})
	go func() { p.calls.Wait(); close(idle) }() // ends at the latest when the process does: its calls fail then
	select {
	case <-idle:
	case <-ctx.Done():
	case <-p.child.exited:
	case <-time.After(within):
	}
	p.end()
}

// tooLarge says that the process uses more memory than it may.
func (p *process) tooLarge() error {
	if p.memory == 0 {
		return nil
	}
	used, err := resident(p.child.ID())
	if err != nil || used <= p.memory {
		return nil // a process that is gone is seen otherwise
	}
	return fmt.Errorf("it was killed: it used %d MiB of memory, and may use %d", used>>20, p.memory>>20)
}

// resident is how many octets of memory a process uses, as proc(5) has it in VmRSS.
func resident(pid string) (uint64, error) {
	b, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := bytes.Cut(b, []byte("\nVmRSS:"))
	words := bytes.Fields(rest)
	if len(words) == 0 {
		return 0, errors.New("no VmRSS")
	}
	kib, err := strconv.ParseUint(string(words[0]), 10, 64)
	return kib << 10, err
}
