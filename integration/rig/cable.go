package rig

import (
	"net"
	"os"
	"runtime"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// Cable leads from a port of this host to an address in a network namespace. It can break.
type Cable struct {
	Address string // where it begins
	ns, to  string

	mu     sync.Mutex
	ends   []net.Conn
	room   int64 // octets that still go in before it breaks; negative: any number
	went   int64 // octets that went in
	frozen bool  // nothing goes either way any more, and nobody is told
	thaw   sync.Cond
}

// Lay lays a cable to host:port, dialled in a network namespace of `ip netns`.
func Lay(t testing.TB, ns, to string) *Cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cable{Address: l.Addr().String(), ns: ns, to: to, room: -1}
	c.thaw.L = &c.mu
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() { c.carry(near) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		c.Mend()
		c.Cut()
		all.Wait()
	})
	return c
}

// Cut breaks what is connected. What comes next is connected again.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, end := range c.ends {
		_ = end.Close()
	}
	c.ends = nil
}

// CutAfter breaks what is connected when n more octets have gone in.
func (c *Cable) CutAfter(n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room = n
}

// Went returns how many octets have gone in so far.
func (c *Cable) Went() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.went
}

// Freeze loses what is sent from now on, also over connections that come.
func (c *Cable) Freeze() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.frozen = true
}

// Mend ends what CutAfter and Freeze did. What a frozen connection was sent comes late.
func (c *Cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.room, c.frozen = -1, false
	c.thaw.Broadcast()
}

// pass says how many of n octets go on, and breaks the cable where it is to break.
func (c *Cable) pass(n int, in bool) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.frozen {
		c.thaw.Wait()
	}
	went := int64(n)
	if in && c.room >= 0 {
		went = min(went, c.room)
		c.room -= went
	}
	if in {
		c.went += went
	}
	return int(went)
}

func (c *Cable) carry(near net.Conn) {
	defer near.Close()
	far, err := dialIn(c.ns, c.to)
	if err != nil {
		return
	}
	defer far.Close()
	c.mu.Lock()
	c.ends = append(c.ends, near, far)
	c.mu.Unlock()
	var both sync.WaitGroup
	both.Go(func() { c.copy(far, near, true) })
	both.Go(func() { c.copy(near, far, false) })
	both.Wait()
}

func (c *Cable) copy(to, from net.Conn, in bool) {
	defer to.Close()
	defer from.Close()
	b := make([]byte, 4096)
	for {
		n, err := from.Read(b)
		went := c.pass(n, in)
		if _, werr := to.Write(b[:went]); err != nil || werr != nil || went < n {
			return
		}
	}
}

// dialIn connects from a network namespace. The thread that goes there ends.
func dialIn(ns, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: nobody else is to run there
		var f *os.File
		if f, err = os.Open("/run/netns/" + ns); err != nil {
			return
		}
		defer f.Close()
		if err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err == nil {
			conn, err = net.Dial("tcp", address)
		}
	}()
	<-done
	return conn, err
}
