package notation

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

func writeGoBGP(out *bytes.Buffer, r flowspec.Rule) error {
	text, err := gobgpText(r)
	if err != nil {
		return err
	}
	in := newInput("", text, Options{})
	readGoBGP(in)
	if err := compare(r, in); err != nil {
		return err
	}
	out.WriteString(text)
	out.WriteByte('\n')
	return nil
}

// gobgpText says r as a command for a shell. What GoBGP's command line has no word for is an error.
func gobgpText(r flowspec.Rule) (string, error) {
	m := r.Match
	switch {
	case !r.Expires.IsZero():
		return "", fmt.Errorf("it expires, and GoBGP's commands know no lifetime: remove the ttl, or write yaml or json")
	case len(r.Communities)+len(r.LargeCommunities) > 0:
		return "", fmt.Errorf("it has communities, which are not written here; write hex, yaml or json")
	}
	family := map[flowspec.Family]string{flowspec.IPv4: "ipv4-flowspec", flowspec.IPv6: "ipv6-flowspec", flowspec.VPNv4: "ipv4-l3vpn-flowspec", flowspec.VPNv6: "ipv6-l3vpn-flowspec"}[m.Family()]
	words := []string{"gobgp global rib -a", family, "add"}
	if m.Family().VPN() {
		words = append(words, "rd", rdText(m.RD()))
	}
	words = append(words, "match")
	for c := range m.All() {
		value, err := gobgpCondition(c)
		if err != nil {
			return "", fmt.Errorf("%s: %w; write hex, yaml or json", c.Type, err)
		}
		words = append(words, gobgpWordOf(c.Type), value)
	}
	then, err := gobgpThen(r.Action)
	if err != nil {
		return "", fmt.Errorf("%w; write hex, yaml or json", err)
	}
	words = append(append(words, "then"), then...)
	for i, c := range r.Others {
		target, ok := gobgpTargetText(c, map[string]uint16{"as2": 0x0002, "ip4": 0x0102, "as4": 0x0202})
		if !ok {
			return "", fmt.Errorf("GoBGP's commands have no word for the community %s; write hex, yaml or json", c)
		}
		if i == 0 {
			words = append(words, "rt")
		}
		words = append(words, target)
	}
	return strings.Join(words, " "), nil
}

func gobgpWordOf(typ flowspec.Type) string {
	if typ == flowspec.FlowLabel {
		return "label"
	}
	return typ.String()
}

// gobgpCondition says the values of c, in quotes where a shell would take them for something else.
func gobgpCondition(c flowspec.Component) (string, error) {
	if c.Type.Prefix() {
		if c.Prefix.Offset > 0 {
			return "", fmt.Errorf("the offset of a prefix: GoBGP sends all octets of it, which is not what RFC 8956 §3.1 asks for")
		}
		return c.Prefix.String(), nil
	}
	var b strings.Builder
	for i, t := range c.Terms {
		switch {
		case t.And:
			b.WriteByte('&')
		case i > 0:
			b.WriteByte(' ')
		}
		say := gobgpNumber
		if c.Type.Bitmask() {
			say = gobgpBits
		}
		text, err := say(c.Type, t)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	return "'" + b.String() + "'", nil
}

func gobgpNumber(_ flowspec.Type, t flowspec.Term) (string, error) {
	op, ok := map[flowspec.Op]string{flowspec.EQ: "==", flowspec.GT: ">", flowspec.GE: ">=", flowspec.LT: "<", flowspec.LE: "<=", flowspec.NE: "!="}[t.Op]
	if !ok {
		return "", fmt.Errorf("the operator that is always true, or always false, which GoBGP has swapped")
	}
	return op + strconv.FormatUint(t.Value, 10), nil
}

func gobgpBits(typ flowspec.Type, t flowspec.Term) (string, error) {
	op := map[flowspec.Op]string{flowspec.AnyBit: "", flowspec.AllBits: "=", flowspec.NoBit: "!", flowspec.NotAll: "!="}[t.Op]
	var names []string
	left, sign := t.Value, "+"
	if typ == flowspec.TCPFlags {
		sign = ""
		for i, c := range gobgpFlags {
			if t.Value&(1<<i) != 0 {
				names, left = append(names, string(c)), left&^(1<<i)
			}
		}
	} else {
		for i, name := range gobgpFragments {
			if t.Value&(1<<i) != 0 {
				names, left = append(names, name), left&^(1<<i)
			}
		}
		if t.Value == 0 {
			names = []string{"not-a-fragment"}
		}
	}
	if left != 0 || len(names) == 0 {
		return "", fmt.Errorf("GoBGP has no name for the bits %#x", t.Value)
	}
	return op + strings.Join(names, sign), nil
}

// gobgpThen says a.
func gobgpThen(a flowspec.Action) ([]string, error) {
	var words []string
	if a.Rate != nil {
		word, err := gobgpRate(*a.Rate)
		if err != nil {
			return nil, err
		}
		words = append(words, word...)
	}
	if a.Redirect != nil {
		all, _ := flowspec.Action{Redirect: a.Redirect}.Communities()
		target, ok := gobgpTargetText(all[0], map[string]uint16{"as2": 0x8008, "ip4": 0x8108, "as4": 0x8208})
		if a.Redirect.NextHop() || !ok {
			return nil, fmt.Errorf("GoBGP's commands redirect to route targets alone")
		}
		words = append(words, "redirect", target)
	}
	if a.Mark != nil {
		words = append(words, "mark", strconv.Itoa(int(*a.Mark)))
	}
	if word := map[[2]bool]string{{true, false}: "sample", {false, true}: "terminal", {true, true}: "sample-terminal"}[[2]bool{a.Sample, a.Continue}]; word != "" {
		words = append(words, "action", word)
	}
	if len(a.Unknown) > 0 {
		return nil, fmt.Errorf("GoBGP's commands have no word for the community %s", a.Unknown[0])
	}
	if len(words) == 0 {
		return []string{"accept"}, nil
	}
	return words, nil
}

func gobgpRate(r flowspec.Rate) ([]string, error) {
	if r.Unit != flowspec.Bytes {
		return nil, fmt.Errorf("GoBGP's commands limit bytes per second alone")
	}
	words := []string{"discard"}
	if r.Amount != 0 {
		words = []string{"rate-limit", strconv.FormatFloat(float64(r.Amount), 'f', -1, 32)}
	}
	if r.AS != 0 {
		words = append(words, "as", strconv.Itoa(int(r.AS)))
	}
	return words, nil
}

// gobgpTargetText says a community of a route target, whose kinds are for AS numbers of two octets, for addresses and for AS numbers of four.
func gobgpTargetText(c flowspec.ExtComm, kinds map[string]uint16) (string, bool) {
	b := []byte(c)
	switch {
	case len(b) == 20 && b[0] == 0x00 && b[1] == 0x0d:
		return fmt.Sprintf("%s:%d", netip.AddrFrom16([16]byte(b[2:18])), binary.BigEndian.Uint16(b[18:])), true
	case len(b) != 8:
		return "", false
	}
	switch binary.BigEndian.Uint16(b) {
	case kinds["as2"]:
		return fmt.Sprintf("%d:%d", binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[4:])), true
	case kinds["ip4"]:
		return fmt.Sprintf("%s:%d", netip.AddrFrom4([4]byte(b[2:6])), binary.BigEndian.Uint16(b[6:])), true
	case kinds["as4"]:
		return fmt.Sprintf("%d.%d:%d", binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint16(b[4:]), binary.BigEndian.Uint16(b[6:])), true
	}
	return "", false
}
