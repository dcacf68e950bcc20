package ciscoacl

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// Spelling is how a device writes what it holds, beside numbers. A word that is not there is an error, never a guess.
type Spelling struct {
	Protocols, Ports, DSCP map[string]uint32 // by PlainWord
	Messages               map[packet.Version]map[string]Message
	Any                    map[packet.Version]string // the protocol that stands for any
	ICMP                   map[packet.Version]string
	MaxPorts               int // behind eq
	// MinProtocol is the smallest number of a protocol that is understood.
	MinProtocol uint32
	// Reserved are numbers above it that no line of ours names.
	Reserved map[packet.Version][]uint32
}

// Message is what a word for an ICMP message means: its type, and its code or -1 for any.
type Message [2]int

var joints = strings.NewReplacer("-", "", "_", "")

// PlainWord spells a word as a Spelling does: without hyphens and capitals, for the models say NetBIOS_NS and TTLExceeded where a line says netbios-ns and ttl-exceeded.
func PlainWord(s string) string { return joints.Replace(strings.ToLower(s)) }

// ReadNumber reads a number of 0 to top, or one of words.
func ReadNumber(s string, words map[string]uint32, top uint32) (uint32, error) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil && n <= uint64(top) {
		return uint32(n), nil
	}
	if n, ok := words[PlainWord(s)]; ok {
		return n, nil
	}
	return 0, fmt.Errorf("%q is no number of 0 to %d, and no word that sluice knows", s, top)
}

// operators of ports, lengths and DSCP, and how many numbers each takes at least.
var operators = map[string]int{"eq": 1, "neq": 1, "gt": 1, "lt": 1, "range": 2}

// Spans reads an operator and its numbers: eq with one or several.
func Spans(op string, args []string, words map[string]uint32, top uint32) (packet.Values, error) {
	n, ok := operators[op]
	if !ok || len(args) < n || len(args) > n && op != "eq" {
		return nil, fmt.Errorf("%s %s is not understood", op, strings.Join(args, " "))
	}
	numbers := make([]uint32, len(args))
	var each packet.Values
	for i, arg := range args {
		var err error
		if numbers[i], err = ReadNumber(arg, words, top); err != nil {
			return nil, err
		}
		each = append(each, packet.Span{Lo: numbers[i], Hi: numbers[i]})
	}
	a := numbers[0]
	vs := packet.NewValues(each...)
	switch op {
	case "range":
		if a > numbers[1] {
			return nil, errors.New("the range runs backwards")
		}
		vs = packet.NewValues(packet.Span{Lo: a, Hi: numbers[1]})
	case "neq":
		vs = vs.Not(top)
	case "gt":
		vs = packet.NewValues(packet.Span{Lo: 0, Hi: a}).Not(top)
	case "lt":
		vs = packet.NewValues(packet.Span{Lo: a, Hi: top}).Not(top)
	}
	if len(vs) == 0 {
		return nil, fmt.Errorf("no number is %s %s", op, args[0])
	}
	return vs, nil
}
