package flowspec

import (
	"errors"
	"fmt"
	"slices"
)

// OffsetForm is how an IPv6 prefix with an offset is written on the wire. Prefixes without one are written alike in all forms.
type OffsetForm uint8

// The forms.
const (
	OffsetUnsaid    OffsetForm = iota // nobody said; as OffsetRFC8956 when sending
	OffsetRFC8956                     // the bits from the offset on, moved to the front: "rfc8956" (RFC 8956 §3.1)
	OffsetWhole                       // the address from its first octet on: "whole-prefix". ExaBGP 4.2 and GoBGP 3 write and read this one
	OffsetFromOctet                   // the address from the octet on that has the offset, not moved: "from-octet". BIRD does so before its commit 072821e5 of October 2024
	OffsetEights                      // offsets are multiples of 8, which rfc8956 and from-octet write alike: "multiples-of-8". Others are refused
)

// offsetWords are the words of configurations and profiles.
var offsetWords = [...]string{OffsetRFC8956: "rfc8956", OffsetWhole: "whole-prefix", OffsetFromOctet: "from-octet", OffsetEights: "multiples-of-8"}

// OffsetForms are the words of all forms.
var OffsetForms = offsetWords[OffsetRFC8956:]

// ParseOffsetForm returns the form called word.
func ParseOffsetForm(word string) (OffsetForm, bool) {
	at := slices.Index(OffsetForms, word)
	return OffsetForm(at + 1), at >= 0
}

// String returns the word of f, or "" where nobody said.
func (f OffsetForm) String() string { return offsetWords[f] }

// Serves says whether a receiver of the form wanted reads right all that it takes when it is written as f. A form that nobody said is at odds with none.
func (f OffsetForm) Serves(wanted OffsetForm) bool {
	return f == wanted || f == OffsetUnsaid || wanted == OffsetUnsaid || wanted == OffsetEights && f != OffsetWhole
}

// differs says whether f writes a prefix with that offset in other octets than RFC 8956.
func (f OffsetForm) differs(offset int) bool {
	return f == OffsetWhole && offset != 0 || f >= OffsetFromOctet && offset%8 != 0
}

// first is the octet of the address that the octets begin with which f writes.
func (f OffsetForm) first(offset int) int {
	if f == OffsetWhole {
		return 0
	}
	return offset / 8
}

// ParseNLRIAs is ParseNLRI for a sender whose form is known, or not. The Match has the octets of RFC 8956 whatever the form.
//
// The octets of a rule can be right in several forms and mean other rules in each, since nothing in them says where a prefix ends. From a sender of
// whom nobody said its form they are refused then; and where they are right in another form than that of RFC 8956 only, the error says so.
//
// Whole prefixes, and those from an octet on, have bits in front of the offset, which are not compared. They are refused unless these bits are zero: whether whoever set
// them wants them compared is not known.
func ParseNLRIAs(f Family, b []byte, form OffsetForm) (Match, error) {
	at := differAt(f, b, form)
	switch {
	case form == OffsetUnsaid:
		return parseUnsaid(f, b)
	case at < 0:
		return ParseNLRI(f, b)
	case form == OffsetEights:
		return Match{}, &SyntaxError{at, Type(b[at]), fmt.Sprintf("the offset %d is no multiple of 8, and how the sender writes others is not known", b[at+2])}
	}
	m, front, err := parseAs(f, b, form)
	if err == nil && front != nil {
		return Match{}, front
	}
	return m, err
}

// parseUnsaid decodes an NLRI of a sender of whom nobody said its form.
func parseUnsaid(f Family, b []byte) (Match, error) {
	m, err := ParseNLRI(f, b)
	for _, form := range []OffsetForm{OffsetWhole, OffsetFromOctet} {
		if differAt(f, b, form) < 0 {
			continue
		}
		other, _, otherErr := parseAs(f, b, form)
		var s *SyntaxError
		switch {
		case otherErr != nil || err == nil && m.Equal(other):
		case err == nil:
			return Match{}, &SyntaxError{Reason: fmt.Sprintf("it reads as %q (RFC 8956 §3.1) and, from a sender of %s, as %q: `ipv6-offset` of the sender says which", m, form, other)}
		case errors.As(err, &s):
			return Match{}, &SyntaxError{s.Offset, s.Component, fmt.Sprintf("%s; from a sender of %s it would be %q: that is what `ipv6-offset: %s` says of it", s.Reason, form, other, form)}
		}
	}
	return m, err
}

