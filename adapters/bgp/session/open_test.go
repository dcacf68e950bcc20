package session

import (
	"bytes"
	"net"
	"slices"
	"testing"
	"testing/synctest"
)

// Whatever a capability that we do not use looks like, the ones behind it count.
func TestCapabilitiesBehindAStrangeOne(t *testing.T) {
	t.Parallel()
	used := []byte{65, 4, 0, 1, 0x11, 0x70, 1, 4, 0, 1, 0, 133, 2, 0}
	for name, strange := range map[string][]byte{
		"graceful restart of 1 octet":        {64, 1, 0},
		"graceful restart with half a tuple": {64, 3, 0, 1, 0},
		"host name without anything":         {73, 0},
		"host name past its end":             {73, 2, 9, 0},
		"ADD-PATH of 3 octets":               {69, 3, 0, 1, 133},
		"ADD-PATH of none":                   {69, 0},
		"extended next hop of 2 octets":      {5, 2, 0, 1},
		"long-lived restart of 3 octets":     {71, 3, 0, 1, 1},
		"an empty software version":          {75, 0},
		"an unknown one":                     {200, 3, 1, 2, 3},
	} {
		caps := slices.Concat(strange, used)
		body := slices.Concat([]byte{4, 0x5b, 0xa0, 0, 90, 192, 0, 2, 9, byte(len(caps) + 2), 2, byte(len(caps))}, caps)
		o, err := decodeOpen(body)
		if err != nil || o.AS != 70000 || !o.FourOctet || !o.Refresh || !slices.Equal(o.Families, []Family{flow4}) {
			t.Errorf("%s: %+v, %v", name, o, err)
		}
	}
}

// The version is looked at before anything whose form depends on it.
func TestOtherVersionsAreNamed(t *testing.T) {
	t.Parallel()
	_, err := decodeOpen([]byte{3, 0x5b, 0xa0, 0, 90, 192, 0, 2, 9, 0, 0, 0})
	n, ok := err.(*Notification)
	if !ok || n.Code != 2 || n.Subcode != 1 || !bytes.Equal(n.Data, []byte{0, 4}) {
		t.Errorf("got %v, want 2/1 with version 4", err)
	}
}

// A NOTIFICATION that ends a session in the middle of much data stands between messages, where the peer can read it.
func TestNotificationStandsBetweenMessages(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		c := newConn(ours, true, 0)
		many := bytes.Repeat(message(typeUpdate, make([]byte, 1000)), 200)
		sent := make(chan error, 1)
		go func() { sent <- c.send(many, 0) }()
		synctest.Wait()
		closed := make(chan struct{})
		go func() { defer close(closed); c.close(Cease(CeaseReset, "")) }()
		synctest.Wait() // it waits for what is being written
		for {
			typ, _, err := readMessage(theirs, MaxMessage)
			if err != nil {
				t.Fatalf("the NOTIFICATION did not come: %v", err)
			}
			if typ == typeNotification {
				break
			}
		}
		_ = theirs.Close()
		<-closed
		if err := <-sent; err == nil {
			t.Error("all was sent: the test meant to interrupt it")
		}
	})
}
