package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// defaultWatch is how long canaries are watched after a change of the rules: long enough for a session to be reset over an UPDATE and for a filter to be read back, and short
// enough that an attack does not have to be sat out.
const defaultWatch = 10 * time.Second

// defaultSoak is how long canaries are watched after they were given the plans of another version: nobody waits for these.
const defaultSoak = 10 * time.Minute

// Group is devices that get what is new one after another: the canaries first.
type Group struct {
	Name     string
	Devices  []string      // canaries among them; two or more
	Canary   []string      // one or more, and fewer than Devices
	Watch    time.Duration // how long the canaries have to stand with a change before the others get it
	Soak     time.Duration // the same with the plans of another version of the program, of a profile or of the configuration
	Unmanned bool          // go on without canaries where none can be given anything
}

// groups reads the groups. Each device that waits has a canary with its profile: another platform says nothing about it.
func (b *builder) groups(raw rawConfig, c *Config) []Group {
	names, member := map[string]bool{}, map[string]string{}
	var out []Group
	for i, rg := range raw.Groups {
		path := fmt.Sprintf("$.groups[%d]", i)
		b.name(path, rg.Name, names)
		if strings.ContainsRune(rg.Name, 0) {
			b.fail(path+".name", "no name holds a NUL")
		}
		g := Group{Name: rg.Name, Devices: rg.Devices, Canary: rg.Canary, Watch: b.duration(path+".watch", rg.Watch, defaultWatch), Soak: b.duration(path+".soak", rg.Soak, defaultSoak)}
		for k, name := range rg.Devices {
			at := fmt.Sprintf("%s.devices[%d]", path, k)
			switch {
			case !slices.ContainsFunc(c.Devices, func(d Device) bool { return d.Name == name }):
				b.fail(at, "%q is not among devices", name)
			case member[name] != "":
				b.fail(at, "%s is in group %s already", name, member[name])
			}
			member[name] = rg.Name
		}
		if g.Watch < time.Second {
			b.fail(path+".watch", "%v is less than a second: what a device makes of a change shows later than that", g.Watch)
		}
		if g.Soak < g.Watch {
			b.fail(path+".soak", "%v is less than watch, which is %v", g.Soak, g.Watch)
		}
		switch rg.CanaryDown {
		case "", "wait":
		case "go-on":
			g.Unmanned = true
		default:
			b.fail(path+".canary-down", "%q is neither \"wait\" nor \"go-on\"", rg.CanaryDown)
		}
		b.canaries(path, g, c)
		out = append(out, g)
	}
	return out
}

// canaries checks that each device of g has somebody to wait for.
func (b *builder) canaries(path string, g Group, c *Config) {
	if len(g.Canary) == 0 {
		b.fail(path+".canary", "missing: the devices that get a change first")
		return
	}
	for k, name := range g.Canary {
		if !slices.Contains(g.Devices, name) {
			b.fail(fmt.Sprintf("%s.canary[%d]", path, k), "%q is not among the devices of the group", name)
		}
	}
	waits := 0
	for k, name := range g.Devices {
		if slices.Contains(g.Canary, name) {
			continue
		}
		waits++
		d := c.deviceNamed(name)
		if d == nil || d.Profile == nil {
			continue // said elsewhere
		}
		at, alike := fmt.Sprintf("%s.devices[%d]", path, k), c.canariesLike(g, d)
		switch {
		case len(alike) == 0:
			b.fail(at, "%s has profile %s, and no canary of the group has: name one, or leave the device out, and it waits for nobody", name, d.Profile.Name)
		case !slices.ContainsFunc(alike, func(o *Device) bool { return o.takesAllOf(d) }):
			b.fail(at, "%s takes rules of sources whose rules no canary of the group with its profile takes: they would be tried on nobody", name)
		}
	}
	if waits == 0 {
		b.fail(path+".canary", "every device is a canary: nobody waits for them")
	}
}

// deviceNamed returns the device of that name, or nil.
func (c *Config) deviceNamed(name string) *Device {
	for i := range c.Devices {
		if c.Devices[i].Name == name {
			return &c.Devices[i]
		}
	}
	return nil
}

// canariesLike returns the canaries of g with the profile of d.
func (c *Config) canariesLike(g Group, d *Device) (out []*Device) {
	for _, name := range g.Canary {
		if o := c.deviceNamed(name); o != nil && o.Profile != nil && o.Profile.Name == d.Profile.Name {
			out = append(out, o)
		}
	}
	return out
}

// takesAllOf says whether d takes the rules of every source that o takes those of.
func (d *Device) takesAllOf(o *Device) bool {
	if d.Sources == nil || o.Sources == nil {
		return d.Sources == nil
	}
	return !slices.ContainsFunc(o.Sources, func(s flowspec.Source) bool { return !slices.Contains(d.Sources, s) })
}
