package session

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Any sequence of messages, good and bad, on connections made by either side, with any pauses: the handler hears up, updates, down in turn, and
// the peer always ends when it is told to. A goroutine that is left behind fails the bubble.
func TestAnySequenceOfMessages(t *testing.T) {
	t.Parallel()
	ups := 0
	for seed := range uint64(300) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			dial, conns := tapped()
			var r recorder
			p, stop := run(t, Config{LocalAS: 1, RouterID: lowID, RemoteAS: 70000, Dial: dial}, &r)
			ctx, cancel := context.WithCancel(context.Background())
			var there sync.WaitGroup
			for range 4 {
				var nc net.Conn
				if random.IntN(2) == 0 {
					a, b := net.Pipe()
					if p.offer(b) {
						nc = a
					}
				} else {
					select {
					case nc = <-conns:
					case <-time.After(2 * time.Minute):
					}
				}
				if nc != nil {
					with, open := random.Uint64(), far(t)
					there.Go(func() { play(ctx, nc, with, open) })
				}
				time.Sleep(time.Duration(random.Int64N(int64(time.Minute))))
			}
			stop()
			cancel()
			there.Wait()
			synctest.Wait()
			ups += inTurn(t, seed, r.String())
		})
	}
	if ups < 100 {
		t.Errorf("%d sessions came up in 300 histories: the test shows too little", ups)
	}
}

// play sends the messages that random chooses, with OPEN and KEEPALIVE in front more often than not, and reads everything.
func play(ctx context.Context, nc net.Conn, seed uint64, open []byte) {
	defer context.AfterFunc(ctx, func() { _ = nc.Close() })()
	go func() { _, _ = io.Copy(io.Discard, nc) }()
	random := rand.New(rand.NewPCG(seed, 2))
	alive := message(typeKeepalive, nil)
	choices := [][]byte{open, alive, alive, message(typeUpdate, make([]byte, 4)), message(typeUpdate, make([]byte, 4)), RefreshMessage(flow4),
		Cease(CeaseReset, "enough").encode(), message(9, nil), make([]byte, 30)}
	if random.IntN(4) > 0 {
		_, _ = nc.Write(open)
		_, _ = nc.Write(alive)
	}
	for range random.IntN(12) {
		if _, err := nc.Write(choices[random.IntN(len(choices))]); err != nil {
			break
		}
		if random.IntN(3) == 0 {
			time.Sleep(time.Duration(random.Int64N(int64(40 * time.Second))))
		}
	}
	if random.IntN(2) == 0 {
		_ = nc.Close()
	}
	<-ctx.Done()
	_ = nc.Close()
}

// inTurn checks the grammar of what a handler heard, and returns how often the session was up.
func inTurn(t *testing.T, seed uint64, heard string) (ups int) {
	t.Helper()
	up := false
	for line := range strings.Lines(heard) {
		what, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch {
		case what == "up" && !up:
			up = true
			ups++
		case what == "down:" && up:
			up = false
		case (what == "update" || what == "refresh") && up:
		default:
			t.Errorf("seed %d: %q in the wrong place of\n%s", seed, line, heard)
		}
	}
	if up {
		t.Errorf("seed %d: the handler was not told of the end:\n%s", seed, heard)
	}
	return ups
}
