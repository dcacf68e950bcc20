package netconf

import (
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Window returns how long the device waits for a confirmation when Apply is asked for undo: longer where its protocol counts in coarser units, never
// longer than MaxWindow. The error is about an option of t that this adapter does not have.
func Window(t device.Target, undo time.Duration) (time.Duration, error) {
	d, err := readDetails(t)
	if err != nil {
		return 0, err
	}
	return d.commit.window(undo), nil
}
