package cli

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// A session that is held may be used to confirm for as long as the device was told to wait, and no longer: what the device is late by is for it to undo the change in.
func TestConfirmedWithinTheTimerOfTheDevice(t *testing.T) {
	t.Parallel()
	a := &Adapter{&shared{platform: juniperJunos}, nil}
	tok := token{session: "sluice-one", sum: "x"}
	l := &line{held: &window{token: tok, deadline: time.Now().Add(-time.Millisecond)}}
	_, err := a.confirmer(t.Context(), l, nil, tok)
	var transient *device.Transient
	if !errors.As(err, &transient) || !strings.Contains(err.Error(), "was over at") {
		t.Errorf("got %v", err)
	}
}
