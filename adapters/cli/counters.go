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

// WithCounters returns a as an adapter that reads counters, for the systems of which this package knows what to type.
func (a *Adapter) WithCounters() *Counting { return &Counting{a} }

// Counts says whether counters of our filters are read, and of FlowSpec routes.
func (a *Counting) Counts() (filters, routes bool) {
	return a.platform.Counters != "", a.platform.Routes.Command != ""
}

// listing is what prints counters, and what reads it.
type listing struct {
	command string
	read    func(text string) (map[string]device.Counter, error)
}

// listing returns what is typed for the counters that d asks for.
func (a *Counting) listing(d details) (listing, error) {
	p := a.platform
	out, what := listing{p.Counters, func(text string) (map[string]device.Counter, error) {
		return readCounters(p.Template, filter.Mark, text)
	}}, "filters"
	if d.routes {
		out, what = listing{p.Routes.Command, p.Routes.read}, "FlowSpec routes"
	}
	if out.command == "" {
		return out, fmt.Errorf("counters of %s are not read by the dialect %s over a terminal: %w", what, a.dialect.Name(), errors.ErrUnsupported)
	}
	return out, nil
}

// Counters returns what the counters of our filters have counted, by their names: what Platform.Counters prints, read by Platform.Template; or those of FlowSpec routes (device.CountRoutes), which Platform.Routes is for.
// errors.ErrUnsupported: nobody knows what to type.
func (a *Counting) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	with, d, err := a.forDevice(t)
	if err != nil {
		return nil, err
	}
	list, err := a.listing(d)
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
		text, err = with.look(ctx, s, list.command)
		return err
	})
	if err != nil {
		return nil, err
	}
	out, err := list.read(text)
	if err != nil {
		return nil, fmt.Errorf("%s: the answer is not understood: %w", quote(list.command), err)
	}
	return out, nil
}

// readCounters reads a listing by a TextFSM template with the values NAME, PACKETS and BYTES, in which MARK stands for the beginning of the names of filters. Lines for which the template says Error are an error, and so is a counter that is there twice.
func readCounters(template, mark, text string) (map[string]device.Counter, error) {
	records, err := readListing(strings.ReplaceAll(template, "MARK", mark), text)
	if err != nil {
		return nil, err
	}
	out := map[string]device.Counter{}
	for _, r := range records {
		name, n, err := r.counter()
		if err != nil {
			return nil, err
		}
		if _, twice := out[name]; twice {
			return nil, fmt.Errorf("counter %s is there twice", name)
		}
		out[name] = n
	}
	return out, nil
}

// record is what a template takes together, by the names of its values.
type record map[string]any

func (r record) value(name string) string {
	v, _ := r[name].(string)
	return v
}

func (r record) counter() (name string, n device.Counter, err error) {
	name = r.value("NAME")
	for value, into := range map[string]*uint64{"PACKETS": &n.Packets, "BYTES": &n.Bytes} {
		if *into, err = strconv.ParseUint(r.value(value), 10, 64); err != nil {
			return name, n, fmt.Errorf("counter %s: %w", name, err)
		}
	}
	return name, n, nil
}

func readListing(template, text string) (out []record, err error) {
	var fsm gotextfsm.TextFSM
	if err := fsm.ParseString(template); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	var parsed gotextfsm.ParserOutput
	if err := parsed.ParseTextString(text, fsm, true); err != nil {
		return nil, err
	}
	for _, r := range parsed.Dict {
		out = append(out, r)
	}
	return out, nil
}
