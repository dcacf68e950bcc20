package gnmi

import (
	"context"
	"strings"

	gpb "github.com/openconfig/gnmi/proto/gnmi"
	"google.golang.org/grpc/status"

	"github.com/sluice-gateway/sluice/core/device"
	"github.com/sluice-gateway/sluice/core/filter"
)

var _ device.Watcher = (*Adapter)(nil)

// configured are the containers of configuration of the sets and of where they stand. Their operational state is left out, since counters change with every packet. Keys are named, as "*", also where all of them are meant
// (gnmi-specification.md section 2.2.2 leaves that open, and collectors index by them).
var configured = []string{
	"acl-sets/acl-set/config",
	"acl-sets/acl-set/acl-entries/acl-entry/config",
	"acl-sets/acl-set/acl-entries/acl-entry/l2/config",
	"acl-sets/acl-set/acl-entries/acl-entry/mpls/config",
	"acl-sets/acl-set/acl-entries/acl-entry/ipv4/config",
	"acl-sets/acl-set/acl-entries/acl-entry/ipv4/icmpv4/config",
	"acl-sets/acl-set/acl-entries/acl-entry/ipv6/config",
	"acl-sets/acl-set/acl-entries/acl-entry/ipv6/icmpv6/config",
	"acl-sets/acl-set/acl-entries/acl-entry/transport/config",
	"acl-sets/acl-set/acl-entries/acl-entry/input-interface/interface-ref/config",
	"acl-sets/acl-set/acl-entries/acl-entry/actions/config",
	"interfaces/interface/config",
	"interfaces/interface/interface-ref/config",
	"interfaces/interface/ingress-acl-sets/ingress-acl-set/config",
}

// keysOf are the keys of the lists on these ways.
var keysOf = map[string][]string{
	"acl-set": aclSets.keys, "acl-entry": {"sequence-id"}, "interface": interfaces.keys, "ingress-acl-set": {"set-name", "type"},
}

// subscription is a stream that says which configuration changes, and not what there is (section 3.5.1.2, updates_only).
func subscription() *gpb.SubscribeRequest {
	list := &gpb.SubscriptionList{
		Mode: gpb.SubscriptionList_STREAM, UpdatesOnly: true, Encoding: gpb.Encoding_JSON_IETF,
		Prefix: &gpb.Path{Origin: origin, Elem: []*gpb.PathElem{{Name: "acl"}}},
	}
	for _, way := range configured {
		p := &gpb.Path{}
		for _, name := range strings.Split(way, "/") {
			e := &gpb.PathElem{Name: name}
			for _, key := range keysOf[name] {
				if e.Key == nil {
					e.Key = map[string]string{}
				}
				e.Key[key] = "*"
			}
			p.Elem = append(p.Elem, e)
		}
		list.Subscription = append(list.Subscription, &gpb.Subscription{Path: p, Mode: gpb.SubscriptionMode_ON_CHANGE})
	}
	return &gpb.SubscribeRequest{Request: &gpb.SubscribeRequest_Subscribe{Subscribe: list}}
}

// Watch subscribes to the configuration of access lists and of where they stand, on change. It is one stream on the connection that all calls share: it has no timer of its own, and ends with the connection when a call
// was not answered. It ends no connection by itself.
func (a *Adapter) Watch(ctx context.Context, t device.Target, changed func()) error {
	s, err := a.way(t) // a question that is not answered would end the connection, and with it what others ask at the moment
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := s.client.Subscribe(ctx)
	if err != nil {
		return s.unwatched(err)
	}
	_ = stream.Send(subscription()) // how a stream ended is said by Recv
	for synced := false; ; {
		r, err := stream.Recv()
		if err != nil {
			return s.unwatched(err)
		}
		switch {
		case r.GetSyncResponse():
			synced = true
			changed()
		case synced && ours(r.GetUpdate()):
			changed()
		}
	}
}

// unwatched says how a stream ended.
func (s *session) unwatched(err error) error {
	st := status.Convert(err)
	return sorted(st.Code(), "subscribe to changes", s.scrub(st.Message()))
}

// ours says whether a notification may be about a set of ours, or about where one stands. What it does not name is taken for ours: a reading tells.
func ours(n *gpb.Notification) bool {
	for _, u := range n.GetUpdate() {
		if concerns(n.GetPrefix(), u.GetPath()) {
			return true
		}
	}
	for _, p := range n.GetDelete() {
		if concerns(n.GetPrefix(), p) {
			return true
		}
	}
	return false
}

// concerns says that of one path.
func concerns(prefix, path *gpb.Path) bool {
	state, other := false, false
	for _, elems := range [][]*gpb.PathElem{prefix.GetElem(), path.GetElem()} {
		for _, e := range elems {
			switch name := strings.TrimPrefix(e.GetName(), module+":"); name {
			case "state":
				state = true
			case aclSets.name:
				set := e.GetKey()["name"]
				other = set != "" && set != "*" && !strings.HasPrefix(set, filter.Mark)
			}
		}
	}
	return !state && !other
}
