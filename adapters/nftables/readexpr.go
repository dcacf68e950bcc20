package nftables

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// jsonStatement reads one statement of a rule in JSON.
func jsonStatement(e map[string]json.RawMessage) (statement, error) {
	if len(e) != 1 {
		return statement{}, errors.New("a statement has one key, which is its kind")
	}
	for kind, raw := range e {
		for v, word := range verdicts {
			if kind == word && string(raw) == "null" {
				return statement{verb: v}, nil
			}
		}
		switch kind {
		case "match":
			return jsonMatch(raw)
		case "vmap":
			return jsonLookup(raw)
		case "mangle":
			return jsonMark(raw)
		case "counter", "limit":
			name, ok := jsonString(raw)
			if !ok {
				return statement{}, fmt.Errorf("a %s without a name", kind)
			}
			if kind == "counter" {
				return statement{verb: count, name: name}, nil
			}
			return statement{verb: police, name: name}, nil
		case "jump":
			whole, _ := json.Marshal(e)
			to, err := jsonTarget(whole)
			return statement{verb: jumpTo, name: to}, err
		case "dup":
			var d struct{ Addr, Dev json.RawMessage }
			if err := strictly(raw, &d); err != nil {
				return statement{}, err
			}
			to, ok := jsonString(d.Addr)
			if !ok || d.Dev != nil {
				return statement{}, errors.New("dup is not as sluice writes it")
			}
			return statement{verb: dup, name: to}, nil
		}
		return statement{}, fmt.Errorf("statement %s is not understood", kind)
	}
	return statement{}, nil
}

func jsonMatch(raw json.RawMessage) (statement, error) {
	var m struct {
		Op          string
		Left, Right json.RawMessage
	}
	if err := strictly(raw, &m); err != nil {
		return statement{}, err
	}
	c, err := jsonField(m.Left)
	if err != nil {
		return statement{}, err
	}
	if name, ok := jsonString(m.Right); ok && strings.HasPrefix(name, "@") {
		c.set = name[1:]
	} else if c.value, err = jsonValue(m.Right); err != nil {
		return statement{}, err
	}
	if c.field == "iifname" {
		c.value = element{strconv.Quote(c.value.lo), strconv.Quote(c.value.hi)}
	}
	switch m.Op {
	case "==":
	case "!=":
		c.not = true
	case "in", "!": // any of the flags, or none of them
		if c.field != "tcp flags" || c.masked || c.set != "" {
			return statement{}, fmt.Errorf("%s with %q is not understood", c.field, m.Op)
		}
		c.masked, c.mask, c.not, c.value = true, c.value.lo, m.Op == "in", element{"0", "0"}
	default:
		return statement{}, fmt.Errorf("comparison %q is not understood", m.Op)
	}
	return when(c), nil
}

// jsonField reads the left side of a condition: a field, or a field under a mask.
func jsonField(raw json.RawMessage) (cond, error) {
	var f struct {
		And     []json.RawMessage `json:"&"`
		Payload *struct {
			Protocol, Field, Base string
			Offset, Len           int
		}
		Meta   *struct{ Key string }
		Exthdr *struct {
			Name, Field string
			Offset      int
		}
	}
	if err := strictly(raw, &f); err != nil {
		return cond{}, err
	}
	name := ""
	switch {
	case len(f.And) == 2:
		c, err := jsonField(f.And[0])
		if err != nil || c.masked {
			return cond{}, errors.Join(errors.New("a mask over something else than a field"), err)
		}
		mask, err := jsonValue(f.And[1])
		if err != nil || mask.lo != mask.hi {
			return cond{}, errors.Join(errors.New("a mask is no value"), err)
		}
		c.masked, c.mask = true, mask.lo
		return c, nil
	case f.Payload != nil && f.Payload.Base != "":
		return cond{field: fmt.Sprintf("@%s,%d,%d", f.Payload.Base, f.Payload.Offset, f.Payload.Len)}, nil
	case f.Payload != nil:
		name = f.Payload.Protocol + " " + f.Payload.Field
	case f.Meta != nil && f.Meta.Key == "iifname":
		return cond{field: "iifname"}, nil
	case f.Meta != nil:
		name = "meta " + f.Meta.Key
	case f.Exthdr != nil && f.Exthdr.Field == "":
		name = "exthdr " + f.Exthdr.Name
	case f.Exthdr != nil:
		name = f.Exthdr.Name + " " + f.Exthdr.Field
	}
	first, second, _ := strings.Cut(name, " ")
	if !slices.Contains(fieldWords[first], second) {
		return cond{}, fmt.Errorf("%s is not understood", raw)
	}
	return cond{field: name}, nil
}

