package profile

import (
	"testing"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Of two platforms that write IPv6 offsets in different ways none is sent any; a third one that agrees with one of them changes nothing.
func TestOffsetsTogether(t *testing.T) {
	t.Parallel()
	of := func(name string, form flowspec.OffsetForm) *Profile {
		return &Profile{Name: name, Facts: map[string]Fact{"form": {ID: "form"}}, factOrder: []string{"form"}, Native: &Native{
			Families: []flowspec.Family{flowspec.IPv6}, Offsets: form, OffsetsFact: "form", Components: map[flowspec.Type]Component{flowspec.DstPrefix: {Offset: true, Fact: "form"}},
		}}
	}
	same, err := Together(of("a", flowspec.OffsetEights), of("b", flowspec.OffsetEights))
	if err != nil || same.Native.Offsets != flowspec.OffsetEights || same.Native.OffsetsFact != "a/form" || !same.Native.Components[flowspec.DstPrefix].Offset {
		t.Errorf("alike: %+v, %v", same.Native, err)
	}
	apart, err := Together(of("a", flowspec.OffsetEights), of("b", flowspec.OffsetUnsaid), of("c", flowspec.OffsetEights))
	if err != nil || apart.Native.Components[flowspec.DstPrefix].Offset || apart.Native.Components[flowspec.DstPrefix].OpFacts["offset"] != "a/form" {
		t.Errorf("apart: %+v, %v", apart.Native, err)
	}
}
