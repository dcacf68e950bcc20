package packet

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
)

// String prints h as `PROTO SRC[:PORT] > DST[:PORT] [len N] [flags SA] [icmp TYPE/CODE] [dscp N]
// [frag first|middle|last] [df] [label N]`; ParseHeader reads it back. PROTO is tcp, udp, icmp, icmp6 or `proto N`; IPv6
// addresses with a port stand in brackets. Flags are the letters FSRPAUECN9ab in this order, lowest bit first, or none.
func (h Header) String() string {
	var b strings.Builder
	b.WriteString(ProtoWord(h.Proto))
	ports := h.hasPorts() || h.SrcPort != 0 || h.DstPort != 0
	b.WriteByte(' ')
	writeEnd(&b, h.Src, h.SrcPort, ports)
	b.WriteString(" > ")
	writeEnd(&b, h.Dst, h.DstPort, ports)
	fmt.Fprintf(&b, " len %d", h.Length)
	if h.hasFlags() || h.Flags != 0 {
		b.WriteString(" flags " + FlagString(h.Flags))
	}
	if h.hasICMP() || h.ICMPType != 0 || h.ICMPCode != 0 {
		fmt.Fprintf(&b, " icmp %d/%d", h.ICMPType, h.ICMPCode)
	}
	if h.DSCP != 0 {
		fmt.Fprintf(&b, " dscp %d", h.DSCP)
	}
	if h.Fragment != Whole {
		b.WriteString(" frag " + h.Fragment.String())
	}
	if h.DF {
		b.WriteString(" df")
	}
	if h.Label != 0 {
		fmt.Fprintf(&b, " label %d", h.Label)
	}
	return b.String()
}

// ProtoWord returns the word for protocol p in the text of packets: "udp", or "proto 47".
func ProtoWord(p uint8) string {
	switch p {
	case 1:
		return "icmp"
	case 6:
		return "tcp"
	case 17:
		return "udp"
	case 58:
		return "icmp6"
	}
	return "proto " + strconv.Itoa(int(p))
}

func writeEnd(b *strings.Builder, a netip.Addr, port uint16, ports bool) {
	if ports {
		b.WriteString(netip.AddrPortFrom(a, port).String())
	} else {
		b.WriteString(a.String())
	}
}

// SyntaxError is what is wrong with the text of a packet, and where: the word that is wrong, or the whole text, or the place behind it
// where a word is missing.
type SyntaxError struct {
	Offset, Length int // octets of the text
	Reason         string
}

func (e *SyntaxError) Error() string { return e.Reason }

// ParseHeader reads the form that Header.String prints. Fields left out get ordinary values (a
// length that the packet can have, flags S for TCP). Errors are *SyntaxError and name the word that is wrong.
func ParseHeader(s string) (Header, error) {
	p := parser{words: strings.Fields(s)}
	if err := p.ends(); err != nil {
		return Header{}, p.located(s, err)
	}
	for len(p.words) > 0 {
		if err := p.option(); err != nil {
			return Header{}, p.located(s, err)
		}
	}
	h, err := p.finish()
	if err != nil {
		return Header{}, &SyntaxError{Length: len(s), Reason: err.Error()}
	}
	return h, nil
}

// located says where in s the word is that err is about: the one that was read last.
func (p *parser) located(s string, err error) error {
	if p.lastWord == "" {
		return &SyntaxError{Offset: len(s), Length: 1, Reason: err.Error()}
	}
	taken := len(strings.Fields(s)) - len(p.words)
	at := 0
	for n := 1; ; n++ {
		at += strings.IndexFunc(s[at:], func(r rune) bool { return !unicode.IsSpace(r) })
		end := strings.IndexFunc(s[at:], unicode.IsSpace)
		if n == taken || end < 0 {
			if end < 0 {
				end = len(s) - at
			}
			return &SyntaxError{Offset: at, Length: end, Reason: err.Error()}
		}
		at += end
	}
}

// parser reads a header word by word.
type parser struct {
	h        Header
	words    []string
	srcPort  bool // a port was written
	dstPort  bool
	lastWord string
	seen     []string // options so far
}

func (p *parser) next() string {
	p.lastWord = ""
	if len(p.words) > 0 {
		p.lastWord, p.words = p.words[0], p.words[1:]
	}
	return p.lastWord
}

func (p *parser) wrong(want string) error {
	if p.lastWord == "" {
		want, _, _ = strings.Cut(want, ": ")
		return fmt.Errorf("the packet ends where %s is missing, as in `udp 198.51.100.7:53 > 203.0.113.9:4444 len 1400`", want)
	}
	return fmt.Errorf("%q is not %s", p.lastWord, want)
}

// number reads a decimal number up to most.
func (p *parser) number(what string, most uint32) (uint32, error) {
	w := p.next()
	n, err := decimal(w, most)
	if err != nil {
		return 0, p.wrong(fmt.Sprintf("%s, 0 to %d", what, most))
	}
	return n, nil
}

// decimal reads digits only: no sign, no underscore.
func decimal(w string, most uint32) (uint32, error) {
	n, err := strconv.ParseUint(w, 10, 32)
	if err != nil || n > uint64(most) {
		return 0, strconv.ErrRange
	}
	return uint32(n), nil
}

