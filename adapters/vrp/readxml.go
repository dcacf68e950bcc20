package vrp

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/sluice-gateway/sluice/core/packet"
)

// readXML reads the objects of b: the elements acl and qos of Huawei's models, alone or in a <config>, a <data> or an <rpc-reply>.
func readXML(b []byte, r *reader) error {
	root, err := readElements(b)
	if err != nil {
		return err
	}
	for _, k := range root.kids {
		if err := r.outer(k); err != nil {
			return err
		}
	}
	return nil
}

// outer takes an element around or at the root of the models.
func (r *reader) outer(e *found) error {
	ours := func(namespace string) bool {
		return e.Space == "" || e.Space == namespace || e.Space == netconfNamespace
	}
	switch {
	case e.Local == "rpc-reply" || e.Local == "data" || e.Local == "config":
		for _, k := range e.kids {
			if err := r.outer(k); err != nil {
				return err
			}
		}
	case e.Local == "rpc-error":
		return errors.New("read XML: the reply is an error, not a configuration")
	case e.Local == "acl" && ours(aclNamespace):
		r.each(e, "groups", "group", "identity", func(k *found) error { return r.xmlList(k, packet.IPv4) })
		r.each(e, "group6s", "group6", "identity", func(k *found) error { return r.xmlList(k, packet.IPv6) })
	case e.Local == "qos" && ours(qosNamespace):
		for _, t := range e.kids {
			if t.Local == "classifier-template" {
				r.each(t, "traffic-classifiers", "traffic-classifier", "name", r.xmlClass)
				r.each(t, "traffic-behaviors", "traffic-behavior", "name", r.xmlBehavior)
				r.each(t, "traffic-policys", "traffic-policy", "name", r.xmlPolicy)
			}
		}
	}
	return nil
}

// each calls do for those entries of a list that bear our mark.
func (r *reader) each(e *found, container, list, key string, do func(*found) error) {
	for _, c := range e.kids {
		if c.Local != container {
			continue
		}
		for _, k := range c.kids {
			name := k.value(key)
			if k.Local != list || !marked(name) {
				continue
			}
			err := k.strange()
			if err == nil {
				err = do(k)
			}
			if err != nil {
				r.fault(name, err)
			}
		}
	}
}

func (r *reader) xmlList(e *found, v packet.Version) error {
	l, inner, err := e.split("rule-advances")
	if err != nil {
		return err
	}
	name, _ := l.take("identity")
	l.want("type", "advance")
	l.may("match-order", "config")
	l.number("step", 20)
	l.number("number", 99999)
	if err := l.end(); err != nil {
		return err
	}
	to := r.list(name, v)
	if in := inner["rule-advances"]; in != nil {
		for _, k := range in.kids {
			one, err := xmlRule(k, v)
			if err != nil {
				return fmt.Errorf("rule %s: %w", k.value("name"), err)
			}
			to.rules = append(to.rules, one)
		}
	}
	return nil
}

// xmlRule reads a rule. What the models have by default may stand there.
func xmlRule(e *found, v packet.Version) (rule, error) {
	r := blank
	if e.Local != "rule-advance" {
		return r, fmt.Errorf("%s is nothing that sluice writes there", e.Local)
	}
	l, _, err := e.split()
	if err != nil {
		return r, err
	}
	r.name, _ = l.take("name")
	id := l.number("id", lastSeat*perSeat+1)
	r.id = uint32(max(id, 0))
	l.want("action", "permit")
	l.may("vpn-name", "_public_")
	l.may("ias-priority", "0")
	l.may("log-enable", "false")
	if r.proto = l.number("protocol", 255); r.proto < 0 && l.err == nil {
		l.err = errors.New("it has no protocol")
	}
	if r.proto == 0 {
		r.proto = -1
	}
	r.src, r.dst = l.prefix("source", v), l.prefix("dest", v)
	r.dscp = l.number("dscp", 63)
	r.kind, r.code = l.number("icmp-type", 255), l.number("icmp-code", 255)
	if value := l.number("tcp-flag-value", 63); value >= 0 {
		r.flags, r.masked = uint8(value), 63
		if mask := l.number("tcp-flag-mask", 63); mask >= 0 {
			r.masked = uint8(mask)
		}
	}
	r.sport, r.dport, r.length = l.span("source-port"), l.span("dest-port"), l.span("packet-len")
	if note, ok := l.take("description"); ok {
		if r.uncounted = note == uncounted; !r.uncounted && l.err == nil {
			l.err = fmt.Errorf("description %q, which sluice does not write", note)
		}
	}
	r.fragment, _ = l.take("fragment-type")
	if err := l.end(); err != nil {
		return r, err
	}
	if id <= 0 {
		return r, errors.New("it has no number above 0")
	}
	return r, nil
}

