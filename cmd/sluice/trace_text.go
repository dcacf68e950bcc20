package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/sluice-gateway/sluice/core/trace"
)

// traceWriter prints the ways of packets for people: what the rules ask first, then each device, and what it does in its heading.
type traceWriter struct{ textWriter }

func (t *tracing) print(out io.Writer) error {
	b := bufio.NewWriter(out)
	w := traceWriter{textWriter{b, palette(wantsColor(out))}}
	for i := range t.Packets {
		if i > 0 {
			fmt.Fprintln(b)
		}
		w.packet(&t.Packets[i], t.options.RD)
	}
	if len(t.Packets) == 2 {
		w.sharing(t)
	}
	if len(t.LeftOut) > 0 {
		fmt.Fprintf(b, "\n%s rules of VPNs are left out (which packets are in a VPN is not in the rule): --rd %s looks at one\n",
			w.paint(yellow, "note:"), strings.Join(t.LeftOut, ", or "))
	}
	return b.Flush()
}

func (w traceWriter) packet(p *tracedPacket, rd string) {
	fmt.Fprintf(w.w, "%s\n\n", w.paint(bold, p.Packet))
	vpn := ""
	if rd != "" {
		vpn = " of VPN " + rd
	}
	fmt.Fprintf(w.w, "%s %s\n", w.paint(bold, "the rules"+vpn+" ask for:"), outcome(p.Rules.Does))
	w.walk(&p.Rules, "rule", nil)
	texts := map[string]bool{}
	for i := range p.Rules.Met {
		texts[p.Rules.Met[i].Text] = true
	}
	for i := range p.Devices {
		w.device(&p.Devices[i], texts)
	}
}

// outcome joins what happens to a packet.
func outcome(does []string) string {
	if len(does) == 0 {
		return "accept"
	}
	return strings.Join(does, ", then ")
}

// device prints how one device treats the packet. Texts that are in known have been shown.
func (w traceWriter) device(d *trace.Device, known map[string]bool) {
	verdict := w.paint(green, "does that:")
	if !d.Same {
		verdict = w.paint(red, "does something else:")
	}
	fmt.Fprintf(w.w, "\n%s %s %s\n", w.paint(bold, d.Name), verdict, outcome(d.Does))
	w.lost(d.Lost, known)
	w.pass(&d.Pass, known)
	if d.Otherwise != nil {
		fmt.Fprintf(w.w, "  %s whether it looks at its filter or at FlowSpec first is not known. The other way round: %s\n", w.paint(yellow, "note:"), outcome(d.Otherwise.Does))
		w.pass(d.Otherwise, known)
	}
}

// lost prints the rules that the device does not carry, and why: that is what there is to do something about.
func (w traceWriter) lost(list []trace.Lost, known map[string]bool) {
	for i := range list {
		l := &list[i]
		fmt.Fprintf(w.w, "  %s %s  %s\n", w.paint(red, "missing "), w.paint(bold, place(&l.Step)), l.Does)
		if !known[l.Text] {
			fmt.Fprintf(w.w, "           %s\n", indented(l.Text, "           "))
		}
		if len(l.Reasons) == 0 {
			fmt.Fprintf(w.w, "           it is not planned yet: ask again\n")
		}
		for _, r := range l.Reasons {
			fmt.Fprintf(w.w, "           %s %s %s\n", w.paint(red, "not carried:"), r.Message, w.paint(dim, "["+r.Code+"]"))
			if r.Hint != "" {
				fmt.Fprintf(w.w, "           %s %s\n", w.paint(bold, "try:"), indented(r.Hint, "                "))
			}
		}
	}
}

func (w traceWriter) pass(p *trace.Pass, known map[string]bool) {
	if len(p.Stages) == 0 {
		fmt.Fprintf(w.w, "  it holds nothing for such packets\n")
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		name := "FlowSpec"
		if s.Filter != "" {
			name = "filter " + s.Filter
		}
		fmt.Fprintf(w.w, "  %s", w.paint(dim, name+", "+counted(s.Entries, "entry")))
		switch {
		case s.Undecided:
			fmt.Fprintf(w.w, "  %s entries match that do not do the same, and their order is not known", w.paint(red, "undecided:"))
		case s.Order == "measured":
			fmt.Fprint(w.w, w.paint(dim, "; those that match are in the measured order"))
		case s.Order == "unknown":
			fmt.Fprint(w.w, w.paint(dim, "; their order is not known, and makes no difference here"))
		}
		fmt.Fprintln(w.w)
		if i > 0 && s.Packet != p.Stages[i-1].Packet {
			fmt.Fprintf(w.w, "  it comes here as %s\n", s.Packet)
		}
		w.walk(&s.Walk, "entry", known)
		if s.Before && !strings.Contains(outcome(s.Does), "discard") {
			fmt.Fprintf(w.w, "  %s\n", w.paint(dim, "what it accepts goes on to the operator's own filter"))
		}
	}
}

