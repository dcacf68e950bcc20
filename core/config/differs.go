package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// Differs says what of now is not as in c, for people: "device edge1 is new", "source detector is another one". What only the command line says is not compared, and no value is told, since some are
// secret. A profile that changed makes the devices with it other ones.
func (c *Config) Differs(now *Config) (list []string) {
	for _, part := range []struct {
		name    string
		is, was any
	}{
		{"router-id", now.RouterID, c.RouterID},
		{"as", now.AS, c.AS},
		{"community", now.Community, c.Community},
		{"listen", []any{now.ListenBGP, now.ListenBMP, now.ListenAPI}, []any{c.ListenBGP, c.ListenBMP, c.ListenAPI}},
		{"store", now.Store, c.Store},
		{"profiles", now.Profiles, c.Profiles},
		{"ttl", []any{now.DefaultTTL, now.MaxTTL}, []any{c.DefaultTTL, c.MaxTTL}},
		{"vrfs", now.VRFs, c.VRFs},
		{"commits-at-once", now.AtOnce, c.AtOnce},
	} {
		if !reflect.DeepEqual(part.is, part.was) {
			list = append(list, part.name+" is another one")
		}
	}
	list = append(list, differ("source", c.Sources, now.Sources, func(s Source) string { return string(s.Name) }, sameSource)...)
	list = append(list, differ("device", c.Devices, now.Devices, func(d Device) string { return d.Name }, sameDevice)...)
	list = append(list, differ("group", c.Groups, now.Groups, func(g Group) string { return g.Name }, func(a, b Group) bool { return reflect.DeepEqual(a, b) })...)
	list = append(list, differ("plugin", c.Plugins, now.Plugins, func(p Plugin) string { return p.Name }, samePlugin)...)
	return list
}

// differ says which of one kind are new, gone or other ones.
func differ[T any](kind string, was, is []T, name func(T) string, same func(a, b T) bool) (list []string) {
	before := map[string]T{}
	for _, x := range was {
		before[name(x)] = x
	}
	for _, x := range is {
		switch old, found := before[name(x)]; {
		case !found:
			list = append(list, fmt.Sprintf("%s %s is new", kind, name(x)))
		case !same(old, x):
			list = append(list, fmt.Sprintf("%s %s is another one", kind, name(x)))
		}
		delete(before, name(x))
	}
	for _, x := range was {
		if _, gone := before[name(x)]; gone {
			list = append(list, fmt.Sprintf("%s %s is gone", kind, name(x)))
		}
	}
	return list
}

// sameSource leaves aside what no file says.
func sameSource(a, b Source) bool {
	a.Admit.Own, b.Admit.Own = nil, nil
	return reflect.DeepEqual(a, b)
}

// sameDevice compares profiles by what they say: each load of the configuration makes its own.
func sameDevice(a, b Device) bool {
	one, err1 := json.Marshal(a.Profile)
	other, err2 := json.Marshal(b.Profile)
	a.Profile, b.Profile = nil, nil
	return err1 == nil && err2 == nil && bytes.Equal(one, other) && reflect.DeepEqual(a, b)
}

// samePlugin leaves aside what an upgrade changes.
func samePlugin(a, b Plugin) bool {
	a.Pins, b.Pins = nil, nil
	return reflect.DeepEqual(a, b)
}
