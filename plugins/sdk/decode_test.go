package sdk

import (
	"math"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// What a plugin answers is not trusted: a message that does not make sense is refused whole.
func TestNonsenseIsRefused(t *testing.T) {
	t.Parallel()
	entry := func(change func(*pb.Entry)) *pb.Filter {
		e := &pb.Entry{Name: "r-1", Match: &pb.Match{}, Do: &pb.Do{}}
		change(e)
		return &pb.Filter{Name: "sluice-v4", Version: 4, Entries: []*pb.Entry{e}}
	}
	for want, f := range map[string]*pb.Filter{
		"without a name":  {},
		"IP version 5":    {Name: "sluice-v4", Version: 5},
		"lacks its match": entry(func(e *pb.Entry) { e.Match = nil }),
		"or what it does": entry(func(e *pb.Entry) { e.Do = nil }),
		"ParsePrefix":     entry(func(e *pb.Entry) { e.Match.Dst = "192.0.2.0" }),
		"span 9-3":        entry(func(e *pb.Entry) { e.Match.Port = &pb.Values{Spans: []*pb.Span{{Lo: 9, Hi: 3}}} }),
		"span 5-6":        entry(func(e *pb.Entry) { e.Match.Port = &pb.Values{Spans: []*pb.Span{{Lo: 1, Hi: 4}, {Lo: 5, Hi: 6}}} }),
		"span 0-1": entry(func(e *pb.Entry) {
			e.Match.Label = &pb.Values{Spans: []*pb.Span{{Lo: 1, Hi: math.MaxUint32}, {Lo: 0, Hi: 1}}}
		}),
		"12 bits":         entry(func(e *pb.Entry) { e.Match.Flags = []*pb.FlagTerm{{Set: 0x1000}} }),
		"8 bits":          entry(func(e *pb.Entry) { e.Match.Fragments = 256 }),
		"DSCP 64":         entry(func(e *pb.Entry) { e.Do.Mark = proto.Uint32(64) }),
		"unknown form":    entry(func(e *pb.Entry) { e.Do.Redirect = &pb.Redirect{} }),
		"ParseAddr":       entry(func(e *pb.Entry) { e.Do.Redirect = &pb.Redirect{Form: 1, Addr: "x"} }),
		"unknown unit":    {Name: "sluice-v4", Version: 4, Policers: []*pb.Policer{{Name: "p"}}},
		"a rate of NaN":   {Name: "sluice-v4", Version: 4, Policers: []*pb.Policer{{Rate: &pb.Rate{Unit: 1, Amount: float32(math.NaN())}}}},
		"a rate of -1":    {Name: "sluice-v4", Version: 4, Policers: []*pb.Policer{{Rate: &pb.Rate{Unit: 1, Amount: -1}}}},
		"does not fit 16": {Name: "sluice-v4", Version: 4, Policers: []*pb.Policer{{Rate: &pb.Rate{Unit: 1, As: 65536}}}},
		"unknown form 8":  entry(func(e *pb.Entry) { e.Do.Redirect = &pb.Redirect{Form: 8} }),
	} {
		if _, err := decodeFilter(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	if _, err := decodeChange(&pb.Change{Steps: []*pb.Step{{Filter: entry(func(*pb.Entry) {})}}}); err == nil {
		t.Error("a step of no kind was accepted")
	}
}

// FuzzDecode feeds octets to the decoders as a plugin in another language might: an error or a value, never a panic.
func FuzzDecode(f *testing.F) {
	seed, err := proto.Marshal(&pb.State{Filters: []*pb.Filter{{Name: "sluice-v4", Version: 4, Entries: []*pb.Entry{{Name: "r-1", Match: &pb.Match{Dst: "192.0.2.0/24"}, Do: &pb.Do{Discard: true}}}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed)
	f.Fuzz(func(t *testing.T, b []byte) {
		var m pb.State
		if proto.Unmarshal(b, &m) != nil {
			return
		}
		s, err := decodeState(&m)
		if err != nil {
			return
		}
		if _, err := encodeState(s); err != nil {
			t.Errorf("what was decoded does not encode: %v", err)
		}
	})
}

// A message with a field of a later version is refused whole, at whatever depth it stands.
func TestUnknownFieldsAreRefused(t *testing.T) {
	t.Parallel()
	later := protowire.AppendVarint(protowire.AppendTag(nil, 4711, protowire.VarintType), 1)
	for name, spoil := range map[string]func(*pb.ApplyRequest) proto.Message{
		"ApplyRequest": func(r *pb.ApplyRequest) proto.Message { return r },
		"Target":       func(r *pb.ApplyRequest) proto.Message { return r.Target },
		"Match":        func(r *pb.ApplyRequest) proto.Message { return r.Change.Steps[0].Filter.Entries[1].Match },
		"Span": func(r *pb.ApplyRequest) proto.Message {
			return r.Change.Steps[0].Filter.Entries[1].Match.Proto.Spans[0]
		},
		"Interfaces": func(r *pb.ApplyRequest) proto.Message { return r.Change.Desired.Attached["sluice-v4"] },
	} {
		r := &pb.ApplyRequest{Target: &pb.Target{Name: "r1"}, Change: &pb.Change{
			Steps:   []*pb.Step{{Filter: &pb.Filter{Entries: []*pb.Entry{{}, {Match: &pb.Match{Proto: &pb.Values{Spans: []*pb.Span{{Lo: 6, Hi: 6}}}}}}}}},
			Desired: &pb.State{Attached: map[string]*pb.Interfaces{"sluice-v4": {Names: []string{"a"}}}},
		}}
		if err := understood(r); err != nil {
			t.Fatal(err)
		}
		spoil(r).ProtoReflect().SetUnknown(later)
		b, err := proto.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got pb.ApplyRequest
		if err := proto.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		if err := understood(&got); err == nil || !strings.HasPrefix(err.Error(), name+" holds") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