// prefix takes the address of one side.
func (l *leaves) prefix(side string, v packet.Version) netip.Prefix {
	a, ok := l.take(side + "-ipaddr")
	mask, masked := l.take(side + "-wild")
	if length, has := l.take(side + "-mask-len"); has && !masked && v == packet.IPv6 {
		mask, masked = length, true
	}
	if !ok && !masked {
		return netip.Prefix{}
	}
	p, err := readPrefix(a, mask, v)
	if err != nil && l.err == nil {
		l.err = fmt.Errorf("%s: %w", side, err)
	}
	return p
}

// span takes the two ends of a range.
func (l *leaves) span(name string) span {
	lo, hi := l.number(name+"-begin", top), l.number(name+"-end", top)
	if lo < 0 && hi < 0 {
		return span{}
	}
	if (lo < 0 || hi < lo || lo == 0 && hi == top) && l.err == nil {
		l.err = fmt.Errorf("%s: %d to %d is no range that sluice writes", name, lo, hi)
	}
	return span{uint32(max(lo, 0)), uint32(max(hi, 0)), true}
}

func (r *reader) xmlClass(e *found) error {
	l, inner, err := e.split("rule-acl-prioritys", "rule-acl-ipv6-prioritys", "rule-anys")
	if err != nil {
		return err
	}
	k := classifier{v: packet.IPv4}
	k.name, _ = l.take("name")
	l.may("operator", "or")
	if err := l.end(); err != nil {
		return err
	}
	if len(inner) != 1 {
		return errors.New("want one condition in it")
	}
	for kind, in := range inner {
		if len(in.kids) != 1 {
			return fmt.Errorf("%s: want one condition in it", kind)
		}
		c, _, err := in.kids[0].split()
		if err != nil {
			return err
		}
		if k.all = kind == "rule-anys"; k.all {
			if family, _ := c.take("protocol-family"); family == "ipv6" {
				k.v = packet.IPv6
			} else if family != "ipv4" {
				return fmt.Errorf("protocol-family %q", family)
			}
		} else {
			if kind == "rule-acl-ipv6-prioritys" {
				k.v = packet.IPv6
			}
			c.want("acl-name", k.name)
			c.number("priority", top)
		}
		if err := c.end(); err != nil {
			return err
		}
	}
	r.class(k)
	return nil
}

func (r *reader) xmlPolicy(e *found) error {
	l, inner, err := e.split("policy-nodes")
	if err != nil {
		return err
	}
	p := policy{}
	p.name, _ = l.take("name")
	l.may("share-mode", "enable")
	l.want("stat-flag", "enable")
	l.may("link-exclude", "disable")
	l.number("step", 20)
	if err := l.end(); err != nil {
		return err
	}
	if in := inner["policy-nodes"]; in != nil {
		for _, k := range in.kids {
			if k.Local != "policy-node" {
				return fmt.Errorf("%s is nothing that sluice writes there", k.Local)
			}
			l, _, err := k.split()
			if err != nil {
				return err
			}
			var n node
			n.class, _ = l.take("classifier-name")
			n.behavior, _ = l.take("behavior-name")
			n.precedence = uint32(max(l.number("priority", restOfV6), 0))
			if err := l.end(); err != nil {
				return err
			}
			p.nodes = append(p.nodes, n)
		}
	}
	r.policy(p)
	return nil
}
