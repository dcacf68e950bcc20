package sdk

import (
	"fmt"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// understood refuses a message that holds a field which this package does not know, at any depth: it was written for another version of the boundary, and what
// would be passed over may be a condition.
func understood(m proto.Message) error {
	if in := unknownIn(m.ProtoReflect()); in != "" {
		return fmt.Errorf("%s holds a field that this side does not know: the other side is of another version", in)
	}
	return nil
}

// unknownIn returns the name of the first message, of m and those in it, that has unknown fields; "": none has.
func unknownIn(m protoreflect.Message) (in string) {
	if len(m.GetUnknown()) > 0 {
		return string(m.Descriptor().Name())
	}
	m.Range(func(f protoreflect.FieldDescriptor, v protoreflect.Value) bool {
		switch {
		case f.IsMap():
			if f.MapValue().Message() != nil {
				v.Map().Range(func(_ protoreflect.MapKey, v protoreflect.Value) bool {
					in = unknownIn(v.Message())
					return in == ""
				})
			}
		case f.Message() == nil:
		case f.IsList():
			for i := 0; i < v.List().Len() && in == ""; i++ {
				in = unknownIn(v.List().Get(i).Message())
			}
		default:
			in = unknownIn(v.Message())
		}
		return in == ""
	})
	return in
}
