package profile

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// Schema returns a JSON Schema of profile files, for editors. It is made from the very types that the loader decodes into, so that it
// cannot promise another key than the loader takes. What needs judgement (facts that exist, limits that agree) is for `sluice profile lint`.
func Schema() []byte {
	root := object(reflect.TypeFor[rawProfile]())
	root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	root["title"] = "sluice profile"
	root["required"] = []string{"name"}
	root["anyOf"] = []any{map[string]any{"required": []string{"extends"}}, map[string]any{"required": []string{"vendor", "platform"}}}
	root["$defs"] = map[string]any{"fact": object(reflect.TypeFor[rawFact]()),
		"native": object(reflect.TypeFor[rawNative]()), "filter": object(reflect.TypeFor[rawFilter]())}
	b, err := json.MarshalIndent(root, "", "  ")
	if err != nil {
		panic(err) // maps and strings only
	}
	return append(b, '\n')
}

// words are the values that keys take.
var schemaWords = map[string][]string{
	"basis": {"measured", "documented", "assumed"}, "kind": {"rfc8955", "unknown"}, "when": moments,
	"ops": slices.Concat(numericOps[:len(numericOps)-1], bitmaskOps), "stages": {"filter", "flowspec"}, "actions": actionWords,
	"ranges": rangeWords, "below-floor": floorWords, "to": failWords, "of": typeWords(), "form": flowspec.OffsetForms, "one-of": typeWords(), "types": typeWords(), "unit": {"bytes/s", "bits/s", "kbits/s", "packets/s"},
}

// schemaOf describes the value of key, whose type is t.
func schemaOf(t reflect.Type, key string) map[string]any {
	text := map[string]any{"type": "string"}
	switch t {
	case reflect.TypeFor[word]():
		if words, ok := schemaWords[key]; ok {
			return map[string]any{"enum": words}
		}
		return map[string]any{"type": []string{"string", "number"}}
	case reflect.TypeFor[factRef]():
		return map[string]any{"oneOf": []any{text, map[string]any{"$ref": "#/$defs/fact"}}}
	case reflect.TypeFor[number]():
		limit := map[string]any{"oneOf": []any{map[string]any{"type": "number"}, map[string]any{"enum": []string{"unknown", "unlimited", "none"}}}}
		own := map[string]any{"type": "object", "additionalProperties": false, "required": []string{"value"}, "properties": map[string]any{
			"value": limit, "soft": map[string]any{"type": "boolean"}, "fact": schemaOf(reflect.TypeFor[factRef](), "fact")}}
		return map[string]any{"oneOf": []any{limit, own}}
	}
	switch t { // as large as the rest, and there more than once
	case reflect.TypeFor[node[rawNative]]():
		return map[string]any{"$ref": "#/$defs/native"}
	case reflect.TypeFor[node[rawFilter]]():
		return map[string]any{"$ref": "#/$defs/filter"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return map[string]any{"type": "boolean"}
	case reflect.Int, reflect.Uint64:
		return map[string]any{"type": "integer"}
	case reflect.Pointer:
		return schemaOf(t.Elem(), key)
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Struct {
			if _, ok := t.Elem().FieldByName("Key"); ok { // dict[T]
				return dictionary(t.Elem(), key)
			}
		}
		return map[string]any{"type": "array", "items": schemaOf(t.Elem(), key)}
	}
	if v, ok := t.FieldByName("V"); ok { // node[T]
		return object(v.Type)
	}
	return object(t)
}

// dictionary describes a mapping whose keys are data.
func dictionary(entry reflect.Type, key string) map[string]any {
	val, _ := entry.FieldByName("Val")
	out := map[string]any{"type": "object", "additionalProperties": schemaOf(val.Type, "")}
	switch key {
	case "components":
		out["propertyNames"] = map[string]any{"enum": typeWords()}
	case "behaviour":
		out["propertyNames"] = map[string]any{"enum": topicWords()}
	case "redirects":
		var words []string
		for w := range redirectWords {
			words = append(words, w)
		}
		slices.Sort(words)
		out["propertyNames"] = map[string]any{"enum": words}
	}
	return out
}

// object describes a struct by its YAML keys.
func object(t reflect.Type) map[string]any {
	properties := map[string]any{}
	for i := range t.NumField() {
		key, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if key != "" && key != "-" {
			properties[key] = schemaOf(t.Field(i).Type, key)
		}
	}
	return map[string]any{"type": "object", "additionalProperties": false, "properties": properties}
}
