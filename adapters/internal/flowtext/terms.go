package flowtext

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// comparisons are the operators that are read, the longer ones first.
var comparisons = []struct {
	text string
	op   flowspec.Op
}{{">=", flowspec.GE}, {"<=", flowspec.LE}, {"=", flowspec.EQ}}

// alternative reads the terms of one alternative, joined by &: "=80" or ">=100&<=200".
func alternative(text string, t flowspec.Type) (terms []flowspec.Term, err error) {
	for i, part := range strings.Split(text, "&") {
		term, err := term(part, t)
		if err != nil {
			return nil, err
		}
		term.And = i > 0
		terms = append(terms, term)
	}
	return terms, nil
}

func term(text string, t flowspec.Type) (flowspec.Term, error) {
	for _, c := range comparisons {
		digits, found := strings.CutPrefix(text, c.text)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 32)
		if err != nil || strconv.FormatUint(n, 10) != digits || n > uint64(t.Max()) {
			return flowspec.Term{}, fmt.Errorf("%s: %q is no number from 0 to %d", t, digits, t.Max())
		}
		return flowspec.Term{Op: c.op, Value: n}, nil
	}
	return flowspec.Term{}, fmt.Errorf("%s: %q begins with no operator that is known: =, >=, <=", t, text)
}

// prefix reads an IPv4 prefix of four octets. That of length zero is not read: whether a router prints it for a component that is not there is not known.
func prefix(text string, t flowspec.Type) (flowspec.Component, error) {
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return flowspec.Component{}, fmt.Errorf("%s: %q is no prefix", t, text)
	case !p.Addr().Is4():
		return flowspec.Component{}, fmt.Errorf("%s: %s: no source shows how IPv6 is printed", t, text)
	case p.Bits() == 0:
		return flowspec.Component{}, fmt.Errorf("%s: %s may stand for a prefix or for none", t, text)
	case p != p.Masked():
		return flowspec.Component{}, fmt.Errorf("%s: %s has bits beyond its length", t, text)
	}
	return flowspec.Component{Type: t, Prefix: flowspec.Prefix{Addr: p.Addr(), Len: uint8(p.Bits())}}, nil
}

// match puts components together, which must stand in the order of their types: what is in another order was not understood.
func match(components []flowspec.Component) (flowspec.Match, error) {
	for i := 1; i < len(components); i++ {
		if components[i-1].Type >= components[i].Type {
			return flowspec.Match{}, fmt.Errorf("%s stands behind %s", components[i].Type, components[i-1].Type)
		}
	}
	return flowspec.NewMatch(flowspec.IPv4, flowspec.RD{}, components...)
}
