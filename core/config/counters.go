package config

import (
	"maps"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// counters reads over what a device is asked what its FlowSpec routes have matched.
func (b *builder) counters(path string, rd rawDevice, d *Device) {
	if rd.Counters == nil {
		return
	}
	raw := rd.Counters
	c := &RouteCounters{
		Adapter: raw.Adapter,
		Every:   b.duration(path+".count-every", raw.Counters, defaultCounters),
		Target:  b.target(path, rd.Name+" (counters)", *raw),
	}
	c.Target.Options = maps.Clone(raw.Options)
	if c.Target.Options == nil {
		c.Target.Options = map[string]string{}
	}
	if _, said := raw.Options[device.OptionCount]; said {
		b.fail(path+".options."+device.OptionCount, "that is not for a configuration to say: it is counters of routes that are read")
	}
	c.Target.Options[device.OptionCount] = device.CountRoutes
	switch {
	case rd.BGP == nil:
		b.fail(path, "these are counters of FlowSpec routes, and the device has no bgp; those of filters are read by the adapter of filter")
	case c.Adapter == "":
		b.fail(path+".adapter", "missing: the adapter that speaks to this device, such as iosxr")
	case c.Every < time.Second:
		b.fail(path+".count-every", "%v is below 1s: deliveries wait while counters are read", c.Every)
	}
	d.Counters = c
}
