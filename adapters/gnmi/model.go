package gnmi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/codes"

	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

const (
	module = "openconfig-acl"
	// origin is the schema that paths belong to. It is the default (gnmi-specification.md section 2.2.2.1), and not everywhere.
	origin = "openconfig"
)

// list is a keyed list of the model, right below /acl.
type list struct {
	container, name string
	keys            []string
}

var (
	aclSets    = list{"acl-sets", "acl-set", []string{"name", "type"}}
	interfaces = list{"interfaces", "interface", []string{"id"}}
)

// path returns the path of the container, as keyed lists are addressed (section 3.4.5).
func (l list) path() *gpb.Path {
	return &gpb.Path{Origin: origin, Elem: []*gpb.PathElem{{Name: "acl"}, {Name: l.container}}}
}

// typeOf returns the identity of ACL_TYPE for v.
func typeOf(v packet.Version) string {
	if v == packet.IPv6 {
		return "ACL_IPV6"
	}
	return "ACL_IPV4"
}

// set is one entry of /acl/acl-sets with its configuration in JSON.
type set struct {
	name, kind string
	value      json.RawMessage
}

// key identifies the set on its device.
func (s set) key() string { return s.name + " " + s.kind }

func (s set) path() *gpb.Path {
	p := aclSets.path()
	p.Elem = append(p.Elem, &gpb.PathElem{Name: aclSets.name, Key: map[string]string{"name": s.name, "type": s.kind}})
	return p
}

// object is a JSON object whose members have names with or without the name of the module.
type object map[string]json.RawMessage

func asObject(b json.RawMessage) (object, error) {
	out := object{}
	if len(b) == 0 {
		return out, nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&out); err != nil {
		return nil, fmt.Errorf("want an object: %w", err)
	}
	return out, nil
}

func (o object) member(name string) json.RawMessage {
	if b, there := o[module+":"+name]; there {
		return b
	}
	return o[name]
}

// object returns the member of that name, an empty one where there is none.
func (o object) object(name string) (object, error) {
	in, err := asObject(o.member(name))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return in, nil
}

// items returns the members of the list of that name.
func (o object) items(name string) ([]json.RawMessage, error) {
	var out []json.RawMessage
	if b := o.member(name); len(b) > 0 {
		if err := json.Unmarshal(b, &out); err != nil {
			return nil, fmt.Errorf("%s: want a list: %w", name, err)
		}
	}
	return out, nil
}

// word returns a leaf, without the name of the module that an identity may have in front; "" where there is none.
func (o object) word(name string) (string, error) {
	b := o.member(name)
	if len(b) == 0 {
		return "", nil
	}
	var s string
	switch b[0] {
	case '"':
		if err := json.Unmarshal(b, &s); err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		return strings.TrimPrefix(s, module+":"), nil
	case '{', '[':
		return "", fmt.Errorf("%s: want a leaf", name)
	}
	return string(b), nil
}

// get reads the entries of a list, as their configuration says. A list of which the device has nothing may be NotFound.
func (s *session) get(ctx context.Context, l list) ([]json.RawMessage, error) {
	return s.getAs(ctx, l, gpb.GetRequest_CONFIG)
}

