package vrp

import (
	"errors"
	"fmt"

	"github.com/sluice-gateway/sluice/core/packet"
)

func (r *reader) xmlBehavior(e *found) error {
	l, inner, err := e.split("filter-action", "remark-actions", "car-actions", "pbr")
	if err != nil {
		return err
	}
	a := behavior{dscp: -1}
	a.name, _ = l.take("name")
	if err := l.end(); err != nil {
		return err
	}
	for _, part := range []struct {
		name string
		read func(*found) error
	}{
		{"filter-action", a.xmlFilter},
		{"remark-actions", func(in *found) error { return only(in, "remark-action", a.xmlRemark) }},
		{"car-actions", func(in *found) error { return only(in, "car-action", a.xmlCAR) }},
		{"pbr", a.xmlRedirect},
	} {
		if in := inner[part.name]; in != nil {
			if err := part.read(in); err != nil {
				return err
			}
		}
	}
	r.behavior(a)
	return nil
}

// only calls do for the leaves of the one element in e, if there is one.
func only(e *found, name string, do func(*leaves) error) error {
	if len(e.kids) == 0 {
		return nil
	}
	if len(e.kids) > 1 || e.kids[0].Local != name {
		return fmt.Errorf("%s: want one %s in it", e.Local, name)
	}
	l, _, err := e.kids[0].split()
	if err != nil {
		return err
	}
	if err := do(l); err != nil {
		return err
	}
	return l.end()
}

func (a *behavior) xmlFilter(e *found) error {
	l, _, err := e.split()
	if err != nil {
		return err
	}
	if word, _ := l.take("filter"); word == "deny" {
		a.deny = true
	} else if word != "permit" && word != "" {
		return fmt.Errorf("filter %q", word)
	}
	return l.end()
}

func (a *behavior) xmlRemark(l *leaves) error {
	kind, _ := l.take("action-type")
	v := packet.IPv4
	if kind == "ipv6-dscp" {
		v = packet.IPv6
	} else if kind != "ipv4-dscp" {
		return fmt.Errorf("remark-action: action-type %q, which sluice does not write", kind)
	}
	if a.dscp = l.number("remark-value", 63); a.dscp < 0 {
		return errors.New("remark-action: it has no value")
	}
	return a.of(v)
}

func (a *behavior) xmlCAR(l *leaves) error {
	l.want("action-type", "car")
	l.want("green-action", "pass")
	l.want("red-action", "discard")
	cir, _ := l.take("cir")
	cbs, _ := l.take("cbs")
	return a.car(cir, cbs)
}

// xmlRedirect takes pbr-ipv4/ipv4-nexthop/nexthop-address, or the same of IPv6, and nothing beside it.
func (a *behavior) xmlRedirect(e *found) error {
	for _, want := range []string{"pbr-ipv", "nexthop", "nexthop-address"} {
		if len(e.kids) != 1 || e.text != "" {
			return fmt.Errorf("%s: want one element in it", e.Local)
		}
		e = e.kids[0]
		switch e.Local {
		case want:
		case want + "4", "ipv4-" + want:
			if err := a.of(packet.IPv4); err != nil {
				return err
			}
		case want + "6", "ipv6-" + want:
			if err := a.of(packet.IPv6); err != nil {
				return err
			}
		default:
			return fmt.Errorf("%s is nothing that sluice writes there", e.Local)
		}
	}
	if len(e.kids) > 0 {
		return fmt.Errorf("%s: want an address", e.Local)
	}
	return a.redirect(e.text)
}
