package iosxe

import (
	"bytes"

	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Parse reads the access lists that bear our mark, in the order of their names: from the XML of Render or of a reply to <get-config>, or from the text of
// `show running-config` or a part of it. Objects of other names are passed over. Inside ours, everything must be understood and stand where Render puts it:
// a line at another number, without its remark, or with a condition that is not understood is a *filter.ForeignError that names it.
func (Dialect) Parse(b []byte) ([]filter.Filter, error) {
	r := &ciscoacl.Reader{Lang: language{}}
	var err error
	if trimmed := bytes.TrimSpace(b); bytes.HasPrefix(trimmed, []byte("<")) {
		err = readXML(trimmed, r)
	} else {
		err = readText(string(b), r)
	}
	if err != nil {
		return nil, err
	}
	return r.Filters()
}

// readLine is a line as its conditions come in, from text or from XML.
type readLine struct{ ciscoacl.ReadLine }

func newLine(v packet.Version) readLine {
	return readLine{ciscoacl.ReadLine{V: v, Spell: &spelling}}
}

// protocol reads the first word behind the action; icmp is another number in each IP version.
func (l *readLine) protocol(word string) error {
	if word == "icmp" {
		word = map[packet.Version]string{packet.IPv4: "1", packet.IPv6: "58"}[l.V]
	}
	return l.Protocol(word)
}

func (l *readLine) fragments() error { return l.Fragment("fragments", fragmentWords) }

func (l *readLine) dscp(word string) error { return l.DSCP("eq", []string{word}) }

// label reads a flow label, which IPv6 has.
func (l *readLine) label(word string) (err error) {
	if err := l.Once("flow-label"); err != nil {
		return err
	}
	l.Match.Label, err = ciscoacl.Spans("eq", []string{word}, nil, 1<<20-1)
	return err
}