// getAs is get, of configuration, of state or of both.
func (s *session) getAs(ctx context.Context, l list, kind gpb.GetRequest_DataType) ([]json.RawMessage, error) {
	what := "read /acl/" + l.container
	var reply *gpb.GetResponse
	err := s.call(ctx, what, func(ctx context.Context) (err error) {
		reply, err = s.client.Get(ctx, &gpb.GetRequest{Path: []*gpb.Path{l.path()}, Type: kind, Encoding: gpb.Encoding_JSON_IETF})
		return err
	})
	if is(err, codes.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var out []json.RawMessage
	for _, n := range reply.GetNotification() {
		for _, u := range n.GetUpdate() {
			some, err := l.entries(slices.Concat(n.GetPrefix().GetElem(), u.GetPath().GetElem()), u.GetVal())
			if err != nil {
				return nil, fmt.Errorf("%s: the answer is not understood: %s", what, s.scrub(err.Error()))
			}
			out = append(out, some...)
		}
	}
	return out, nil
}

// entries returns the entries of l in an update. The device may answer with the container that was asked for, with one around it or with single entries; anything else, such as single
// leaves, is not understood.
func (l list) entries(path []*gpb.PathElem, v *gpb.TypedValue) ([]json.RawMessage, error) {
	value := json.RawMessage(v.GetJsonIetfVal())
	if value == nil {
		value = v.GetJsonVal()
	}
	if value == nil {
		return nil, fmt.Errorf("a value of type %T, want JSON", v.GetValue())
	}
	way := []string{"acl", l.container, l.name}
	for i, e := range path {
		if i >= len(way) || strings.TrimPrefix(e.GetName(), module+":") != way[i] {
			return nil, fmt.Errorf("an update of %s in it", e.GetName())
		}
	}
	if len(path) == len(way) && bytes.HasPrefix(bytes.TrimSpace(value), []byte("{")) {
		return []json.RawMessage{value}, l.identified(path[len(way)-1].GetKey(), value)
	}
	if len(path) == len(way) {
		return object{l.name: value}.items(l.name)
	}
	in, err := asObject(value)
	for _, name := range way[len(path) : len(way)-1] {
		if err != nil {
			return nil, err
		}
		in, err = in.object(name)
	}
	if err != nil {
		return nil, err
	}
	return in.items(l.name)
}

// identified says whether an entry says of itself which one it is, and the same as its path.
func (l list) identified(keys map[string]string, value json.RawMessage) error {
	o, err := asObject(value)
	if err != nil {
		return err
	}
	for _, key := range l.keys {
		word, err := o.word(key)
		if err != nil {
			return err
		}
		if in := strings.TrimPrefix(keys[key], module+":"); word == "" || in != "" && in != word {
			return fmt.Errorf("an entry whose %s is %q, at a path where it is %q", key, word, in)
		}
	}
	return nil
}

// sets returns the sets of ours among entries of /acl/acl-sets, by name.
func sets(entries []json.RawMessage) ([]set, error) {
	var out []set
	for _, value := range entries {
		o, err := asObject(value)
		if err != nil {
			return nil, err
		}
		name, err := o.word("name")
		if err == nil && name == "" {
			err = errors.New("a set without a name")
		}
		if err != nil {
			return nil, err
		}
		if !strings.HasPrefix(name, filter.Mark) {
			continue
		}
		kind, err := o.word("type")
		if err != nil {
			return nil, err
		}
		out = append(out, set{name, kind, value})
	}
	slices.SortStableFunc(out, func(a, b set) int { return strings.Compare(a.key(), b.key()) })
	return out, nil
}

// document returns the JSON of gNMI with these sets and nothing else.
func document(list []set) []byte {
	var b bytes.Buffer
	b.WriteString(`{"` + module + `:acl":{"acl-sets":{"acl-set":[`)
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(s.value)
	}
	b.WriteString("]}}}")
	return b.Bytes()
}

// parts returns the sets in a document.
func parts(document []byte) ([]set, error) {
	entries, err := aclSets.entries(nil, &gpb.TypedValue{Value: &gpb.TypedValue_JsonIetfVal{JsonIetfVal: document}})
	if err != nil {
		return nil, err
	}
	return sets(entries)
}

// outermost returns the object with the module's name in front of its members, as they stand at the top of a value (RFC 7951 section 4), and without operational state.
func outermost(value json.RawMessage) (json.RawMessage, error) {
	var in map[string]any
	d := json.NewDecoder(bytes.NewReader(value))
	d.UseNumber()
	if err := d.Decode(&in); err != nil {
		return nil, err
	}
	out := map[string]any{}
	for name, v := range stateless(in).(map[string]any) {
		if !strings.Contains(name, ":") {
			name = module + ":" + name
		}
		out[name] = v
	}
	return json.Marshal(out)
}

// stateless takes out the containers `state`, which cannot be written.
func stateless(v any) any {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(name string, _ any) bool { return name == "state" || name == module+":state" })
		for _, in := range v {
			stateless(in)
		}
	case []any:
		for _, in := range v {
			stateless(in)
		}
	}
	return v
}

// attached returns where our sets stand, from entries of /acl/interfaces: the interface and subinterface, or where they are not named what the entry is called.
func attached(entries []json.RawMessage) (map[string][]string, error) {
	out := map[string][]string{}
	for _, value := range entries {
		where, names, err := attachment(value)
		if err != nil {
			return nil, fmt.Errorf("read /acl/interfaces: the answer is not understood: %w", err)
		}
		for _, name := range names {
			if strings.HasPrefix(name, filter.Mark) {
				out[name] = append(out[name], where)
			}
		}
	}
	for _, where := range out {
		slices.Sort(where)
	}
	return out, nil
}

// attachment returns where an interface is, and which sets packets meet that come in there.
func attachment(value json.RawMessage) (where string, names []string, err error) {
	o, err := asObject(value)
	if err != nil {
		return "", nil, err
	}
	var errs [8]error
	id, err := o.word("id")
	ref, err1 := o.object("interface-ref")
	config, err2 := ref.object("config")
	port, err3 := config.word("interface")
	unit, err4 := config.word("subinterface")
	ingress, err5 := o.object("ingress-acl-sets")
	in, err6 := ingress.items("ingress-acl-set")
	errs = [8]error{err, err1, err2, err3, err4, err5, err6}
	for _, value := range in {
		s, err := asObject(value)
		name, err2 := s.word("set-name")
		errs[7] = errors.Join(errs[7], err, err2)
		names = append(names, name)
	}
	where = id
	if port != "" {
		where = port
		if unit != "" {
			where += "." + unit
		}
	}
	return where, names, errors.Join(errs[:]...)
}
