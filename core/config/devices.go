package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/flowspec"
	"github.com/sluice-gateway/sluice/core/plan"
	"github.com/sluice-gateway/sluice/core/profile"
)

func (b *builder) devices(raw rawConfig, c *Config, set *profile.Library) []Device {
	seen := map[string]bool{}
	var out []Device
	for i, rd := range raw.Devices {
		path := fmt.Sprintf("$.devices[%d]", i)
		b.name(path, rd.Name, seen)
		d := Device{Name: rd.Name}
		if set != nil {
			at, spec := path+".profile", rd.Profile
			if len(rd.Profiles) > 0 {
				at, spec = path+".profiles", strings.Join(rd.Profiles, "+")
			}
			p, settings, err := set.Select(spec)
			switch {
			case len(rd.Profiles) > 0 && rd.Profile != "":
				b.fail(path+".profile", "there are profiles as well: one of the two says what the device is")
			case err != nil:
				b.fail(at, "%v", err)
			}
			d.Profile, d.Settings = p, settings
		}
		if rd.BGP != nil {
			if d.BGP = b.peer(path+".bgp", *rd.BGP); d.BGP.Prefix.IsValid() {
				b.fail(path+".bgp.address", "%s is a prefix: a device is one router", d.BGP.Prefix)
			}
		}
		b.bmp(path+".bmp", rd, c, out, &d)
		if d.Alone = rd.Alone; d.Alone && d.BGP == nil {
			b.fail(path+".one-nlri-per-update", "UPDATEs are BGP's, and the device has no bgp")
		}
		if rd.Filter != nil {
			d.Filter = b.filter(path+".filter", rd.Name, *rd.Filter)
		}
		b.counters(path+".counters", rd, &d)
		if d.Profile != nil && d.BGP != nil && d.Profile.Native == nil {
			why := ""
			if f, ok := d.Profile.Facts[d.Profile.NoNative]; ok {
				why = " (" + f.Text + ")"
			}
			b.fail(path+".bgp", "profile %s has no FlowSpec by BGP: give the device a filter adapter instead%s", d.Profile.Title(), why)
		}
		if d.Profile != nil && d.BGP != nil && d.Profile.Native != nil {
			if said := d.Profile.Native.Offsets; !d.BGP.Offsets.Serves(said) {
				b.fail(path+".bgp.ipv6-offset", "%s, and profile %s says %s", d.BGP.Offsets, d.Profile.Title(), said)
			}
		}
		if d.Profile != nil && d.Filter != nil && d.Profile.Filter == nil {
			b.fail(path+".filter", "profile %s has no filters: give the device a BGP session instead", d.Profile.Name)
		}
		b.deviceVRFs(path, rd, c, &d)
		b.communities(path+".communities", rd, c, &d)
		b.taken(path+".sources", rd, c, &d)
		b.room(path, rd, &d)
		if rd.Remedies != nil {
			d.Remedies = append([]string{}, *rd.Remedies...) // never nil: none is none
		}
		b.measured(path+".measured-order", rd, &d)
		for _, name := range d.Remedies {
			if !slices.Contains(plan.Remedies, name) {
				b.fail(path+".remedies", "%q is no remedy: there are %s", name, strings.Join(plan.Remedies, ", "))
			}
		}
		if d.BGP == nil && d.Filter == nil {
			b.fail(path, "needs bgp, filter or both: a way to deliver")
		}
		out = append(out, d)
	}
	return out
}

// taken reads whose rules a device takes.
func (b *builder) taken(path string, raw rawDevice, c *Config, d *Device) {
	if raw.Sources == nil {
		return
	}
	if len(*raw.Sources) == 0 {
		b.fail(path, "empty: the device would take no rule; name the sources whose rules it takes, or leave sources out, and it takes those of all")
	}
	for i, name := range *raw.Sources {
		s := flowspec.Source(name)
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case !slices.ContainsFunc(c.Sources, func(o Source) bool { return o.Name == s }):
			b.fail(at, "%q is not among sources", name)
		case slices.Contains(d.Sources, s):
			b.fail(at, "%q is there twice", name)
		default:
			d.Sources = append(d.Sources, s)
		}
	}
	slices.Sort(d.Sources)
}

