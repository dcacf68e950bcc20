package netconf

import (
	"context"
	"encoding/xml"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

// A Junos configuration group that is applied to the whole configuration puts its statements into every object that it fits, and <get-config> shows
// none of them there: a group with `filter <*>` adds terms to our filters without our reading them. Nothing of ours would be what it looks like, so
// such a device is refused until the group is gone or names its objects.

// alone makes sure that no configuration group reaches into our objects. A device that knows no groups has none.
func (a *Adapter) alone(ctx context.Context, s *session) error {
	if a.opt.Model.Groups == "" {
		return nil
	}
	reply, err := s.exec(ctx, "read the configuration groups", getConfig(a.opt.Model.Groups))
	if e, theirs := asRPCError(err); theirs && !s.has(capJunos) && !e.has("access-denied", "in-use", "lock-denied", "resource-denied") {
		return nil
	}
	if err != nil {
		return kind("read the configuration groups", err)
	}
	return reaching(reply.RawReply)
}

// reaching says which applied group of a configuration reaches into our objects.
func reaching(reply string) error {
	var root node
	if err := xml.Unmarshal([]byte(reply), &root); err != nil {
		return err
	}
	config := root.find("configuration")
	if config == nil {
		return nil
	}
	var applied []string
	for _, k := range config.Kids {
		if k.is("apply-groups") {
			applied = append(applied, k.text())
		}
	}
	for i := 0; i < len(applied); i++ { // grows: groups apply groups
		for _, g := range config.Kids {
			// A name such as ${node} becomes another one on each routing engine: it may be any.
			if !g.is("groups") || g.name() != applied[i] && !strings.Contains(applied[i], "$") {
				continue
			}
			if what := g.reach(); what != "" {
				return &device.Drifted{What: fmt.Sprintf("group %s, applied to the whole configuration, has %s, which may add to our filters what does not show: "+
					"name the objects it is for, or take it off", g.name(), what)}
			}
			for _, name := range g.applies() {
				if !slices.Contains(applied, name) {
					applied = append(applied, name)
				}
			}
		}
	}
	return nil
}

// node is an element with everything in it.
type node struct {
	XMLName xml.Name
	Attrs   []xml.Attr `xml:",any,attr"`
	Text    string     `xml:",chardata"`
	Kids    []node     `xml:",any"`
}

// is says whether n is an element of that name that somebody has not deactivated.
func (n *node) is(name string) bool {
	return n.XMLName.Local == name && !slices.ContainsFunc(n.Attrs, func(a xml.Attr) bool { return a.Name.Local == "inactive" })
}

func (n *node) text() string { return strings.TrimSpace(n.Text) }

// name returns the key of an entry of a list.
func (n *node) name() string {
	for i := range n.Kids {
		if n.Kids[i].XMLName.Local == "name" {
			return n.Kids[i].text()
		}
	}
	return ""
}

// find returns n or the first element under it of that name.
func (n *node) find(name string) *node {
	if n.XMLName.Local == name {
		return n
	}
	for i := range n.Kids {
		if found := n.Kids[i].find(name); found != nil {
			return found
		}
	}
	return nil
}

// applies returns the groups that are applied anywhere in n.
func (n *node) applies() []string {
	var out []string
	for i := range n.Kids {
		if k := &n.Kids[i]; k.is("apply-groups") {
			out = append(out, k.text())
		} else {
			out = append(out, k.applies()...)
		}
	}
	return out
}

// reach returns the first object under `firewall` of the group n that may be one of ours, "" if there is none.
func (n *node) reach() string {
	for i := range n.Kids {
		if !n.Kids[i].is("firewall") {
			continue
		}
		for _, k := range n.Kids[i].Kids {
			if !k.is("family") {
				if ours(k.name()) {
					return fmt.Sprintf("%s %q", k.XMLName.Local, k.name())
				}
				continue
			}
			for _, family := range k.Kids {
				for _, object := range family.Kids {
					if ours(object.name()) {
						return fmt.Sprintf("%s %q", object.XMLName.Local, object.name())
					}
				}
			}
		}
	}
	return ""
}

// ours says whether a name in a group may stand for an object of ours: it bears our mark, or is a pattern, in angle brackets.
func ours(name string) bool {
	return strings.HasPrefix(name, filter.Mark) || strings.Contains(name, "<")
}
