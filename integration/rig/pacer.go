package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// MaybePace makes this process netconfd's SSH subsystem, where it was started as such. The TestMain of a package that boots routers calls it first.
func MaybePace() {
	if len(os.Args) < 2 || os.Args[1] != "pacer" {
		return
	}
	if err := pace(os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// pace is netconfd's SSH subsystem with one repair: netconfd 2.13 does not answer a message that arrives in one read together with the one before it, such as the
// first request behind a hello, until yet another comes. It hands messages on one at a time, with a pause in which the server's read ends.
func pace(args []string) error {
	c := exec.Command("/usr/sbin/netconf-subsystem", args...)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	w, err := c.StdinPipe()
	if err != nil {
		return err
	}
	if err := c.Start(); err != nil {
		return err
	}
	go func() {
		defer w.Close()
		var held []byte
		buf := make([]byte, 64<<10)
		for {
			n, err := os.Stdin.Read(buf)
			held = append(held, buf[:n]...)
			for {
				i := endOfFirst(held)
				if i < 0 {
					break
				}
				if _, err := w.Write(held[:i]); err != nil {
					return
				}
				held = held[i:]
				time.Sleep(30 * time.Millisecond)
			}
			if err != nil {
				_, _ = w.Write(held)
				return
			}
		}
	}()
	return c.Wait()
}

// endOfFirst returns where the first whole message ends, in either framing, or -1.
func endOfFirst(b []byte) int {
	end := -1
	for _, mark := range []string{"]]>]]>", "\n##\n"} {
		if i := bytes.Index(b, []byte(mark)); i >= 0 && (end < 0 || i+len(mark) < end) {
			end = i + len(mark)
		}
	}
	return end
}
