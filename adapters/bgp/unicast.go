package bgp

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/sluice-gateway/sluice/adapters/bgp/session"
	"github.com/sluice-gateway/sluice/core/admit"
	"github.com/sluice-gateway/sluice/core/rib"
)

// Validator compares rules with unicast routes (RFC 8955 §6). It takes what sources say in place of Config.Input, and the routes of neighbours that have a unicast family.
type Validator interface {
	// Rules is Input.Send with the path by which the rules of e.Announce came.
	Rules(ctx context.Context, e rib.Event, p admit.Path) error
	// Routes takes what a neighbour says about unicast routes.
	Routes(ctx context.Context, r Routes) error
}

// Routes is what a neighbour says about unicast routes. Of Kind are Update, Up, Down, Again and EndOfRIB; the last two are of one IP version.
type Routes struct {
	Peer     string
	Kind     rib.Kind
	Version  int // 4 or 6; 0: both
	Withdraw []netip.Prefix
	Announce []netip.Prefix // by Path
	Path     admit.Path
}

// version returns the IP version of a unicast family.
func version(f session.Family) int {
	if f == session.UnicastIPv6 {
		return 6
	}
	return 4
}

// route hands on what the neighbour says about unicast routes.
func (in *ingest) route(ctx context.Context, r Routes) {
	if in.cfg.Validator == nil || !in.unicast {
		return
	}
	r.Peer = in.name
	if err := in.cfg.Validator.Routes(ctx, r); err != nil && ctx.Err() == nil {
		in.log.Error("unicast routes were not taken", "err", err)
	}
}

// routes reads the unicast routes of an UPDATE: those of its oldest form, and those of the multiprotocol attributes. Errors end the session.
func (in *ingest) routes(s *session.Session, u *session.Update) (Routes, error) {
	r := Routes{Kind: rib.Update}
	read := func(to *[]netip.Prefix, f session.Family, b []byte) error {
		if len(b) == 0 || !f.Unicast() {
			return nil
		}
		if !s.Has(f) {
			in.refuse(Refusal{Octets: b, Reason: fmt.Sprintf("unicast routes: family %v was not agreed on", f)})
			return nil
		}
		list, err := session.ParsePrefixes(f, b)
		*to = append(*to, list...)
		return err
	}
	errs := []error{read(&r.Withdraw, session.UnicastIPv4, u.Withdrawn), read(&r.Announce, session.UnicastIPv4, u.NLRI)}
	if u.Unreach != nil {
		errs = append(errs, read(&r.Withdraw, u.Unreach.Family, u.Unreach.NLRI))
	}
	if u.Reach != nil {
		errs = append(errs, read(&r.Announce, u.Reach.Family, u.Reach.NLRI))
	}
	for _, err := range errs {
		if err != nil {
			return r, err
		}
	}
	return r, nil
}

// judged turns routes whose path cannot be used, or was here before, into withdrawn ones.
func (in *ingest) judged(s *session.Session, r Routes, path session.Path, pathErr error) Routes {
	if len(r.Announce) == 0 {
		return r
	}
	why := in.loop(path)
	if pathErr != nil {
		in.refuse(Refusal{Count: len(r.Announce), Reason: "unicast routes: " + pathErr.Error()})
	}
	if pathErr != nil || why != "" {
		r.Withdraw = slices.Concat(r.Withdraw, r.Announce)
		r.Announce = nil
		return r
	}
	r.Path = in.pathOf(s, path)
	return r
}

// defaultLocalPref is that of a path without (RFC 4271 §9.1.1 leaves it to policy; every router takes this).
const defaultLocalPref = 100

// pathOf returns what validation asks of a path.
func (in *ingest) pathOf(s *session.Session, p session.Path) admit.Path {
	out := admit.Path{
		Originator: in.address, Neighbour: p.Shape.Neighbour, Internal: p.Shape.Internal, External: !s.IBGP(),
		LocalPref: p.LocalPref, Length: p.Shape.Length, Origin: p.Origin, MED: p.MED, ID: s.ID,
	}
	if p.OriginatorID.IsValid() {
		out.Originator = p.OriginatorID
	}
	if out.External {
		out.LocalPref = defaultLocalPref
	}
	return out
}

// reset says whether an error about a path ends the session.
func reset(err error) bool {
	var n *session.Notification
	return errors.As(err, &n)
}
