package iosxe

import (
	"github.com/sluice-gateway/sluice/adapters/internal/ciscoacl"
	"github.com/sluice-gateway/sluice/core/filter"
	"github.com/sluice-gateway/sluice/core/packet"
)

// Lines of access lists for those who put them to another use: the classes of a QoS policy (package iosxepolicy).

// NativeNamespace is the namespace of the native model.
const NativeNamespace = nativeNamespace

// ListForm is how the XML spells an extended access list of IPv4.
func ListForm() ciscoacl.Form { return forms[packet.IPv4] }

// Permit returns the line of IPv4 that permits what m matches. The error names each condition that a line cannot say.
func Permit(m filter.Match) (ciscoacl.Statement, error) {
	body, err := conditions(m, packet.IPv4)
	return language{}.Line("permit", body), err
}

// ReadWords reads a line of IPv4 as a device shows it: its number and the words behind it.
func ReadWords(words []string) (ciscoacl.ReadLine, error) {
	l, err := readWords(words, packet.IPv4)
	return l.ReadLine, err
}

// ReadElement reads a line of IPv4, the element access-list-seq-rule.
func ReadElement(n *ciscoacl.Node) (ciscoacl.ReadLine, error) { return readElement(n, packet.IPv4) }

// ReadDSCP reads a DSCP: a number, or the word for it.
func ReadDSCP(word string) (uint32, error) { return ciscoacl.ReadNumber(word, spelling.DSCP, 63) }

// Natives returns the roots of the native model in a document: itself, or what stands in a <config>, a <data> or an <rpc-reply>.
func Natives(root *ciscoacl.Node) ([]*ciscoacl.Node, error) { return natives(root) }

// Below returns the elements that are reached from n by names.
func Below(n *ciscoacl.Node, names ...string) []*ciscoacl.Node { return below(n, names...) }
