package iosxe

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readXML reads the access lists of b: the element native of Cisco's model, alone or in a <config>, a <data> or an <rpc-reply>.
func readXML(b []byte, r *ciscoacl.Reader) error {
	root, err := ciscoacl.ReadRoot(xml.NewDecoder(bytes.NewReader(b)))
	if err != nil {
		return fmt.Errorf("read XML: %w", err)
	}
	roots, err := natives(root)
	if err != nil {
		return err
	}
	for _, n := range roots {
		for v, family := range families {
			for _, lists := range below(n, family, "access-list") {
				if err := familyXML(r, lists, v); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// natives returns the roots of the model in a document. What else stands beside them is passed over.
func natives(root *ciscoacl.Node) ([]*ciscoacl.Node, error) {
	switch root.Name() {
	case "rpc-reply", "data", "config", "native":
		return outer(root)
	}
	return nil, fmt.Errorf("read XML: element %s, want native of Cisco-IOS-XE-native, or a <data> around it", root.Name())
}

// outer takes an element around or at the root of the model.
func outer(n *ciscoacl.Node) (out []*ciscoacl.Node, err error) {
	switch n.Name() {
	case "rpc-error":
		return nil, errors.New("read XML: the reply is an error, not a configuration")
	case "rpc-reply", "data", "config":
		for i := range n.Kids {
			some, err := outer(&n.Kids[i])
			if err != nil {
				return nil, err
			}
			out = append(out, some...)
		}
	case "native":
		if s := n.StartElement.Name.Space; s == "" || s == ciscoacl.NETCONF || s == nativeNamespace {
			return []*ciscoacl.Node{n}, nil // another model has such an element too
		}
	}
	return out, nil
}

// below returns the elements that are reached from n by names.
func below(n *ciscoacl.Node, names ...string) []*ciscoacl.Node {
	if len(names) == 0 {
		return []*ciscoacl.Node{n}
	}
	var out []*ciscoacl.Node
	for i := range n.Kids {
		if n.Kids[i].Name() == names[0] {
			out = append(out, below(&n.Kids[i], names[1:]...)...)
		}
	}
	return out
}

// familyXML takes the lists of one IP version.
func familyXML(r *ciscoacl.Reader, n *ciscoacl.Node, v packet.Version) error {
	for i := range n.Kids {
		one := &n.Kids[i]
		name := ""
		for _, k := range below(one, "name") {
			name = k.Text
		}
		switch own := one.Name() == forms[v].List; {
		case own && name == "":
			return errors.New("read XML: an access list has no name")
		case !ciscoacl.Marked(name):
		case own:
			listXML(r.List(name, v), one)
		default:
			r.Foreign(fmt.Errorf("%s %s bears our mark, but sluice makes no such object", one.Name(), name))
		}
	}
	return nil
}

// listXML takes the element of a list.
func listXML(l *ciscoacl.ReadList, n *ciscoacl.Node) {
	err := n.Strange()
	if err == nil {
		err = n.Each(func(k *ciscoacl.Node) error {
			switch k.Name() {
			case "name":
				_, err := k.Leaf()
				return err
			case "access-list-seq-rule":
				return lineXML(l, k)
			}
			return fmt.Errorf("%s is nothing that sluice writes there", k.Name())
		})
	}
	if err != nil {
		l.Fail(err)
	}
}

// lineXML takes one line.
func lineXML(l *ciscoacl.ReadList, n *ciscoacl.Node) error {
	one, err := readElement(n, l.V)
	if err != nil {
		return err
	}
	l.Add(one)
	return nil
}

// readElement reads one line. Up to 17.15 the comment of a line is the leaf remark, later models have a list of remarks beside it.
func readElement(n *ciscoacl.Node, v packet.Version) (ciscoacl.ReadLine, error) {
	one := newLine(v)
	remarks := map[string]string{}
	err := n.Each(func(k *ciscoacl.Node) (err error) {
		switch k.Name() {
		case "sequence":
			return ciscoacl.WithLeaf(k, func(text string) error {
				number, err := strconv.ParseUint(text, 10, 32)
				one.Number = uint32(number)
				return err
			})
		case "remark", "remarks":
			if _, twice := remarks[k.Name()]; twice {
				return fmt.Errorf("%s stands there twice", k.Name())
			}
			remarks[k.Name()], err = k.Leaf()
			return err
		case "ace-rule":
			return one.rule(k)
		}
		return fmt.Errorf("%s is nothing that sluice writes there", k.Name())
	})
	for _, text := range remarks {
		if one.Remark != "" && one.Remark != text {
			err = errors.Join(err, errors.New("it has two remarks"))
		}
		one.Remark = text
	}
	if err == nil && (one.Grant == "") == (one.Remark == "") {
		err = errors.New("want an ace-rule or a remark")
	}
	if err != nil {
		return one.ReadLine, fmt.Errorf("sequence %d: %w", one.Number, err)
	}
	return one.ReadLine, nil
}

// leaves are the leaves of a line, by name. What was understood is taken out.
type leaves map[string]string

func (s leaves) take(name string) (string, bool) {
	text, there := s[name]
	delete(s, name)
	return text, there
}

// empty are leaves without a value.
var empty = []string{"any", "dst-any", "destination-any", "fragments"}

// rule takes what permits or denies.
func (l *readLine) rule(n *ciscoacl.Node) error {
	if l.Grant != "" {
		return errors.New("ace-rule stands there twice")
	}
	held := leaves{}
	err := n.Each(func(k *ciscoacl.Node) (err error) {
		name := k.Name()
		if _, twice := held[name]; twice {
			return fmt.Errorf("%s stands there twice", name)
		}
		switch {
		case name == "match-all" || name == "match-any":
			return l.flagsXML(k)
		case slices.Contains(empty, name):
			if len(k.Kids) > 0 || k.Text != "" {
				return fmt.Errorf("%s: not as the model has it", name)
			}
			held[name] = ""
			return nil
		}
		held[name], err = k.Leaf()
		return err
	})
	if err != nil {
		return err
	}
	if err := l.take(held); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(held)) {
		return fmt.Errorf("%s is nothing that sluice writes there", name)
	}
	return l.Check()
}

// take takes what it understands out of held.
func (l *readLine) take(held leaves) error {
	grant, _ := held.take("action")
	if grant != "permit" && grant != "deny" {
		return fmt.Errorf("action %q, want permit or deny", grant)
	}
	l.Grant = grant
	for _, one := range []struct {
		name string
		read func(string) error
	}{{"protocol", l.protocol}, {"dscp", l.dscp}, {"fragments", func(string) error { return l.fragments() }}, {"named-msg-type", l.named}} {
		if text, there := held.take(one.name); there {
			if err := one.read(text); err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
		}
	}
	if text, there := held["flow-label"]; there && l.V == packet.IPv6 {
		held.take("flow-label")
		if err := l.label(text); err != nil {
			return err
		}
	}
	for _, e := range ends[l.V] {
		if err := l.end(e, held); err != nil {
			return fmt.Errorf("%s: %w", e.what, err)
		}
	}
	if kind, there := held.take(typeLeaf[l.V]); there {
		code, _ := held.take("msg-code")
		return l.Message(kind, code)
	}
	return nil
}

// named reads a word for an ICMP type.
func (l *readLine) named(word string) error {
	if _, known := spelling.Messages[l.V][ciscoacl.PlainWord(word)]; !known {
		return fmt.Errorf("%q is no message that sluice knows", word)
	}
	return l.Message(word, "")
}

// end takes one side.
func (l *readLine) end(e end, held leaves) error {
	_, anyone := held.take(e.any)
	host, one := held.take(e.host)
	a, some := held.take(e.address)
	mask, masked := "", l.V == packet.IPv6
	if l.V == packet.IPv6 {
		a, mask, _ = strings.Cut(a, "/")
	} else {
		mask, masked = held.take(e.mask)
	}
	switch {
	case anyone && !one && !some && l.V == packet.IPv6:
		a, mask = "::", "0"
	case anyone && !one && !some:
		a, mask = "0.0.0.0", "0"
	case one && !anyone && !some && l.V == packet.IPv6:
		a, mask = host, "128"
	case one && !anyone && !some:
		a, mask = host, "32"
	case some && masked && !anyone && !one && (l.V == packet.IPv6 || strings.Contains(mask, ".")):
	default:
		return errors.New("want any, a host, or an address with its mask")
	}
	if err := l.Address(e.what, a, mask); err != nil {
		return err
	}
	return l.ports(e, held)
}

// ports takes the ports of one side: an operator, and its numbers.
func (l *readLine) ports(e end, held leaves) error {
	for _, op := range []string{"eq", "neq", "gt", "lt"} {
		port, there := held.take(e.port + "-" + op)
		if !there {
			continue
		}
		args := []string{port}
		for i := 2; op == "eq" && i <= maxPorts; i++ {
			more, there := held.take(fmt.Sprintf("%s-%s-port%d", e.port, op, i))
			if !there {
				break
			}
			args = append(args, more)
		}
		if err := l.Port(e.what, op, args); err != nil {
			return err
		}
	}
	lo, there := held.take(e.port + "-range1")
	if !there {
		return nil
	}
	hi, _ := held.take(e.port + "-range2")
	return l.Port(e.what, "range", []string{lo, hi})
}

// flagsXML takes match-all or match-any.
func (l *readLine) flagsXML(n *ciscoacl.Node) error {
	var bits []string
	err := n.Each(func(k *ciscoacl.Node) error {
		name := k.Name()
		if len(k.Kids) > 0 || k.Text != "" {
			return fmt.Errorf("%s: not as the model has it", name)
		}
		if bit, ok := strings.CutPrefix(name, "plus"); ok {
			bits = append(bits, "+"+bit)
			return nil
		}
		bits = append(bits, "-"+strings.TrimPrefix(name, "minus"))
		return nil
	})
	if err != nil {
		return err
	}
	return l.Flags(n.Name(), bits)
}
