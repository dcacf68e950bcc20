package gnmi_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gpb "github.com/openconfig/gnmi/proto/gnmi"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/integration/rig"
	"github.com/sluice-gateway/sluice/plugins/sdk/sdktest"
)

// withState adds to what Get answers what the model has as operational state of entries: counters are strings in JSON, as 64-bit numbers are (RFC 7951 section 6.1).
func (r *router) withState(v *gpb.TypedValue) (*gpb.TypedValue, error) {
	var value map[string]any
	if err := json.Unmarshal(v.GetJsonIetfVal(), &value); err != nil {
		return nil, err
	}
	r.describe(value)
	b, err := json.Marshal(value)
	return &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: b}}, err
}

func (r *router) describe(in any) {
	switch in := in.(type) {
	case []any:
		for _, v := range in {
			r.describe(v)
		}
	case map[string]any:
		config, _ := in["config"].(map[string]any)
		described, isEntry := config["description"].(string)
		if isEntry && in["sequence-id"] != nil {
			state := map[string]any{"sequence-id": in["sequence-id"], "description": described}
			if r.hits != nil {
				name, _, _ := strings.Cut(described, " ")
				state["matched-packets"], state["matched-octets"] = strconv.FormatUint(r.hits[name], 10), strconv.FormatUint(100*r.hits[name], 10)
			}
			if r.garbled {
				state["matched-packets"] = "many"
			}
			in["state"] = state
			return
		}
		for _, v := range in {
			r.describe(v)
		}
	}
}

// Counters of entries are read by name, with the answer as the model has it; a device without them says so.
func TestCounters(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.target.Options["commit"] = "immediate"
	a := sdktest.Loopback(t, newAdapter(t)).(interface {
		device.Adapter
		device.CounterReader
	})
	if _, err := a.Apply(t.Context(), r.target, device.Diff(device.State{}, state(3)), time.Minute); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Counters(t.Context(), r.target); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "counter-capability") {
		t.Errorf("a device that counts by interface alone: %v", err)
	}
	r.with(func() {
		r.hits = map[string]uint64{"r-0000000000000001": 7, "r-0000000000000003": 1 << 60 / 100, "accept-rest": 99}
	})
	got, err := a.Counters(t.Context(), r.target)
	want := map[string]device.Counter{"r-0000000000000001": {Packets: 7, Bytes: 700}, "r-0000000000000002": {}, "r-0000000000000003": {Packets: 1 << 60 / 100, Bytes: 1 << 60 / 100 * 100}}
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}

	// What the target answers is what the model has.
	reply, err := r.Get(t.Context(), &gpb.GetRequest{Path: []*gpb.Path{{Elem: []*gpb.PathElem{{Name: "acl"}, {Name: "acl-sets"}}}}, Type: gpb.GetRequest_ALL})
	if err != nil {
		t.Fatal(err)
	}
	text := slices.Concat([]byte(`{"openconfig-acl:acl":{"acl-sets":`), reply.Notification[0].Update[0].Val.GetJsonIetfVal(), []byte("}}"))
	file := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	args := append(append([]string{"-t", "get", "-e"}, rig.OpenConfigACL(t)...), file)
	if words, err := exec.CommandContext(t.Context(), rig.Program(t, "yanglint", "libyang2-tools"), args...).CombinedOutput(); err != nil {
		t.Errorf("the model does not take what the target answers: %v\n%s\n%s", err, words, text)
	}

	// A counter that is no number makes all of it refused.
	r.with(func() { r.garbled = true })
	if _, err := a.Counters(t.Context(), r.target); err == nil || !strings.Contains(err.Error(), "matched-packets of entry r-0000000000000001") {
		t.Errorf("a counter that is no number: %v", err)
	}
}