// unlimited is the word for a device that holds any number of routes.
const unlimited = "unlimited"

// room reads how many routes a device holds. It has to be said unless the profile knows it from somewhere: most routers end the whole session at their limit, and what they were
// configured with is in no manual.
func (b *builder) room(path string, raw rawDevice, d *Device) {
	d.Headroom = raw.Headroom
	switch n, err := strconv.Atoi(raw.MaxRoutes); {
	case raw.MaxRoutes == "":
		if raw.BGP != nil && d.Profile != nil && !d.sourcedLimit() {
			b.fail(path+".max-routes", "missing: %s", d.noLimit())
		}
	case raw.BGP == nil:
		b.fail(path+".max-routes", "routes are what BGP carries, and the device has no bgp")
	case raw.MaxRoutes == unlimited:
	case err != nil || n == 0:
		b.fail(path+".max-routes", "%q is neither a number of routes nor \"unlimited\"", raw.MaxRoutes)
	case n < 0:
		b.fail(path+".max-routes", "%d is negative", n)
	default:
		d.MaxRoutes = n
	}
	switch {
	case raw.Headroom < 0:
		b.fail(path+".headroom", "%d is negative", raw.Headroom)
	case raw.Headroom > 0 && d.MaxRoutes == 0:
		b.fail(path+".headroom", "headroom is beyond max-routes, and there is no max-routes")
	}
}

// sourcedLimit says whether the profile knows from somewhere how many routes the device holds. A profile without FlowSpec is another mistake.
func (d *Device) sourcedLimit() bool {
	if d.Profile.Native == nil {
		return true
	}
	f, ok := d.Profile.Facts[d.Profile.Native.MaxRules.Fact]
	return ok && d.Profile.Native.MaxRules.N > 0 && f.Basis != profile.Assumed
}

// noLimit says what to write where the limit of a device is not known, and what the platform does beyond it.
func (d *Device) noLimit() string {
	out := fmt.Sprintf("profile %s does not know how many FlowSpec routes the router takes. Write the limit that is configured there, such as \"max-routes: 3000\", or \"max-routes: %s\" if there is none", d.Profile.Title(), unlimited)
	if b, ok := d.Profile.Behaviour["prefix-limit"]; ok {
		out += " (more than the neighbour may send: " + b.Says + ")"
	}
	return out
}

// measured reads the order that was measured on a device. Whether it agrees with the profile is asked here, so that a gateway does not start to find out.
func (b *builder) measured(path string, raw rawDevice, d *Device) {
	if raw.Measured == "" {
		return
	}
	octets, err := b.env.ReadFile(raw.Measured)
	if err == nil {
		d.Measured, err = ReadOrder(raw.Measured, octets)
	}
	if err == nil && d.Profile != nil {
		err = plan.Options{Settings: d.Settings, Measured: d.Measured}.Check(d.Profile)
	}
	switch {
	case err != nil:
		b.fail(path, "%v", err)
	case raw.BGP == nil:
		b.fail(path, "the order of routes is that of BGP, and the device has no bgp")
	}
}