// walk prints the way down one table. what is "rule" or "entry".
func (w traceWriter) walk(t *trace.Walk, what string, known map[string]bool) {
	if t.Entries == 0 {
		fmt.Fprintf(w.w, "  there is no %s for such packets: accepted\n", what)
		return
	}
	for i, s := range merged(t) {
		if i == 0 && t.Elsewhere+t.SkippedMore > 0 {
			w.more(t, what)
		}
		switch {
		case len(s.Misses) > 0:
			var why []string
			for _, m := range s.Misses {
				why = append(why, m.Message)
			}
			fmt.Fprintf(w.w, "  %s\n", w.paint(dim, fmt.Sprintf("skipped  %s  %s", label(s), strings.Join(why, "; "))))
			continue
		case s.Continue:
			fmt.Fprintf(w.w, "  %s %s  %s, and goes on\n", w.paint(cyan, "matches "), w.paint(bold, label(s)), s.Does)
		default:
			fmt.Fprintf(w.w, "  %s %s  %s\n", w.paint(green, "decides "), w.paint(bold, label(s)), s.Does)
		}
		if !known[s.Text] {
			fmt.Fprintf(w.w, "           %s\n", indented(s.Text, "           "))
		}
	}
	if len(t.Met)+len(t.Skipped) == 0 && t.Elsewhere+t.SkippedMore > 0 {
		w.more(t, what)
	}
	if !t.Decided {
		fmt.Fprintf(w.w, "  %s\n", map[bool]string{true: "no " + what + " matches: accepted", false: "no " + what + " ends the search: accepted in the end"}[len(t.Met) == 0])
	}
	for i := range t.Unreached {
		s := &t.Unreached[i]
		fmt.Fprintf(w.w, "  %s\n", w.paint(dim, fmt.Sprintf("below    %s  matches as well, and is not reached: %s", label(s), s.Does)))
	}
	if t.UnreachedMore > 0 {
		fmt.Fprintf(w.w, "  %s\n", w.paint(dim, fmt.Sprintf("         and %d more below that match", t.UnreachedMore)))
	}
}

// more says how many lines were passed and are not listed.
func (w traceWriter) more(t *trace.Walk, what string) {
	var parts []string
	if t.Elsewhere > 0 {
		parts = append(parts, counted(t.Elsewhere, what)+" for other destinations")
	}
	if t.SkippedMore > 0 {
		parts = append(parts, fmt.Sprintf("%d more for this one (--list N shows them)", t.SkippedMore))
	}
	fmt.Fprintf(w.w, "  %s\n", w.paint(dim, "skipped  "+strings.Join(parts, ", ")))
}

// label names a step: where its rule stands, and the entry of the filter.
func label(s *trace.Step) string {
	if s.Entry != "" && s.Entry != "r-"+string(s.ID) {
		return place(s) + " (" + s.Entry + ")"
	}
	return place(s)
}

// merged returns the lines that match and those that do not in the order of the table.
func merged(t *trace.Walk) []*trace.Step {
	out := make([]*trace.Step, 0, len(t.Met)+len(t.Skipped))
	m, s := 0, 0
	for m < len(t.Met) || s < len(t.Skipped) {
		if s == len(t.Skipped) || m < len(t.Met) && t.Met[m].At < t.Skipped[s].At {
			out = append(out, &t.Met[m])
			m++
			continue
		}
		out = append(out, &t.Skipped[s])
		s++
	}
	return out
}

// sharing says whether two packets draw from one policer, where anything polices them.
func (w traceWriter) sharing(t *tracing) {
	policed := false
	for i := range t.Packets {
		policed = policed || len(t.Packets[i].Rules.Policers) > 0
		for k := range t.Packets[i].Devices {
			policed = policed || len(t.Packets[i].Devices[k].Policers) > 0
		}
	}
	if !policed {
		return
	}
	word := map[bool]string{true: "one policer for both packets", false: "no policer in common"}
	fmt.Fprintf(w.w, "\n%s %s\n", w.paint(bold, "the rules ask for:"), word[t.Sharing[0].Share])
	for _, s := range t.Sharing[1:] {
		verdict := w.paint(green, "does that:")
		if s.Share != t.Sharing[0].Share {
			verdict = w.paint(red, "does something else:")
		}
		fmt.Fprintf(w.w, "%s %s %s\n", w.paint(bold, s.Name), verdict, word[s.Share])
	}
}
