package iosxr

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// readXML reads the access lists of b: the element ipv4 or ipv6 of Cisco's models, alone or in a <config>, a <data> or an <rpc-reply>.
func readXML(b []byte, r *reader) error {
	root, err := readRoot(xml.NewDecoder(bytes.NewReader(b)))
	if err != nil {
		return fmt.Errorf("read XML: %w", err)
	}
	switch root.name() {
	case "rpc-reply", "data", "config", "ipv4", "ipv6":
		return r.outer(root)
	}
	return fmt.Errorf("read XML: element %s, want ipv4 or ipv6 of Cisco's um-ipv4-access-list-cfg and um-ipv6-access-list-cfg, or a <data> around them", root.name())
}

// outer takes an element around or at the root of the models.
func (r *reader) outer(n *node) error {
	switch name := n.name(); name {
	case "ipv4", "ipv6":
		v := packet.IPv4
		if name == "ipv6" {
			v = packet.IPv6
		}
		if s := n.Name.Space; s != "" && s != netconfNamespace && s != namespaces[v] {
			return nil // another model has such an element too
		}
		return r.root(n, v)
	case "rpc-reply", "data", "config":
		for i := range n.kids {
			if err := r.outer(&n.kids[i]); err != nil {
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
func (r *reader) root(n *node, v packet.Version) error {
	for i := range n.kids {
		if n.kids[i].name() != "access-lists" {
			continue
		}
		for j := range n.kids[i].kids {
			one := &n.kids[i].kids[j]
			if one.name() != "access-list" {
				continue
			}
			name := ""
			for k := range one.kids {
				if one.kids[k].name() == "access-list-name" {
					name = one.kids[k].text
				}
			}
			if name == "" {
				return errors.New("read XML: an access list has no name")
			}
			if marked(name) {
				r.list(name, v).xml(one)
			}
		}
	}
	return nil
}

// xml takes the element of a list.
func (l *readList) xml(n *node) {
	err := n.strange()
	if err == nil {
		err = n.each(func(k *node) error {
			switch k.name() {
			case "access-list-name":
				_, err := k.leaf()
				return err
			case "sequences":
				return k.each(l.sequence)
			}
			return fmt.Errorf("%s is nothing that sluice writes there", k.name())
		})
	}
	if err != nil {
		l.fail(err)
	}
}

// sequence takes one line.
func (l *readList) sequence(n *node) error {
	if n.name() != "sequence" {
		return fmt.Errorf("%s is nothing that sluice writes there", n.name())
	}
	one := readLine{v: l.v}
	what := 0
	err := n.each(func(k *node) (err error) {
		switch k.name() {
		case "sequence-number":
			text, err := k.leaf()
			if err != nil {
				return err
			}
			number, err := strconv.ParseUint(text, 10, 32)
			one.number = uint32(number)
			return err
		case "remark":
			what++
			one.remark, err = k.leaf()
			return err
		case "permit", "deny":
			what++
			one.grant = k.name()
			return one.xml(k)
		}
		return fmt.Errorf("%s is nothing that sluice writes there", k.name())
	})
	if err == nil && what != 1 {
		err = errors.New("want one of permit, deny and remark")
	}
	if err != nil {
		return fmt.Errorf("sequence %d: %w", one.number, err)
	}
	l.add(one)
	return nil
}

// xml takes a permit or a deny.
func (l *readLine) xml(n *node) error {
	if err := n.each(l.element); err != nil {
		return err
	}
	return l.check()
}

// element takes one condition or action.
func (l *readLine) element(n *node) error {
	switch n.name() {
	case "protocol", "eq":
		return withLeaf(n, l.protocol)
	case "source", "destination":
		return l.end(n)
	case "icmp":
		return l.icmp(n)
	case "tcp-flags":
		op, bits, err := n.only()
		if err != nil || bits == nil {
			return errors.Join(err, errors.New("tcp-flags: want match-all or match-any with tcp-bits"))
		}
		return withLeaf(bits, func(s string) error { return l.flags(op, strings.Fields(s)) })
	case "dscp":
		if len(n.kids) == 1 && n.kids[0].name() == "dscp-value" {
			return withLeaf(&n.kids[0], func(s string) error { return l.dscp("eq", []string{s}) })
		}
		return n.operator(l.dscp)
	case "packet-length":
		return n.operator(l.length)
	case "fragments":
		if len(n.kids) > 0 || n.text != "" || l.v == packet.IPv6 {
			return errors.New("fragments: not as the model has it")
		}
		return l.fragment(n.name())
	case "headers":
		if l.v == packet.IPv4 {
			return errors.New("headers: IPv4 has none")
		}
		return withLeaf(n, l.fragment)
	case "fragment-type":
		return withLeaf(n, func(s string) error { return l.kind(strings.Join(strings.Fields(s), " ")) })
	case "fragment-offset":
		return n.operator(l.offset)
	case "counter":
		return withLeaf(n, l.count)
	case "nexthop1":
		return n.nextHop(l)
	}
	return fmt.Errorf("%s is nothing that sluice writes there", n.name())
}

// end takes a source or a destination.
func (l *readLine) end(n *node) error {
	leaves := map[string]string{}
	err := n.each(func(k *node) (err error) {
		if _, twice := leaves[k.name()]; twice {
			return fmt.Errorf("%s stands there twice", k.name())
		}
		switch k.name() {
		case "any":
			leaves["any"] = "any"
			return nil
		case "address", "prefix-length", "wildcard-mask", "host":
			leaves[k.name()], err = k.leaf()
			return err
		case "port":
			return k.operator(func(op string, args []string) error { return l.port(n.name(), op, args) })
		}
		return fmt.Errorf("%s is nothing that sluice writes there", k.name())
	})
	if err != nil {
		return fmt.Errorf("%s: %w", n.name(), err)
	}
	a, mask, err := addressOf(leaves, l.v)
	if err == nil {
		err = l.address(n.name(), a, mask)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", n.name(), err)
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
func (l *readLine) icmp(n *node) error {
	leaves := map[string]string{}
	err := n.each(func(k *node) (err error) {
		if _, twice := leaves[k.name()]; twice {
			return fmt.Errorf("%s stands there twice", k.name())
		}
		leaves[k.name()], err = k.leaf()
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
		if _, known := messageWords[l.v][plainWord(name)]; !known {
			return fmt.Errorf("icmp: %q is no message that sluice knows", name)
		}
		return l.message(name, "")
	case typed && (len(leaves) == 1 || coded && len(leaves) == 2):
		return l.message(kind, code)
	}
	return errors.New("icmp: want a message-type, and a message-code behind it")
}

// nextHop takes the one address of nexthop1.
func (n *node) nextHop(l *readLine) error {
	if len(n.kids) != 1 || n.text != "" {
		return errors.New("nexthop1: want an address and nothing else")
	}
	return withLeaf(&n.kids[0], func(a string) error { return l.nextHop(n.kids[0].name(), a) })
}