// jsonValue reads a number, a word, a prefix, a range, or flags joined by |.
func jsonValue(raw json.RawMessage) (element, error) {
	one := func(s string) (element, error) { return element{s, s}, nil }
	if s, ok := jsonString(raw); ok {
		return one(s)
	}
	switch s := string(raw); {
	case s == "true":
		return one("exists")
	case s == "false":
		return one("missing")
	case digit(s):
		return one(s)
	case strings.HasPrefix(s, "["): // flags
		var list []json.RawMessage
		if err := json.Unmarshal(raw, &list); err != nil {
			return element{}, err
		}
		return jsonSum(list)
	}
	var v struct {
		Or     []json.RawMessage `json:"|"`
		Range  []json.RawMessage
		Prefix *struct {
			Addr string
			Len  int
		}
	}
	if err := strictly(raw, &v); err != nil {
		return element{}, err
	}
	switch {
	case v.Or != nil:
		return jsonSum(v.Or)
	case len(v.Range) == 2:
		lo, err := jsonValue(v.Range[0])
		hi, err2 := jsonValue(v.Range[1])
		if err := errors.Join(err, err2); err != nil {
			return element{}, err
		}
		return element{lo.lo, hi.hi}, nil
	case v.Prefix != nil:
		return one(v.Prefix.Addr + "/" + strconv.Itoa(v.Prefix.Len))
	}
	return element{}, fmt.Errorf("value %s is not understood", raw)
}

// jsonSum joins flags by |.
func jsonSum(list []json.RawMessage) (element, error) {
	words := make([]string, len(list))
	for i, raw := range list {
		e, err := jsonValue(raw)
		if err != nil || e.lo != e.hi {
			return element{}, errors.Join(errors.New("flags are joined with something else"), err)
		}
		words[i] = e.lo
	}
	s := strings.Join(words, " | ")
	return element{s, s}, nil
}

// jsonLookup reads {"key": FIELD, "data": "@map"}.
func jsonLookup(raw json.RawMessage) (statement, error) {
	var v struct{ Key, Data json.RawMessage }
	if err := strictly(raw, &v); err != nil {
		return statement{}, err
	}
	c, err := jsonField(v.Key)
	if err != nil {
		return statement{}, err
	}
	name, _ := jsonString(v.Data)
	name, found := strings.CutPrefix(name, "@")
	if !found {
		return statement{}, errors.New("vmap without a map by name")
	}
	return statement{verb: lookup, name: name, cond: c}, nil
}

// jsonMark reads {"key": FIELD, "value": DSCP}.
func jsonMark(raw json.RawMessage) (statement, error) {
	var v struct{ Key, Value json.RawMessage }
	if err := strictly(raw, &v); err != nil {
		return statement{}, err
	}
	c, err := jsonField(v.Key)
	if err != nil {
		return statement{}, err
	}
	value, err := jsonValue(v.Value)
	if err != nil {
		return statement{}, err
	}
	n, err := wordNumber(dscpWords, value.lo, 63)
	if err != nil || value.lo != value.hi || c.masked || c.field != "ip dscp" && c.field != "ip6 dscp" {
		return statement{}, fmt.Errorf("%s set %s is not understood", c.field, value)
	}
	return statement{verb: mark, cond: c, value: n}, nil
}

// strictly reads one JSON value into v, which must know all of its keys.
func strictly(raw json.RawMessage, v any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(v)
}
