package profile

import (
	"reflect"
	"slices"
)

// What is laid over a profile, by a profile that extends it or by a value of an option, replaces what it names and leaves the rest. Native, filter and their
// actions are gone into key by key; components, redirects, options and behaviour by name, facts by id and warnings by code. Everything below that is
// replaced as a whole: a component that is written again has none of the limits that it had. A stage that says `cannot: true` keeps what it had for whoever
// lays `cannot: false` over it.

// over returns base with top laid over it.
func over(base, top rawProfile) rawProfile {
	out := lay(reflect.ValueOf(base), reflect.ValueOf(top)).Interface().(rawProfile)
	out.Warnings = slices.DeleteFunc(slices.Clone(out.Warnings), func(w node[rawWarning]) bool {
		return slices.ContainsFunc(top.Without, func(code word) bool { return code.s == w.V.Code.s })
	})
	out.Without = nil
	return out
}

// profile returns c as a profile to be laid over one.
func (c rawChange) profile() rawProfile {
	return rawProfile{Native: c.Native, Filter: c.Filter, Pipeline: c.Pipeline, Behaviour: c.Behaviour, Warnings: c.Warnings, Without: c.Without}
}

// named is a part of a list or mapping that is known by a name.
type named interface{ name() string }

func (e entry[T]) name() string { return e.Key.s }

func (x node[T]) name() string {
	if one, ok := any(x.V).(named); ok {
		return one.name()
	}
	return ""
}

func (f rawFact) name() string    { return f.ID.s }
func (w rawWarning) name() string { return w.Code.s }

// deepTypes are gone into; what is not among them is replaced.
var deepTypes = []reflect.Type{
	reflect.TypeFor[rawProfile](), reflect.TypeFor[node[rawNative]](), reflect.TypeFor[rawNative](), reflect.TypeFor[node[rawFilter]](), reflect.TypeFor[rawFilter](),
	reflect.TypeFor[node[rawActions]](), reflect.TypeFor[rawActions](),
}

// lay returns top over base, which are of one type.
func lay(base, top reflect.Value) reflect.Value {
	switch {
	case top.IsZero():
		return base
	case base.IsZero():
		return top
	case base.Kind() == reflect.Slice && base.Len() > 0 && top.Len() > 0:
		return layList(base, top)
	case slices.Contains(deepTypes, base.Type()):
		return layFields(base, top)
	}
	return top
}

func layFields(base, top reflect.Value) reflect.Value {
	out := reflect.New(base.Type()).Elem()
	out.Set(top) // its place, where it has one
	for i := range base.NumField() {
		if base.Type().Field(i).IsExported() {
			out.Field(i).Set(lay(base.Field(i), top.Field(i)))
		}
	}
	return out
}

// layList lays a list of named parts over another one: the same name replaces in place, others come after. Other lists are replaced.
func layList(base, top reflect.Value) reflect.Value {
	nameAt := func(v reflect.Value, i int) string {
		if one, ok := v.Index(i).Interface().(named); ok {
			return one.name()
		}
		return ""
	}
	if nameAt(base, 0) == "" {
		return top
	}
	out := reflect.AppendSlice(reflect.MakeSlice(base.Type(), 0, base.Len()+top.Len()), base)
next:
	for i := range top.Len() {
		for k := range base.Len() {
			if nameAt(base, k) == nameAt(top, i) {
				out.Index(k).Set(top.Index(i))
				continue next
			}
		}
		out = reflect.Append(out, top.Index(i))
	}
	return out
}

// paths returns the places that c writes to: what two options both write to would depend on their order.
func (c rawChange) paths() []string {
	var out []string
	top := c.profile()
	top.Without = nil // taking away twice is taking away
	gather(reflect.ValueOf(top), "", &out)
	return out
}

func gather(v reflect.Value, path string, out *[]string) {
	switch {
	case v.IsZero():
	case slices.Contains(deepTypes, v.Type()):
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				gather(v.Field(i), path+"."+f.Name, out)
			}
		}
	case v.Kind() == reflect.Slice && v.Len() > 0:
		for i := range v.Len() {
			if one, ok := v.Index(i).Interface().(named); ok && one.name() != "" {
				*out = append(*out, path+"."+one.name())
				continue
			}
			*out = append(*out, path)
		}
	default:
		*out = append(*out, path)
	}
}

// clash says whether one of the places in a is, or is inside of, one in b, or the other way round, and which.
func clash(a, b []string) (string, bool) {
	inside := func(x, y string) bool { return x == y || len(x) > len(y) && x[:len(y)+1] == y+"." }
	for _, x := range a {
		for _, y := range b {
			if inside(x, y) || inside(y, x) {
				return x, true
			}
		}
	}
	return "", false
}

// stamp writes src into every place in v.
func stamp(v reflect.Value, src *source) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			stamp(v.Elem(), src)
		}
	case reflect.Slice:
		for i := range v.Len() {
			stamp(v.Index(i), src)
		}
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[at]() {
			if v.FieldByName("line").Int() != 0 { // what was not written stays zero
				v.FieldByName("Src").Set(reflect.ValueOf(src))
			}
			return
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() || f.Anonymous {
				stamp(v.Field(i), src)
			}
		}
	}
}
