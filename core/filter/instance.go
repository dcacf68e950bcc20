package filter

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Instances names the routing instances (VRFs) of a device by the route target that each imports. A rule that redirects names the route target (RFC 8955
// §7.4), a filter the instance, and only the operator knows which instance of the device is meant. A name stands for one target, so that a filter that is
// read back says which.
type Instances map[flowspec.Redirect]string

// Instanced is a Dialect that redirects into routing instances once it knows their names. Without, it refuses such entries.
type Instanced interface {
	Dialect
	// With returns the dialect that knows in.
	With(in Instances) Dialect
}

// ForDevice returns d as it writes the filters of a device with the instances in. Where in is empty, or d has no use for them, that is d.
func ForDevice(d Dialect, in Instances) Dialect {
	if i, ok := d.(Instanced); ok && len(in) > 0 {
		return i.With(in)
	}
	return d
}

// ParseInstances reads what String prints: TARGET=NAME, joined by commas, such as 65000:666=SCRUB. "" is none.
func ParseInstances(s string) (Instances, error) {
	out := Instances{}
	for one := range strings.SplitSeq(s, ",") {
		target, name, found := strings.Cut(strings.TrimSpace(one), "=")
		if !found && target == "" && s == "" {
			break
		}
		if !found {
			return nil, fmt.Errorf("%q: want TARGET=NAME, such as 65000:666=SCRUB", one)
		}
		if err := out.Add(target, name); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Add notes that the instance called name imports the route target.
func (in Instances) Add(target, name string) error {
	r, err := flowspec.ParseTarget(target)
	if err != nil {
		return err
	}
	if err := checkInstance(name); err != nil {
		return err
	}
	if was, twice := in[r]; twice {
		return fmt.Errorf("route target %s: instance %s and instance %s", target, was, name)
	}
	if other, taken := in.Target(name); taken {
		return fmt.Errorf("instance %s: route target %s and route target %s; what is read back from the device could be either", name, other.Target(), target)
	}
	in[r] = name
	return nil
}

// checkInstance holds names to what is a word in every language that has instances.
func checkInstance(name string) error {
	for _, c := range name {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-", c) {
			return fmt.Errorf("instance %q: want letters, digits, dots, hyphens and underscores only", name)
		}
	}
	if name == "" || len(name) > 128 {
		return fmt.Errorf("instance %q: want 1 to 128 characters", name)
	}
	return nil
}

// Target returns the route target that the instance called name imports.
func (in Instances) Target(name string) (flowspec.Redirect, bool) {
	for r, n := range in {
		if n == name {
			return r, true
		}
	}
	return flowspec.Redirect{}, false
}

// String prints in as ParseInstances reads it, sorted.
func (in Instances) String() string {
	var all []string
	for r := range maps.Keys(in) {
		all = append(all, r.Target()+"="+in[r])
	}
	slices.Sort(all)
	return strings.Join(all, ",")
}
