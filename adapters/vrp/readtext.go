package vrp

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/sluice-gateway/sluice/core/packet"
)

// readText reads the objects of a text as `display current-configuration` prints it: a header at the beginning of a line, indented lines, and a line of # around them.
func readText(s string, r *reader) error {
	var open *section // the object of ours that the lines belong to
	for n, raw := range strings.Split(s, "\n") {
		raw = strings.TrimRight(raw, " \t\r")
		words := strings.Fields(raw)
		switch {
		case len(words) == 0:
		case raw[0] == ' ' || raw[0] == '\t':
			if open != nil {
				open.line(words, n+1)
			}
		case words[0] == "#":
			open.close(r)
			open = nil
		case open != nil:
			return fmt.Errorf("line %d: %s: the object above has no # at its end", n+1, raw)
		default:
			open = r.header(words, n+1)
		}
	}
	if open != nil {
		return fmt.Errorf("%s has no # at its end: the text is cut off", open.name)
	}
	return nil
}

// section is an object of ours as its lines come in.
type section struct {
	name string
	take func(words []string) error
	done func(*reader) error
	err  error // the first thing that was not understood
}

func (s *section) line(words []string, at int) {
	if err := s.take(words); err != nil && s.err == nil {
		s.err = fmt.Errorf("line %d: %s: %w", at, strings.Join(words, " "), err)
	}
}

// close puts the object into r.
func (s *section) close(r *reader) {
	if s == nil {
		return
	}
	if s.err == nil {
		s.err = s.done(r)
	}
	if s.err != nil {
		r.fault(s.name, s.err)
	}
}

// header returns the object that words begin; nil where it is none of ours.
func (r *reader) header(w []string, at int) *section {
	v := packet.IPv4
	if len(w) > 1 && w[0] == "acl" && w[1] == "ipv6" {
		v, w = packet.IPv6, append([]string{"acl"}, w[2:]...)
	}
	name := ""
	if len(w) > 2 {
		name = strings.Clone(w[2])
	}
	if !marked(name) {
		return nil
	}
	switch kind := w[0] + " " + w[1]; {
	case kind == "acl name" && len(w) == 4 && w[3] == "advance", kind == "acl name" && len(w) == 6 && w[3] == "advance" && w[4] == "number":
		return textList(name, v)
	case kind == "traffic classifier" && (len(w) == 3 || len(w) == 5 && w[3] == "operator" && w[4] == "or"):
		return textClass(name)
	case kind == "traffic behavior" && len(w) == 3:
		return textBehavior(name)
	case kind == "traffic policy" && len(w) == 3:
		return textPolicy(name)
	case w[0] == "acl" || w[0] == "traffic":
		r.errs = append(r.errs, fmt.Errorf("line %d: %s bears our mark, but sluice makes no such object", at, strings.Join(w, " ")))
	}
	return nil
}

func textList(name string, v packet.Version) *section {
	l := list{name: name, v: v}
	take := func(w []string) error {
		if w[0] == "step" {
			return nil // numbers are ours
		}
		if w[0] != "rule" || len(w) < 4 {
			return errors.New("sluice writes no such line")
		}
		id, err := readNumber(w[1], nil, lastSeat*perSeat+1)
		if err != nil {
			return err
		}
		if w[2] == "description" {
			return l.describe(id, strings.Join(w[3:], " "))
		}
		one, err := textRule(w[2:], v)
		one.id = id
		l.rules = append(l.rules, one)
		return err
	}
	return &section{name: name, take: take, done: func(r *reader) error {
		r.list(name, v).rules = l.rules
		return nil
	}}
}

// describe takes the description of a rule, which stands behind it.
func (l *list) describe(id uint32, text string) error {
	i := slices.IndexFunc(l.rules, func(r rule) bool { return r.id == id })
	if i < 0 || text != uncounted || l.rules[i].uncounted {
		return errors.New("sluice writes no such description")
	}
	l.rules[i].uncounted = true
	return nil
}

func textClass(name string) *section {
	var conditions []classifier
	take := func(w []string) error {
		k := classifier{name: name, v: packet.IPv4}
		if w[0] != "if-match" {
			return errors.New("sluice writes no such line")
		}
		if w = w[1:]; len(w) > 0 && w[0] == "ipv6" {
			k.v, w = packet.IPv6, w[1:]
		}
		if len(w) == 5 && w[3] == "precedence" { // of the one access list
			w = w[:3]
		}
		switch {
		case len(w) == 1 && w[0] == "any":
			k.all = true
		case len(w) == 3 && w[0] == "acl" && w[1] == "name" && w[2] == name:
		default:
			return errors.New("want the access list of the classifier's own name, or any")
		}
		conditions = append(conditions, k)
		return nil
	}
	return &section{name: name, take: take, done: func(r *reader) error {
		if len(conditions) != 1 {
			return errors.New("want one condition in it")
		}
		r.class(conditions[0])
		return nil
	}}
}

func textBehavior(name string) *section {
	a := behavior{name: name, dscp: -1}
	seen := map[string]bool{}
	take := func(w []string) error {
		kind := w[0]
		if kind == "permit" {
			kind = "deny" // either of them
		}
		if seen[kind] {
			return errors.New("it stands there twice")
		}
		seen[kind] = true
		return a.action(w)
	}
	return &section{name: name, take: take, done: func(r *reader) error {
		r.behavior(a)
		return nil
	}}
}

// action reads one line of a behavior.
func (a *behavior) action(w []string) error {
	v := packet.IPv4
	switch line := strings.Join(w, " "); {
	case line == "permit":
		return nil
	case line == "deny":
		a.deny = true
		return nil
	case w[0] == "car" && len(w) == 9 && w[1] == "cir" && w[3] == "cbs" && strings.HasSuffix(line, " green pass red discard"):
		return a.car(w[2], w[4])
	case w[0] == "remark":
		if len(w) == 4 && w[1] == "ipv6" {
			v, w = packet.IPv6, w[1:]
		}
		if len(w) != 3 || w[1] != "dscp" {
			break
		}
		n, err := readInt(w[2], dscpWords, 63)
		a.dscp = n
		return errors.Join(err, a.of(v))
	case w[0] == "redirect" && len(w) == 3:
		if w[1] == redirectWords[packet.IPv6] {
			v = packet.IPv6
		} else if w[1] != redirectWords[v] {
			break
		}
		return errors.Join(a.of(v), a.redirect(w[2]))
	}
	return errors.New("sluice writes no such action")
}

func textPolicy(name string) *section {
	p := policy{name: name}
	statistics := false
	take := func(w []string) error {
		switch line := strings.Join(w, " "); {
		case line == "share-mode":
			return nil
		case line == "statistics enable":
			statistics = true
			return nil
		case w[0] == "classifier" && len(w) == 6 && w[2] == "behavior" && w[4] == "precedence":
			n, err := readNumber(w[5], nil, restOfV6)
			p.nodes = append(p.nodes, node{class: strings.Clone(w[1]), behavior: strings.Clone(w[3]), precedence: n})
			return err
		}
		return errors.New("sluice writes no such line")
	}
	return &section{name: name, take: take, done: func(r *reader) error {
		if !statistics {
			return errors.New("statistics are not enabled")
		}
		r.policy(p)
		return nil
	}}
}
