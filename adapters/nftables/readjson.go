package nftables

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// readJSON reads the tables that bear our mark from what `nft -j list table` and `nft -j list ruleset` print (libnftables-json(5)).
func readJSON(b []byte) ([]*table, error) {
	var doc struct {
		Objects []map[string]json.RawMessage `json:"nftables"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if err := d.Decode(&doc); err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something stands behind the JSON")
	}
	if doc.Objects == nil {
		return nil, errors.New(`want an object with a list "nftables"`)
	}
	r := jsonReader{index: map[[2]string]*table{}, chains: map[[3]string]*chain{}}
	for _, o := range doc.Objects {
		if len(o) != 1 {
			return nil, errors.New("an object of nft has one key, which is its kind")
		}
		for kind, raw := range o {
			if err := r.object(kind, raw); err != nil {
				return nil, err
			}
		}
	}
	return r.tables, nil
}

type jsonReader struct {
	tables []*table
	index  map[[2]string]*table // by family and name
	chains map[[3]string]*chain // by family, table and name
}

// jsonObject is an object of any kind. What is not here and changes what an object does is looked for by name in odd.
type jsonObject struct {
	Family, Name, Table, Chain, Comment string
	Flags                               jsonWords
	Type, Map                           json.RawMessage
	Elem                                []json.RawMessage
	Hook, Policy                        string
	Prio                                *int
	Rate                                uint64
	RateUnit                            string `json:"rate_unit"`
	Per                                 string
	Inv                                 bool
	Burst                               *uint64
	BurstUnit                           string `json:"burst_unit"`
	Expr                                []map[string]json.RawMessage
}

// jsonWords is one word or a list of them.
type jsonWords []string

func (w *jsonWords) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*w = jsonWords{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(w))
}

// plainKeys are the keys of objects that are understood, or mean nothing here.
var plainKeys = map[string]map[string]bool{
	"table":   keys("flags"),
	"counter": keys("table packets bytes"),
	"limit":   keys("table rate per inv rate_unit burst burst_unit"),
	"set":     keys("table type flags elem"),
	"map":     keys("table type map elem flags"),
	"chain":   keys("table type hook prio policy"),
	"rule":    keys("table chain comment expr"),
}

func keys(s string) map[string]bool {
	out := map[string]bool{"family": true, "name": true, "handle": true}
	for _, k := range strings.Fields(s) {
		out[k] = true
	}
	return out
}

func (r *jsonReader) object(kind string, raw json.RawMessage) error {
	if kind == "metainfo" {
		return nil
	}
	var o jsonObject
	var all map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(raw, &all), json.Unmarshal(raw, &o)); err != nil {
		return fmt.Errorf("%s: %w", kind, err)
	}
	name := o.Table
	if kind == "table" {
		name = o.Name
	}
	if !strings.HasPrefix(name, filter.Mark) {
		return nil
	}
	t := r.index[[2]string{o.Family, name}]
	if t == nil {
		if kind != "table" {
			return fmt.Errorf("%s %s stands in table %s, which is not there", kind, o.Name, name)
		}
		t = &table{family: o.Family, name: name}
		r.index[[2]string{o.Family, name}] = t
		r.tables = append(r.tables, t)
	}
	if t.err != nil {
		return nil
	}
	for k := range all {
		if !plainKeys[kind][k] {
			t.err = fmt.Errorf("%s %s: %q is not as sluice writes it", kind, o.Name, k)
			return nil
		}
	}
	if err := r.put(t, kind, &o); err != nil {
		t.err = fmt.Errorf("%s %s: %w", kind, o.Name+o.Comment, err)
	}
	return nil
}

// put adds o to its table.
func (r *jsonReader) put(t *table, kind string, o *jsonObject) error {
	switch kind {
	case "table":
		for _, f := range o.Flags {
			if f != "dormant" {
				return fmt.Errorf("flag %s is not understood", f)
			}
			t.dormant = true
		}
	case "counter":
		t.counters = append(t.counters, o.Name)
	case "limit":
		return t.jsonLimit(o)
	case "set":
		return t.jsonSet(o)
	case "map":
		return t.jsonMap(o)
	case "chain":
		c := &chain{name: o.Name}
		if o.Hook != "" || o.Prio != nil {
			typ, _ := jsonString(o.Type)
			prio := 0
			if o.Prio != nil {
				prio = *o.Prio
			}
			c.base = fmt.Sprintf("type %s hook %s priority %d; policy %s;", typ, o.Hook, prio, o.Policy)
		}
		t.chains = append(t.chains, c)
		r.chains[[3]string{t.family, t.name, o.Name}] = c
	case "rule":
		c := r.chains[[3]string{t.family, t.name, o.Chain}]
		if c == nil {
			return fmt.Errorf("chain %s is not there", o.Chain)
		}
		one := rule{comment: o.Comment}
		for _, e := range o.Expr {
			s, err := jsonStatement(e)
			if err != nil {
				return err
			}
			one.statements = append(one.statements, s)
		}
		if len(one.statements) == 0 {
			return errors.New("a rule says nothing")
		}
		c.rules = append(c.rules, one)
	default:
		return errors.New("sluice makes no such object")
	}
	return nil
}

func (t *table) jsonLimit(o *jsonObject) error {
	l := limit{name: o.Name, over: o.Inv}
	if o.Per != "second" {
		return fmt.Errorf("a rate by the %s", o.Per)
	}
	unit := o.RateUnit
	if unit == "packets" {
		unit = ""
	}
	if err := l.setRate(strconv.FormatUint(o.Rate, 10), unit); err != nil {
		return err
	}
	number := ""
	if o.Burst != nil {
		number = strconv.FormatUint(*o.Burst, 10)
	}
	if unit = o.BurstUnit; unit == "" && !l.bytes {
		unit = "packets"
	}
	if err := l.setBurst(number, unit); err != nil {
		return err
	}
	t.limits = append(t.limits, l)
	return nil
}

func (t *table) jsonSet(o *jsonObject) error {
	s := &set{name: o.Name}
	for _, f := range o.Flags {
		if f != "interval" {
			return fmt.Errorf("flag %s is not understood", f)
		}
		s.interval = true
	}
	for _, raw := range o.Elem {
		e, err := jsonValue(raw)
		if err != nil {
			return err
		}
		s.elements = append(s.elements, e)
	}
	t.sets = append(t.sets, s)
	return nil
}

func (t *table) jsonMap(o *jsonObject) error {
	typ, ok := jsonString(o.Type)
	to, ok2 := jsonString(o.Map)
	if !ok || !ok2 || to != "verdict" || o.Flags != nil {
		return errors.New("it is not as sluice writes it")
	}
	m := &verdictMap{name: o.Name, typ: typ}
	for _, raw := range o.Elem {
		var pair []json.RawMessage
		if err := json.Unmarshal(raw, &pair); err != nil || len(pair) != 2 {
			return errors.New("an element is not a pair")
		}
		key, ok := jsonString(pair[0])
		to, err := jsonTarget(pair[1])
		if !ok || err != nil {
			return errors.Join(errors.New("an element does not lead from an address to a chain"), err)
		}
		m.elements = append(m.elements, jump{key, to})
	}
	t.maps = append(t.maps, m)
	return nil
}

// jsonTarget reads {"jump": {"target": CHAIN}}.
func jsonTarget(raw json.RawMessage) (string, error) {
	var j struct {
		Jump struct {
			Target string `json:"target"`
		} `json:"jump"`
	}
	if err := strictly(raw, &j); err != nil {
		return "", err
	}
	if j.Jump.Target == "" {
		return "", errors.New("it does not jump")
	}
	return j.Jump.Target, nil
}

func jsonString(raw json.RawMessage) (string, bool) {
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil && s != ""
}
