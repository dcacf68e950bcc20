package netconf

import (
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// Counting is an Adapter that reads counters as well.
type Counting struct{ *Adapter }

var (
	_ device.Adapter       = (*Counting)(nil)
	_ device.CounterReader = (*Counting)(nil)
)

// WithCounters returns a as an adapter that reads counters, for the dialects that this package knows how to ask about them: junos and sros, and of FlowSpec routes junos and iosxr.
func (a *Adapter) WithCounters() *Counting { return &Counting{a} }

// Counts says whether counters of our filters are read, and of FlowSpec routes.
func (a *Counting) Counts() (filters, routes bool) {
	_, filters = counterModels[a.dialect.Name()]
	_, routes = routeModels[a.dialect.Name()]
	return filters, routes
}

// counterModel says how the counters of a dialect's filters are read.
type counterModel struct {
	// names selects in the configuration what names our filters and, where the device counts by entry, its entries; "": nothing needs naming.
	names string
	// ask returns the RPCs for the counters of filters that the answer to names tells of, and what reads the answers.
	ask func(named []*element) (requests []string, read func(reply *element, out map[string]device.Counter) error, err error)
}

// counterModels are the dialects whose counters this package reads, by name. What is not here has no source that says which number counts all packets (docs/adapters.md, "Counters").
var counterModels = map[string]counterModel{"junos": junosCounters, "sros": srosCounters}

// routeModels say how the counters of FlowSpec routes are read, by the name of the dialect of filters of the same system.
var routeModels = map[string]counterModel{"iosxr": iosxrRoutes, "junos": junosRoutes}

// counterModel returns how the counters are read that d asks for.
func (a *Counting) counterModel(d details) (counterModel, error) {
	models, what := counterModels, "filters"
	if d.routes {
		models, what = routeModels, "FlowSpec routes"
	}
	m, known := models[a.dialect.Name()]
	if !known {
		return m, fmt.Errorf("counters of %s are not read by the dialect %s: %w", what, a.dialect.Name(), errors.ErrUnsupported)
	}
	return m, nil
}

// Counters returns what the counters of our filters have counted, or its entries, by their names, or those of FlowSpec routes (device.CountRoutes). errors.ErrUnsupported: nobody knows how to ask this dialect, or
// the device does not know the question.
func (a *Counting) Counters(ctx context.Context, t device.Target) (map[string]device.Counter, error) {
	d, err := readDetails(t)
	if err != nil {
		return nil, err
	}
	m, err := a.counterModel(d)
	if err != nil {
		return nil, err
	}
	l, err := a.acquire(ctx, t)
	if err != nil {
		return nil, err
	}
	defer a.release(l)
	var named []*element
	s, err := a.first(ctx, l, d, func(s *session) error {
		if m.names == "" {
			return nil
		}
		reply, err := s.exec(ctx, "read the names of filters", getConfig(m.names))
		if err != nil {
			return kind("read the names of filters", err)
		}
		named, err = parseReply(reply.RawReply)
		return err
	})
	if err != nil {
		return nil, err
	}
	requests, read, err := m.ask(named)
	if err != nil {
		return nil, fmt.Errorf("read the names of filters: the answer is not understood: %w", err)
	}
	out := map[string]device.Counter{}
	for _, body := range requests {
		answer, err := askCounters(ctx, s, body)
		for i := 0; err == nil && i < len(answer); i++ {
			if err = read(answer[i], out); err != nil {
				err = fmt.Errorf("read the counters: the answer is not understood: %w", err)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func askCounters(ctx context.Context, s *session, body string) ([]*element, error) {
	reply, err := s.exec(ctx, "read the counters", body)
	if theirs, is := asRPCError(err); is && theirs.has("operation-not-supported", "unknown-element", "unknown-namespace") {
		return nil, fmt.Errorf("the device does not know the question for counters (%w): %w", err, errors.ErrUnsupported)
	}
	if err != nil {
		return nil, kind("read the counters", err)
	}
	answer, err := parseReply(reply.RawReply)
	if err != nil {
		return nil, fmt.Errorf("read the counters: the answer is not understood: %w", err)
	}
	return answer, nil
}

// element is a part of an answer. Namespaces are left out: those of Junos bear its release.
type element struct {
	XMLName xml.Name
	Text    string     `xml:",chardata"`
	Kids    []*element `xml:",any"`
}

// parseReply returns what stands in an <rpc-reply>, or in the <data> in it.
func parseReply(raw string) ([]*element, error) {
	var reply element
	if err := xml.Unmarshal([]byte(raw), &reply); err != nil {
		return nil, fmt.Errorf("read XML: %w", err)
	}
	if reply.XMLName.Local != "rpc-reply" {
		return nil, fmt.Errorf("read XML: element %s, want rpc-reply", reply.XMLName.Local)
	}
	if len(reply.Kids) == 1 && reply.Kids[0].XMLName.Local == "data" {
		return reply.Kids[0].Kids, nil
	}
	return reply.Kids, nil
}

// all returns the elements that are reached from some by names.
func all(from []*element, names ...string) []*element {
	for _, name := range names {
		var next []*element
		for _, e := range from {
			for _, k := range e.Kids {
				if k.XMLName.Local == name {
					next = append(next, k)
				}
			}
		}
		from = next
	}
	return from
}

// leaf returns the text of the one element of that name in e.
func (e *element) leaf(name string) (string, error) {
	found := all([]*element{e}, name)
	if len(found) != 1 || len(found[0].Kids) > 0 || strings.TrimSpace(found[0].Text) == "" {
		return "", fmt.Errorf("%s: want one %s with a value", e.XMLName.Local, name)
	}
	return strings.TrimSpace(found[0].Text), nil
}

// counter returns two numbers of e as a counter.
func (e *element) counter(packets, bytes string) (n device.Counter, err error) {
	for name, into := range map[string]*uint64{packets: &n.Packets, bytes: &n.Bytes} {
		text, err := e.leaf(name)
		if err != nil {
			return n, err
		}
		if *into, err = strconv.ParseUint(text, 10, 64); err != nil {
			return n, fmt.Errorf("%s of %s: %w", name, e.XMLName.Local, err)
		}
	}
	return n, nil
}

// marked returns the names of filters of ours among elements that have their name in a leaf.
func marked(filters []*element, leaf string) ([]string, error) {
	names := map[string]bool{}
	for _, f := range filters {
		name, err := f.leaf(leaf)
		if err != nil {
			return nil, err
		}
		if strings.HasPrefix(name, filter.Mark) {
			names[name] = true
		}
	}
	return slices.Sorted(maps.Keys(names)), nil
}
