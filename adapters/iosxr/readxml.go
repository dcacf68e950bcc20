package iosxr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/packet"
)

// readXML reads the access lists of b: the element ipv4 or ipv6 of Cisco's models, alone or in a <config>, a <data> or an <rpc-reply>.
func readXML(b []byte, r *ciscoacl.Reader) error {
	top, err := ciscoacl.ReadRoot(xml.NewDecoder(bytes.NewReader(b)))
	if err != nil {
		return fmt.Errorf("read XML: %w", err)
	}
	switch top.Name() {
	case "rpc-reply", "data", "config", "ipv4", "ipv6":
		return outer(r, top)
	}
	return fmt.Errorf("read XML: element %s, want ipv4 or ipv6 of Cisco's um-ipv4-access-list-cfg and um-ipv6-access-list-cfg, or a <data> around them", top.Name())
}

// outer takes an element around or at the root of the models.
func outer(r *ciscoacl.Reader, n *ciscoacl.Node) error {
	switch name := n.Name(); name {
	case "ipv4", "ipv6":
		v := packet.IPv4
		if name == "ipv6" {
			v = packet.IPv6
		}
		if s := n.StartElement.Name.Space; s != "" && s != ciscoacl.NETCONF && s != namespaces[v] {
			return nil // another model has such an element too
		}
		return root(r, n, v)
	case "rpc-reply", "data", "config":
		for i := range n.Kids {
			if err := outer(r, &n.Kids[i]); err != nil {
				return err
			}
		}
	case "rpc-error":
		return errors.New("read XML: the reply is an error, not a configuration")
	case "ipv4-acl-and-prefix-list", "ipv6-acl-and-prefix-list":
		return errors.New("read XML: these are the access lists of another model; ask the device for um-ipv4-access-list-cfg and um-ipv6-access-list-cfg")
	}
	return nil
}

// root takes the lists of one IP version. What else stands there (prefix lists of other models in the same element, options) is passed over.
func root(r *ciscoacl.Reader, n *ciscoacl.Node, v packet.Version) error {
	for i := range n.Kids {
		if n.Kids[i].Name() != "access-lists" {
			continue
		}
		for j := range n.Kids[i].Kids {
			one := &n.Kids[i].Kids[j]
			if one.Name() != "access-list" {
				continue
			}
			name := ""
			for k := range one.Kids {
				if one.Kids[k].Name() == "access-list-name" {
					name = one.Kids[k].Text
				}
			}
			if name == "" {
				return errors.New("read XML: an access list has no name")
			}
			if ciscoacl.Marked(name) {
				listXML(r.List(name, v), one)
			}
		}
	}
	return nil
}

// xml takes the element of a list.
func listXML(l *ciscoacl.ReadList, n *ciscoacl.Node) {
	err := n.Strange()
	if err == nil {
		err = n.Each(func(k *ciscoacl.Node) error {
			switch k.Name() {
			case "access-list-name":
				_, err := k.Leaf()
				return err
			case "sequences":
				return k.Each(func(k *ciscoacl.Node) error { return sequence(l, k) })
			}
			return fmt.Errorf("%s is nothing that sluice writes there", k.Name())
		})
	}
	if err != nil {
		l.Fail(err)
	}
}

// sequence takes one line.
func sequence(l *ciscoacl.ReadList, n *ciscoacl.Node) error {
	if n.Name() != "sequence" {
		return fmt.Errorf("%s is nothing that sluice writes there", n.Name())
	}
	one := newLine(l.V)
	what := 0
	err := n.Each(func(k *ciscoacl.Node) (err error) {
		switch k.Name() {
		case "sequence-number":
			text, err := k.Leaf()
			if err != nil {
				return err
			}
			number, err := strconv.ParseUint(text, 10, 32)
			one.Number = uint32(number)
			return err
		case "remark":
			what++
			one.Remark, err = k.Leaf()
			return err
		case "permit", "deny":
			what++
			one.Grant = k.Name()
			return one.xml(k)
		}
		return fmt.Errorf("%s is nothing that sluice writes there", k.Name())
	})
	if err == nil && what != 1 {
		err = errors.New("want one of permit, deny and remark")
	}
	if err != nil {
		return fmt.Errorf("sequence %d: %w", one.Number, err)
	}
	l.Add(one.ReadLine)
	return nil
}

// xml takes a permit or a deny.
func (l *readLine) xml(n *ciscoacl.Node) error {
	if err := n.Each(l.element); err != nil {
		return err
	}
	return l.Check()
}

// element takes one condition or action.
func (l *readLine) element(n *ciscoacl.Node) error {
	switch n.Name() {
	case "protocol", "eq":
		return ciscoacl.WithLeaf(n, l.Protocol)
	case "source", "destination":
		return l.end(n)
	case "icmp":
		return l.icmp(n)
	case "tcp-flags":
		op, bits, err := only(n)
		if err != nil || bits == nil {
			return errors.Join(err, errors.New("tcp-flags: want match-all or match-any with tcp-bits"))
		}
		return ciscoacl.WithLeaf(bits, func(s string) error { return l.Flags(op, strings.Fields(s)) })
	case "dscp":
		if len(n.Kids) == 1 && n.Kids[0].Name() == "dscp-value" {
			return ciscoacl.WithLeaf(&n.Kids[0], func(s string) error { return l.DSCP("eq", []string{s}) })
		}
		return operator(n, l.DSCP)
	case "packet-length":
		return operator(n, l.length)
	case "fragments":
		if len(n.Kids) > 0 || n.Text != "" || l.V == packet.IPv6 {
			return errors.New("fragments: not as the model has it")
		}
		return l.fragment(n.Name())
	case "headers":
		if l.V == packet.IPv4 {
			return errors.New("headers: IPv4 has none")
		}
		return ciscoacl.WithLeaf(n, l.fragment)
	case "fragment-type":
		return ciscoacl.WithLeaf(n, func(s string) error { return l.kind(strings.Join(strings.Fields(s), " ")) })
	case "fragment-offset":
		return operator(n, l.offset)
	case "counter":
		return ciscoacl.WithLeaf(n, l.count)
	case "nexthop1":
		return nextHop(n, l)
	}
	return fmt.Errorf("%s is nothing that sluice writes there", n.Name())
}

