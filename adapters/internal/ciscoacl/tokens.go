package ciscoacl

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Tokens is the rest of a line of text.
type Tokens struct{ Rest []string }

// Next takes a word; "" at the end.
func (t *Tokens) Next() string {
	if len(t.Rest) == 0 {
		return ""
	}
	w := t.Rest[0]
	t.Rest = t.Rest[1:]
	return w
}

// Peek returns the next word and leaves it there.
func (t *Tokens) Peek() string {
	if len(t.Rest) == 0 {
		return ""
	}
	return t.Rest[0]
}

// AtOperator says whether an operator comes next.
func (t *Tokens) AtOperator() bool { return operators[t.Peek()] > 0 }

// Operator takes an operator and its numbers.
func (t *Tokens) Operator() (op string, args []string) {
	op = t.Next()
	for range operators[op] {
		args = append(args, t.Next())
	}
	return op, args
}

// Entry takes protocol, source and destination, and all that stands behind them with option.
func (t *Tokens) Entry(l *ReadLine, option func() error) error {
	if err := l.Protocol(t.Next()); err != nil {
		return err
	}
	for _, side := range []string{"source", "destination"} {
		if err := t.end(l, side); err != nil {
			return fmt.Errorf("%s: %w", side, err)
		}
	}
	for len(t.Rest) > 0 {
		if err := option(); err != nil {
			return err
		}
	}
	return l.Check()
}

// end takes the address of one side, and its port.
func (t *Tokens) end(l *ReadLine, side string) error {
	a, mask := t.Next(), ""
	full := "32"
	if l.V == packet.IPv6 {
		full = "128"
	}
	switch addr, bits, found := strings.Cut(a, "/"); {
	case a == "any":
		a, mask = "0.0.0.0", "0"
		if l.V == packet.IPv6 {
			a = "::"
		}
	case a == "host":
		a, mask = t.Next(), full
	case found:
		a, mask = addr, bits
	default:
		mask = t.Next() // the bits that may differ
		if !strings.Contains(mask, ".") {
			return fmt.Errorf("%s: want any, host, a prefix, or an address and a mask", a)
		}
	}
	if err := l.Address(side, a, mask); err != nil {
		return err
	}
	if !t.AtOperator() {
		return nil
	}
	op, args := t.Operator()
	for op == "eq" {
		if _, err := ReadNumber(t.Peek(), l.Spell.Ports, 65535); err != nil || len(args) >= l.Spell.MaxPorts {
			break
		}
		args = append(args, t.Next())
	}
	return l.Port(side, op, args)
}

// Flags takes the flags behind match-all or match-any.
func (t *Tokens) Flags(l *ReadLine, word string) error {
	var bits []string
	for strings.HasPrefix(t.Peek(), "+") || strings.HasPrefix(t.Peek(), "-") {
		bits = append(bits, t.Next())
	}
	return l.Flags(word, bits)
}

// Message takes an ICMP type, and a code behind it.
func (t *Tokens) Message(l *ReadLine, kind string) error {
	if !Only(l.Match.Proto, ICMP(l.V)) {
		return fmt.Errorf("%q is nothing that sluice writes there", kind)
	}
	code := ""
	if _, err := strconv.ParseUint(t.Peek(), 10, 8); err == nil {
		code = t.Next()
	}
	return l.Message(kind, code)
}