// ends reads `PROTO SRC > DST`.
func (p *parser) ends() error {
	switch w := p.next(); w {
	case "tcp":
		p.h.Proto = 6
	case "udp":
		p.h.Proto = 17
	case "icmp":
		p.h.Proto = 1
	case "icmp6":
		p.h.Proto = 58
	case "proto":
		n, err := p.number("a protocol number", 255)
		if err != nil {
			return err
		}
		p.h.Proto = uint8(n)
	default:
		return p.wrong("a protocol: write tcp, udp, icmp, icmp6 or proto N")
	}
	var err error
	if p.h.Src, p.h.SrcPort, p.srcPort, err = p.end("a source address"); err != nil {
		return err
	}
	if p.next() != ">" {
		return p.wrong("the > between source and destination")
	}
	if p.h.Dst, p.h.DstPort, p.dstPort, err = p.end("a destination address"); err != nil {
		return err
	}
	if p.h.Version() == 0 {
		return fmt.Errorf("%s and %s are not of one IP version", p.h.Src, p.h.Dst)
	}
	return nil
}

// end reads ADDR, ADDR:PORT or [ADDR]:PORT.
func (p *parser) end(what string) (netip.Addr, uint16, bool, error) {
	w := p.next()
	if a, err := netip.ParseAddr(w); err == nil && a.Zone() == "" {
		return a, 0, false, nil
	}
	if ap, err := netip.ParseAddrPort(w); err == nil && ap.Addr().Zone() == "" {
		return ap.Addr(), ap.Port(), true, nil
	}
	return netip.Addr{}, 0, false, p.wrong(what + ": write 198.51.100.7, 198.51.100.7:53 or [2001:db8::7]:53")
}

// option reads one of the words after the addresses, and its value.
func (p *parser) option() error {
	w := p.next()
	for _, s := range p.seen {
		if s == w {
			return fmt.Errorf("%q stands twice", w)
		}
	}
	p.seen = append(p.seen, w)
	var err error
	var n uint32
	switch w {
	case "len":
		n, err = p.number("a length in octets", 65535)
		p.h.Length = uint16(n)
	case "flags":
		p.h.Flags, err = p.flags()
	case "icmp":
		err = p.icmp()
	case "dscp":
		n, err = p.number("a DSCP", 63)
		p.h.DSCP = uint8(n)
	case "frag":
		err = p.fragment()
	case "df":
		p.h.DF = true
		if p.h.Version() == IPv6 {
			err = p.wrong("for IPv6: only IPv4 has the DF bit")
		}
	case "label":
		n, err = p.number("a flow label", 1<<20-1)
		p.h.Label = n
		if err == nil && p.h.Version() == IPv4 {
			p.lastWord = w
			err = p.wrong("for IPv4: only IPv6 has flow labels")
		}
	default:
		err = p.wrong("a field of a packet: len, flags, icmp, dscp, frag, df or label")
	}
	return err
}

func (p *parser) flags() (w uint16, err error) {
	word := p.next()
	if word == "none" {
		return 0, nil
	}
	for _, r := range word {
		bit := strings.IndexRune(flagLetters, r)
		if bit < 0 || w>>bit&1 == 1 {
			return 0, p.wrong("TCP flags: letters of " + flagLetters + ", or none")
		}
		w |= 1 << bit
	}
	if w == 0 {
		return 0, p.wrong("TCP flags")
	}
	return w, nil
}

func (p *parser) icmp() error {
	typ, code, ok := strings.Cut(p.next(), "/")
	t, err1 := decimal(typ, 255)
	c, err2 := decimal(code, 255)
	if !ok || err1 != nil || err2 != nil {
		return p.wrong("an ICMP type and code such as 8/0")
	}
	p.h.ICMPType, p.h.ICMPCode = uint8(t), uint8(c)
	return nil
}

func (p *parser) fragment() error {
	switch p.next() {
	case "first":
		p.h.Fragment = First
	case "middle":
		p.h.Fragment = Middle
	case "last":
		p.h.Fragment = Last
	default:
		return p.wrong("a fragment: first, middle or last")
	}
	return nil
}

// finish gives the fields that were left out ordinary values.
func (p *parser) finish() (Header, error) {
	if p.srcPort != p.dstPort {
		return Header{}, fmt.Errorf("one end has a port and the other has none: write both")
	}
	h := &p.h
	if h.hasPorts() && !p.srcPort {
		return Header{}, fmt.Errorf("%s needs ports on both ends", ProtoWord(h.Proto))
	}
	has := func(option string) bool {
		for _, s := range p.seen {
			if s == option {
				return true
			}
		}
		return false
	}
	if !has("flags") && h.hasFlags() {
		h.Flags = 0x02
	}
	if !has("icmp") && h.hasICMP() {
		h.ICMPType = 8
		if h.Version() == IPv6 {
			h.ICMPType = 128
		}
	}
	if !has("len") {
		h.Length = uint16(h.usualLength(h.Version())[0])
	}
	return *h, nil
}
