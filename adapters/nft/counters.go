package nft

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

var _ device.CounterReader = (*Adapter)(nil)

// Counters returns what the counters of our tables have counted, by their names: one for each rule, whatever number of entries it has. They begin at zero when a table is replaced whole; an edit of it
// leaves them as they are.
func (a *Adapter) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	h, err := a.open(ctx, t)
	if err != nil {
		return nil, err
	}
	defer h.close()
	text, err := h.nft(ctx, nil, "-j", "list", "counters")
	if err != nil {
		return nil, reading(err)
	}
	return counters(text)
}

// counters reads what `nft -j list counters` prints (libnftables-json(5), "COUNTER").
func counters(text []byte) (map[string]device.Counter, error) {
	var listing struct {
		Objects []struct {
			Counter *struct {
				Family  string  `json:"family"`
				Table   string  `json:"table"`
				Name    string  `json:"name"`
				Packets *uint64 `json:"packets"`
				Bytes   *uint64 `json:"bytes"`
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(text, &listing); err != nil {
		return nil, fmt.Errorf("nft's list of counters: %w", err)
	}
	out := map[string]device.Counter{}
	for _, o := range listing.Objects {
		c := o.Counter
		if c == nil || !strings.HasPrefix(c.Table, filter.Mark) || c.Family != "ip" && c.Family != "ip6" {
			continue
		}
		if c.Name == "" || c.Packets == nil || c.Bytes == nil {
			return nil, fmt.Errorf("nft's list of counters: one of table %s lacks a name or a number", c.Table)
		}
		sum := out[c.Name]
		sum.Packets += *c.Packets
		sum.Bytes += *c.Bytes
		out[c.Name] = sum
	}
	return out, nil
}