// differAt returns where in b the first prefix begins that form writes in other octets than RFC 8956, or -1. Up to there both are the same octets; prefixes come before all other components.
func differAt(f Family, b []byte, form OffsetForm) int {
	if !f.v6() {
		return -1
	}
	for at := bodyAt(f, b); at+3 <= len(b) && Type(b[at]).Prefix(); {
		bits, offset := int(b[at+1]), int(b[at+2])
		if form.differs(offset) {
			return at
		}
		at += 3 + max(0, bits-offset+7)/8
	}
	return -1
}

// bodyAt is where the components of b begin.
func bodyAt(f Family, b []byte) int {
	head, _, err := readLength(b)
	if err != nil {
		return len(b)
	}
	if f.VPN() {
		head += len(RD{})
	}
	return head
}

// parseAs decodes an NLRI that has a prefix which form writes in its own way. Where it is malformed beside these, ParseNLRI says how. Bits in front of an offset are left out, and front is
// what is to be said of them.
func parseAs(f Family, b []byte, form OffsetForm) (m Match, front *SyntaxError, err error) {
	head, length, err := readLength(b)
	if err != nil || length != len(b)-head {
		m, err = ParseNLRI(f, b)
		return m, nil, err
	}
	at := min(bodyAt(f, b), len(b))
	body := append([]byte(nil), b[head:at]...)
	for at+3 <= len(b) && Type(b[at]).Prefix() {
		t, bits, offset := Type(b[at]), int(b[at+1]), int(b[at+2])
		if bits > 128 || offset >= bits && bits|offset != 0 {
			break
		}
		first := form.first(offset)
		size := (bits+7)/8 - first
		if at+3+size > len(b) {
			return Match{}, nil, &SyntaxError{len(b), t, fmt.Sprintf("the prefix is cut short: as %s it takes %d octets of address", form, size)}
		}
		var a [16]byte
		copy(a[first:], b[at+3:at+3+size])
		if outside := (Prefix{Len: uint8(offset)}).mask(); front == nil && overlaps(a, outside) {
			front = &SyntaxError{at + 3, t, fmt.Sprintf("bits in front of offset %d are set: whether they are to be compared is not known", offset)}
		}
		body = append(body, b[at:at+3]...)
		body = append(body, shiftLeft(a, offset, (bits-offset+7)/8)...)
		at += 3 + size
	}
	from, shift := head+len(body), at-head-len(body)
	body = append(body, b[at:]...)
	m, err = ParseNLRI(f, append(appendLength(make([]byte, 0, 2+len(body)), len(body)), body...))
	var s *SyntaxError
	if errors.As(err, &s) && s.Offset >= from {
		err = &SyntaxError{s.Offset + shift, s.Component, s.Reason} // where it stands in what was received
	}
	return m, front, err
}

func overlaps(a, b [16]byte) bool {
	for i := range a {
		if a[i]&b[i] != 0 {
			return true
		}
	}
	return false
}

// NLRIAs returns the octets of m in a form, length octets included: those of NLRI but for prefixes that the form writes in its own way. The error says that they would be more than
// an NLRI may have, or that the form has no such offsets. The caller must not change them.
func (m Match) NLRIAs(form OffsetForm) ([]byte, error) {
	odd := differAt(m.fam, m.nlri, form)
	switch {
	case odd < 0:
		return m.nlri, nil
	case form == OffsetEights:
		return nil, fmt.Errorf("the offset %d is no multiple of 8, and how the receiver reads others is not known", m.nlri[odd+2])
	}
	head, at := m.lengthOctets(), bodyAt(m.fam, m.nlri)
	body := append([]byte(nil), m.nlri[head:at]...)
	for at+3 <= len(m.nlri) && Type(m.nlri[at]).Prefix() {
		bits, offset := int(m.nlri[at+1]), int(m.nlri[at+2])
		size := 3 + (bits-offset+7)/8
		var a [16]byte
		shiftRight(&a, m.nlri[at+3:at+size], offset)
		body = append(append(body, m.nlri[at:at+3]...), a[form.first(offset):(bits+7)/8]...)
		at += size
	}
	body = append(body, m.nlri[at:]...)
	if len(body) > maxLength {
		return nil, tooLong(len(body))
	}
	return append(appendLength(make([]byte, 0, 2+len(body)), len(body)), body...), nil
}