// end takes a source or a destination.
func (l *readLine) end(n *ciscoacl.Node) error {
	leaves := map[string]string{}
	err := n.Each(func(k *ciscoacl.Node) (err error) {
		if _, twice := leaves[k.Name()]; twice {
			return fmt.Errorf("%s stands there twice", k.Name())
		}
		switch k.Name() {
		case "any":
			leaves["any"] = "any"
			return nil
		case "address", "prefix-length", "wildcard-mask", "host":
			leaves[k.Name()], err = k.Leaf()
			return err
		case "port":
			return operator(k, func(op string, args []string) error { return l.Port(n.Name(), op, args) })
		}
		return fmt.Errorf("%s is nothing that sluice writes there", k.Name())
	})
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name(), err)
	}
	a, mask, err := addressOf(leaves, l.V)
	if err == nil {
		err = l.Address(n.Name(), a, mask)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", n.Name(), err)
	}
	return nil
}

// addressOf returns address and mask of one side: any, a host, or an address with a length or a mask of free bits.
func addressOf(leaves map[string]string, v packet.Version) (a, mask string, err error) {
	_, anyone := leaves["any"]
	_, host := leaves["host"]
	length, hasLength := leaves["prefix-length"]
	free, hasFree := leaves["wildcard-mask"]
	a, hasAddress := leaves["address"]
	switch {
	case anyone && len(leaves) == 1 && v == packet.IPv6:
		return "::", "0", nil
	case anyone && len(leaves) == 1:
		return "0.0.0.0", "0", nil
	case host && len(leaves) == 1 && v == packet.IPv6:
		return leaves["host"], "128", nil
	case host && len(leaves) == 1:
		return leaves["host"], "32", nil
	case hasAddress && hasLength && len(leaves) == 2 && !strings.Contains(length, "."):
		return a, length, nil
	case hasAddress && hasFree && len(leaves) == 2 && strings.Contains(free, "."):
		return a, free, nil
	}
	return "", "", errors.New("want any, host, or an address with its length")
}

// icmp takes a type and a code, or a name for both.
func (l *readLine) icmp(n *ciscoacl.Node) error {
	leaves := map[string]string{}
	err := n.Each(func(k *ciscoacl.Node) (err error) {
		if _, twice := leaves[k.Name()]; twice {
			return fmt.Errorf("%s stands there twice", k.Name())
		}
		leaves[k.Name()], err = k.Leaf()
		return err
	})
	if err != nil {
		return err
	}
	name, named := leaves["message-type-name"]
	kind, typed := leaves["message-type"]
	code, coded := leaves["message-code"]
	switch {
	case named && len(leaves) == 1:
		if _, known := messageWords[l.V][ciscoacl.PlainWord(name)]; !known {
			return fmt.Errorf("icmp: %q is no message that sluice knows", name)
		}
		return l.Message(name, "")
	case typed && (len(leaves) == 1 || coded && len(leaves) == 2):
		return l.Message(kind, code)
	}
	return errors.New("icmp: want a message-type, and a message-code behind it")
}

// nextHop takes the one address of nexthop1.
func nextHop(n *ciscoacl.Node, l *readLine) error {
	if len(n.Kids) != 1 || n.Text != "" {
		return errors.New("nexthop1: want an address and nothing else")
	}
	return ciscoacl.WithLeaf(&n.Kids[0], func(a string) error { return l.nextHop(n.Kids[0].Name(), a) })
}

// only returns the name of the only element in n, and the only one in that, if there is one.
func only(n *ciscoacl.Node) (string, *ciscoacl.Node, error) {
	if len(n.Kids) != 1 || n.Text != "" {
		return "", nil, fmt.Errorf("%s: want one element in it", n.Name())
	}
	k := &n.Kids[0]
	if len(k.Kids) == 1 && k.Text == "" && k.Kids[0].Name() == "tcp-bits" {
		return k.Name(), &k.Kids[0], nil
	}
	return k.Name(), nil, nil
}

// operator reads <eq>, <gt>, <lt>, <neq> or <range>.
func operator(n *ciscoacl.Node, do func(op string, args []string) error) error {
	if len(n.Kids) != 1 || n.Text != "" {
		return fmt.Errorf("%s: want one operator", n.Name())
	}
	k := &n.Kids[0]
	var args []string
	if k.Name() == "range" {
		ends := map[string]string{}
		if err := k.Each(func(e *ciscoacl.Node) error {
			text, err := e.Leaf()
			if _, twice := ends[e.Name()]; twice {
				err = fmt.Errorf("%s stands there twice", e.Name())
			}
			ends[e.Name()] = text
			return err
		}); err != nil {
			return err
		}
		if len(ends) != 2 || ends["start-value"] == "" || ends["end-value"] == "" {
			return fmt.Errorf("%s: want a start-value and an end-value", n.Name())
		}
		args = []string{ends["start-value"], ends["end-value"]}
	} else {
		text, err := k.Leaf()
		if err != nil {
			return err
		}
		args = []string{text}
	}
	if err := do(k.Name(), args); err != nil {
		return fmt.Errorf("%s: %w", n.Name(), err)
	}
	return nil
}
