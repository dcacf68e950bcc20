package cli

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// details are a device's options, parsed.
type details struct {
	agent  string // socket of an SSH agent
	save   bool   // make what is confirmed outlive a reboot
	routes bool   // count FlowSpec routes
	// instances are the routing instances that filters may redirect into.
	instances filter.Instances
}

func readDetails(t device.Target) (d details, err error) {
	for name, value := range t.Options {
		switch name {
		case "agent":
			d.agent = value
		case "save":
			d.save, err = strconv.ParseBool(value)
		case "instances":
			d.instances, err = filter.ParseInstances(value)
		case device.OptionCount:
			if d.routes = value == device.CountRoutes; !d.routes {
				err = fmt.Errorf("%q: want %s", value, device.CountRoutes)
			}
		default:
			err = errors.New("there is no such option; there are agent, save and instances")
		}
		if err != nil {
			return d, fmt.Errorf("device %s, option %s: %w", t.Name, name, err)
		}
	}
	return d, nil
}

// Window answers for the adapter of a dialect how long a device waits for a confirmation when Apply is asked for undo: in whole units of its system. The error is about an option of t that
// this adapter does not have.
func Window(dialect string) func(t device.Target, undo time.Duration) (time.Duration, error) {
	p := platforms[dialect]
	return func(t device.Target, undo time.Duration) (time.Duration, error) {
		_, err := readDetails(t)
		return p.window(undo), err
	}
}
