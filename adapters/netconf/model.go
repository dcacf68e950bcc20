package netconf

import (
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/filter"
)

// Model says where on a device the objects of a dialect stand. It is data: one for each dialect.
type Model struct {
	// Subtree selects the objects, for <filter type="subtree"> (RFC 6241 section 6).
	Subtree string
	// Attachments selects where filters are attached; empty: not known, and State.Attached stays empty.
	Attachments string
	// Groups selects the configuration groups and what applies them to the whole configuration; empty: there are none.
	Groups string
}

// models are the models that this package knows, by the name of the dialect.
var models = map[string]Model{
	// Cisco-IOS-XE-native of 17.18.1, and Cisco-IOS-XE-acl in it. Where lists are attached stands in a list for each kind of interface, and is not read.
	"iosxe": {
		Subtree: `<native xmlns="http://cisco.com/ns/yang/Cisco-IOS-XE-native"><ip><access-list/></ip><ipv6><access-list/></ipv6></native>`,
	},
	// Cisco-IOS-XR-um-ipv4-access-list-cfg and Cisco-IOS-XR-um-ipv6-access-list-cfg of 25.4.2. Where lists are attached stands in a third model.
	"iosxr": {
		Subtree: `<ipv4 xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv4-access-list-cfg"><access-lists/></ipv4>` +
			`<ipv6 xmlns="http://cisco.com/ns/yang/Cisco-IOS-XR-um-ipv6-access-list-cfg"><access-lists/></ipv6>`,
	},
	// junos-conf-root, junos-conf-firewall and junos-conf-interfaces of Juniper/yang, 24.4R1.
	"junos": {
		Subtree: `<configuration xmlns="http://yang.juniper.net/junos/conf/root"><firewall xmlns="http://yang.juniper.net/junos/conf/firewall"/></configuration>`,
		Attachments: `<configuration xmlns="http://yang.juniper.net/junos/conf/root"><interfaces xmlns="http://yang.juniper.net/junos/conf/interfaces">` +
			`<interface><name/><unit><name/><family><inet><filter/></inet><inet6><filter/></inet6></family></unit></interface></interfaces></configuration>`,
		// Groups whole: what a selection inside them would leave out is not sure enough.
		Groups: `<configuration xmlns="http://yang.juniper.net/junos/conf/root"><groups/><apply-groups/></configuration>`,
	},
	// nokia-conf of 26.3. The dialect itself looks into the groups that are applied, so they are read with the filters. Where filters are attached (router interfaces,
	// services, the filters that embed them) is not read.
	"sros": {
		Subtree: `<configure xmlns="urn:nokia.com:sros:ns:yang:sr:conf"><groups/><apply-groups/><filter/></configure>`,
	},
	// huawei-acl and huawei-qos of 8.22. Where policies are attached stands in a third model, which is not read.
	"vrp": {
		Subtree: `<acl xmlns="urn:huawei:yang:huawei-acl"><groups/><group6s/></acl>` +
			`<qos xmlns="urn:huawei:yang:huawei-qos"><classifier-template><traffic-classifiers/><traffic-behaviors/><traffic-policys/></classifier-template></qos>`,
	},
}

// attached returns where our filters stand, by filter, as the device names interfaces. What is deactivated does not count.
func attached(reply string) (map[string][]string, error) {
	out := map[string][]string{}
	names := map[int]string{} // of the list entries on the way, by depth
	err := walk(reply, func(path []element) bool {
		el := path[len(path)-1]
		if el.name == "name" && len(path) > 1 {
			names[len(path)-1] = el.text
			return true
		}
		if !strings.HasPrefix(el.text, filter.Mark) || slices.ContainsFunc(path, func(e element) bool { return e.inactive }) {
			return true
		}
		var where []string
		for i, e := range path {
			if e.name == "interface" || e.name == "unit" {
				where = append(where, names[i+1])
			}
		}
		if len(where) > 0 {
			out[el.text] = append(out[el.text], strings.Join(where, "."))
		}
		return true
	})
	for _, list := range out {
		slices.Sort(list)
	}
	return out, err
}

// element is one XML element on the way from the root.
type element struct {
	name     string
	text     string
	inactive bool
}

// walk calls visit for each element when it ends, with the way to it from the root. visit returns false to stop.
func walk(doc string, visit func(path []element) bool) error {
	dec := xml.NewDecoder(strings.NewReader(doc))
	var path []element
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch el := tok.(type) {
		case xml.StartElement:
			e := element{name: el.Name.Local}
			for _, a := range el.Attr {
				e.inactive = e.inactive || a.Name.Local == "inactive"
			}
			path = append(path, e)
		case xml.CharData:
			if len(path) > 0 {
				path[len(path)-1].text += strings.TrimSpace(string(el))
			}
		case xml.EndElement:
			if !visit(path) {
				return nil
			}
			path = path[:len(path)-1]
		}
	}
}
