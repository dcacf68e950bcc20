package nftables

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/sluice-gateway/sluice/core/flowspec"
)

// rule reads one rule to the end of its line.
func (r *textReader) rule() (rule, error) {
	var out rule
	for !r.peek().end() {
		if r.take("comment") {
			out.comment = r.next().text
			continue
		}
		s, err := r.statement()
		if err != nil {
			return rule{}, err
		}
		out.statements = append(out.statements, s)
	}
	if len(out.statements) == 0 {
		return rule{}, errors.New("a rule says nothing")
	}
	return out, nil
}

func (r *textReader) statement() (statement, error) {
	for v, word := range verdicts {
		if r.take(word) {
			return statement{verb: v}, nil
		}
	}
	named := func(v verb) (statement, error) {
		name, err := r.word()
		return statement{verb: v, name: name}, err
	}
	switch {
	case r.takeAll("counter", "name"):
		return named(count)
	case r.takeAll("limit", "name"):
		return named(police)
	case r.takeAll("dup", "to"):
		return named(dup)
	case r.take("jump"):
		return named(jumpTo)
	}
	return r.condition()
}

// fieldWords are the fields that sluice writes or reads, by their first word.
var fieldWords = map[string][]string{
	"meta": {"l4proto", "length"}, "ip": {"saddr", "daddr", "dscp", "frag-off"}, "ip6": {"saddr", "daddr", "dscp", "flowlabel"},
	"th": {"sport", "dport"}, "tcp": {"sport", "dport", "flags", "reserved"}, "udp": {"sport", "dport"},
	"icmp": {"type", "code"}, "icmpv6": {"type", "code"}, "frag": {"frag-off", "more-fragments"}, "exthdr": {"frag"},
	"iifname": nil,
}

func (r *textReader) field() (string, error) {
	first := r.next()
	if strings.HasPrefix(first.text, "@") && strings.Contains(first.text, ",") && !first.quoted {
		return first.text, nil
	}
	words, known := fieldWords[first.text]
	if !known || first.quoted {
		return "", fmt.Errorf("%s is not understood", first)
	}
	for _, w := range words {
		if r.take(w) {
			return first.text + " " + w, nil
		}
	}
	if words != nil {
		return "", fmt.Errorf("%s %s is not understood", first.text, r.peek())
	}
	return first.text, nil
}

// condition reads a field, and what is asked or made of it.
func (r *textReader) condition() (statement, error) {
	field, err := r.field()
	if err != nil {
		return statement{}, err
	}
	c := cond{field: field}
	if r.take("set") {
		word, err := r.word()
		if err != nil {
			return statement{}, err
		}
		n, err := wordNumber(dscpWords, word, 63)
		if err != nil || field != "ip dscp" && field != "ip6 dscp" {
			return statement{}, fmt.Errorf("%s set %s is not understood", field, word)
		}
		return statement{verb: mark, cond: c, value: n}, nil
	}
	if r.take("&") {
		c.masked = true
		if c.mask, err = r.mask(); err != nil {
			return statement{}, err
		}
	}
	if r.take("vmap") {
		name, found := strings.CutPrefix(r.next().text, "@")
		if !found {
			return statement{}, errors.New("vmap without a map by name")
		}
		return statement{verb: lookup, name: name, cond: c}, nil
	}
	err = r.comparison(&c)
	return when(c), err
}

// mask reads a mask, which may be flags in brackets.
func (r *textReader) mask() (string, error) {
	if !r.take("(") {
		return r.word()
	}
	words, err := r.joined("|")
	if err != nil {
		return "", err
	}
	return words, r.want(")")
}

// joined reads words with sign between them, and joins them by |.
func (r *textReader) joined(sign string) (string, error) {
	word, err := r.word()
	for err == nil && r.take(sign) {
		var more string
		more, err = r.word()
		word += " | " + more
	}
	return word, err
}

