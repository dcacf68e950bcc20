package adapterpb_test

import (
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"

	"github.com/sluice-gateway/sluice/core/device"
	pb "github.com/sluice-gateway/sluice/plugins/sdk/adapterpb"
)

// What version 1 has stays as it was, number by number: a plugin that was generated from it understands what it is sent. testdata/version1.binpb is what protoc made of adapter.proto before there was
// version 2 (protoc --descriptor_set_out).
func TestVersion1Stands(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile("testdata/version1.binpb")
	if err != nil {
		t.Fatal(err)
	}
	var set descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(b, &set); err != nil {
		t.Fatal(err)
	}
	files, err := protodesc.NewFiles(&set)
	if err != nil {
		t.Fatal(err)
	}
	then, err := files.FindFileByPath("adapter.proto")
	if err != nil {
		t.Fatal(err)
	}
	now, compared := pb.File_adapter_proto, 0
	for i := range then.Messages().Len() {
		old := then.Messages().Get(i)
		m := now.Messages().ByName(old.Name())
		if m == nil {
			t.Errorf("message %s is gone", old.Name())
			continue
		}
		for j := range old.Fields().Len() {
			compared++
			f := old.Fields().Get(j)
			if g := m.Fields().ByNumber(f.Number()); g == nil || said(g) != said(f) {
				t.Errorf("field %s is not what it was", f.FullName())
			}
		}
	}
	for i := range then.Enums().Len() {
		old := then.Enums().Get(i)
		for j := range old.Values().Len() {
			compared++
			v := old.Values().Get(j)
			if w := now.Enums().ByName(old.Name()).Values().ByNumber(v.Number()); w == nil || w.Name() != v.Name() {
				t.Errorf("%s is not what it was", v.FullName())
			}
		}
	}
	methods := then.Services().Get(0).Methods()
	for i := range methods.Len() {
		compared++
		old := methods.Get(i)
		m := now.Services().ByName("Adapter").Methods().ByName(old.Name())
		if m == nil || m.Input().FullName() != old.Input().FullName() || m.Output().FullName() != old.Output().FullName() || m.IsStreamingClient() {
			t.Errorf("call %s is not what it was", old.Name())
		}
	}
	if compared < 100 {
		t.Errorf("%d things compared; there are more", compared)
	}
}

// said is a field as it travels.
func said(f protoreflect.FieldDescriptor) string {
	text := string(f.Name()) + " " + f.Kind().String() + " " + f.Cardinality().String()
	switch {
	case f.IsMap():
		text += " map of " + f.MapKey().Kind().String() + " to " + f.MapValue().Kind().String()
	case f.Message() != nil:
		text += " " + string(f.Message().FullName())
	case f.Enum() != nil:
		text += " " + string(f.Enum().FullName())
	}
	return text
}

// The stages of the boundary are those of package device, under the same names and in the same order.
func TestStagesHaveOneName(t *testing.T) {
	t.Parallel()
	if len(pb.Stage_name) != len(device.Stages)+1 {
		t.Errorf("%d stages here and %d there", len(pb.Stage_name)-1, len(device.Stages))
	}
	for i, s := range device.Stages {
		if got, want := pb.Stage(i+1).String(), "STAGE_"+strings.ToUpper(string(s)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