// neighbours checks that nobody is there twice. Only a source and a device may be one neighbour: one session then carries both directions, so what is said of
// it must agree.
func (b *builder) neighbours(c *Config) {
	type end struct {
		path, name string
		device     bool
		*Peer
	}
	var ends []end
	for i, d := range c.Devices {
		if d.BGP != nil {
			ends = append(ends, end{fmt.Sprintf("$.devices[%d]", i), d.Name, true, d.BGP})
		}
	}
	for i, s := range c.Sources {
		if s.BGP != nil {
			ends = append(ends, end{fmt.Sprintf("$.sources[%d]", i), string(s.Name), false, s.BGP})
		}
	}
	for i, e := range ends {
		for _, o := range ends[:i] {
			same := e.Peer.Same(*o.Peer)
			switch {
			case e.Prefix.IsValid() && e.Prefix == o.Prefix && e.Local == o.Local:
				b.fail(e.path+".bgp.address", "the neighbours in %s are those of %q already", e.Prefix, o.name)
			case !e.Address.IsValid():
			case same && e.device == o.device:
				b.fail(e.path+".bgp.address", "%s is the neighbour of %q already", e.Address, o.name)
			case same && (e.AS != o.AS || e.LocalAS != o.LocalAS || e.Passive != o.Passive || e.HoldTime != o.HoldTime || e.Restart != o.Restart || e.Password != o.Password || e.Hops != o.Hops || e.Extended != o.Extended || e.Offsets != o.Offsets || e.AddPath != o.AddPath || !slices.Equal(e.Families, o.Families) || !slices.Equal(e.Unicast, o.Unicast)):
				b.fail(e.path+".bgp", "%s is the device %q as well, over one session: as, families and all that is said of the session must be the same there and here", e.Address, o.name)
			case !same && e.device != o.device && e.name == o.name:
				b.fail(e.path+".name", "%q is also a device, with another address: name one of them differently", e.name)
			}
		}
	}
}

func (b *builder) filter(path, name string, raw rawFilter) *FilterDelivery {
	f := &FilterDelivery{
		Adapter: raw.Reach.Adapter, Unverified: raw.Unverified,
		Counters: b.duration(path+".count-every", raw.Reach.Counters, defaultCounters),
		Confirm:  b.duration(path+".confirm-within", raw.Confirm, defaultConfirm),
		Interval: b.optional(path+".commit-interval", raw.Interval),
		Late:     b.optional(path+".undo-late", raw.Late),
		Target:   b.target(path, name, raw.Reach),
	}
	f.Target.Interfaces = raw.Interfaces
	b.instances(path, f, raw.Instances)
	if f.Adapter == "" {
		b.fail(path+".adapter", "missing: the adapter that speaks to this device, such as junos")
	}
	if f.Confirm < time.Second || f.Confirm > maxConfirm {
		b.fail(path+".confirm-within", "%v is not between 1s and %v: the device's configuration stays locked that long", f.Confirm, maxConfirm)
	}
	if f.Late != nil && *f.Late > device.MaxLate {
		b.fail(path+".undo-late", "%v is above %v: a device that undoes a change that late is not to be given filters", *f.Late, device.MaxLate)
	}
	if f.Counters > 0 && f.Counters < time.Second {
		b.fail(path+".count-every", "%v is below 1s: deliveries wait while counters are read", f.Counters)
	}
	switch p := filter.Placement(raw.Placement); p {
	case "":
		f.Target.Placement = filter.Alone
	case filter.Alone, filter.Before:
		f.Target.Placement = p
	default:
		b.fail(path+".placement", "%q is no placement: %s, %s", raw.Placement, filter.Alone, filter.Before)
	}
	return f
}

// target reads how a device is reached.
func (b *builder) target(path, name string, raw rawReach) device.Target {
	return device.Target{
		Name: name, Address: raw.Address, Username: raw.Username,
		Password: b.secret(path+".password", raw.Password), PrivateKey: b.secret(path+".private-key", raw.PrivateKey),
		KnownHosts: raw.KnownHosts, HostKey: raw.HostKey, InsecureIgnoreHostKey: raw.Insecure,
		Options: raw.Options, Timeout: b.duration(path+".timeout", raw.Timeout, defaultTimeout),
	}
}

// instances reads the routing instances of a device, and hands them to its adapter as an option.
func (b *builder) instances(path string, f *FilterDelivery, raw map[string]string) {
	if len(raw) == 0 {
		return
	}
	f.Instances = filter.Instances{}
	for _, target := range slices.Sorted(maps.Keys(raw)) {
		if err := f.Instances.Add(target, raw[target]); err != nil {
			b.fail(path+".instances", "%v", err)
		}
	}
	if f.Target.Options["instances"] != "" {
		b.fail(path+".options.instances", "write it as instances beside options")
	}
	f.Target.Options = maps.Clone(f.Target.Options)
	if f.Target.Options == nil {
		f.Target.Options = map[string]string{}
	}
	f.Target.Options["instances"] = f.Instances.String()
}
