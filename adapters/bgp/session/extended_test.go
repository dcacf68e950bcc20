package session

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// Where both sides offer extended messages, an NLRI that does not fit into 4096 octets goes in a message of its own, and the others as before.
func TestExtendedMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ours, theirs bool
		want         error
	}{{true, true, nil}, {true, false, ErrTooLong}, {false, true, ErrTooLong}, {false, false, ErrTooLong}} {
		synctest.Test(t, func(t *testing.T) {
			var a, b recorder
			passive, stop := run(t, Config{LocalAS: 1, RouterID: lowID, Passive: true, Extended: c.ours}, &a)
			defer stop()
			_, stop = run(t, Config{LocalAS: 2, RouterID: highID, Dial: into(at(passive)), Extended: c.theirs}, &b)
			defer stop()
			time.Sleep(time.Second)
			s := b.current()
			attrs, err := Path{}.Attributes(s.Negotiated)
			if err != nil {
				t.Fatal(err)
			}
			list := [][]byte{bytes.Repeat([]byte{1}, 100), bytes.Repeat([]byte{2}, 4090), bytes.Repeat([]byte{3}, 200), bytes.Repeat([]byte{4}, 300)}
			out, err := AppendReach(nil, flow4, nil, attrs, list, s.MaxMessage())
			if !errors.Is(err, c.want) {
				t.Fatalf("offered %t and %t: %v, want %v", c.ours, c.theirs, err, c.want)
			}
			if c.want != nil {
				return
			}
			if err := s.Send(out); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			var sizes []int
			for line := range bytes.Lines([]byte(a.String())) {
				if hex, ok := bytes.CutPrefix(bytes.TrimSpace(line), []byte("update ")); ok {
					sizes = append(sizes, HeaderLen+len(hex)/2)
				}
			}
			if len(sizes) != 3 || sizes[0] > MaxMessage || sizes[1] <= MaxMessage || sizes[2] > MaxMessage {
				t.Errorf("messages of %v octets: want the long one alone, and the others in messages of at most 4096", sizes)
			}
		})
	}
}

// OPEN is never longer than 4096 octets, and nothing is longer than was agreed on.
func TestMessagesThatAreTooLong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ          uint8
		length, most int
		ok           bool
	}{
		{typeUpdate, 4096, MaxMessage, true}, {typeUpdate, 4097, MaxMessage, false}, {typeUpdate, 4097, MaxExtended, true}, {typeUpdate, 65535, MaxExtended, true},
		{typeOpen, 4096, MaxExtended, true}, {typeOpen, 4097, MaxExtended, false}, {typeNotification, 5000, MaxExtended, true}, {typeKeepalive, 20, MaxExtended, false},
	} {
		_, body, err := readMessage(bytes.NewReader(message(c.typ, make([]byte, c.length-HeaderLen))), c.most)
		var n *Notification
		switch {
		case c.ok && (err != nil || len(body) != c.length-HeaderLen):
			t.Errorf("%+v: %d octets, %v", c, len(body), err)
		case !c.ok && (!errors.As(err, &n) || n.Code != 1 || n.Subcode != 2):
			t.Errorf("%+v: %v, want bad message length", c, err)
		}
	}
}
