package cli

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sirikothe/gotextfsm"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

//go:embed templates/junos_show_firewall.textfsm
var junosFirewall string

// Counting is an Adapter that reads counters as well.
type Counting struct{ *Adapter }

var (
	_ device.Adapter       = (*Counting)(nil)
	_ device.CounterReader = (*Counting)(nil)
)

// WithCounters returns a as an adapter that reads counters, for the dialect junos.
func (a *Adapter) WithCounters() *Counting { return &Counting{a} }

// Counters returns what the counters of our filters have counted, by their names: what Platform.Counters prints, read by Platform.Template. errors.ErrUnsupported: nobody knows what to type.
func (a *Counting) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	if a.platform.Counters == "" {
		return nil, fmt.Errorf("counters of the dialect %s are not read over a terminal: %w", a.dialect.Name(), errors.ErrUnsupported)
	}
	with, d, err := a.forDevice(t)
	if err != nil {
		return nil, err
	}
	l, err := with.acquire(ctx, t)
	if err != nil {
		return nil, err
	}
	defer with.release(l)
	var text string
	_, err = with.first(ctx, l, d, func(s *shell) error {
		text, err = with.look(ctx, s, a.platform.Counters)
		return err
	})
	if err != nil {
		return nil, err
	}
	out, err := readCounters(a.platform.Template, filter.Mark, text)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer is not understood: %w", quote(a.platform.Counters), err)
	}
	return out, nil
}

// readCounters reads a listing by a TextFSM template with the values NAME, PACKETS and BYTES, in which MARK stands for the beginning of the names of filters. Lines for which the template says Error are an error, and so is a counter that is there twice.
func readCounters(template, mark, text string) (map[string]device.Counter, error) {
	var fsm gotextfsm.TextFSM
	if err := fsm.ParseString(strings.ReplaceAll(template, "MARK", mark)); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	var parsed gotextfsm.ParserOutput
	if err := parsed.ParseTextString(text, fsm, true); err != nil {
		return nil, err
	}
	out := map[string]device.Counter{}
	for _, record := range parsed.Dict {
		name, _ := record["NAME"].(string)
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("counter %s is there twice", name)
		}
		var n device.Counter
		for value, into := range map[string]*uint64{"PACKETS": &n.Packets, "BYTES": &n.Bytes} {
			digits, _ := record[value].(string)
			var err error
			if *into, err = strconv.ParseUint(digits, 10, 64); err != nil {
				return nil, fmt.Errorf("counter %s: %w", name, err)
			}
		}
		out[name] = n
	}
	return out, nil
}