// comparison reads the sign and the value. Flags have forms of their own: `syn,ack` is any of them, `! syn,ack` none, `syn / syn,ack` a value under a mask.
func (r *textReader) comparison(c *cond) error {
	flags := c.field == "tcp flags"
	plain := !c.masked && flags // a list without a sign means any of them
	switch {
	case r.take("=="):
		plain = false
	case r.take("!="):
		c.not, plain = true, false
	case plain && r.take("!"):
		word, err := r.joined(",")
		c.masked, c.mask, c.value = true, word, element{"0", "0"}
		return err
	}
	t := r.peek()
	if set, found := strings.CutPrefix(t.text, "@"); found && !t.quoted {
		r.next()
		c.set = set
		return nil
	}
	if t.quoted {
		r.next()
		c.value = element{strconv.Quote(t.text), strconv.Quote(t.text)}
		return nil
	}
	sign := ","
	if !plain && flags {
		// (syn | ack) and syn | ack are the same value.
		open := r.take("(")
		word, err := r.flagList()
		if err == nil && open {
			err = r.want(")")
		}
		c.value = element{word, word}
		if err != nil || !r.take("/") {
			return err
		}
		return r.under(c)
	}
	if !flags {
		word, err := r.word()
		if c.value = rangeOf(word); c.field == "exthdr frag" && digit(word) { // as nft --numeric shows it
			c.value = map[element]element{{"0", "0"}: {"missing", "missing"}, {"1", "1"}: {"exists", "exists"}}[c.value]
		}
		return err
	}
	word, err := r.joined(sign)
	c.value = element{word, word}
	if err != nil {
		return err
	}
	if r.take("/") {
		return r.under(c)
	}
	c.masked, c.mask, c.not, c.value = true, word, true, element{"0", "0"}
	return nil
}

// flagList reads flags joined by | or by commas.
func (r *textReader) flagList() (string, error) {
	word, err := r.word()
	for err == nil && (r.take("|") || r.take(",")) {
		var more string
		more, err = r.word()
		word += " | " + more
	}
	return word, err
}

// under reads the mask of `syn / syn,ack`.
func (r *textReader) under(c *cond) error {
	word, err := r.joined(",")
	c.masked, c.mask = true, word
	return err
}

// amounts reads what stands behind `rate over`: 1000 kbytes/second burst 2 kbytes, or 1000/second burst 1000 packets.
func (l *limit) amounts(words []string) error {
	text := strings.Join(words, " ")
	rate, burst, found := strings.Cut(text, " burst ")
	if !found {
		burst = ""
	}
	rate, per, _ := strings.Cut(rate, "/")
	if per != "second" {
		return fmt.Errorf("rate %s is not by the second", text)
	}
	number, unit, _ := strings.Cut(rate, " ")
	if err := l.setRate(number, unit); err != nil {
		return err
	}
	if burst == "" {
		return l.setBurst("", "")
	}
	number, unit, _ = strings.Cut(burst, " ")
	return l.setBurst(number, unit)
}

// octets are the units that nft shows amounts of octets in. It takes the largest that divides the amount.
var octets = map[string]uint64{"bytes": 1, "kbytes": 1 << 10, "mbytes": 1 << 20, "gbytes": 1 << 30}

// packetBurst is the burst of a limit of packets that names none (NFT_LIMIT_PKT_BURST_DEFAULT).
const packetBurst = 5

func (l *limit) setRate(number, unit string) error {
	l.bytes = unit != ""
	n, err := amount(number, unit)
	l.rate = n
	return err
}

func (l *limit) setBurst(number, unit string) error {
	if number == "" {
		if l.burst = 0; !l.bytes {
			l.burst = packetBurst
		}
		return nil
	}
	if unit == "packets" && !l.bytes {
		unit = ""
	} else if !l.bytes || unit == "" {
		return fmt.Errorf("burst %s %s is not in the unit of the rate", number, unit)
	}
	n, err := amount(number, unit)
	l.burst = n
	return err
}

func amount(number, unit string) (uint64, error) {
	n, err := strconv.ParseUint(number, 10, 64)
	factor := uint64(1)
	if unit != "" {
		factor = octets[unit]
	}
	if err != nil || factor == 0 || n > ^uint64(0)/factor {
		return 0, fmt.Errorf("%s %s is no amount", number, unit)
	}
	return n * factor, nil
}

// policer returns the policer that l is: the bucket of a limit of octets holds one second of the rate as well.
func (l limit) policer() (amount float32, unit flowspec.Unit, burst uint64, err error) {
	if !l.over {
		return 0, 0, 0, fmt.Errorf("limit %s is for packets within the rate; sluice drops those over it", l.name)
	}
	amount, unit, burst = float32(l.rate), flowspec.Packets, l.burst
	if l.bytes {
		unit, burst = flowspec.Bytes, l.burst+l.rate
	}
	if l.rate == 0 || uint64(float64(amount)) != l.rate || burst < l.burst || burst == 0 {
		return 0, 0, 0, fmt.Errorf("limit %s: %d is no rate that a rule can ask for", l.name, l.rate)
	}
	return amount, unit, burst, nil
}
