package vrp

import (
	"bytes"
	"encoding/xml"
	"net/netip"
	"strconv"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Namespaces of the models huawei-acl, huawei-qos and huawei-pbr.
const (
	aclNamespace = "urn:huawei:yang:huawei-acl"
	qosNamespace = "urn:huawei:yang:huawei-qos"
	pbrNamespace = "urn:huawei:yang:huawei-pbr"
)

// element is one of the XML. A leaf has a value and no body.
type element struct {
	name       string
	attributes string // of the start tag, as they are
	value      string
	body       []element
}

func leaf(name, value string) element { return element{name: name, value: value} }

func container(name string, body ...element) element { return element{name: name, body: body} }

func number(name string, n uint64) element { return leaf(name, strconv.FormatUint(n, 10)) }

func (e element) with(attributes string) element {
	e.attributes = attributes
	return e
}

func (e element) write(b *bytes.Buffer) {
	b.WriteString("<" + e.name + e.attributes)
	if e.value == "" && len(e.body) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	_ = xml.EscapeText(b, []byte(e.value)) // a bytes.Buffer does not fail
	for _, k := range e.body {
		k.write(b)
	}
	b.WriteString("</" + e.name + ">")
}

// tree is what objects of ours stand in, ordered as the models have it: the access lists of each version, and the templates of QoS.
type tree struct{ lists4, lists6, classes, behaviors, policies []element }

// xml writes c whole.
func (c config) xml() []byte {
	var t tree
	for _, l := range c.lists {
		t.list(l.v, l.element())
	}
	for _, k := range c.classes {
		t.classes = append(t.classes, k.element())
	}
	for _, a := range c.behaviors {
		t.behaviors = append(t.behaviors, a.element())
	}
	for _, p := range c.policies {
		t.policies = append(t.policies, p.element())
	}
	return t.bytes("")
}

// list adds the element of an access list.
func (t *tree) list(v packet.Version, e element) {
	if v == packet.IPv6 {
		t.lists6 = append(t.lists6, e)
	} else {
		t.lists4 = append(t.lists4, e)
	}
}

// bytes writes t; the roots get attributes. It is nil where t is empty.
func (t tree) bytes(attributes string) []byte {
	within := func(name string, body []element) []element {
		if len(body) == 0 {
			return nil
		}
		return []element{{name: name, body: body}}
	}
	lists := append(within("groups", t.lists4), within("group6s", t.lists6)...)
	templates := append(append(within("traffic-classifiers", t.classes), within("traffic-behaviors", t.behaviors)...), within("traffic-policys", t.policies)...)
	var b bytes.Buffer
	for _, root := range append(within("acl", lists), within("qos", within("classifier-template", templates))...) {
		namespace := aclNamespace
		if root.name == "qos" {
			namespace = qosNamespace
		}
		root.with(` xmlns="` + namespace + `"` + attributes).write(&b)
	}
	return b.Bytes()
}

// groupElement is the name of the element of an access list.
func groupElement(v packet.Version) string {
	if v == packet.IPv6 {
		return "group6"
	}
	return "group"
}

func (l list) element() element {
	out := container(groupElement(l.v), leaf("identity", l.name), leaf("type", "advance"))
	var lines []element
	for _, r := range l.rules {
		lines = append(lines, r.element(l.v))
	}
	if len(lines) > 0 {
		out.body = append(out.body, container("rule-advances", lines...))
	}
	return out
}

func (k classifier) element() element {
	body := []element{leaf("name", k.name), leaf("operator", "or")}
	suffix, family := "", "ipv4"
	if k.v == packet.IPv6 {
		suffix, family = "-ipv6", "ipv6"
	}
	if k.all {
		body = append(body, container("rule-anys", container("rule-any", leaf("protocol-family", family))))
	} else {
		body = append(body, container("rule-acl"+suffix+"-prioritys", container("rule-acl"+suffix+"-priority", leaf("acl-name", k.name), leaf("priority", "1"))))
	}
	return container("traffic-classifier", body...)
}

func (a behavior) element() element {
	body := []element{leaf("name", a.name)}
	filtered := "permit"
	if a.deny {
		filtered = "deny"
	}
	body = append(body, container("filter-action", leaf("filter", filtered)))
	if a.dscp >= 0 {
		kind := "ipv4-dscp"
		if a.v == packet.IPv6 {
			kind = "ipv6-dscp"
		}
		body = append(body, container("remark-actions", container("remark-action", leaf("action-type", kind), number("remark-value", uint64(a.dscp)))))
	}
	if a.cir > 0 {
		body = append(body, container("car-actions", container("car-action", leaf("action-type", "car"), number("cir", a.cir), number("cbs", a.cbs),
			leaf("green-action", "pass"), leaf("red-action", "discard"))))
	}
	if a.next.IsValid() {
		family := "ipv4"
		if a.v == packet.IPv6 {
			family = "ipv6"
		}
		hop := container(family+"-nexthop", leaf("nexthop-address", a.next.String()))
		body = append(body, container("pbr", container("pbr-"+family, hop)).with(` xmlns="`+pbrNamespace+`"`))
	}
	return container("traffic-behavior", body...)
}

func (p policy) element() element {
	var nodes []element
	for _, n := range p.nodes {
		nodes = append(nodes, n.element())
	}
	return container("traffic-policy", leaf("name", p.name), leaf("share-mode", "enable"), leaf("stat-flag", "enable"), container("policy-nodes", nodes...))
}

func (n node) element() element {
	return container("policy-node", leaf("classifier-name", n.class), leaf("behavior-name", n.behavior), number("priority", uint64(n.precedence)))
}

// element is r as an entry of rule-advances.
func (r rule) element(v packet.Version) element {
	body := []element{leaf("name", r.name), number("id", uint64(r.id)), leaf("action", "permit"), number("protocol", uint64(max(r.proto, 0)))}
	add := func(e element) { body = append(body, e) }
	for _, side := range []struct {
		name   string
		prefix netip.Prefix
	}{{"source", r.src}, {"dest", r.dst}} {
		if !side.prefix.IsValid() {
			continue
		}
		add(leaf(side.name+"-ipaddr", side.prefix.Addr().String()))
		if v == packet.IPv6 {
			add(number(side.name+"-mask-len", uint64(side.prefix.Bits())))
		} else {
			add(leaf(side.name+"-wild", wildcard(side.prefix).String()))
		}
	}
	if r.dscp >= 0 {
		add(number("dscp", uint64(r.dscp)))
	}
	if r.masked != 0 {
		add(number("tcp-flag-value", uint64(r.flags)))
		add(number("tcp-flag-mask", uint64(r.masked)))
	}
	for _, s := range []struct {
		name string
		span span
	}{{"source-port", r.sport}, {"dest-port", r.dport}} {
		if s.span.set {
			add(number(s.name+"-begin", uint64(s.span.lo)))
			add(number(s.name+"-end", uint64(s.span.hi)))
		}
	}
	if r.uncounted {
		add(leaf("description", uncounted))
	}
	if r.fragment != "" {
		add(leaf("fragment-type", r.fragment))
	}
	if r.length.set {
		add(number("packet-len-begin", uint64(r.length.lo)))
		add(number("packet-len-end", uint64(r.length.hi)))
	}
	if r.kind >= 0 {
		add(number("icmp-type", uint64(r.kind)))
	}
	if r.code >= 0 {
		add(number("icmp-code", uint64(r.code)))
	}
	return container("rule-advance", body...)
}
