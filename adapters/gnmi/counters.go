package gnmi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	gpb "github.com/openconfig/gnmi/proto/gnmi"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

var _ device.CounterReader = (*Adapter)(nil)

// Counters returns what entries have matched, by their names: matched-packets and matched-octets of /acl/acl-sets/acl-set/acl-entries/acl-entry/state, which are sums over all interfaces
// (openconfig-acl, grouping access-list-entries-state and container counters). A device that counts by interface alone (counter-capability INTERFACE_ONLY) has none there: then, and where entries
// have no counters at all, it is errors.ErrUnsupported.
func (a *Adapter) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	s, err := a.open(ctx, t)
	if err != nil {
		return nil, err
	}
	entries, err := s.getAs(ctx, aclSets, gpb.GetRequest_ALL)
	if err != nil {
		return nil, err
	}
	list, err := sets(entries)
	if err != nil {
		return nil, fmt.Errorf("read /acl/acl-sets: the answer is not understood: %w", err)
	}
	out, uncounted := map[string]device.Counter{}, 0
	for _, one := range list {
		n, err := countersOf(one, out)
		if err != nil {
			return nil, fmt.Errorf("read the counters of %s: the answer is not understood: %w", one.name, err)
		}
		uncounted += n
	}
	if len(out) == 0 && uncounted > 0 {
		return nil, fmt.Errorf("the device has no counters of entries (/acl/state/counter-capability): %w", errors.ErrUnsupported)
	}
	return out, nil
}

// countersOf adds the counters of a set's entries to out, and says how many entries have none.
func countersOf(s set, out map[string]device.Counter) (uncounted int, err error) {
	o, err := asObject(s.value)
	if err != nil {
		return 0, err
	}
	o, err = o.object("acl-entries")
	if err != nil {
		return 0, err
	}
	list, err := o.items("acl-entry")
	if err != nil {
		return 0, err
	}
	for _, value := range list {
		name, n, counted, err := entryCounter(value)
		switch {
		case err != nil:
			return 0, err
		case name == "": // the one for the rest, or somebody else's
		case !counted:
			uncounted++
		default:
			sum := out[name]
			out[name] = device.Counter{Packets: sum.Packets + n.Packets, Bytes: sum.Bytes + n.Bytes}
		}
	}
	return uncounted, nil
}

// entryCounter returns the name of an entry of ours, and its counter if it has one.
func entryCounter(value json.RawMessage) (name string, n device.Counter, counted bool, err error) {
	o, err := asObject(value)
	if err != nil {
		return "", n, false, err
	}
	config, err := o.object("config")
	if err != nil {
		return "", n, false, err
	}
	state, err := o.object("state")
	if err != nil {
		return "", n, false, err
	}
	described, err := config.word("description")
	if err != nil {
		return "", n, false, err
	}
	name, _, _ = strings.Cut(described, " ") // behind it stands the name of the counter
	if filter.RuleOf(name) == "" {
		return "", n, false, nil
	}
	for _, leaf := range []struct {
		name string
		into *uint64
	}{{"matched-packets", &n.Packets}, {"matched-octets", &n.Bytes}} {
		text, err := state.word(leaf.name)
		if err != nil {
			return "", n, false, err
		}
		if text == "" {
			continue
		}
		if *leaf.into, err = strconv.ParseUint(text, 10, 64); err != nil {
			return "", n, false, fmt.Errorf("%s of entry %s: %w", leaf.name, name, err)
		}
		counted = true
	}
	return name, n, counted, nil
}
