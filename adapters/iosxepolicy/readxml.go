package iosxepolicy

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/adapters/iosxe"
)

// xml reads the objects of b: the element native of Cisco's model, alone or in a <config>, a <data> or an <rpc-reply>.
func (r *reader) xml(b []byte) error {
	root, err := ciscoacl.ReadRoot(xml.NewDecoder(bytes.NewReader(b)))
	if err != nil {
		return fmt.Errorf("read XML: %w", err)
	}
	natives, err := iosxe.Natives(root)
	if err != nil {
		return err
	}
	for _, n := range natives {
		for _, one := range iosxe.Below(n, "ip", "access-list", "extended") {
			found(one, func(name string) (*trouble, taker) {
				l := r.list(name)
				return &l.trouble, l.element
			})
		}
		for _, one := range iosxe.Below(n, "policy", "class-map") {
			found(one, func(name string) (*trouble, taker) {
				c := r.class(name, "match-all")
				return &c.trouble, c.element
			})
		}
		for _, one := range iosxe.Below(n, "policy", "policy-map") {
			found(one, func(name string) (*trouble, taker) {
				p := r.policy(name)
				return &p.trouble, p.element
			})
		}
	}
	return nil
}

// taker takes an element of an object.
type taker func(*ciscoacl.Node) error

// found takes an object, if it is ours. What is not understood is noted in it.
func found(n *ciscoacl.Node, begin func(name string) (*trouble, taker)) {
	name := ""
	for _, k := range iosxe.Below(n, "name") {
		name = k.Text
	}
	if !ciscoacl.Marked(name) {
		return
	}
	t, take := begin(name)
	if err := n.Strange(); err != nil {
		t.fail(err)
		return
	}
	names := 0
	err := n.Each(func(k *ciscoacl.Node) error {
		if k.Name() != "name" {
			return take(k)
		}
		if names++; names > 1 {
			return errors.New("it has two names")
		}
		_, err := k.Leaf()
		return err
	})
	if err != nil {
		t.fail(err)
	}
}

// nothing is what sluice does not write in an element.
func nothing(n *ciscoacl.Node) error {
	return fmt.Errorf("%s is nothing that sluice writes there", n.Name())
}

func (l *readList) element(n *ciscoacl.Node) error {
	if n.Name() != "access-list-seq-rule" {
		return nothing(n)
	}
	one, err := iosxe.ReadElement(n)
	l.lines = append(l.lines, one)
	return err
}

func (c *readClass) element(n *ciscoacl.Node) error {
	switch n.Name() {
	case "prematch":
		if n.Text != "match-all" {
			return fmt.Errorf("%s: sluice writes match-all", n.Text)
		}
		return nil
	case "description":
		c.quiet = true
		if n.Text != quietWord {
			return fmt.Errorf("description %q is nothing that sluice writes", n.Text)
		}
		return nil
	case "match":
		return n.Each(c.condition)
	}
	return nothing(n)
}

// condition takes one of a class map.
func (c *readClass) condition(n *ciscoacl.Node) error {
	switch n.Name() {
	case "access-group":
		return n.Each(func(k *ciscoacl.Node) error {
			if k.Name() != "name" {
				return nothing(k)
			}
			return ciscoacl.WithLeaf(k, c.accessGroup)
		})
	case "dscp":
		return ciscoacl.WithLeaf(n, c.codepoint)
	}
	return nothing(n)
}

func (p *readPolicy) element(n *ciscoacl.Node) error {
	if n.Name() != "class" {
		return nothing(n)
	}
	u := &readUse{}
	p.order = append(p.order, u)
	return n.Each(func(k *ciscoacl.Node) error {
		switch {
		case k.Name() == "name" && u.class == "":
			return ciscoacl.WithLeaf(k, func(text string) error {
				u.class = text
				return nil
			})
		case k.Name() == "action-list":
			return u.action(k)
		}
		return nothing(k)
	})
}

// action takes one of a class.
func (u *readUse) action(n *ciscoacl.Node) error {
	kind := ""
	for _, k := range iosxe.Below(n, "action-type") {
		kind = k.Text
	}
	want := map[string]string{"drop": "", "police": "police-policy-map", "set": "set"}
	element, known := want[kind]
	switch {
	case !known:
		return fmt.Errorf("action %q is nothing that sluice writes", kind)
	case kind == "drop" && !u.does.drop:
		u.does.drop = true
	case kind == "police" && !u.police:
		u.police = true
	case kind == "set" && !u.set: // noted where its DSCP is read
	default:
		return fmt.Errorf("action %s stands there twice", kind)
	}
	taken := 0
	err := n.Each(func(k *ciscoacl.Node) error {
		switch {
		case k.Name() == "action-type":
			return nil
		case k.Name() != element || kind == "drop":
			return nothing(k)
		case kind == "set":
			taken++
			return inside(k, func(text string) error { return u.marks([]string{text}) }, "dscp", "dscp-val")
		}
		taken++
		return k.Each(u.policer)
	})
	if err == nil && kind != "drop" && taken != 1 {
		err = fmt.Errorf("action %s: want %s once", kind, element)
	}
	return err
}

// policer takes the element police.
func (u *readUse) policer(n *ciscoacl.Node) error {
	if n.Name() != "police" {
		return nothing(n)
	}
	return n.Each(func(k *ciscoacl.Node) error {
		switch k.Name() {
		case "cir":
			return ciscoacl.WithLeaf(k, func(text string) error { return number(&u.does.cir, text) })
		case "bc":
			return ciscoacl.WithLeaf(k, func(text string) error { return number(&u.does.bc, text) })
		case "actions":
			return k.Each(u.colour)
		}
		return nothing(k)
	})
}

// colour takes what becomes of packets that conform to the rate, or exceed it.
func (u *readUse) colour(n *ciscoacl.Node) error {
	switch which, what, _ := strings.Cut(n.Name(), "-"); which {
	case "conform", "exceed":
		return onlyEmpty(n, which+"-action", what, u)
	}
	return nothing(n)
}

// onlyEmpty takes what becomes of packets: an element with an empty one in it.
func onlyEmpty(n *ciscoacl.Node, which, what string, u *readUse) error {
	if len(n.Kids) != 1 || n.Text != "" || n.Kids[0].Name() != which || len(n.Kids[0].Kids) != 1 || n.Kids[0].Text != "" {
		return nothing(n)
	}
	if last := n.Kids[0].Kids[0]; last.Name() != what || last.Text != "" || len(last.Kids) > 0 {
		return nothing(n)
	}
	return u.becomes(which, what)
}

// inside hands the one leaf that is reached from n by names to read. Nothing else may stand there.
func inside(n *ciscoacl.Node, read func(string) error, names ...string) error {
	for _, name := range names {
		if len(n.Kids) != 1 || n.Text != "" || n.Kids[0].Name() != name {
			return nothing(n)
		}
		n = &n.Kids[0]
	}
	return ciscoacl.WithLeaf(n, read)
}
