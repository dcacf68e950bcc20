package bgp

import (
	"time"

	"github.com/sluice-gateway/sluice/core/device"
)

// Shown implements device.Shower: what the router shows by BMP of a route, compared with it as it left (see device.Policy). Of a route that was not sent, or not as it is owed now, nothing is
// said.
func (d *Device) Shown(r *device.Route) device.Shown {
	if d.monitor == nil {
		return device.Shown{}
	}
	d.mu.Lock()
	o := d.routes[keyOf(r.Match)]
	if d.session == nil || o == nil || o.sent == nil || o.want == nil || o.sent.attrs.key != o.want.attrs.key {
		d.mu.Unlock()
		return device.Shown{}
	}
	left, at, port := o.sent.route, time.Unix(0, o.at), d.session.LocalPort()
	d.mu.Unlock()
	return d.monitor.Of(left.Match, left.Action, at, port)
}

// ShownChanged implements device.Shower.
func (d *Device) ShownChanged() <-chan struct{} {
	if d.monitor == nil {
		return nil
	}
	return d.monitor.Changed()
}

// SayAgain implements device.Shower: the session is given all that it was given once more.
func (d *Device) SayAgain() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.session == nil {
		return
	}
	for _, o := range d.routes {
		if o.want != nil {
			o.again = true
			d.enqueue(o)
		}
	}
	d.kick()
}
